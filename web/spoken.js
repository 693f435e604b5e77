/** A cell in whole words, for those who hear the page. */

import { clockText, priceText } from "./format.js";
import { doubtsOf } from "./quality.js";

/** @typedef {import("./ring.js").Ring} Ring @typedef {import("./readout.js").Spot} Spot */

const NUMBERS = ["no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"];

/** @param {number} value @returns {string} three digits that count, none that do not */
function amount(value) {
  const size = Number(Math.abs(value).toPrecision(3)).toLocaleString("en-US", { maximumSignificantDigits: 3 });
  return value < 0 ? `minus ${size}` : size;
}

/** @param {number} count @param {string} one @returns {string} */
const counted = (count, one) => `${NUMBERS[count] ?? count.toLocaleString("en-US")} ${one}${count === 1 ? "" : "s"}`;

/** @param {number} ms @returns {string} */
const duration = (ms) => (ms < 120_000 ? counted(Math.round(ms / 1000), "second") : counted(Math.round(ms / 60_000), "minute"));

/** What a measure says, its symbols in words. @param {string} text of `measureText` */
export const measureWords = (text) => text.replace("Δt", "measured").replace("Δ price", "price change").replaceAll(" Σ", "").replace(/\n| {2,}/g, ", ");

/**
 * What a cell says: forces, price, where it lies from the market, time, and what there is to mind.
 * @param {Ring} ring @param {Spot} spot @param {{decimals: number, field: string, lowest: number, quietMs: number}} how
 * `field`: a grid column that the map shows; `lowest`: no bucket below it is a price; `quietMs`: no frame for longer is silence
 * @returns {string}
 */
export function cellWords(ring, spot, { decimals, field, lowest, quietMs }) {
  const column = ring.columnUntil(spot.timeMs);
  if (column < ring.first) return "before what the page holds";
  const k = spot.bucket - ring.spot(column);
  const names = [...new Set([field, "pressure", "vacuum"])].filter((name) => ring.fields.includes(name));
  const values = names.map((name) => `${name.replaceAll("_", " ")} ${amount(ring.value(name, column, spot.bucket))}`);
  const price = spot.bucket < lowest ? "below every price" : `at ${priceText(spot.bucket * ring.bucketInt, decimals)}`;
  const place = Number.isNaN(k) ? "no price in the book" : k === 0 ? "at the price" : `${counted(Math.abs(k), "row")} ${k > 0 ? "above" : "below"} the price`;
  const { words, silentMs } = doubtsOf(ring, column, spot.timeMs, quietMs);
  const doubts = silentMs > 0 ? [...words, `no events for ${duration(silentMs)}`] : words;
  return [`${Math.abs(k) <= ring.k ? values.join(", ") : "beyond the grid"} ${price}`, place, `at ${clockText(ring.timeMs(column))}`, ...doubts].join(", ");
}
