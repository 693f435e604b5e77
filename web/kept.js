/** What the browser keeps, as much of it as is bounded; storage that is blocked or damaged never keeps the page from working. */

import { defaults, judged } from "./settings.js";

/** @typedef {import("./settings.js").Settings} Settings */

const SETTINGS = "vp.settings.";
/** Settings of an instrument that has none of its own: the newest of all. */
export const ANY = "any";
const WORKSPACES = "vp.workspaces";
const BOOKMARKS = "vp.bookmarks";
const RETURN = "vp.return";
const GUIDED = "vp.guided";
export const MOST_INSTRUMENTS = 100;
export const MOST_WORKSPACES = 50;
export const MOST_NAME = 60;

/** @template T @param {() => T} act @param {T} otherwise @returns {T} */
function guarded(act, otherwise) {
  try { return act(); } catch { return otherwise; }
}

/** @param {string} key @returns {any} undefined where nothing is kept, or nothing that can be read */
const read = (key) => guarded(() => JSON.parse(localStorage.getItem(key) ?? ""), undefined);
/** @param {string} key @param {unknown} value @returns {boolean} whether it is kept */
const write = (key, value) => guarded(() => { localStorage.setItem(key, JSON.stringify(value)); return true; }, false);
const instruments = () => guarded(() => Object.keys(localStorage), []).filter((key) => key.startsWith(SETTINGS) && key !== SETTINGS + ANY);

/** @param {string} instrument @returns {Settings} */
export function load(instrument) {
  const own = read(SETTINGS + instrument);
  if (own) return judged(own).settings;
  const newest = read(SETTINGS + ANY);
  return newest ? { ...judged(newest).settings, cutoffs: defaults().cutoffs } : defaults(); // another market, another size
}

/** @param {string} instrument @param {Settings} settings @returns {boolean} whether they are kept */
export function save(instrument, settings) {
  const kept = { ...settings, kept_ms: Date.now() };
  const done = write(SETTINGS + instrument, kept) && write(SETTINGS + ANY, kept);
  const keys = instruments();
  const age = (/** @type {string} */ key) => Number(read(key)?.kept_ms ?? 0);
  if (keys.length > MOST_INSTRUMENTS) keys.sort((a, b) => age(a) - age(b));
  for (const key of keys.slice(0, Math.max(0, keys.length - MOST_INSTRUMENTS))) guarded(() => localStorage.removeItem(key), undefined);
  return done;
}

/** @param {string} instrument */
export function forget(instrument) {
  for (const name of [instrument, ANY]) guarded(() => localStorage.removeItem(SETTINGS + name), undefined);
}

/** Everything that is kept of settings, by instrument. @returns {Record<string, Settings>} */
export function allSettings() {
  return Object.fromEntries([SETTINGS + ANY, ...instruments()].flatMap((key) => {
    const kept = read(key);
    return kept ? [[key.slice(SETTINGS.length), judged(kept).settings]] : [];
  }));
}

/** Workspaces by name: the address of each from its question mark on. @returns {Record<string, string>} */
export function workspaces() {
  const kept = Object.entries(Object(read(WORKSPACES))).filter((entry) => typeof entry[1] === "string");
  return Object.fromEntries(kept.slice(0, MOST_WORKSPACES));
}

/** @param {Record<string, string>} all @returns {boolean} whether they are kept */
export const keepWorkspaces = (all) => write(WORKSPACES, all);

/** Bookmarks as they were read last, and out of what: they are asked for several times a second. @type {{text: string | null, value: unknown}} */
let lastBookmarks = { text: null, value: undefined };

/** @returns {unknown} as they were kept; not to be changed in place */
export function keptBookmarks() {
  const text = guarded(() => localStorage.getItem(BOOKMARKS), null);
  if (text !== lastBookmarks.text) lastBookmarks = { text, value: read(BOOKMARKS) };
  return lastBookmarks.value;
}
/** @param {unknown[]} all @returns {boolean} whether they are kept */
export const keepBookmarks = (all) => write(BOOKMARKS, all);

/** The session that stands while this tab loads the page again, with an event of it; read once. @returns {string} */
export const takeReturn = () => guarded(() => {
  const kept = sessionStorage.getItem(RETURN) ?? "";
  sessionStorage.removeItem(RETURN);
  return /^\w+\.\d+$/.test(kept) ? kept : "";
}, "");
/** @param {string} session @param {number} event */
export const keepReturn = (session, event) => { guarded(() => sessionStorage.setItem(RETURN, `${session}.${event}`), undefined); };

/** Whether the guide was shown. */
export const guided = () => guarded(() => localStorage.getItem(GUIDED) !== null, false);
export const keepGuided = () => { guarded(() => localStorage.setItem(GUIDED, "1"), undefined); };
