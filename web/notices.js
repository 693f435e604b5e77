/** What the page says about itself: signs, progress, what is wrong, what has just been done. */

import { element, write } from "./dom.js";

/** @typedef {import("./stream.js").Message} Message */

const PHASES = /** @type {Record<string, string>} */ ({
  compile: "Compiling, the first time only", demo: "Making the demonstration session", decode: "Opening the file", book: "Rebuilding the book", warmup: "Warming the model up",
});

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
  const guess = config.tick_is_guessed ? ` · tick ${config.tick_int / 1e9} is a guess` : "";
  write("session", `${config.dt}${generated}${guess}${restarted ? " · new run: the server began again" : ""}`);
  element("session").title = element("session").textContent ?? "";
  document.title = `${config.contract} · Vacuum Pressure`;
}

/** What has just been done, for those who do not see it. @param {string} text */
export function say(text) { write("said", text); }

/** @param {Message} status @param {number} missing stretches that are not in the page */
export function showStatus(status, missing) {
  const anomalies = Object.values(/** @type {Record<string, number>} */ (status.anomalies ?? {})).reduce((a, b) => a + b, 0);
  write("health", `viewers ${status.viewers} · ${missing > 0 ? `${missing} ${missing === 1 ? "stretch" : "stretches"}` : "nothing"} missing · anomalies ${anomalies.toLocaleString("en-US")}`);
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

/** What is to be known beside the picture, above it until it is closed; nothing takes it away. @param {string} text */
export function showRemark(text) {
  element("remark").hidden = text === "";
  write("remark-words", text);
}

let told = "";

/** What the server says of the session's records: above the picture when it is new, and until it is no longer so. @param {string[]} notices */
export function showServerNotices(notices) {
  const text = notices.join(" ");
  if (text === told) return;
  const shown = element("remark").hidden ? "" : element("remark-words").textContent ?? "";
  showRemark([shown.replace(told, "").trim(), text].filter(Boolean).join(" "));
  told = text;
}

/** @returns {boolean} whether there was one */
export function closeRemark() {
  const open = !element("remark").hidden;
  showRemark("");
  return open;
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
