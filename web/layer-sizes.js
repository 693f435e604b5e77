/** Numbers in cells, wherever row and time leave room for them. */

import { sizeText } from "./format.js";
import { HOLD_MS } from "./time-bins.js";

/** @typedef {import("./scene.js").Scene} Scene */

const LEAST_ROW_PX = 13;
const LEAST_COLUMN_PX = 6;
const LEAST_RUN_PX = 20;
const EDGE_PX = 4;

/**
 * One number for each stretch of columns in which a cell keeps its value.
 * @param {CanvasRenderingContext2D} context @param {Scene} scene
 */
export function paintSizes(context, { ring, first, last, viewport, size, x, y, theme, field, nowMs }) {
  if (size.height / viewport.rows < LEAST_ROW_PX || (last - first) * LEAST_COLUMN_PX > size.width) return;
  const ends = Array.from({ length: last - first }, (_, i) => {
    const column = first + i;
    const timeMs = ring.timeMs(column);
    if (ring.hole(column + 1)) return x(timeMs);
    return x(Math.min(column + 1 < ring.end ? ring.timeMs(column + 1) : nowMs, timeMs + HOLD_MS));
  });
  context.textAlign = "center";
  context.textBaseline = "middle";
  context.lineWidth = 3;
  context.strokeStyle = theme.halo;
  context.fillStyle = theme.text;
  for (let bucket = Math.ceil(viewport.top - viewport.rows); bucket <= viewport.top; bucket += 1) {
    for (let column = first, start = x(ring.timeMs(first)); column < last; column += 1) {
      const value = ring.value(field, column, bucket);
      const end = ends[column - first];
      const next = column + 1 < last ? x(ring.timeMs(column + 1)) : Infinity;
      if (next <= end + 0.01 && ring.value(field, column + 1, bucket) === value) continue;
      const left = Math.max(start, 0);
      const room = Math.min(end, size.width) - left;
      start = next;
      if (!value || Number.isNaN(value) || room < LEAST_RUN_PX) continue;
      const text = sizeText(value, false);
      if (context.measureText(text).width + 2 * EDGE_PX > room) continue;
      context.strokeText(text, left + room / 2, y(bucket));
      context.fillText(text, left + room / 2, y(bucket));
    }
  }
}
