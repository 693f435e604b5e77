/** What is kept: per instrument in the browser, and in the address as a link to the viewport. */

import { usualSmoothing } from "./balance.js";
import { layerDefaults } from "./layers.js";

/** @typedef {import("./viewport.js").Viewport} Viewport */
/**
 * @typedef {object} Settings
 * @property {string} mode @property {string} palette @property {string} ramp of depth @property {"linear" | "sqrt" | "log"} transfer
 * @property {"dark" | "light"} theme @property {string} zone
 * @property {Record<string, any>} layers which are shown, and their options
 * @property {Record<string, {lower: number, upper: number}>} cutoffs frozen ones, by view
 * @property {import("./balance.js").Smoothing} smoothing
 */

const PREFIX = "vp.settings.";
export const STREAM_NAMES = ["product_type", "symbol", "dt", "trading_day", "start_time", "speed", "throttle_ms", "bucket", "parameters"];

/** @returns {Settings} */
export function defaults() {
  const light = window.matchMedia?.("(prefers-color-scheme: light)").matches;
  return {
    mode: "balance", palette: "blue", ramp: "green", transfer: "sqrt", theme: light ? "light" : "dark", zone: "ET", cutoffs: {},
    smoothing: usualSmoothing(), layers: layerDefaults(),
  };
}

/** @param {string} instrument @returns {Settings} */
export function load(instrument) {
  const usual = defaults();
  try {
    const kept = JSON.parse(localStorage.getItem(PREFIX + instrument) ?? localStorage.getItem(`${PREFIX}any`) ?? "{}");
    if (!localStorage.getItem(PREFIX + instrument)) delete kept.cutoffs; // another market, another size
    return {
      ...usual, ...kept, cutoffs: { ...kept.cutoffs }, smoothing: { ...usual.smoothing, ...kept.smoothing }, layers: { ...usual.layers, ...kept.layers },
    };
  } catch {
    return usual; // storage that is blocked or damaged must not keep the page from working
  }
}

/** @param {string} instrument @param {Settings} settings */
export function save(instrument, settings) {
  try {
    localStorage.setItem(PREFIX + instrument, JSON.stringify(settings));
    localStorage.setItem(`${PREFIX}any`, JSON.stringify(settings));
  } catch { /* as above */ }
}

/** @param {string} instrument */
export function forget(instrument) {
  try {
    localStorage.removeItem(PREFIX + instrument);
    localStorage.removeItem(`${PREFIX}any`);
  } catch { /* as above */ }
}

/**
 * An address that shows the same picture: session, range, view and colours.
 * @param {Location} location @param {Record<string, any>} session what was asked for, and what it turned out to be
 * @param {string} version of the server @param {Viewport} viewport @param {Settings} settings
 * @param {{lower: number, upper: number}} cutoffs
 */
export function link(location, session, version, viewport, settings, cutoffs) {
  const query = new URLSearchParams();
  for (const name of STREAM_NAMES) if (name in session) query.set(name, String(session[name] ?? ""));
  const at = new URLSearchParams({
    end: viewport.endMs.toFixed(3), span: viewport.spanMs.toFixed(3), centre: viewport.centre.toFixed(3), rows: viewport.rows.toFixed(3),
    mode: settings.mode, palette: settings.palette, transfer: settings.transfer, theme: settings.theme,
    lower: cutoffs.lower.toPrecision(6), upper: cutoffs.upper.toPrecision(6), version,
  });
  return `${location.origin}${location.pathname}?${query}#${at}`;
}

/** @param {Location} location @returns {{end: number, span: number, centre: number, rows: number, [name: string]: any} | null} */
export function readLink(location) {
  const at = new URLSearchParams(location.hash.slice(1));
  const number = (/** @type {string} */ name) => Number(at.get(name) ?? NaN);
  const found = { end: number("end"), span: number("span"), centre: number("centre"), rows: number("rows") };
  if (!Object.values(found).every(Number.isFinite)) return null;
  return { ...found, ...Object.fromEntries(["mode", "palette", "transfer", "theme", "version"].map((n) => [n, at.get(n)])),
    lower: number("lower"), upper: number("upper") };
}
