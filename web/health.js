/** How the page fares: signs of life, how far behind the market it is, how late each stage, and what made the picture. */

import { element, write } from "./dom.js";
import { spanText } from "./format.js";
import { STAGES } from "./latency.js";
import { showSign } from "./notices.js";
import { CAPACITY } from "./ring.js";

/** @typedef {import("./feed.js").Feed} Feed */

const SILENT_MS = 3000;
const STALLED_MS = 1500;

/** @param {Feed} feed @param {number} now */
function showEngine(feed, now) {
  const lag = feed.status.lag_seconds ?? 0;
  const silent = now - feed.statusMs;
  const silentMs = feed.ring && feed.ring.count > 0 ? feed.nowMs - feed.ring.timeMs(feed.ring.end - 1) : 0;
  if (feed.connection === "ended") showSign("engine", "good", "engine done", "The session is over");
  else if (feed.connection !== "live") showSign("engine", "wait", "engine –", "Nothing is known without a socket");
  else if (feed.catchingUp > 0) showSign("engine", "wait", `catching up, ${feed.catchingUp.toLocaleString("en-US")} frames`, "The server sends what it holds, then goes on live");
  else if (silent > SILENT_MS) showSign("engine", "bad", `engine silent ${Math.round(Math.min(silent, 9.9e6) / 1000)} s`, "No status for more than three seconds");
  else if (lag > 1) showSign("engine", "bad", `engine ${lag.toFixed(1)} s behind`, "Event time runs behind the speed asked for");
  else if (silentMs > feed.quietMs) showSign("engine", "good", `engine ok, no events for ${spanText(silentMs)}`, "The session keeps its pace; nothing happens in this market");
  else showSign("engine", "good", "engine ok", "Status comes, and the session keeps its pace");
}

/** @param {import("./painting.js").Painting} painting @param {boolean} graphicsLost @param {boolean} empty @param {number} now */
function showTab(painting, graphicsLost, empty, now) {
  if (document.hidden) showSign("tab", "wait", "tab hidden", "Frames are kept; nothing is painted");
  else if (graphicsLost) showSign("tab", "bad", "graphics lost", "The browser took the GPU away; the picture comes back with it");
  else if (painting.dirty && now - painting.endMs > STALLED_MS && !empty) showSign("tab", "bad", "tab stalled", "Nothing was painted for more than a second");
  else showSign("tab", "good", "tab ok", `Painting takes ${painting.tookMs.toFixed(1)} ms`);
}

/** @param {{feed: Feed, viewport: import("./viewport.js").Viewport, chart: import("./chart.js").Chart, painting: import("./painting.js").Painting}} page */
export function showLiveness({ feed, viewport, chart, painting }) {
  const now = performance.now();
  const { ring } = feed;
  showEngine(feed, now);
  showTab(painting, chart.heatmap.painter.lost, !ring || ring.count === 0, now);
  if (!ring || ring.count === 0) return;
  const { following } = viewport;
  element("behind").hidden = following;
  if (!following) {
    const behind = feed.nowMs - viewport.endMs;
    write("behind", behind >= 0 ? `${spanText(behind)} behind` : `${spanText(-behind)} ahead: not played yet`);
  }
  element("live").setAttribute("aria-pressed", String(following));
  element("pause").setAttribute("aria-pressed", String(!following));
}

/** What made this picture, how late it is and what is missing. @param {Feed} feed @param {string} painter what paints the map */
export function showProvenance(feed, painter) {
  const panel = element("trust");
  const { latency, status, config, ring, backfill } = feed;
  const amount = (/** @type {number} */ count) => count.toLocaleString("en-US");
  const now = performance.now();
  const ms = (/** @type {number} */ value) => (Number.isNaN(value) ? "–" : value < 10 ? value.toFixed(1) : value.toFixed(0));
  /** @type {[string, [string, string][]][]} */
  const parts = [
    ["Feed to paint, ms: p50 / p99 over 10 s", STAGES.map(([name, label]) => {
      const { p50, p99 } = latency.summary(name, now);
      return [label, `${ms(p50)} / ${ms(p99)}`];
    })],
    ["Frames", [
      ["in the ring", `${amount(ring?.count ?? 0)} of ${amount(CAPACITY)}`], ["received", amount(feed.received)],
      ["passed over, held already", String(feed.repeated)], ["from the server's history", amount(backfill.filled)],
      ["missed by this viewer", String(status.frames_missed ?? 0)], ["holes left", String(backfill.holes)],
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
