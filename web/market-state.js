/** The market state: in a band under the map, and the course of score and strength that it comes from. */

import { STATE_BAND_PX } from "./scene.js";
import { HOLD_MS } from "./time-bins.js";

/** @typedef {import("./scene.js").Scene} Scene */

const CONTEXT_ALPHA = 0.45;

/**
 * The market state along the time axis, where there are frames; UP lies high in the band and DOWN low. Context is fainter.
 * @param {CanvasRenderingContext2D} context @param {Scene} scene
 */
export function paintMarketState(context, { ring, first, last, size: { width, height }, x, theme, nowMs, emitFromMs }) {
  let from = -Infinity;
  for (let column = first; column < last; column += 1) {
    const timeMs = ring.timeMs(column);
    const heldMs = Math.min(column + 1 < ring.end ? ring.timeMs(column + 1) : nowMs, timeMs + HOLD_MS);
    if (from === -Infinity) from = x(timeMs);
    const state = ring.scalar("state", column);
    const goesOn = column + 1 < last && ring.timeMs(column + 1) <= heldMs && !ring.hole(column + 1)
      && ring.scalar("state", column + 1) === state && timeMs < emitFromMs === ring.timeMs(column + 1) < emitFromMs;
    if (goesOn) continue;
    const until = Math.min(Math.max(x(ring.hole(column + 1) ? timeMs : heldMs), x(timeMs) + 2), width);
    context.globalAlpha = timeMs < emitFromMs ? CONTEXT_ALPHA : 1;
    context.fillStyle = state > 0 ? theme.up : state < 0 ? theme.down : theme.chop;
    const top = height + 2 + (state < 0 ? STATE_BAND_PX / 2 : state > 0 ? 0 : STATE_BAND_PX / 4);
    const left = Math.max(from, 0);
    if (until > left) context.fillRect(left, top, until - left, STATE_BAND_PX / 2);
    from = -Infinity;
  }
}

/**
 * The course of score (above, filled from the middle) and strength (below), over what is on screen.
 * @param {HTMLCanvasElement} canvas @param {Scene} scene
 */
export function paintScoreStrip(canvas, { ring, first, last, x, size, theme }) {
  const context = canvas.getContext("2d");
  if (!context) return;
  const width = canvas.clientWidth;
  const height = canvas.clientHeight;
  const ratio = size.ratio;
  if (canvas.width !== Math.round(width * ratio)) {
    canvas.width = Math.round(width * ratio);
    canvas.height = Math.round(height * ratio);
  }
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, width, height);
  const scale = width / size.width;
  const middle = height * 0.3;
  const step = Math.max(1, Math.floor((last - first) / (width * 2)));
  context.fillStyle = theme.grid;
  context.fillRect(0, middle, width, 1);
  context.fillRect(0, height - 2 - height * 0.16, width, 1);
  context.beginPath();
  for (let column = first; column < last; column += step) {
    const score = ring.scalar("score", column);
    const at = x(ring.timeMs(column)) * scale;
    if (at < 0) continue;
    context.fillStyle = score >= 0 ? theme.up : theme.down;
    context.fillRect(at, Math.min(middle, middle - score * middle), Math.max(1, scale), Math.max(1, Math.abs(score) * middle));
    const strength = Math.min(2.4, ring.scalar("strength", column));
    context.lineTo(at, height - 2 - strength * height * 0.16);
  }
  context.strokeStyle = theme.text;
  context.lineWidth = 1;
  context.stroke();
}
