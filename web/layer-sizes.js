/** Numbers in cells, wherever row and time leave room for them. */

import { sizeText } from "./format.js";
import { writeOver } from "./labels.js";
import { signalUntilMs } from "./score-strip.js";

/** @typedef {import("./scene.js").Scene} Scene @typedef {{bucket: number, left: number, right: number, text: string}} CellNumber CSS px */

const LEAST_ROW_PX = 13;
const LEAST_COLUMN_PX = 6;
const LEAST_RUN_PX = 20;
const EDGE_PX = 4;

/**
 * One number for each stretch of columns in which a cell keeps its value, if it may be wide enough for one.
 * @param {Pick<Scene, "ring" | "first" | "last" | "viewport" | "size" | "x" | "field" | "nowMs">} scene @returns {CellNumber[]}
 */
export function cellNumbers({ ring, first, last, viewport, size, x, field, nowMs }) {
  if (size.height / viewport.rows < LEAST_ROW_PX || (last - first) * LEAST_COLUMN_PX > size.width) return [];
  const columns = Array.from({ length: last - first }, (_, i) => first + i);
  const starts = columns.map((column) => x(ring.timeMs(column)));
  const ends = columns.map((column) => x(signalUntilMs(ring, column, nowMs)));
  /** @type {CellNumber[]} */
  const numbers = [];
  for (let bucket = Math.ceil(viewport.top - viewport.rows); bucket <= viewport.top; bucket += 1) {
    const values = columns.map((column) => ring.value(field, column, bucket));
    let start = starts[0];
    for (let i = 0; i < columns.length; i += 1) {
      if (ends[i] >= starts[i + 1] && values[i + 1] === values[i]) continue;
      const [left, right] = [Math.max(start, 0), Math.min(ends[i], size.width)];
      start = starts[i + 1];
      if (right - left >= LEAST_RUN_PX && Math.abs(values[i]) > 0) numbers.push({ bucket, left, right, text: sizeText(values[i], false) });
    }
  }
  return numbers;
}

/** @param {CanvasRenderingContext2D} context @param {Scene} scene */
export function paintSizes(context, scene) {
  const { theme, y } = scene;
  context.textAlign = "center";
  context.textBaseline = "middle";
  context.fillStyle = theme.text;
  for (const { bucket, left, right, text } of cellNumbers(scene)) {
    if (context.measureText(text).width + 2 * EDGE_PX > right - left) continue;
    writeOver(context, theme, text, (left + right) / 2, y(bucket));
  }
}
