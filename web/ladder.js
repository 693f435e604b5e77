/** Beside the map: per level the resting depth, pressure and vacuum of one column. */

import { amountText, sizeText } from "./format.js";
import { PRICE_AXIS_PX } from "./scene.js";
import { HOLD_MS } from "./time-bins.js";

/** @typedef {import("./scene.js").Scene} Scene */

/** The longest bar of a force stands for at least this share of the map's upper cut-off. */
const QUIET_SHARE = 0.1;
/** Height of a number, and the least force that has one. */
const NUMBER_PX = 11;
const LEAST_NUMBER = 0.01;
const COLUMNS = /** @type {const} */ ([
  { field: "rest_depth", title: "rest", share: 0.4 }, { field: "pressure", title: "press", share: 0.3 },
  { field: "vacuum", title: "vac", share: 0.3 },
]);

/**
 * Pressure and vacuum share a scale, which a quiet market does not blow up; as in the map, silence ends them.
 * @param {CanvasRenderingContext2D} context @param {Scene} scene
 */
export function paintLadder(context, scene) {
  const { ring, viewport, size, y, theme, column, upper, nowMs } = scene;
  const room = size.side - PRICE_AXIS_PX;
  const spot = ring.spot(column);
  const [bid, ask] = ["bid_price", "ask_price"].map((name) => Math.floor(ring.scalar(name, column) + 0.5)); // their rows
  if (room < 60 || Number.isNaN(spot)) return;
  const faded = Math.min(nowMs, viewport.endMs) - ring.timeMs(column) > HOLD_MS;
  const thick = size.height / viewport.rows;
  const perBar = Math.max(1, Math.ceil(2 / thick));
  const grids = Object.fromEntries(COLUMNS.map(({ field }) => [field, levels(scene, field)]));
  const greatest = (/** @type {string} */ field) => grids[field].reduce((most, value) => Math.max(most, value || 0), 0);
  const force = Math.max(greatest("pressure"), greatest("vacuum"), upper * QUIET_SHARE);
  let at = size.width + PRICE_AXIS_PX;
  context.textBaseline = "middle";
  for (const { field, title, share } of COLUMNS) {
    const width = room * share - 4;
    const values = grids[field];
    const most = field === "rest_depth" ? greatest(field) : force;
    const exact = values === scene.exact?.[field];
    const shown = faded && field !== "rest_depth" ? 0 : ring.rows;
    const numbers = /** @type {[string, number][]} */ ([]);
    for (let row = 0; row < shown; row += perBar) {
      const bucket = spot - ring.k + row;
      const level = y(bucket);
      if (level < 18 || level > size.height) continue;
      let value = 0;
      for (let i = row; i < Math.min(row + perBar, ring.rows); i += 1) value = Math.max(value, values[i]);
      if (!(value > 0)) continue;
      const side = bucket >= ask && !(bucket <= bid) ? theme.ask : bucket <= bid && !(bucket >= ask) ? theme.bid : theme.depth;
      context.fillStyle = field === "rest_depth" ? side : theme[field];
      context.globalAlpha = 0.55;
      context.fillRect(at, level - (thick * perBar) / 2 + 0.5, (value / most) * width, Math.max(1, thick * perBar - 1));
      context.globalAlpha = 1;
      // where rows are too thin for numbers, the best prices have theirs all the same, one above and one below
      const aside = Math.max(0, (NUMBER_PX - thick) / 2) * (bucket === ask ? -1 : 1);
      if (value >= LEAST_NUMBER && (aside === 0 || bucket === ask || bucket === bid)) numbers.push([field === "rest_depth" ? sizeText(value, exact) : amountText(value), level + aside]);
    }
    context.textAlign = "right";
    context.fillStyle = theme.text;
    context.strokeStyle = theme.halo;
    context.lineWidth = 3;
    for (const [text, level] of numbers) {
      context.strokeText(text, at + width, level);
      context.fillText(text, at + width, level);
    }
    context.fillStyle = theme.ground;
    context.fillRect(at - 2, 0, width + 6, 17);
    context.fillStyle = theme.quiet;
    context.textAlign = "left";
    context.fillText(title, at, 9);
    at += width + 4;
  }
}

/** @param {Scene} scene @param {string} field */
function levels({ ring, column, exact }, field) {
  if (exact?.[field] && column === ring.end - 1) return exact[field];
  const lowest = ring.spot(column) - ring.k;
  return Float32Array.from({ length: ring.rows }, (_, row) => ring.value(field, column, lowest + row));
}
