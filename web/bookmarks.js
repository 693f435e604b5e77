/** Bookmarks: moments of sessions with a note to each, kept by the browser and in the settings file. */

import { keepBookmarks, keptBookmarks } from "./kept.js";
import { PARTS, SettingsFileError } from "./settings-file.js";

/** @typedef {{session: string, timeMs: number, note: string}} Bookmark `session`: product type, contract and date */

export const MOST_BOOKMARKS = 500;
export const MOST_NOTE = 200;
const MOST_SESSION = 120;
/** Times beyond this have no date. */
const LAST_MS = 8.64e15;

/** @param {any} value @returns {value is Bookmark} */
const isBookmark = (value) => typeof value?.session === "string" && value.session.length <= MOST_SESSION
  && typeof value.timeMs === "number" && Math.abs(value.timeMs) <= LAST_MS && typeof value.note === "string" && value.note.length <= MOST_NOTE;
/** @param {Bookmark} bookmark */
const keyOf = ({ session, timeMs }) => `${session} ${timeMs}`;
/** @param {Bookmark} a @param {Bookmark} b */
const inOrder = (a, b) => (a.session < b.session ? -1 : a.session > b.session ? 1 : a.timeMs - b.timeMs);

/** What was judged last, and what of it can be: it is asked for with every picture. @type {{kept: unknown, good: Bookmark[]}} */
let judged = { kept: undefined, good: [] };

/** @returns {readonly Bookmark[]} by session and time */
export function all() {
  const kept = keptBookmarks();
  if (kept !== judged.kept) judged = { kept, good: Array.isArray(kept) ? kept.filter(isBookmark).slice(0, MOST_BOOKMARKS) : [] };
  return judged.good;
}

/** @param {readonly Bookmark[]} bookmarks @returns {boolean} whether they are kept */
export const replace = (bookmarks) => keepBookmarks([...bookmarks].sort(inOrder).map(({ session, timeMs, note }) => ({ session, timeMs, note })));

/** @param {string} session @returns {Bookmark[]} by time */
export const ofSession = (session) => all().filter((each) => each.session === session);

/** @param {string} session @returns {Bookmark[]} of all others */
export const ofOthers = (session) => all().filter((each) => each.session !== session);

/** Have these back, as many as there is room for. @param {readonly Bookmark[]} bookmarks @returns {boolean} whether they are kept */
export const putBack = (bookmarks) => replace([...all(), ...bookmarks].slice(0, MOST_BOOKMARKS));

/** Add one, or change its note. @param {Bookmark} bookmark @returns {boolean} whether it is kept */
export function put(bookmark) {
  const others = all().filter((each) => keyOf(each) !== keyOf(bookmark));
  return others.length < MOST_BOOKMARKS && replace([...others, { ...bookmark, note: bookmark.note.slice(0, MOST_NOTE) }]);
}

/** @param {Bookmark} bookmark */
export const remove = (bookmark) => replace(all().filter((each) => keyOf(each) !== keyOf(bookmark)));

PARTS.push({
  name: "bookmarks", all,
  judge: (value) => {
    if (!Array.isArray(value)) throw new SettingsFileError("bad_value", 'In the file, "bookmarks" is no list.');
    const wrong = value.findIndex((each) => !isBookmark(each));
    if (wrong >= 0) throw new SettingsFileError("bad_value", `In the file, bookmark ${wrong + 1} cannot be: expected session, timeMs and a note of at most ${MOST_NOTE} characters.`);
    const merged = new Map([...all(), ...value].map((each) => [keyOf(each), each]));
    if (merged.size > MOST_BOOKMARKS) throw new SettingsFileError("too_large", `With those of the file there would be ${merged.size} bookmarks; expected at most ${MOST_BOOKMARKS}.`);
    return () => replace([...merged.values()]);
  },
});
