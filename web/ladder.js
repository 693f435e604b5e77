/** Beside the map: per level the resting depth, pressure and vacuum of one column, and the price axis. */

import { paintPriceAxis } from "./axes.js";
import { amountText } from "./format.js";

/** @typedef {import("./overlay.js").Scene} Scene */

export const PRICE_AXIS_PX = 76;
/** The longest bar of a force stands for at least this share of the map's upper cut-off. */
const QUIET_SHARE = 0.1;
const COLUMNS = /** @type {const} */ ([
  { field: "rest_depth", title: "rest", share: 0.4 }, { field: "pressure", title: "press", share: 0.3 },
  { field: "vacuum", title: "vac", share: 0.3 },
]);

/**
 * @param {CanvasRenderingContext2D} context @param {Scene} scene
 * @param {number} column which column's levels @param {Record<string, Float32Array> | null} exact the newest frame's grids
 * @param {number} upper the map's upper cut-off: pressure and vacuum share a scale, which a quiet market does not blow up
 */
export function paintSide(context, scene, column, exact, upper) {
  const { ring, view, size, y, theme } = scene;
  const left = size.width;
  paintPriceAxis(context, scene, left, PRICE_AXIS_PX);
  const room = size.side - PRICE_AXIS_PX;
  if (room < 60) return;
  const spot = ring.chunk(column).spot[ring.at(column)];
  if (Number.isNaN(spot)) return;
  const thick = size.height / view.rows;
  const numbers = thick >= 11;
  const perBar = Math.max(1, Math.ceil(2 / thick));
  const grids = Object.fromEntries(COLUMNS.map(({ field }) => [field, levels(scene, column, field, exact)]));
  const greatest = (/** @type {string} */ field) => grids[field].reduce((most, value) => Math.max(most, value || 0), 0);
  const force = Math.max(greatest("pressure"), greatest("vacuum"), upper * QUIET_SHARE);
  let at = left + PRICE_AXIS_PX;
  context.textBaseline = "middle";
  for (const { field, title, share } of COLUMNS) {
    const width = room * share - 4;
    const values = grids[field];
    const most = field === "rest_depth" ? greatest(field) : force;
    for (let row = 0; row < ring.rows; row += perBar) {
      const bucket = spot - ring.half + row;
      const level = y(bucket);
      if (level < 18 || level > size.height) continue;
      let value = 0;
      for (let i = row; i < Math.min(row + perBar, ring.rows); i += 1) value = Math.max(value, values[i]);
      if (!(value > 0)) continue;
      context.fillStyle = field === "rest_depth" ? (bucket > spot ? theme.ask : bucket < spot ? theme.bid : theme.depth) : theme[field];
      context.globalAlpha = 0.55;
      context.fillRect(at, level - (thick * perBar) / 2 + 0.5, (value / most) * width, Math.max(1, thick * perBar - 1));
      context.globalAlpha = 1;
      if (numbers) {
        context.fillStyle = theme.text;
        context.textAlign = "right";
        context.fillText(field === "rest_depth" ? Math.round(value).toLocaleString("en-US") : amountText(value), at + width, level);
      }
    }
    context.fillStyle = theme.ground;
    context.fillRect(at - 2, 0, width + 6, 17);
    context.fillStyle = theme.quiet;
    context.textAlign = "left";
    context.fillText(title, at, 9);
    at += width + 4;
  }
}

/** @param {Scene} scene @param {number} column @param {string} field @param {Record<string, Float32Array> | null} exact */
function levels({ ring }, column, field, exact) {
  if (exact?.[field] && column === ring.end - 1) return exact[field];
  const spot = ring.chunk(column).spot[ring.at(column)];
  return Float32Array.from({ length: ring.rows }, (_, row) => ring.value(field, column, spot - ring.half + row));
}

/**
 * Pressure and vacuum above and below spot.
 * @param {Scene["ring"]} ring @param {number} column
 */
export function totals(ring, column) {
  const spot = ring.chunk(column).spot[ring.at(column)];
  const sum = { pressureAbove: 0, pressureBelow: 0, vacuumAbove: 0, vacuumBelow: 0 };
  if (Number.isNaN(spot)) return sum;
  for (let k = 1; k <= ring.half; k += 1) {
    sum.pressureAbove += ring.value("pressure", column, spot + k);
    sum.pressureBelow += ring.value("pressure", column, spot - k);
    sum.vacuumAbove += ring.value("vacuum", column, spot + k);
    sum.vacuumBelow += ring.value("vacuum", column, spot - k);
  }
  return sum;
}

/**
 * The recent course of score (above, filled from the middle) and strength (below), over what is on screen.
 * @param {HTMLCanvasElement} canvas @param {Scene} scene
 */
export function paintCourse(canvas, { ring, first, last, x, size, theme }) {
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
    const score = ring.chunk(column).score[ring.at(column)];
    const at = x(ring.timeMs(column)) * scale;
    if (at < 0) continue;
    context.fillStyle = score >= 0 ? theme.up : theme.down;
    context.fillRect(at, Math.min(middle, middle - score * middle), Math.max(1, scale), Math.max(1, Math.abs(score) * middle));
    const strength = Math.min(2.4, ring.chunk(column).strength[ring.at(column)]);
    context.lineTo(at, height - 2 - strength * height * 0.16);
  }
  context.strokeStyle = theme.text;
  context.lineWidth = 1;
  context.stroke();
}
