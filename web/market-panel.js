/** The market in words and numbers around the map. */

import { element, write } from "./dom.js";
import { amountText, clockText, priceText, zoneName } from "./format.js";

/** @typedef {import("./ring.js").Ring} Ring */
/** @typedef {Record<"pressure-above" | "pressure-below" | "vacuum-above" | "vacuum-below", number>} Sums by the cell that shows it */

const STATES = { 1: ["up", "▲ UP"], 0: ["chop", "■ CHOP"], "-1": ["down", "▼ DOWN"] };

/** @param {Ring} ring @param {number} column @param {number} decimals */
export function showNumbers(ring, column, decimals) {
  const value = (/** @type {string} */ name) => ring.scalar(name, column);
  const [name, label] = STATES[/** @type {1 | 0 | -1} */ (value("state"))];
  element("state").dataset.state = name;
  write("state", label);
  write("score", value("score").toFixed(2));
  write("strength", `${value("strength").toFixed(2)}×`);
  for (const price of /** @type {const} */ (["bid", "ask", "last"])) {
    write(price, priceText(value(`${price}_price`) * ring.bucketInt, decimals));
  }
  write("clock-name", `Event time (${zoneName()})`);
  write("clock", clockText(ring.timeMs(column)));
}

/** @param {Sums} sums */
export function showTotals(sums) {
  for (const [id, sum] of Object.entries(sums)) write(id, amountText(sum));
}

/**
 * One sentence for a screen reader: price, dominant side, state.
 * @param {Ring} ring @param {number} column @param {number} decimals @param {Sums} sums
 */
export function showSummary(ring, column, decimals, sums) {
  const value = (/** @type {string} */ name) => ring.scalar(name, column);
  const label = STATES[/** @type {1 | 0 | -1} */ (value("state"))][1].slice(2);
  const more = (/** @type {"pressure" | "vacuum"} */ force) => (sums[`${force}-above`] > sums[`${force}-below`] ? "above" : "below");
  write("summary", `${clockText(ring.timeMs(column))}: ${label}, score ${value("score").toFixed(2)}, last `
    + `${priceText(value("last_price") * ring.bucketInt, decimals)}, more pressure ${more("pressure")}, more vacuum ${more("vacuum")}`);
}

/**
 * Pressure and vacuum above and below spot.
 * @param {Ring} ring @param {number} column @returns {Sums}
 */
export function totals(ring, column) {
  const spot = ring.spot(column);
  const sums = { "pressure-above": 0, "pressure-below": 0, "vacuum-above": 0, "vacuum-below": 0 };
  if (Number.isNaN(spot)) return sums;
  for (const force of /** @type {const} */ (["pressure", "vacuum"])) {
    for (let k = 1; k <= ring.k; k += 1) {
      sums[`${force}-above`] += ring.value(force, column, spot + k);
      sums[`${force}-below`] += ring.value(force, column, spot - k);
    }
  }
  return sums;
}
