/** How the page fares: how late each stage is, what is missing, and what made the picture. */

import { element } from "./dom.js";
import { feedParts } from "./feed-state.js";
import { STAGES } from "./latency.js";
import { CAPACITY } from "./ring.js";

/** @typedef {import("./feed.js").Feed} Feed */

/** What made this picture, how late it is and what is missing. @param {Feed} feed @param {string} painter what paints the map */
export function showProvenance(feed, painter) {
  const panel = element("trust");
  const { latency, status, config, ring, backfill } = feed;
  const amount = (/** @type {number} */ count) => count.toLocaleString("en-US");
  const now = performance.now();
  const ms = (/** @type {number} */ value) => (Number.isNaN(value) ? "–" : value < 10 ? value.toFixed(1) : value.toFixed(0));
  const written = (/** @type {{p50: number, p99: number}} */ { p50, p99 }) => `${ms(p50)} / ${ms(p99)}`;
  /** @type {[string, [string, string][]][]} */
  const parts = [
    ...feedParts(feed, written),
    ["Feed to paint, ms: p50 / p99 over 10 s", STAGES.map(([name, label]) => [label, written(latency.summary(name, now))])],
    ["Frames", [
      ["in the ring", `${amount(ring?.count ?? 0)} of ${amount(CAPACITY)}`], ["received", amount(feed.received)],
      ["passed over, held already", String(feed.repeated)], ["from the server's history", amount(backfill.filled)],
      ["missed by this viewer", String(status.frames_missed ?? 0)], ["holes left", String(backfill.holes)], ["of these held no longer by the server", String(backfill.gone)],
      ["reconnections", String(feed.stream.retries)],
    ]],
    ["Anomalies of the feed since the start", Object.entries(/** @type {Record<string, number>} */ (status.anomalies ?? {}))
      .map(([name, count]) => [name.replaceAll("_", " "), amount(count)])],
    ["What made this picture", [
      ["File", feed.files], ["Source", String(config.source ?? "–")],
      ["Contract", String(config.contract ?? "–")], ["Session", String(config.session_id ?? "–")],
      ["Date, start", `${config.dt ?? "–"} ${config.start_time ?? "from its start"}`],
      ["Tick, bucket", `${Number(config.tick_int) / 1e9}${config.tick_is_guessed ? " (a guess)" : ""}, ${Number(config.bucket_int) / 1e9} ${config.currency ?? ""}`],
      ["Throttle, speed", `${config.throttle_ms} ms, ${config.speed}×`], ["Book cache", String(config.book_cache ?? "–")],
      ["Version, protocol", `${config.version ?? "–"}, ${config.protocol ?? "–"}`], ["Painted with", painter],
    ]],
    ["Model parameters", Object.entries(/** @type {Record<string, unknown>} */ (config.parameters ?? {}))
      .map(([name, value]) => [name.replaceAll("_", " "), String(value)])],
  ];
  const made = parts.map(([title, rows]) => {
    const heading = document.createElement("h2");
    heading.textContent = title;
    const table = document.createElement("table");
    for (const [name, value] of rows) {
      const row = table.insertRow();
      const head = document.createElement("th");
      head.scope = "row";
      head.textContent = name;
      row.append(head);
      row.insertCell().textContent = value;
    }
    return [heading, table];
  });
  panel.replaceChildren(...made.flat());
}
