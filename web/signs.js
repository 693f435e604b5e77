/** Signs of life: which of the way to the server, the engine and this tab is late or dead, and by how much. */

import { element, write } from "./dom.js";
import { showFeedState } from "./feed-state.js";
import { clockText, spanText, zoneName } from "./format.js";
import { say, showSign, showStatus } from "./notices.js";

/** @typedef {import("./feed.js").Feed} Feed */

/** Nothing came for longer: not even a status, which comes once a second. */
export const SILENT_MS = 3000;
const LATE_MS = 1500;
/** A hole that is being filled is none to speak of. */
const HOLE_MS = 3000;
const STALLED_MS = 1500;

const seconds = (/** @type {number} */ ms) => `${(ms / 1000).toFixed(ms < 9950 ? 1 : 0)} s`;
/** Stretches that are missing, and not just being filled. @param {Feed} feed */
const missingOf = ({ backfill: { holes, holeMs } }) => (performance.now() - holeMs > HOLE_MS ? holes : 0);

/** @param {Feed} feed @returns {["good" | "bad", string, string]} of a stream that is there */
function streamSign(feed) {
  const { clock, lateness, silentMs, backfill } = feed;
  const now = performance.now();
  if (silentMs > SILENT_MS) {
    const forText = `${Math.round(Math.min(silentMs, 9.9e6) / 1000)} s`;
    return now - clock.answeredMs < SILENT_MS
      ? ["bad", `stream silent ${forText}`, "The server answers, but nothing comes on the websocket: something between holds it back"]
      : ["bad", `server silent ${forText}`, "Not even a status comes: the server hangs, or the way to it is cut"];
  }
  const hopMs = 1000 * (feed.status.hop_seconds ?? NaN);
  if (hopMs > LATE_MS) return ["bad", `live, relay ${seconds(hopMs)} behind`, "So long messages take from the server that plays this session to the relay that sends it here"];
  if (lateness.ms > LATE_MS) return ["bad", `live, ${seconds(lateness.ms)} late`, "By the server's clock; the way to it, or a proxy on it, is slower than the stream"];
  if (missingOf(feed) > 0) return ["bad", "live, data missing", `Stretches that are missing, and hatched: ${backfill.holes}${backfill.gone > 0 ? `; of these held no longer by the server: ${backfill.gone}` : ""}`];
  const known = clock.uncertaintyMs < Infinity ? `, give or take ${clock.uncertaintyMs.toFixed(0)}` : "";
  const here = `The socket to the server; the last status was ${Math.max(0, lateness.statusLateMs).toFixed(0)} ms on its way${known}`;
  return Number.isNaN(hopMs) ? ["good", "live", here] : ["good", `live, relayed in ${hopMs.toFixed(0)} ms`, `A relay: messages reach it so long after they leave the server that plays this session. ${here}`];
}

/** The sign of the socket. @param {import("./session.js").Session} session */
export function showSocket({ feed, why, diagnosis }) {
  const { connection } = feed;
  if (connection === "live") {
    const [sign, text, title] = streamSign(feed);
    if (sign === "bad" && element("connection").dataset.sign === "good") say(`${text}. ${title}`);
    showSign("connection", sign, text, title);
  }
  else if (connection === "ended") showSign("connection", "good", "ended", "The session is over");
  else if (connection === "lost") showSign("connection", "bad", `lost: ${diagnosis ? `${diagnosis.short}, ` : ""}${why}`, diagnosis ? `${diagnosis.title} ${diagnosis.hint}` : why);
  else showSign("connection", connection === "failed" ? "bad" : "wait", connection, "The socket to the server");
}

/** @param {Feed} feed */
function showEngine(feed) {
  const lag = feed.status.lag_seconds ?? 0;
  if (feed.connection === "ended") showSign("engine", "good", "engine done", "The session is over");
  else if (feed.connection !== "live") showSign("engine", "wait", "engine –", "Nothing is known without a socket");
  else if (feed.silentMs > SILENT_MS) showSign("engine", "wait", "engine –", "Nothing is known of it while nothing comes");
  else if (feed.status.paused) showSign("engine", "wait", "session held", "Its clock stands: Y lets it go on, N and Shift N step");
  else if (feed.catchingUp > 0) showSign("engine", "wait", `catching up, ${feed.catchingUp.toLocaleString("en-US")} frames`, "The server sends what it holds, then goes on live");
  else if (lag > 1) showSign("engine", "bad", `engine ${lag.toFixed(1)} s behind`, "Event time runs behind the speed asked for");
  else if (feed.eventlessMs > 0) showSign("engine", "good", `engine ok, no events for ${spanText(feed.eventlessMs)}`, "The session keeps its pace; nothing happens in this market");
  else showSign("engine", "good", "engine ok", "Status comes, and the session keeps its pace");
}

/** @param {import("./painting.js").Painting} painting @param {boolean} graphicsLost @param {boolean} empty @param {number} now */
function showTab(painting, graphicsLost, empty, now) {
  if (document.hidden) showSign("tab", "wait", "tab hidden", "Frames are kept; nothing is painted");
  else if (graphicsLost) showSign("tab", "bad", "graphics lost", "The browser took the GPU away; the picture comes back with it");
  else if (painting.dirty && now - painting.endMs > STALLED_MS && !empty) showSign("tab", "bad", "tab stalled", "Nothing was painted for more than a second");
  else if (painting.behindMs > LATE_MS) showSign("tab", "bad", `tab ${seconds(painting.behindMs)} behind`, "This tab, or the machine, is too busy to take in what comes");
  else showSign("tab", "good", "tab ok", `Painting takes ${painting.tookMs.toFixed(1)} ms`);
}

/** The server's time of day, or that of this machine while it is not known. @param {Feed} feed */
function showWallClock({ clock: { offsetMs } }) {
  write("wall", `Wall clock ${clockText(Date.now() + (offsetMs || 0))} ${zoneName()}`);
  element("wall").title = Number.isNaN(offsetMs) ? "This machine's" : `The server's; this machine's is ${Math.abs(offsetMs) < 1000 ? "the same within a second" : `${spanText(Math.abs(offsetMs))} ${offsetMs > 0 ? "slow" : "fast"}`}`;
}

/** @param {import("./commands.js").Page} page */
export function showLiveness({ session, feed, viewport, chart, painting }) {
  const { paintable } = session;
  showSocket(session);
  showEngine(feed);
  showFeedState(feed);
  if (feed.status.viewers) showStatus(feed.status, missingOf(feed));
  showWallClock(feed);
  showTab(painting, chart.heatmap.painter.lost, !paintable, performance.now());
  if (!paintable) return;
  const { following } = viewport;
  element("behind").hidden = following;
  if (!following) {
    const behind = feed.nowMs - viewport.endMs;
    write("behind", behind >= 0 ? `${spanText(behind)} behind` : `${spanText(-behind)} ahead: not played yet`);
  }
  element("live").setAttribute("aria-pressed", String(following));
  element("pause").setAttribute("aria-pressed", String(!following));
}
