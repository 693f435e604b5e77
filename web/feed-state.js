/** The live feed itself: how it stands, as the fourth sign, and what it did not bring. */

import { element } from "./dom.js";
import { clockText, spanText } from "./format.js";
import { say, showSign } from "./notices.js";

/** @typedef {import("./feed.js").Feed} Feed @typedef {import("./stream.js").Message} Message */

/** By state: how it looks, and in words. @type {Record<string, ["good" | "wait" | "bad", (feed: Message) => string]>} */
const STATES = {
  connecting: ["wait", () => "feed connecting"],
  snapshot: ["wait", () => "feed: snapshot"],
  catching_up: ["wait", ({ behind_seconds: behind }) => `feed catching up, ${spanText(behind * 1000)} behind`],
  live: ["good", () => "feed live"],
  silent: ["bad", ({ silent_seconds: silent }) => `feed silent ${spanText(silent * 1000)}`],
  gap: ["bad", () => "feed: gap"],
  stopped: ["bad", () => "feed stopped"],
};
/** What a live session cannot do. */
const NOT_LIVE = ["speed", "hold", "event-on"];
/** @type {[string, string][]} */
const STAGES = [
  ["exchange_to_databento", "Exchange to Databento"], ["databento_to_here", "Databento to here"], ["here_to_frame", "Here to frame"],
  ["frame_to_wire", "Frame to wire"],
];
let spoken = "";

/** Hidden for sessions that are not live. @param {Feed} feed */
export function showFeedState({ live, connection, status: { feed: told } }) {
  element("feed").hidden = !live;
  for (const id of NOT_LIVE) /** @type {HTMLButtonElement} */ (element(id)).disabled = live;
  if (!live) return;
  const [sign, words] = (connection === "live" && STATES[told?.state]) || ["wait", () => "feed –"];
  const text = words(told ?? {});
  showSign("feed", sign, text, `Databento's live feed${told ? ` (${told.dataset}). ${told.text ?? ""}` : ""}`);
  if (told && told.state !== spoken) say(`${text}. ${told.text ?? ""}`);
  spoken = told?.state ?? spoken;
}

/** Latency by stage of a live session, and its gaps, for the panel. @param {Feed} feed @param {(stage: {p50: number, p99: number}) => string} written @returns {[string, [string, string][]][]} */
export function feedParts({ live, status, latency, ring }, written) {
  if (!live) return [];
  const told = status.feed?.latency ?? {};
  const stages = STAGES.map(([name, label]) => /** @type {[string, string]} */ (
    [label, written({ p50: told[name]?.p50_ms ?? NaN, p99: told[name]?.p99_ms ?? NaN })]));
  const gaps = (ring?.gaps.all ?? []).map(({ startMs, endMs, open, reason }) => /** @type {[string, string]} */ (
    [`${clockText(startMs)} to ${open ? "now" : clockText(endMs)}`, reason]));
  return [
    ["Exchange to screen, ms: p50 / p99", [...stages, ["Wire to paint", written(latency.summary("shown", performance.now()))]]],
    ["Gaps of the feed", gaps.length > 0 ? gaps : [["none", ""]]],
  ];
}
