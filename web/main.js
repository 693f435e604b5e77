/** The page: controls and keys, wired to the app. */

import { App } from "./app.js";
import { PALETTES } from "./colour.js";
import { setZone, zoneNames } from "./format.js";
import { Gestures } from "./gestures.js";
import { listenToKeys } from "./keys.js";
import { element, say } from "./panel.js";
import { fillSelect, SessionBar } from "./sessions.js";
import { forget } from "./settings.js";
import { serverBase } from "./stream.js";

const SPEEDS = [0.25, 0.5, 1, 2, 5, 10, 20, 50, 100];
const STEP_PX = 10;

const base = serverBase(window.location);
const app = new App(base, window.location);
const { view, picture, feed } = app;
const select = (/** @type {string} */ id) => /** @type {HTMLSelectElement} */ (element(id));
const input = (/** @type {string} */ id) => /** @type {HTMLInputElement} */ (element(id));

const MODES = /** @type {[string, string][]} */ ([
  ["pair", "pressure + vacuum"], ["pressure", "pressure"], ["vacuum", "vacuum"], ["rest_depth", "resting depth"], ["net", "net force"],
  ...app.allFields().slice(3).map((name) => [name, name.replaceAll("_", " ")]),
]);

const gestures = new Gestures(element("chart"), {
  view, size: () => picture.size(),
  changed: (level) => { app.cursor = gestures.cursor; app.change(level); },
  box: (from, to) => {
    const [a, b] = [app.spotAt(from), app.spotAt(to)];
    view.show(Math.min(a.timeMs, b.timeMs), Math.max(a.timeMs, b.timeMs), Math.max(a.bucket, b.bucket) + 0.5, Math.min(a.bucket, b.bucket) - 0.5);
  },
  measure: (from, to) => { app.measured = to ? [app.spotAt(from), app.spotAt(to)] : null; },
  pin: (at) => app.pin(at),
});
app.box = () => gestures.rectangle;

/** Bring the controls in line with the settings. */
function settle() {
  const { settings } = app;
  document.documentElement.dataset.theme = settings.theme;
  fillSelect(select("mode"), MODES, settings.mode);
  fillSelect(select("palette"), Object.entries(PALETTES).map(([key, { name }]) => [key, name]), settings.palette);
  select("palette").title = PALETTES[settings.palette]?.note ?? "";
  fillSelect(select("zone"), zoneNames().map((name) => [name, name]), settings.zone);
  const speed = Number(feed.config.speed ?? 1);
  const speeds = [...new Set([...SPEEDS, speed])].sort((a, b) => a - b);
  fillSelect(select("speed"), speeds.map((each) => [String(each), `${each}×`]), String(speed));
  select("transfer").value = settings.transfer;
  select("theme").value = settings.theme;
  element("freeze").setAttribute("aria-pressed", String(picture.scale.frozen));
  for (const layer of /** @type {const} */ (["bbo", "last", "trades", "profile", "quality"])) input(`layer-${layer}`).checked = settings.layers[layer];
  input("layer-least").value = String(settings.layers.least);
  picture.scale.transfer = settings.transfer;
  setZone(settings.zone);
}
app.settled = settle;

/** A setting was changed: keep it and show it. */
function changed() {
  app.store();
  settle();
  app.change("all");
}

/** @param {string} mode */
function showMode(mode) {
  app.settings.mode = mode;
  if (!picture.scale.frozen) picture.scale.judgedMs = -Infinity;
  changed();
  app.needField();
  say(`View: ${mode.replaceAll("_", " ")}`);
}

function freeze() {
  picture.scale.frozen = !picture.scale.frozen;
  picture.scale.judgedMs = -Infinity;
  changed();
  say(picture.scale.frozen ? "Colour scale frozen" : "Colour scale automatic");
}

/** @template T @param {T[]} list @param {T} now @returns {T} the one after */
const next = (list, now) => list[(list.indexOf(now) + 1) % list.length];

function live() { view.remember(); view.live(); say("Live"); app.signs(); app.change("all"); }

/** @param {number} by */
function faster(by) {
  const now = Number(feed.config.speed ?? 1);
  const wanted = by > 0 ? SPEEDS.find((speed) => speed > now) : SPEEDS.filter((speed) => speed < now).at(-1);
  if (wanted !== undefined) app.setSpeed(wanted);
}

function toggleTrust() {
  const panel = element("trust");
  panel.hidden = !panel.hidden;
  element("trust-open").setAttribute("aria-expanded", String(!panel.hidden));
  if (!panel.hidden) app.paintTrust();
}

const bar = new SessionBar(base, (wanted) => {
  toggleSessions();
  app.linked = null;
  app.open(wanted);
});

function toggleSessions() {
  const opened = bar.form.hidden;
  element("choose").setAttribute("aria-expanded", String(opened));
  if (opened) void bar.open({ ...feed.config, ...app.query });
  else { bar.form.hidden = true; element("choose").focus(); }
}

async function copyLink() {
  const address = app.link();
  history.replaceState(null, "", address);
  await navigator.clipboard?.writeText(address).catch(() => undefined); // it stands in the address bar anyway
  say("The link is in the address bar and on the clipboard");
}

function help() { /** @type {HTMLDialogElement} */ (element("help")).showModal(); }

/** Move the keyboard's crosshair by columns and rows. @param {number} columns @param {number} rows */
function step(columns, rows) {
  const { scene } = picture;
  const { ring } = feed;
  if (!scene || !ring) return;
  const at = app.cursor ?? { x: scene.size.width - 1, y: scene.size.height / 2 };
  const spot = app.spotAt(at);
  const column = Math.min(Math.max(ring.columnAt(spot.timeMs + 1e-6) - 1 + columns, ring.first), ring.end - 1);
  const timeMs = columns === 0 ? spot.timeMs : ring.timeMs(column) + 1e-3;
  app.cursor = gestures.cursor = {
    x: Math.min(Math.max(scene.x(timeMs), 0), scene.size.width - 1),
    y: Math.min(Math.max(scene.y(spot.bucket + rows), 0), scene.size.height - 1),
  };
  app.change("cursor");
  say(element("readout").textContent ?? "");
}

/** Begin to measure at the crosshair, or take the measure away. */
function measure() {
  if (app.measured) app.measured = null;
  else if (app.cursor) app.measured = [app.spotAt(app.cursor), app.spotAt(app.cursor)];
  app.change("cursor");
}

/** @param {number} x @param {number} y @param {boolean} far */
function pan(x, y, far) {
  const { width, height } = picture.size();
  const px = far ? STEP_PX * 10 : STEP_PX;
  view.move(((x * px) / width) * view.spanMs, ((y * px) / height) * view.rows);
  app.change("all");
}

/** @param {() => void} act */
const undoable = (act) => { view.remember(); act(); app.change("all"); };

function oldest() {
  const { ring } = feed;
  if (!ring || ring.count === 0) return;
  view.following = false;
  void feed.older(-Infinity).then(() => { view.endMs = ring.timeMs(ring.first) + view.spanMs; app.change("all"); });
}

function escape() {
  for (const menu of document.querySelectorAll("details[open]")) menu.removeAttribute("open");
  if (!bar.form.hidden) toggleSessions();
  app.measured = null;
  app.cursor = gestures.cursor = null;
  element("pins").replaceChildren();
  app.change("cursor");
}

listenToKeys([
  { keys: [" "], shown: "Space", what: "pause; data keep arriving", act: () => app.pause() },
  { keys: ["l", "End"], shown: "L End", what: "back to live", act: live },
  { keys: ["ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown"], shown: "← → ↑ ↓", what: "move (Shift: ten times as far)", act: ({ key, shiftKey }) =>
    pan(key === "ArrowRight" ? 1 : key === "ArrowLeft" ? -1 : 0, key === "ArrowUp" ? 1 : key === "ArrowDown" ? -1 : 0, shiftKey) },
  { keys: ["PageUp", "PageDown"], shown: "PgUp PgDn", what: "half a screen of prices", act: ({ key }) => { view.move(0, (key === "PageUp" ? 0.5 : -0.5) * view.rows); app.change("all"); } },
  { keys: ["Home"], shown: "Home", what: "the oldest that the server holds", act: oldest },
  { keys: ["+", "="], shown: "+", what: "zoom time in", act: () => undoable(() => view.zoomTime(0.8, 0.5)) },
  { keys: ["-"], shown: "-", what: "zoom time out", act: () => undoable(() => view.zoomTime(1.25, 0.5)) },
  { keys: ["}", ")"], shown: "} )", what: "zoom price in", act: () => undoable(() => view.zoomPrice(0.8, 0.5)) },
  { keys: ["{", "("], shown: "{ (", what: "zoom price out", act: () => undoable(() => view.zoomPrice(1.25, 0.5)) },
  { keys: ["0"], shown: "0", what: "the usual zoom, live", act: () => undoable(() => view.reset()) },
  { keys: ["z"], shown: "Z", what: "undo zoom and move (also Ctrl Z)", act: () => { view.undo(); app.change("all"); } },
  { keys: ["[", "]"], shown: "[ ]", what: "slower, faster", act: ({ key }) => faster(key === "]" ? 1 : -1) },
  { keys: [",", "."], shown: ", .", what: "crosshair a frame back, on", act: ({ key }) => step(key === "." ? 1 : -1, 0) },
  { keys: [";", "'"], shown: "; '", what: "crosshair a price down, up", act: ({ key }) => step(0, key === "'" ? 1 : -1) },
  { keys: ["p"], shown: "P", what: "pin the read-out", act: () => { if (app.cursor) app.pin(app.cursor); } },
  { keys: ["m"], shown: "M", what: "measure from the crosshair on", act: measure },
  { keys: ["u"], shown: "U", what: "exact time in the read-out", act: () => { app.exactTime = !app.exactTime; app.change("cursor"); } },
  { keys: ["v"], shown: "V", what: "next view", act: () => showMode(next(MODES.map(([mode]) => mode).slice(0, 5), app.settings.mode)) },
  { keys: ["c"], shown: "C", what: "next colours", act: () => { app.settings.palette = next(Object.keys(PALETTES), app.settings.palette); changed(); } },
  { keys: ["t"], shown: "T", what: "linear, square root, logarithmic", act: () => { picture.scale.transfer = next(/** @type {const} */ (["linear", "sqrt", "log"]).slice(), picture.scale.transfer); changed(); } },
  { keys: ["f"], shown: "F", what: "freeze the colour scale", act: freeze },
  { keys: ["d"], shown: "D", what: "dark or light", act: () => { app.settings.theme = app.settings.theme === "dark" ? "light" : "dark"; changed(); } },
  { keys: ["g"], shown: "G", what: "untrusted stretches on or off", act: () => { app.settings.layers.quality = !app.settings.layers.quality; changed(); } },
  { keys: ["o"], shown: "O", what: "choose a session", act: toggleSessions },
  { keys: ["i"], shown: "I", what: "what made this picture, and how late it is", act: toggleTrust },
  { keys: ["s"], shown: "S", what: "screenshot", act: () => void app.screenshot() },
  { keys: ["e"], shown: "E", what: "export what is on screen as CSV", act: () => app.export("csv") },
  { keys: ["a"], shown: "A", what: "export what is on screen as Arrow", act: () => app.export("arrow") },
  { keys: ["k"], shown: "K", what: "a link to this view", act: () => void copyLink() },
  { keys: ["?"], shown: "?", what: "this list", act: help },
  { keys: ["Escape"], shown: "Esc", what: "close, let go", act: escape },
], element("help-keys"));
element("help-mouse").textContent = "Mouse: the wheel zooms time at the cursor, with Shift or over the prices it zooms price; drag moves; drag an axis to stretch it; "
  + "Shift and drag zooms to a box; Alt or Ctrl and drag measures; click pins a read-out; double click goes live, on an axis it resets it. Touch: drag, pinch.";

element("choose").addEventListener("click", toggleSessions);
element("pause").addEventListener("click", () => app.pause());
element("live").addEventListener("click", live);
element("freeze").addEventListener("click", freeze);
element("trust-open").addEventListener("click", toggleTrust);
element("help-open").addEventListener("click", help);
element("help-close").addEventListener("click", () => /** @type {HTMLDialogElement} */ (element("help")).close());
element("screenshot").addEventListener("click", () => void app.screenshot());
element("export-csv").addEventListener("click", () => app.export("csv"));
element("export-arrow").addEventListener("click", () => app.export("arrow"));
element("copy-link").addEventListener("click", () => void copyLink());
element("forget").addEventListener("click", () => { forget(app.instrument); say("Settings forgotten; load the page again for the usual ones"); });
select("speed").addEventListener("change", () => app.setSpeed(Number(select("speed").value)));
select("mode").addEventListener("change", () => showMode(select("mode").value));
select("palette").addEventListener("change", () => { app.settings.palette = select("palette").value; changed(); });
select("transfer").addEventListener("change", () => { picture.scale.transfer = /** @type {any} */ (select("transfer").value); changed(); });
select("theme").addEventListener("change", () => { app.settings.theme = /** @type {any} */ (select("theme").value); changed(); });
select("zone").addEventListener("change", () => { app.settings.zone = select("zone").value; changed(); });
for (const layer of /** @type {const} */ (["bbo", "last", "trades", "profile", "quality"])) {
  input(`layer-${layer}`).addEventListener("change", () => { app.settings.layers[layer] = input(`layer-${layer}`).checked; changed(); });
}
input("layer-least").addEventListener("change", () => { app.settings.layers.least = Number(input("layer-least").value) || 0; changed(); });
for (const handle of ["lower", "upper"]) {
  element(handle).addEventListener("pointerup", changed);
  element(handle).addEventListener("keyup", changed);
}
element("chart").addEventListener("pointermove", () => {
  if (app.measured && !gestures.action && app.cursor && app.measured[0] !== app.measured[1]) return;
  if (app.measured && app.cursor) app.measured = [app.measured[0], app.spotAt(app.cursor)];
});
document.addEventListener("visibilitychange", () => { if (!document.hidden) app.change("all"); });
new ResizeObserver(() => { picture.fit(); app.change("all"); }).observe(element("chart"));

// For the console, and for scripts that drive the page.
Object.assign(window, { vp: app });
settle();
picture.fit();
app.start();
