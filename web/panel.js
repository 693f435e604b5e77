/** The words and numbers around the map. */

import { clockText, priceText } from "./overlay.js";

/** @typedef {import("./ring.js").Ring} Ring @typedef {import("./stream.js").Message} Message */

const STATES = { 1: ["up", "▲ UP"], 0: ["chop", "■ CHOP"], "-1": ["down", "▼ DOWN"] };
const PHASES = /** @type {Record<string, string>} */ ({
  decode: "Opening the file", book: "Rebuilding the book", warmup: "Warming the model up",
});

/** @param {string} id @returns {HTMLElement} */
export function element(id) {
  const found = document.getElementById(id);
  if (!found) throw new Error(`the page has no #${id}`);
  return found;
}

/** @param {string} id @param {string} text */
function write(id, text) {
  const target = element(id);
  if (target.textContent !== text) target.textContent = text;
}

/** @param {Message} config */
export function showSession(config) {
  write("contract", String(config.contract));
  const generated = config.source === "generated" ? " · generated data" : "";
  const speed = config.speed === 1 ? "" : ` · speed ${config.speed}`;
  write("session", `${config.dt}${generated}${speed}`);
  document.title = `${config.contract} · Vacuum Pressure`;
}

/** @param {Ring} ring @param {number} decimals */
export function showNewest(ring, decimals) {
  const at = ring.slot(ring.count - 1);
  const [name, label] = STATES[/** @type {1 | 0 | -1} */ (ring.state[at])];
  const state = element("state");
  state.dataset.state = name;
  write("state", label);
  write("score", ring.score[at].toFixed(2));
  write("strength", `${ring.strength[at].toFixed(2)}×`);
  write("bid", priceText(ring.bid[at] * ring.bucketInt, decimals));
  write("ask", priceText(ring.ask[at] * ring.bucketInt, decimals));
  write("last", priceText(ring.last[at] * ring.bucketInt, decimals));
  write("clock", clockText(ring.timeMs[at]));
}

/** For screen readers, now and then. @param {Ring} ring @param {number} decimals */
export function showSummary(ring, decimals) {
  const at = ring.slot(ring.count - 1);
  const label = STATES[/** @type {1 | 0 | -1} */ (ring.state[at])][1].slice(2);
  write("summary", `${label}, score ${ring.score[at].toFixed(2)}, last ${priceText(ring.last[at] * ring.bucketInt, decimals)}`);
}

/** @param {string} state @param {string} why */
export function showConnection(state, why) {
  const badge = element("connection");
  badge.dataset.connection = state;
  badge.title = why;
  write("connection", state === "lost" ? `lost: ${why}` : state);
}

/** @param {Message} status */
export function showStatus(status) {
  const anomalies = Object.entries(/** @type {Record<string, number>} */ (status.anomalies ?? {}))
    .filter(([, count]) => count > 0)
    .map(([name, count]) => `${name.replaceAll("_", " ")} ${count.toLocaleString("en-US")}`);
  const lag = status.lag_seconds > 0.5 ? ` · ${status.lag_seconds.toFixed(1)} s behind` : "";
  const book = anomalies.length > 0 ? ` · ${anomalies.join(", ")}` : " · no anomalies";
  write("health", `viewers ${status.viewers} · frames missed ${status.frames_missed}${lag}${book}`);
}

/** @param {Message | null} progress null once frames come */
export function showProgress(progress) {
  const box = element("loading");
  box.hidden = progress === null;
  if (progress === null) return;
  const bar = /** @type {HTMLProgressElement} */ (element("progress"));
  const total = progress.records_total;
  if (total) {
    bar.max = total;
    bar.value = progress.records_done;
  } else bar.removeAttribute("value");
  const done = Number(progress.records_done).toLocaleString("en-US");
  write("progress-text", `${PHASES[progress.phase] ?? progress.phase}: ${done} records`);
}

/** @param {string} title @param {string} hint an empty title takes the notice away */
export function showNotice(title, hint) {
  element("notice").hidden = title === "";
  write("notice-title", title);
  write("notice-hint", hint);
}

/** @param {number} upper force of full colour */
export function showLegend(upper) {
  write("legend-text", `vacuum ↑  pressure →\nfull colour at ${upper.toPrecision(2)} contracts/s\nsquare root; largest value per pixel`);
}
