/** Grids and labels of time and price. */

import { clockText, priceStep, priceText, timeStep, zoneName } from "./format.js";

/** @typedef {import("./overlay.js").Scene} Scene */

/** Room for the market state between the map and the time axis. */
export const STATE_BAND_PX = 8;
/** Height of the price of bid, ask and last on the axis. */
const MARK_PX = 16;

/** @param {CanvasRenderingContext2D} context @param {Scene} scene */
export function priceGrid(context, { ring, view, size, y, theme }) {
  const step = priceStep((28 / size.height) * view.rows, ring.bucketInt);
  context.fillStyle = theme.grid;
  for (let bucket = Math.ceil((view.top - view.rows) / step) * step; bucket <= view.top; bucket += step) {
    context.fillRect(0, Math.round(y(bucket)), size.width, 1);
  }
}

/** @param {CanvasRenderingContext2D} context @param {Scene} scene */
export function timeAxis(context, { view, size: { width, height }, x, theme }) {
  const step = timeStep((90 / width) * view.spanMs);
  context.textBaseline = "top";
  context.textAlign = "center";
  for (let time = Math.ceil(view.startMs / step) * step; time <= view.endMs; time += step) {
    context.fillStyle = theme.grid;
    context.fillRect(Math.round(x(time)), 0, 1, height);
    context.fillStyle = theme.quiet;
    if (x(time) > 30 && x(time) < width - 30) context.fillText(clockText(time, step < 1000), x(time), height + STATE_BAND_PX + 6);
  }
  context.textAlign = "left";
  context.fillStyle = theme.quiet;
  context.fillText(zoneName(), width + 6, height + STATE_BAND_PX + 6);
}

/**
 * Labels of prices on an axis that begins at `left`.
 * @param {CanvasRenderingContext2D} context @param {Scene} scene @param {number} left @param {number} width
 */
export function paintPriceAxis(context, { ring, view, size, y, theme, decimals, last }, left, width) {
  const newest = Math.max(last - 1, ring.first);
  const chunk = ring.chunk(newest);
  const at = ring.at(newest);
  let taken = -Infinity;
  const marks = /** @type {[number, string][]} */ ([
    [chunk.ask[at], theme.ask], [chunk.last[at], theme.last], [chunk.bid[at], theme.bid],
  ]).sort((a, b) => b[0] - a[0]).filter(([price]) => y(price) >= 0 && y(price) <= size.height).map(([price, colour]) => {
    const top = Math.max(y(price) - MARK_PX / 2, taken);
    taken = top + MARK_PX;
    return { price, colour, top };
  });
  const step = priceStep((28 / size.height) * view.rows, ring.bucketInt);
  context.textBaseline = "middle";
  context.textAlign = "left";
  context.fillStyle = theme.quiet;
  for (let bucket = Math.ceil((view.top - view.rows) / step) * step; bucket <= view.top; bucket += step) {
    const level = y(bucket);
    if (level <= 8 || level >= size.height - 6 || marks.some(({ top }) => level > top - 6 && level < top + MARK_PX + 6)) continue;
    context.fillText(priceText(bucket * ring.bucketInt, decimals), left + 4, level);
  }
  for (const { price, colour, top } of marks) {
    context.fillStyle = colour;
    context.fillRect(left + 1, top, width - 2, MARK_PX);
    context.fillStyle = theme.ink;
    context.fillText(priceText(price * ring.bucketInt, decimals), left + 4, top + MARK_PX / 2 + 0.5);
  }
}
