/** The keys: one table, which both does and explains, in the order in which the page lists them. */

import { scrollsByKeys } from "./dismiss.js";
import { element } from "./dom.js";
import { SWITCHED_LAYERS } from "./layers.js";

/** Keys that a panel with more in it than fits is scrolled by. */
const SCROLLING = ["ArrowUp", "ArrowDown", "PageUp", "PageDown", "Home", "End", " "];

/** @typedef {import("./commands.js").Commands} Commands */
/** @typedef {{keys: string[], shown: string, what: string, act: (event: KeyboardEvent) => void}} Key */

export const MOUSE_HELP = "Mouse: the wheel zooms time at the cursor, with Shift or over the prices it zooms price; drag moves; drag an axis to stretch it; "
  + "Shift and drag zooms to a box; Alt or Ctrl and drag measures; click pins a read-out; double click on an axis resets it. Touch: drag, pinch.";

/** @param {import("./player.js").Player} player @param {import("./bookmarks-panel.js").BookmarksPanel} panel @returns {Key[]} */
export const playerKeys = (player, panel) => [
  { keys: ["y"], shown: "Y", what: "hold the session itself, or let it go on", act: () => player.toggleHold() },
  { keys: ["n"], shown: "N", what: "the next frame (Shift: the next event)", act: ({ shiftKey }) => (shiftKey ? player.event() : player.frame(1)) },
  { keys: ["w"], shown: "W", what: "a frame back", act: () => player.frame(-1) },
  { keys: ["j"], shown: "J", what: "go to a time", act: () => element("seek").focus() },
  { keys: ["r"], shown: "R", what: "play what is measured over and over; without a measure: from here, to here, leave off", act: () => player.toggleLoop() },
  { keys: ["b"], shown: "B", what: "bookmark this moment (Shift: the bookmarks)", act: ({ shiftKey }) => (shiftKey ? panel.toggle() : player.mark()) },
];

/** @param {Commands} commands @param {import("./commands.js").Page} page @param {import("./track-record.js").TrackRecordPanel} trackRecord @returns {Key[]} */
export const shortcuts = (commands, { settings, crosshair }, trackRecord) => [
  { keys: [" "], shown: "Space", what: "pause; data keep arriving", act: () => commands.pause() },
  { keys: ["l", "End"], shown: "L End", what: "back to live", act: () => commands.live() },
  { keys: ["ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown"], shown: "← → ↑ ↓", what: "move (Shift: ten times as far)", act: ({ key, shiftKey }) =>
    commands.pan(key === "ArrowRight" ? 1 : key === "ArrowLeft" ? -1 : 0, key === "ArrowUp" ? 1 : key === "ArrowDown" ? -1 : 0, shiftKey) },
  { keys: ["PageUp", "PageDown"], shown: "PgUp PgDn", what: "half a screen of prices", act: ({ key }) =>
    commands.move((viewport) => viewport.move(0, (key === "PageUp" ? 0.5 : -0.5) * viewport.rows), "pan of prices") },
  { keys: ["Home"], shown: "Home", what: "the oldest that the server holds", act: () => void commands.oldest() },
  { keys: ["+", "="], shown: "+", what: "zoom time in", act: () => commands.move((viewport) => viewport.zoomTime(0.8, 0.5), "zoom") },
  { keys: ["-"], shown: "-", what: "zoom time out", act: () => commands.move((viewport) => viewport.zoomTime(1.25, 0.5), "zoom") },
  { keys: ["}", ")"], shown: "} )", what: "zoom price in", act: () => commands.move((viewport) => viewport.zoomPrice(0.8, 0.5), "zoom of prices") },
  { keys: ["{", "("], shown: "{ (", what: "zoom price out", act: () => commands.move((viewport) => viewport.zoomPrice(1.25, 0.5), "zoom of prices") },
  { keys: ["0"], shown: "0", what: "the usual zoom, live", act: () => commands.move((viewport) => viewport.reset()) },
  { keys: ["z"], shown: "Z", what: "undo what changed the picture (Shift: redo; also with Ctrl)", act: ({ shiftKey }) => (shiftKey ? commands.redo() : commands.undo()) },
  { keys: ["[", "]"], shown: "[ ]", what: "slower, faster", act: ({ key }) => commands.faster(key === "]" ? 1 : -1) },
  { keys: [",", "."], shown: ", .", what: "crosshair a frame back, on", act: ({ key }) => commands.step(key === "." ? 1 : -1, 0) },
  { keys: [";", "'"], shown: "; '", what: "crosshair a price down, up", act: ({ key }) => commands.step(0, key === "'" ? 1 : -1) },
  { keys: ["p"], shown: "P", what: "pin the read-out", act: () => commands.pin() },
  { keys: ["m"], shown: "M", what: "measure from the crosshair on", act: () => crosshair.toggleMeasure() },
  { keys: ["u"], shown: "U", what: "exact time in the read-out", act: () => crosshair.toggleExactTime() },
  { keys: ["v"], shown: "V", what: "next view", act: () => commands.nextMode() },
  { keys: ["x"], shown: "X", what: "exact cells, and back to the balance", act: () => commands.toggleCells() },
  { keys: ["c"], shown: "C", what: "next colours", act: () => commands.nextPalette() },
  { keys: ["t"], shown: "T", what: "linear, square root, logarithmic", act: () => commands.nextTransfer() },
  { keys: ["f"], shown: "F", what: "freeze the colour scale", act: () => commands.freeze() },
  { keys: ["d"], shown: "D", what: "dark or light", act: () => commands.toggleTheme() },
  ...SWITCHED_LAYERS.flatMap(({ name, label = "", key }) => (key ? [{
    keys: [key], shown: key.toUpperCase(), what: `${label.toLowerCase()} on or off`, act: () => commands.setLayer(name, !settings.layers[name]),
  }] : [])),
  { keys: ["o"], shown: "O", what: "choose a session", act: () => commands.toggleChooser() },
  { keys: ["i"], shown: "I", what: "what made this picture, and how late it is", act: () => commands.toggleProvenance() },
  { keys: ["q"], shown: "Q", what: "what UP, DOWN and the score were worth so far", act: () => trackRecord.toggle() },
  { keys: ["s"], shown: "S", what: "screenshot", act: () => commands.screenshot() },
  { keys: ["e"], shown: "E", what: "export what is on screen as CSV", act: () => commands.export("csv") },
  { keys: ["a"], shown: "A", what: "export what is on screen as Arrow", act: () => commands.export("arrow") },
  { keys: ["k"], shown: "K", what: "a link to this view", act: () => void commands.copyLink() },
  { keys: ["?"], shown: "?", what: "this list", act: () => commands.help() },
  { keys: ["Escape"], shown: "Esc", what: "close what is open, the topmost first; then let go of crosshair, measure and pins", act: () => commands.escape() },
];

/** @param {Key[]} table @param {HTMLElement} list where they are explained */
export function listenToKeys(table, list) {
  list.replaceChildren(...table.map(({ shown, what }) => {
    const line = document.createElement("div");
    for (const name of shown.split(" ")) {
      const key = document.createElement("kbd");
      key.textContent = name;
      line.append(key, " ");
    }
    line.append(what);
    return line;
  }));
  window.addEventListener("click", () => { // by the mouse, and what was clicked on leaves the keys to the chart
    if (document.activeElement?.matches(":is(nav, #player) button:not(:focus-visible)")) element("chart").focus({ preventScroll: true });
  });
  const byKey = new Map(table.flatMap((entry) => entry.keys.map((key) => [key, entry])));
  window.addEventListener("keydown", (event) => {
    if (event.ctrlKey && event.key.toLowerCase() !== "z") return;
    if (event.metaKey || event.altKey || event.defaultPrevented) return;
    const target = /** @type {HTMLElement} */ (event.target);
    if (SCROLLING.includes(event.key) && scrollsByKeys(target)) return;
    if (event.key !== "Escape" && target.closest("input, select, textarea, dialog")) return;
    if ((event.key === " " || event.key === "Enter") && target.closest("button, summary")) return;
    const entry = byKey.get(event.key.length === 1 ? event.key.toLowerCase() : event.key);
    if (!entry) return;
    event.preventDefault();
    entry.act(event);
  });
}
