/** The lines of the crosshair, over map, ladder and strip: with price and time on the axes, and what the strip says there. */

import { MARK_PX, marksOf } from "./axes.js";
import { clockText, priceText } from "./format.js";
import { held } from "./labels.js";
import { PRICE_AXIS_PX } from "./scene.js";
import { signalText } from "./score-strip.js";

/** @typedef {import("./scene.js").Scene} Scene @typedef {import("./gestures.js").Point} Point */
/** @typedef {{name: "price" | "time" | "signal", words: string, left: number, top: number, wide: number}} Tag CSS px */

const TAG_PX = 18;
const EDGE_PX = 5;
/** Spans up to this are read to the millisecond. */
const FINE_MS = 60_000;

/** Where a price stands on the axis: at its height, or as near to it as bid, ask and last leave room. @param {number} at @param {number} height @param {{top: number}[]} marks */
export function besideMarks(at, height, marks) {
  const away = (/** @type {number} */ top) => Math.abs(top + TAG_PX / 2 - at);
  return [at - TAG_PX / 2, ...marks.flatMap(({ top }) => [top - TAG_PX, top + MARK_PX])].map((top) => held(top, TAG_PX, height))
    .filter((tag) => marks.every(({ top }) => tag + TAG_PX <= top || tag >= top + MARK_PX)).sort((a, b) => away(a) - away(b))[0] ?? at;
}

/** @param {CanvasRenderingContext2D} context @param {Scene} scene @param {Point} at @returns {Tag[]} */
export function tagsOf(context, scene, at) {
  const { ring, viewport, size: { width, height, strip }, decimals, lowest } = scene;
  const wide = (/** @type {string} */ words) => context.measureText(words).width + 2 * EDGE_PX;
  /** @type {Tag[]} */
  const tags = [];
  const bucket = Math.floor(viewport.top - (at.y / height) * viewport.rows + 0.5);
  if (at.y < height && bucket >= lowest) {
    tags.push({ name: "price", words: priceText(bucket * ring.bucketInt, decimals), left: width + 1, top: besideMarks(at.y, height, marksOf(scene)), wide: PRICE_AXIS_PX - 2 });
  }
  if (at.x >= width || at.y >= height + strip) return tags;
  const timeMs = viewport.startMs + (at.x / width) * viewport.spanMs;
  const time = clockText(timeMs, viewport.spanMs <= FINE_MS);
  tags.push({ name: "time", words: time, left: held(at.x - wide(time) / 2, wide(time), width), top: height + strip + 2, wide: wide(time) });
  if (strip > 0) {
    const words = signalText(scene, timeMs);
    const right = at.x + 8;
    tags.push({ name: "signal", words, left: held(right + wide(words) < width ? right : at.x - 8 - wide(words), wide(words), width), top: height + strip - TAG_PX - 2, wide: wide(words) });
  }
  return tags;
}

/** @param {CanvasRenderingContext2D} context @param {Scene} scene @param {Point} at @param {Tag[]} tags */
export function paintHair(context, { size: { width, height, side, strip }, theme }, at, tags) {
  context.fillStyle = theme.cross;
  if (at.x < width && at.y < height + strip) context.fillRect(Math.round(at.x), 0, 1, height + strip);
  if (at.y < height) context.fillRect(0, Math.round(at.y), width + side, 1);
  context.textBaseline = "middle";
  context.textAlign = "left";
  for (const { words, left, top, wide } of tags) {
    context.fillStyle = theme.ground;
    context.fillRect(left, top, wide, TAG_PX);
    context.fillStyle = context.strokeStyle = theme.text;
    context.strokeRect(left + 0.5, top + 0.5, wide - 1, TAG_PX - 1);
    context.fillText(words, left + EDGE_PX, top + TAG_PX / 2 + 0.5);
  }
}
