/** Grids and labels of time and price, and where the sessions of the market begin and end. */

import { clockText, dateAndTime, priceStep, priceText, timeStep, zoneName } from "./format.js";
import { beside, held, writeOver } from "./labels.js";
import { PRICE_AXIS_PX } from "./scene.js";

/** @typedef {import("./scene.js").Scene} Scene */

/** Height of the price of bid, ask and last on the axis. */
export const MARK_PX = 16;
/** Boundaries of sessions, New York time. */
const SESSION_TIMES = /** @type {Record<string, string>} */ ({
  "09:30:00": "open", "16:00:00": "close", "17:00:00": "halt", "18:00:00": "open",
});

/** @param {CanvasRenderingContext2D} context @param {Scene} scene */
export function paintPriceGrid(context, scene) {
  context.fillStyle = scene.theme.grid;
  for (const bucket of roundPrices(scene)) context.fillRect(0, Math.round(scene.y(bucket)), scene.size.width, 1);
}

/** Buckets on screen, from the lowest that can be a price, that people count in. @param {Scene} scene @returns {number[]} */
function roundPrices({ ring, viewport, size, lowest }) {
  const step = priceStep((28 / size.height) * viewport.rows, ring.bucketInt);
  const from = Math.ceil(Math.max(viewport.top - viewport.rows, lowest) / step);
  return Array.from({ length: Math.max(0, Math.floor(viewport.top / step) - from + 1) }, (_, i) => (from + i) * step);
}

/** @param {CanvasRenderingContext2D} context @param {Scene} scene */
export function paintTimeAxis(context, { viewport, size: { width, height, strip }, x, theme }) {
  const step = timeStep((90 / width) * viewport.spanMs);
  context.textBaseline = "top";
  context.textAlign = "center";
  for (let time = Math.ceil(viewport.startMs / step) * step; time <= viewport.endMs; time += step) {
    context.fillStyle = theme.grid;
    context.fillRect(Math.round(x(time)), 0, 1, height + strip);
    context.fillStyle = theme.quiet;
    const words = clockText(time, step < 1000);
    const half = context.measureText(words).width / 2;
    if (x(time) >= half && x(time) <= width - half) context.fillText(words, x(time), height + strip + 6);
  }
  context.textAlign = "left";
  context.fillStyle = theme.quiet;
  context.fillText(zoneName(), width + 6, height + strip + 6);
}

/**
 * Bookmarks on the time axis, each with as much of its note as there is room for before the next.
 * @param {CanvasRenderingContext2D} context @param {Scene} scene
 */
export function paintBookmarks(context, { bookmarks, viewport, size: { width, height, strip }, x, theme }) {
  const top = height + strip;
  const shown = bookmarks.filter(({ timeMs }) => timeMs >= viewport.startMs && timeMs <= viewport.endMs);
  context.fillStyle = theme.session;
  context.textBaseline = "top";
  let taken = 0;
  for (const [i, { timeMs, note }] of shown.entries()) {
    const at = Math.round(x(timeMs)) + 0.5;
    context.beginPath();
    context.moveTo(at - 5, top);
    context.lineTo(at + 5, top);
    context.lineTo(at, top + 9);
    context.fill();
    const { words, left, wide } = beside(context, at, note, taken, i + 1 < shown.length ? x(shown[i + 1].timeMs) - 6 : width);
    taken = Math.max(at + 6, left + wide);
    if (!words) continue;
    context.fillStyle = theme.ground;
    context.fillRect(left - 2, top + 1, wide + 4, 15);
    context.fillStyle = theme.session;
    context.fillText(words, left, top + 3);
  }
}

/**
 * Lines where a session begins or ends.
 * @param {CanvasRenderingContext2D} context @param {Scene} scene
 */
export function paintSessions(context, { ring, viewport, size, x, theme }) {
  const step = 1_800_000;
  /** Where the live feed went from a session to the next. @type {Map<number, string>} */
  const followed = new Map(ring.parts.slice(1).map(({ fromMs, dt }) => [fromMs, dt]));
  const times = Array.from({ length: Math.max(0, Math.floor(viewport.endMs / step) - Math.ceil(viewport.startMs / step) + 1) }, (_, i) => (Math.ceil(viewport.startMs / step) + i) * step);
  /** @type {{at: number, label: string}[]} */
  const lines = [];
  for (const time of [...new Set([...times, ...followed.keys()])].sort((a, b) => a - b)) {
    const clock = dateAndTime(time, "ET");
    const utc = dateAndTime(time, "UTC");
    const next = followed.get(time);
    const what = next ? `session ${next} begins` : utc.time === "00:00:00" ? `session ${utc.date}` : SESSION_TIMES[clock.time];
    if (!what || time < viewport.startMs || time > viewport.endMs) continue;
    context.strokeStyle = context.fillStyle = theme.session;
    context.lineWidth = next ? 2 : 1;
    context.setLineDash(next ? [] : [2, 4]);
    context.beginPath();
    context.moveTo(Math.round(x(time)) + 0.5, 0);
    context.lineTo(Math.round(x(time)) + 0.5, size.height);
    context.stroke();
    lines.push({ at: x(time), label: `${clock.time.slice(0, 5)} ET ${what}` });
  }
  context.textAlign = "left";
  context.textBaseline = "bottom";
  let taken = 0;
  for (const [i, { at, label }] of lines.entries()) {
    const { words, left, wide } = beside(context, at, label, taken, lines[i + 1]?.at ?? size.width);
    writeOver(context, theme, words, left, size.height - 4);
    taken = Math.max(at, left + wide);
  }
}

/**
 * Where the session's own frames begin; those before are context, one a second.
 * @param {CanvasRenderingContext2D} context @param {Scene} scene
 */
export function paintContextEdge(context, { ring, size, x, theme, emitFromMs }) {
  const edge = Math.min(x(emitFromMs), size.width);
  const from = Math.max(x(ring.timeMs(ring.first)), 0);
  if (!(ring.timeMs(ring.first) < emitFromMs) || edge <= 0) return;
  context.fillStyle = context.strokeStyle = theme.session;
  context.globalAlpha = 0.5;
  context.fillRect(from, 0, edge - from, 3);
  context.globalAlpha = 1;
  context.setLineDash([6, 4]);
  context.beginPath();
  context.moveTo(Math.round(edge) + 0.5, 0);
  context.lineTo(Math.round(edge) + 0.5, size.height);
  context.stroke();
  context.textAlign = "right";
  context.textBaseline = "bottom";
  const words = "context, at most a frame a second";
  if (context.measureText(words).width < edge - 5) writeOver(context, theme, words, edge - 5, size.height - 20);
}

/** The prices of bid, ask and last on the axis, from the highest down, none over another. @param {Scene} scene */
export function marksOf({ ring, size, y, theme, column }) {
  const marks = /** @type {[number, string][]} */ ([
    [ring.scalar("ask_price", column), theme.ask], [ring.scalar("last_price", column), theme.last], [ring.scalar("bid_price", column), theme.bid],
  ]).sort((a, b) => b[0] - a[0]).filter(([price]) => y(price) >= 0 && y(price) <= size.height).map(([price, colour]) => (
    { price, colour, top: held(y(price) - MARK_PX / 2, MARK_PX, size.height) }
  ));
  for (let i = 1; i < marks.length; i += 1) marks[i].top = Math.max(marks[i].top, marks[i - 1].top + MARK_PX);
  for (let i = marks.length - 1, end = size.height; i >= 0; end = marks[i].top, i -= 1) marks[i].top = Math.min(marks[i].top, end - MARK_PX);
  return marks;
}

/**
 * Labels of prices on the axis right of the map, and the prices of bid, ask and last in it.
 * @param {CanvasRenderingContext2D} context @param {Scene} scene
 */
export function paintPriceAxis(context, scene) {
  const { ring, size, y, theme, decimals } = scene;
  const left = size.width;
  const marks = marksOf(scene);
  context.textBaseline = "middle";
  context.textAlign = "left";
  context.fillStyle = theme.quiet;
  for (const bucket of roundPrices(scene)) {
    const level = y(bucket);
    if (level <= 8 || level >= size.height - 6 || marks.some(({ top }) => level > top - 6 && level < top + MARK_PX + 6)) continue;
    context.fillText(priceText(bucket * ring.bucketInt, decimals), left + 4, level);
  }
  for (const { price, colour, top } of marks) {
    context.fillStyle = colour;
    context.fillRect(left + 1, top, PRICE_AXIS_PX - 2, MARK_PX);
    context.fillStyle = theme.ink;
    context.fillText(priceText(price * ring.bucketInt, decimals), left + 4, top + MARK_PX / 2 + 0.5);
  }
}
