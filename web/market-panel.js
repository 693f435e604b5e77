/** The market in words and numbers around the map. */

import { element, write } from "./dom.js";
import { amountText, clockText, priceText, spanText, zoneName } from "./format.js";
import { reasonWords } from "./quality.js";

/** @typedef {import("./ring.js").Ring} Ring */

export const STATES = { 1: ["up", "▲ UP"], 0: ["chop", "■ CHOP"], "-1": ["down", "▼ DOWN"] };

const SUMS = ["pressure_above", "pressure_below", "vacuum_above", "vacuum_below"];

/**
 * A column in numbers, sums as the frame itself gives them.
 * @param {Ring} ring @param {number} column @param {number} decimals @param {number} nowMs the session's time then
 */
export function showNumbers(ring, column, decimals, nowMs) {
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
  write("clock", clockText(nowMs));
  for (const sum of SUMS) write(sum.replace("_", "-"), amountText(value(sum)));
}

/**
 * One sentence for a screen reader: price, dominant side, state, and what there is to mind.
 * @param {Ring} ring @param {number} column @param {number} decimals @param {number} nowMs the session's time then
 * @param {number} quietMs no frame for longer than that is silence
 */
export function showSummary(ring, column, decimals, nowMs, quietMs) {
  const value = (/** @type {string} */ name) => ring.scalar(name, column);
  const label = STATES[/** @type {1 | 0 | -1} */ (value("state"))][1].slice(2);
  const more = (/** @type {"pressure" | "vacuum"} */ force) => (value(`${force}_above`) > value(`${force}_below`) ? "above" : "below");
  const silentMs = nowMs - ring.timeMs(column);
  const silence = silentMs > quietMs ? `, no events for ${spanText(silentMs)}` : "";
  const doubts = value("quality") ? `, book: ${reasonWords(value("quality"))}` : "";
  write("summary", `${clockText(nowMs)}: ${label}, score ${value("score").toFixed(2)}, last `
    + `${priceText(value("last_price") * ring.bucketInt, decimals)}, more pressure ${more("pressure")}, more vacuum ${more("vacuum")}${doubts}${silence}`);
}
