/** The page: its parts, and what makes them go. */

import { activeRange } from "./activity.js";
import { AddressBar } from "./address-bar.js";
import { BookmarksPanel } from "./bookmarks-panel.js";
import { Chart } from "./chart.js";
import { Commands } from "./commands.js";
import { connectControls, settle } from "./controls.js";
import { Crosshair } from "./crosshair.js";
import { element } from "./dom.js";
import { Gestures } from "./gestures.js";
import { Guide } from "./guide.js";
import { connectKeepMenu } from "./keep-menu.js";
import { listenToKeys, MOUSE_HELP, playerKeys, shortcuts } from "./keyboard.js";
import { showNumbers, showSummary } from "./market-panel.js";
import { modeOf } from "./modes.js";
import { closeRemark, showProgress } from "./notices.js";
import { Overview } from "./overview.js";
import { Painting } from "./painting.js";
import { connectPlayer, Player } from "./player.js";
import { SessionChooser } from "./session-chooser.js";
import { Session } from "./session.js";
import { defaults } from "./settings.js";
import { showLiveness, SILENT_MS } from "./signs.js";
import { serverBase } from "./stream.js";
import { TrackRecordPanel } from "./track-record.js";
import { UndoHistory } from "./undo.js";
import { placeKey, Viewport } from "./viewport.js";

const LIVENESS_MS = 250;
const SUMMARY_MS = 10_000;

const { location } = window;
const base = serverBase(location);
const settings = defaults();
const viewport = new Viewport();
const painting = new Painting();
const repaint = () => painting.request("all");
const chart = new Chart(new URLSearchParams(location.search).has("flat"), viewport, settings, repaint);
const { scale } = chart.heatmap;
const session = new Session(base, location, {
  viewport, settings, scale, painting, settled: () => settle(page), changed: () => addressBar.write(true),
});
const addressBar = new AddressBar(session, location);
const { feed } = session;
const crosshair = new Crosshair(base, feed, chart, painting, () => undo.remember());
const undo = new UndoHistory(
  () => ({
    ...structuredClone({ place: viewport.place(), settings: { ...settings, cutoffs: { ...settings.cutoffs, [settings.mode]: scale.cutoffs } } }), marks: crosshair.marks(),
  }),
  (state) => {
    Object.assign(viewport, state.place);
    Object.assign(settings, state.settings);
    scale.begin(settings.cutoffs[settings.mode]);
    crosshair.putMarks(state.marks);
    session.settingsChanged();
    session.needColumns();
  },
  (state) => JSON.stringify([placeKey(state.place), state.settings, state.marks.measured, state.marks.pins.map(({ spot }) => spot)]),
);
/** For probe.js. */
export const page = { base, session, feed, settings, viewport, chart, painting, crosshair, undo };
const commands = new Commands(page, new SessionChooser(base, (wanted) => {
  commands.toggleChooser();
  session.choose(wanted);
}));
const guide = new Guide(page);
const player = new Player(page, commands);
const overview = new Overview(base, page, player);
const bookmarksPanel = new BookmarksPanel(player);
const trackRecord = new TrackRecordPanel(base, feed);
commands.closers.unshift(() => guide.close(), closeRemark, () => bookmarksPanel.close(), () => player.dropBegun());
const gestures = new Gestures(element("chart"), {
  viewport, crosshair, size: () => chart.size(), changed: repaint, remember: (kind) => undo.remember(kind),
  box: (from, to) => {
    const [a, b] = [chart.spotAt(from), chart.spotAt(to)];
    viewport.show(Math.min(a.timeMs, b.timeMs), Math.max(a.timeMs, b.timeMs), Math.max(a.bucket, b.bucket) + 0.5, Math.min(a.bucket, b.bucket) - 0.5);
  },
});
let summarisedMs = -Infinity;

/** @param {boolean} stalled @param {number} startMs */
function paintAll(stalled, startMs) {
  const { ring, latency, backfill } = feed;
  if (!ring) return;
  if (stalled && chart.heatmap.bins.ring === ring) chart.heatmap.refresh();
  const newest = ring.end - 1;
  viewport.follow(feed.nowMs, ring.spot(newest), feed.lowestBucket);
  viewport.fit(startMs, ring.spot(newest), feed.lowestBucket, () => activeRange(ring, modeOf(settings.mode), viewport.startMs, viewport.endMs));
  chart.paint(ring, feed);
  showProgress(null);
  const column = chart.scene?.column ?? newest;
  const shownMs = column === newest ? Math.min(feed.nowMs, viewport.endMs) : ring.timeMs(column);
  showNumbers(ring, column, feed.decimals, shownMs);
  if (startMs - summarisedMs > SUMMARY_MS) {
    summarisedMs = startMs;
    showSummary(ring, column, feed.decimals, shownMs, feed.quietMs);
  }
  if (viewport.startMs < ring.timeMs(ring.first) && (!viewport.following || player.held)) void backfill.older(viewport.startMs);
  const endMs = performance.now();
  latency.add("paint", endMs - startMs, endMs);
  if (!Number.isNaN(feed.arrivedMs)) {
    latency.add("wait", Math.max(0, startMs - feed.arrivedMs), endMs);
    latency.add("shown", endMs - feed.arrivedMs, endMs);
  }
  feed.arrivedMs = NaN;
}

listenToKeys([...playerKeys(player, bookmarksPanel), ...shortcuts(commands, page, trackRecord)], element("help-keys"));
element("help-mouse").textContent = MOUSE_HELP;
connectControls(page, commands);
connectPlayer(player);
element("remark-close").addEventListener("click", closeRemark);
connectKeepMenu(session, location);
document.addEventListener("visibilitychange", () => { if (!document.hidden) repaint(); });
new ResizeObserver(() => { chart.fit(); repaint(); }).observe(element("chart"));
setInterval(() => {
  painting.tick(LIVENESS_MS);
  showLiveness(page);
  commands.refreshProvenance();
  player.refresh();
  bookmarksPanel.refresh();
  void trackRecord.refresh();
  void overview.load();
  overview.paint();
  addressBar.write();
  if (painting.count > 0) guide.welcome();
  if (feed.connection === "live") void feed.clock.keep(feed.silentMs > SILENT_MS);
  if (viewport.following && feed.nowMs > viewport.endMs) repaint(); // time runs on
}, LIVENESS_MS);

element("unstarted").remove();
settle(page);
chart.fit();
session.open({});
painting.start(() => session.paintable, paintAll, () => crosshair.paint(gestures.rectangle));
