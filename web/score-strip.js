/**
 * The score strip under the map, on its time axis: the score as a line between the scores at which states begin and end,
 * the market state as the area behind it, strength as how opaque that is.
 */

import { STATES } from "./market-panel.js";
import { CHUNK } from "./ring.js";
import { STRIP_PX } from "./scene.js";
import { HOLD_MS } from "./time-bins.js";

/** @typedef {import("./scene.js").Scene} Scene @typedef {import("./ring.js").Ring} Ring */
/**
 * What the strip shows, a pixel each: the least, greatest and last score in it, NaN without a signal; and of DOWN, CHOP and
 * UP, one after the other, how opaque their area is: the share of the pixel's time, by strength.
 * @typedef {{low: Float32Array, high: Float32Array, end: Float32Array, area: Float32Array}} Course
 */

const GAP_PX = 4;
const CONTEXT_ALPHA = 0.45;
/** Of an area without strength, and of one of twice the usual strength or more. */
const FAINT = 0.22;
const FULL = 0.8;
const FULL_STRENGTH = 2;
/** Steps of opacity, so that areas are painted in a few pieces. */
const STEPS = 24;

/** Until when a column gives a signal: the next one, a hole, or a minute of silence. @param {Ring} ring @param {number} column @param {number} nowMs */
export function signalUntilMs(ring, column, nowMs) {
  const timeMs = ring.timeMs(column);
  if (ring.hole(column + 1)) return timeMs;
  const nextMs = column + 1 < ring.end ? ring.timeMs(column + 1) : Math.max(nowMs, timeMs);
  return Math.min(nextMs, timeMs + HOLD_MS, ring.gaps.cutMs(timeMs, nextMs));
}

/**
 * The column that gives the signal at a time, if one does.
 * @param {Scene} scene @param {number} timeMs @returns {number | null}
 */
export function signalAt({ ring, nowMs }, timeMs) {
  const column = ring.columnUntil(timeMs);
  return column >= ring.first && timeMs <= signalUntilMs(ring, column, nowMs) ? column : null;
}

/** @param {Pick<Scene, "ring" | "first" | "last" | "x" | "size" | "nowMs" | "emitFromMs">} scene @returns {Course} */
export function scoreCourse({ ring, first, last, x, size, nowMs, emitFromMs }) {
  const pixels = Math.ceil(size.width);
  const [low, high, end] = [0, 1, 2].map(() => new Float32Array(pixels).fill(NaN));
  const area = new Float32Array(3 * pixels);
  for (let start = first; start < last;) { // a chunk at a time: there may be hundreds of thousands of columns
    const { timeMs, hole, scalars: { score, state, strength } } = ring.chunk(start);
    const stop = Math.min(last, start - ring.at(start) + CHUNK);
    for (let column = start, at = ring.at(start); column < stop; column += 1, at += 1) {
      const inside = column + 1 < stop;
      const moment = inside ? hole[at + 1] !== 0 : ring.hole(column + 1);
      const from = x(timeMs[at]);
      const left = Math.max(from, 0);
      // before a hole it is a moment, and seen nevertheless
      const until = moment ? from + 1 : x(inside && ring.gaps.held.size === 0 ? Math.min(timeMs[at + 1], timeMs[at] + HOLD_MS) : signalUntilMs(ring, column, nowMs));
      const right = Math.min(until, pixels);
      const opacity = (FAINT + (FULL - FAINT) * Math.min(strength[at] / FULL_STRENGTH, 1)) * (timeMs[at] < emitFromMs ? CONTEXT_ALPHA : 1);
      for (let pixel = Math.floor(left); pixel < right; pixel += 1) {
        if (!(score[at] >= low[pixel])) low[pixel] = score[at];
        if (!(score[at] <= high[pixel])) high[pixel] = score[at];
        end[pixel] = score[at];
        area[3 * pixel + 1 + state[at]] += (Math.min(right, pixel + 1) - Math.max(left, pixel)) * opacity;
      }
    }
    start = stop;
  }
  return { low, high, end, area };
}

/** Where a score lies in the strip; by its square root, so that small ones are told apart. @param {number} score @returns {number} -1 at the bottom, 1 at the top */
const rise = (score) => Math.sign(score) * Math.sqrt(Math.min(Math.abs(score), 1));

/** @param {CanvasRenderingContext2D} context @param {Scene} scene */
export function paintScoreStrip(context, scene) {
  const { size: { width, height, side }, theme, thresholds: { begin, end: leave } } = scene;
  const half = (STRIP_PX - 2 * GAP_PX) / 2;
  const middle = height + GAP_PX + half;
  const level = (/** @type {number} */ score) => middle - rise(score) * half;
  const { low, high, end, area } = scoreCourse(scene);
  context.fillStyle = theme.grid;
  context.fillRect(0, height, width + side, 1);
  // DOWN fills the lower half, UP the upper one, CHOP what lies between the scores at which they begin
  const areas = [[theme.down, middle, half], [theme.chop, level(begin), level(-begin) - level(begin)], [theme.up, middle - half, half]];
  areas.forEach(([colour, top, tall], state) => {
    context.fillStyle = /** @type {string} */ (colour);
    const step = (/** @type {number} */ pixel) => Math.round(Math.min(area[3 * pixel + state] || 0, 1) * STEPS);
    for (let pixel = 0, start = 0; pixel < low.length; pixel += 1) {
      if (pixel + 1 < low.length && step(pixel + 1) === step(pixel)) continue;
      context.globalAlpha = step(pixel) / STEPS;
      if (context.globalAlpha > 0) context.fillRect(start, /** @type {number} */ (top), Math.min(pixel + 1, width) - start, /** @type {number} */ (tall));
      start = pixel + 1;
    }
  });
  context.globalAlpha = 1;
  context.fillStyle = theme.quiet;
  context.globalAlpha = 0.6;
  for (const [score, dash] of [[0, 1], [begin, 1], [-begin, 1], [leave, 4], [-leave, 4]]) { // solid where states begin, dotted where they end
    if (Math.abs(score) > 1) continue;
    for (let left = 0; left < width; left += dash === 1 ? width : dash) context.fillRect(left, Math.round(level(score)), dash === 1 ? width : 1, score === 0 ? 0.5 : 1);
  }
  context.globalAlpha = 1;
  for (const [colour, thick] of /** @type {[string, number][]} */ ([[theme.halo, 3.5], [theme.text, 1.5]])) { // told from every area
    context.fillStyle = colour;
    for (let pixel = 0, before = NaN; pixel < low.length; before = end[pixel], pixel += 1) {
      if (Number.isNaN(low[pixel])) continue;
      const top = level(before > high[pixel] ? before : high[pixel]);
      context.fillRect(pixel, top - thick / 2, 1, level(before < low[pixel] ? before : low[pixel]) - top + thick);
    }
  }
  context.textBaseline = "middle";
  context.textAlign = "left";
  const labels = [`${STATES[1][1]} from ${begin}`, `until ${leave}`, `${STATES[-1][1]} −${begin}`];
  labels.forEach((words, i) => {
    context.fillStyle = i === 1 ? theme.quiet : theme.text;
    context.fillText(words, width + 5, middle + (i - 1) * 15, side - 6);
  });
}

/** What the strip says at a time. @param {Scene} scene @param {number} timeMs @returns {string} */
export function signalText(scene, timeMs) {
  const column = signalAt(scene, timeMs);
  if (column === null) return "no signal";
  const value = (/** @type {string} */ name) => scene.ring.scalar(name, column);
  return `${STATES[/** @type {1 | 0 | -1} */ (value("state"))][1]}  score ${value("score").toFixed(2)}  strength ${value("strength").toFixed(2)}×`;
}
