/** Grids and labels of time and price. */

import { clockText, priceStep, priceText, timeStep, zoneName } from "./format.js";

/** @typedef {import("./overlay.js").Scene} Scene */

/** Room for the market state between the map and the time axis. */
export const STATE_BAND_PX = 8;

/** @param {CanvasRenderingContext2D} context @param {Scene} scene */
export function priceGrid(context, { view, size, y, theme }) {
  const step = priceStep((28 / size.height) * view.rows);
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
  const step = priceStep((28 / size.height) * view.rows);
  context.textBaseline = "middle";
  context.textAlign = "left";
  context.fillStyle = theme.quiet;
  for (let bucket = Math.ceil((view.top - view.rows) / step) * step; bucket <= view.top; bucket += step) {
    const level = y(bucket);
    if (level > 8 && level < size.height - 6) context.fillText(priceText(bucket * ring.bucketInt, decimals), left + 4, level);
  }
  const newest = Math.max(last - 1, ring.first);
  const chunk = ring.chunk(newest);
  const at = ring.at(newest);
  let taken = -Infinity;
  const marks = /** @type {[string, number, string][]} */ ([
    ["ask", chunk.ask[at], theme.ask], ["last", chunk.last[at], theme.last], ["bid", chunk.bid[at], theme.bid],
  ]).sort((a, b) => b[1] - a[1]);
  for (const [, price, colour] of marks) {
    const level = y(price);
    if (!(level >= 0 && level <= size.height)) continue;
    const top = Math.max(level - 8, taken);
    taken = top + 16;
    context.fillStyle = colour;
    context.fillRect(left + 1, top, width - 2, 16);
    context.fillStyle = theme.ink;
    context.fillText(priceText(price * ring.bucketInt, decimals), left + 4, top + 8.5);
  }
}
