/** The words and numbers around the map. */

import { amountText, clockText, priceText, zoneName } from "./format.js";

/** @typedef {import("./ring.js").Ring} Ring @typedef {import("./stream.js").Message} Message */

const STATES = { 1: ["up", "▲ UP"], 0: ["chop", "■ CHOP"], "-1": ["down", "▼ DOWN"] };
const PHASES = /** @type {Record<string, string>} */ ({
  compile: "Compiling, the first time only", demo: "Making the demonstration session", decode: "Opening the file", book: "Rebuilding the book", warmup: "Warming the model up",
});

/** @param {string} id @returns {HTMLElement} */
export function element(id) {
  const found = document.getElementById(id);
  if (!found) throw new Error(`the page has no #${id}`);
  return found;
}

/** @param {string} id @param {string} text */
export function write(id, text) {
  const target = element(id);
  if (target.textContent !== text) target.textContent = text;
}

/** @param {string} id @param {"good" | "wait" | "bad"} sign @param {string} text @param {string} [title] */
export function showSign(id, sign, text, title) {
  const badge = element(id);
  badge.dataset.sign = sign;
  if (title !== undefined) badge.title = title;
  write(id, text);
}

/** @param {Message} config @param {boolean} restarted whether the server began again under the page */
export function showSession(config, restarted) {
  write("contract", String(config.contract));
  const generated = config.source === "generated" ? " · generated data" : "";
  write("session", `${config.dt}${generated}${restarted ? " · new run: the server began again" : ""}`);
  element("session").title = element("session").textContent ?? "";
  document.title = `${config.contract} · Vacuum Pressure`;
}

/** @param {Ring} ring @param {number} column @param {number} decimals */
export function showNumbers(ring, column, decimals) {
  const chunk = ring.chunk(column);
  const at = ring.at(column);
  const [name, label] = STATES[/** @type {1 | 0 | -1} */ (chunk.state[at])];
  element("state").dataset.state = name;
  write("state", label);
  write("score", chunk.score[at].toFixed(2));
  write("strength", `${chunk.strength[at].toFixed(2)}×`);
  for (const price of /** @type {const} */ (["bid", "ask", "last"])) {
    write(price, priceText(chunk[price][at] * ring.bucketInt, decimals));
  }
  write("clock-name", `Event time (${zoneName()})`);
  write("clock", clockText(chunk.timeMs[at]));
}

/** @param {{pressureAbove: number, pressureBelow: number, vacuumAbove: number, vacuumBelow: number}} sums */
export function showTotals(sums) {
  write("pressure-above", amountText(sums.pressureAbove));
  write("pressure-below", amountText(sums.pressureBelow));
  write("vacuum-above", amountText(sums.vacuumAbove));
  write("vacuum-below", amountText(sums.vacuumBelow));
}

/**
 * One sentence for a screen reader: price, dominant side, state.
 * @param {Ring} ring @param {number} decimals
 * @param {{pressureAbove: number, pressureBelow: number, vacuumAbove: number, vacuumBelow: number}} sums
 */
export function showSummary(ring, decimals, sums) {
  const chunk = ring.chunk(ring.end - 1);
  const at = ring.at(ring.end - 1);
  const label = STATES[/** @type {1 | 0 | -1} */ (chunk.state[at])][1].slice(2);
  const pressure = sums.pressureAbove > sums.pressureBelow ? "above" : "below";
  const vacuum = sums.vacuumAbove > sums.vacuumBelow ? "above" : "below";
  write("summary", `${clockText(chunk.timeMs[at])}: ${label}, score ${chunk.score[at].toFixed(2)}, last `
    + `${priceText(chunk.last[at] * ring.bucketInt, decimals)}, more pressure ${pressure}, more vacuum ${vacuum}`);
}

/** What has just been done, for those who do not see it. @param {string} text */
export function say(text) { write("said", text); }

/** @param {Message} status @param {number} missing columns that are not in the page */
export function showStatus(status, missing) {
  const anomalies = Object.values(/** @type {Record<string, number>} */ (status.anomalies ?? {})).reduce((a, b) => a + b, 0);
  const frames = status.frames_missed > 0 ? `frames missed ${status.frames_missed}, ${missing} stretches not filled` : "frames missed 0";
  write("health", `viewers ${status.viewers} · ${frames} · anomalies ${anomalies.toLocaleString("en-US")}`);
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
  const unit = progress.phase === "compile" || progress.phase === "demo" ? " %" : " records";
  write("progress-text", `${PHASES[progress.phase] ?? progress.phase}: ${done}${unit}`);
}

/**
 * What is wrong, in place, and what can be done. An empty title takes it away.
 * @param {string} title @param {string} [hint] @param {{label: string, act: () => void}[]} [choices]
 */
export function showNotice(title, hint = "", choices = []) {
  element("notice").hidden = title === "";
  write("notice-title", title);
  write("notice-hint", hint);
  element("notice-choices").replaceChildren(...choices.map(({ label, act }) => {
    const button = document.createElement("button");
    button.textContent = label;
    button.addEventListener("click", act);
    return button;
  }));
}
