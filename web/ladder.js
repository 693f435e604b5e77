/** Beside the map: per level the resting depth, pressure and vacuum of one column, as bars and numbers. */

import { amountText, sizeText } from "./format.js";
import { writeOver } from "./labels.js";
import { PRICE_AXIS_PX } from "./scene.js";
import { HOLD_MS } from "./time-bins.js";

/** @typedef {import("./scene.js").Scene} Scene */
/** @typedef {{bucket: number, value: number, side: "bid" | "ask" | "depth", text: string}} Level the greatest of `rows` buckets from `bucket` up */

/** The longest bar of a force stands for at least this share of the map's upper cut-off. */
const QUIET_SHARE = 0.1;
/** Height of a number, and the least force that has one. */
const NUMBER_PX = 11;
const LEAST_NUMBER = 0.01;
const TITLE_PX = 17;
const COLUMNS = /** @type {const} */ ([
  { field: "rest_depth", title: "rest", share: 0.4 }, { field: "pressure", title: "press", share: 0.3 },
  { field: "vacuum", title: "vac", share: 0.3 },
]);

/**
 * The levels of a grid column that are more than 0, from the lowest price up. Where rows are too thin for numbers, the best
 * bid and the best ask have theirs all the same.
 * @param {Pick<Scene, "ring" | "column" | "exact">} scene @param {string} field @param {number} rows in a bar @param {boolean} all whether there is room for every number
 * @returns {Level[]}
 */
export function ladderLevels({ ring, column, exact }, field, rows, all) {
  const grid = column === ring.end - 1 ? exact?.[field] : undefined;
  const lowest = ring.spot(column) - ring.k;
  const [bid, ask] = ["bid_price", "ask_price"].map((name) => Math.floor(ring.scalar(name, column) + 0.5)); // their rows
  /** @type {Level[]} */
  const levels = [];
  for (let row = 0; row < ring.rows; row += rows) {
    let value = 0;
    for (let i = row; i < Math.min(row + rows, ring.rows); i += 1) value = Math.max(value, (grid ? grid[i] : ring.value(field, column, lowest + i)) || 0);
    if (value === 0) continue;
    const bucket = lowest + row;
    const side = bucket >= ask && !(bucket <= bid) ? "ask" : bucket <= bid && !(bucket >= ask) ? "bid" : "depth";
    const text = value < LEAST_NUMBER || !(all || bucket === bid || bucket === ask) ? ""
      : field === "rest_depth" ? sizeText(value, grid !== undefined) : amountText(value);
    levels.push({ bucket, value, side, text });
  }
  return levels;
}

/**
 * Pressure and vacuum share a scale, which a quiet market does not blow up; as in the map, silence ends them.
 * @param {CanvasRenderingContext2D} context @param {Scene} scene
 */
export function paintLadder(context, scene) {
  const { ring, viewport, size, y, theme, column, upper, nowMs } = scene;
  const room = size.side - PRICE_AXIS_PX;
  if (room < 60 || Number.isNaN(ring.spot(column))) return;
  const faded = Math.min(nowMs, viewport.endMs) - ring.timeMs(column) > HOLD_MS;
  const thick = size.height / viewport.rows;
  const perBar = Math.max(1, Math.ceil(2 / thick));
  const aside = Math.max(0, (NUMBER_PX - thick) / 2); // best prices that lie nearer than their numbers are high
  const parts = COLUMNS.map((column) => ({ ...column, levels: ladderLevels(scene, column.field, perBar, aside === 0) }));
  const greatest = parts.map(({ levels }) => levels.reduce((most, { value }) => Math.max(most, value), 0));
  const force = Math.max(greatest[1], greatest[2], upper * QUIET_SHARE);
  let at = size.width + PRICE_AXIS_PX;
  context.beginPath();
  context.rect(at - 2, 0, room + 2, size.height);
  context.clip();
  context.textBaseline = "middle";
  for (const { field, title, share, levels } of parts) {
    const width = room * share - 4;
    const isDepth = field === "rest_depth";
    const shown = faded && !isDepth ? [] : levels;
    context.globalAlpha = 0.55;
    for (const { bucket, value, side } of shown) {
      context.fillStyle = isDepth ? theme[side] : theme[field];
      context.fillRect(at, y(bucket) - (thick * perBar) / 2 + 0.5, (value / (isDepth ? greatest[0] : force)) * width, Math.max(1, thick * perBar - 1));
    }
    context.globalAlpha = 1;
    context.fillStyle = theme.text;
    context.textAlign = "right";
    for (const { bucket, side, text } of shown) {
      const level = y(bucket) + (side === "ask" ? -aside : aside);
      if (text && level > TITLE_PX + NUMBER_PX / 2 && level < size.height - NUMBER_PX / 2) writeOver(context, theme, text, at + width, level);
    }
    context.fillStyle = theme.ground;
    context.fillRect(at - 2, 0, width + 6, TITLE_PX);
    context.fillStyle = theme.quiet;
    context.textAlign = "left";
    context.fillText(title, at, TITLE_PX / 2);
    at += width + 4;
  }
}
