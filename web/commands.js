/** What a person can do: each command is a key's or a button's, or both. */

import { coloursOf } from "./colour.js";
import { dismissTopmost } from "./dismiss.js";
import { element } from "./dom.js";
import { saveFrames, saveScreenshot } from "./export.js";
import { showProvenance } from "./health.js";
import { MAIN_MODES, modeOf } from "./modes.js";
import { say } from "./notices.js";
import { showLiveness } from "./signs.js";

/**
 * @typedef {object} Page what the page is made of
 * @property {string} base where the server is
 * @property {import("./session.js").Session} session @property {import("./feed.js").Feed} feed
 * @property {import("./settings.js").Settings} settings @property {import("./viewport.js").Viewport} viewport
 * @property {import("./chart.js").Chart} chart @property {import("./painting.js").Painting} painting
 * @property {import("./crosshair.js").Crosshair} crosshair
 * @property {import("./undo.js").UndoHistory<any>} undo
 */

export const SPEEDS = [0.25, 0.5, 1, 2, 5, 10, 20, 50, 100];
const TRANSFERS = /** @type {const} */ (["linear", "sqrt", "log"]);
const STEP_PX = 10;

/** @template T @param {readonly T[]} list @param {T} now @returns {T} the one after */
const next = (list, now) => list[(list.indexOf(now) + 1) % list.length];

export class Commands {
  /** @param {Page} page @param {import("./session-chooser.js").SessionChooser} chooser */
  constructor(page, chooser) {
    this.page = page;
    this.chooser = chooser;
    /** What Escape closes before panels: each tells whether it was open. @type {(() => boolean)[]} */
    this.closers = [];
  }

  /** Move the view, and paint. @param {(viewport: import("./viewport.js").Viewport) => void} act @param {string} [kind] such moves are undone together */
  move(act, kind) {
    const { viewport, painting, undo } = this.page;
    undo.remember(kind);
    act(viewport);
    painting.request("all");
  }

  /** Take the last change back that a person made to what is shown. */
  undo() { this.said(this.page.undo.undo() ? "Undone" : "Nothing to undo"); }

  /** Make it again. */
  redo() { this.said(this.page.undo.redo() ? "Redone" : "Nothing to redo"); }

  live() {
    this.move((viewport) => viewport.live());
    this.said("Live");
  }

  pause() {
    const { viewport } = this.page;
    this.move(() => (viewport.following ? viewport.pause() : viewport.live()));
    this.said(viewport.following ? "Live" : "Paused; data keep arriving");
  }

  /** @param {string} words */
  said(words) {
    say(words);
    showLiveness(this.page);
  }

  /** @param {number} x @param {number} y in steps @param {boolean} far */
  pan(x, y, far) {
    const { width, height } = this.page.chart.size();
    const px = far ? STEP_PX * 10 : STEP_PX;
    this.move((viewport) => viewport.move(((x * px) / width) * viewport.spanMs, ((y * px) / height) * viewport.rows), x === 0 ? "pan of prices" : "pan");
  }

  /** The oldest that the server holds. */
  async oldest() {
    const { feed: { ring, backfill }, viewport } = this.page;
    if (!ring?.count) return;
    this.move(() => viewport.pause(), "oldest");
    await backfill.older(-Infinity);
    this.move(() => { viewport.endMs = ring.timeMs(ring.first) + viewport.spanMs; }, "oldest");
  }

  /** Move the keyboard's crosshair by columns and rows. @param {number} columns @param {number} rows */
  step(columns, rows) {
    const { feed: { ring }, chart, crosshair } = this.page;
    const { scene } = chart;
    if (!scene || !ring) return;
    const { width, height } = scene.size;
    const spot = chart.spotAt(crosshair.at ?? { x: width - 1, y: height / 2 });
    const column = Math.min(Math.max(ring.columnUntil(spot.timeMs) + columns, ring.first), ring.end - 1);
    const timeMs = columns === 0 ? spot.timeMs : ring.timeMs(column) + 1e-3;
    crosshair.moveTo({
      x: Math.min(Math.max(scene.x(timeMs), 0), width - 1), y: Math.min(Math.max(scene.y(spot.bucket + rows), 0), height - 1),
    });
  }

  pin() {
    const { crosshair } = this.page;
    if (crosshair.at) crosshair.pin(crosshair.at);
  }

  /** @param {Partial<import("./settings.js").Settings>} changes */
  set(changes) {
    this.page.undo.remember();
    Object.assign(this.page.settings, changes);
    this.page.session.settingsChanged();
  }

  /** @param {string} name */
  showMode(name) {
    const { chart, session, settings, undo } = this.page;
    undo.remember();
    settings.mode = name;
    chart.heatmap.scale.begin(settings.cutoffs[name]); // each view has its own
    session.settingsChanged();
    session.needColumns();
    say(`View: ${modeOf(name).label}`);
  }

  /** The exact cells, and back to the balance. */
  toggleCells() { this.showMode(this.page.settings.mode === "pair" ? "balance" : "pair"); }

  nextMode() { this.showMode(next(MAIN_MODES, modeOf(this.page.settings.mode)).name); }
  nextPalette() {
    const { name, now, choices } = coloursOf(this.page.settings);
    this.set({ [name]: next(Object.keys(choices), now) });
  }
  nextTransfer() { this.set({ transfer: next(TRANSFERS, this.page.settings.transfer) }); }
  toggleTheme() { this.set({ theme: this.page.settings.theme === "dark" ? "light" : "dark" }); }

  /** @param {string} name of a layer or its option @param {boolean | number} value */
  setLayer(name, value) {
    this.page.undo.remember();
    this.page.settings.layers[name] = value;
    this.page.session.settingsChanged();
  }

  freeze() {
    const { scale } = this.page.chart.heatmap;
    this.page.undo.remember();
    scale.freeze();
    this.page.session.settingsChanged();
    say(scale.frozen ? "Colour scale frozen" : "Colour scale automatic");
  }

  /** @param {number} by 1: the next faster one, -1: the next slower */
  faster(by) {
    const now = Number(this.page.feed.config.speed ?? 1);
    const wanted = by > 0 ? SPEEDS.find((speed) => speed > now) : SPEEDS.filter((speed) => speed < now).at(-1);
    if (wanted !== undefined) this.page.session.setSpeed(wanted);
  }

  toggleProvenance() {
    const panel = element("trust");
    panel.hidden = !panel.hidden;
    element("trust-open").setAttribute("aria-expanded", String(!panel.hidden));
    this.refreshProvenance();
  }

  refreshProvenance() {
    if (!element("trust").hidden) showProvenance(this.page.feed, this.page.chart.heatmap.painter.name);
  }

  toggleChooser() {
    const { form } = this.chooser;
    element("choose").setAttribute("aria-expanded", String(form.hidden));
    if (form.hidden) void this.chooser.open({ ...this.page.feed.config, ...this.page.session.query });
    else { form.hidden = true; element("choose").focus(); }
  }

  screenshot() { void saveScreenshot(this.page.feed, this.page.chart); }

  /** @param {"csv" | "arrow"} form */
  export(form) { saveFrames(this.page.base, this.page.feed, this.page.viewport, form); }

  async copyLink() {
    const address = this.page.session.link();
    this.page.session.changed();
    const copied = await navigator.clipboard?.writeText(address).then(() => true, () => false);
    say(`The link is in the address bar${copied ? " and on the clipboard" : ""}`);
  }

  help() { /** @type {HTMLDialogElement} */ (element("help")).showModal(); }

  escape() {
    const field = document.activeElement;
    if (field instanceof HTMLInputElement && field.matches("#player input, #scale input")) { // what is typed there is given up
      field.value = "";
      element("chart").focus({ preventScroll: true });
      this.page.painting.request("all");
      return;
    }
    if (!dismissTopmost(this.closers, this.page.painting.count > 0)) this.page.crosshair.release();
  }
}
