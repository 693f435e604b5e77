/** Why a stretch of the picture is not to be trusted, or shows nothing: reasons as bits, and their words. */

/** @typedef {import("./time-bins.js").TimeBins} TimeBins @typedef {import("./ring.js").Ring} Ring */
/** @typedef {"dense" | "wide" | "faint" | "dotted"} Hatching */
/** @typedef {{startMs: number, endMs: number, reasons: number, gap?: string}} Stretch of one set of reasons; `gap`: why the feed had one */

/** Frames are missing: they were made, but the page does not have them. */
export const MISSING = 64;
/** They are missing for good. */
export const GONE = 256;
export const GONE_WORDS = "gone: the server holds these frames no longer";
/** Nothing is shown, as nothing happened for long. */
export const NO_EVENTS = 128;
/** The live feed did not bring what happened. */
export const FEED_GAP = 512;

/** The first six are the bits of the column `quality` of frames. @type {{bit: number, words: string, hatching: Hatching}[]} */
const REASONS = [
  { bit: 1, words: "a side is empty", hatching: "wide" },
  { bit: 2, words: "locked or crossed", hatching: "wide" },
  { bit: 4, words: "within a snapshot", hatching: "wide" },
  { bit: 8, words: "marked as a bad book", hatching: "wide" },
  { bit: 16, words: "incomplete book: no snapshot yet", hatching: "faint" },
  { bit: 32, words: "after a gap of the feed", hatching: "dense" },
  { bit: MISSING, words: "data missing", hatching: "dense" },
  { bit: GONE, words: GONE_WORDS, hatching: "dense" },
  { bit: FEED_GAP, words: "gap of the feed, never recorded", hatching: "dense" },
  { bit: NO_EVENTS, words: "no events", hatching: "dotted" },
];

/** @param {number} reasons */
const within = (reasons) => REASONS.filter(({ bit }) => reasons & bit);

/** @param {number} reasons @param {string} [gap] why the feed had one @returns {string} */
export const reasonWords = (reasons, gap) => within(reasons).map(({ bit, words }) => (bit === FEED_GAP && gap ? `${words}: ${gap}` : words)).join(", ");

/** @param {number} reasons @returns {Hatching[]} each once */
export const hatchings = (reasons) => [...new Set(within(reasons).map(({ hatching }) => hatching))];

/**
 * What there is to mind about a moment: of the column that it shows, and of what comes before and after that.
 * @param {Ring} ring @param {number} column @param {number} timeMs @param {number} quietMs no frame for longer is silence
 * @returns {{words: string[], silentMs: number}} `silentMs`: how long nothing has happened, 0 where it is no silence
 */
export function doubtsOf(ring, column, timeMs, quietMs) {
  const words = within(ring.scalar("quality", column)).map((reason) => reason.words);
  const lack = (/** @type {number} */ at) => (ring.gone(at) ? "gone, the server holds them no longer" : "missing");
  if (ring.hole(column)) words.push(`frames before this one are ${lack(column)}`);
  const silentMs = timeMs - ring.timeMs(column);
  const [gap] = ring.gaps.within(timeMs, timeMs + 1e-3);
  if (gap) return { words: [...words, reasonWords(FEED_GAP, gap.reason)], silentMs: 0 };
  if (!ring.hole(column + 1)) return { words, silentMs: silentMs > quietMs ? silentMs : 0 };
  return { words: [...words, `frames after this one are ${lack(column + 1)}`], silentMs: 0 };
}

/**
 * Stretches with a reason between two times, of those that the page holds, and before them what it cannot get.
 * @param {TimeBins} bins @param {Ring} ring @param {number} startMs @param {number} endMs @returns {Stretch[]}
 */
export function stretches(bins, ring, startMs, endMs) {
  const { binMs } = bins;
  const from = Math.max(Math.floor(startMs / binMs), bins.first, Math.floor(ring.timeMs(ring.first) / binMs));
  const until = Math.min(Math.floor(endMs / binMs), bins.newest);
  /** @type {Stretch[]} */
  const found = [];
  const [goneMs, heldMs] = [Math.max(startMs, ring.goneFromMs), Math.min(endMs, ring.timeMs(ring.first))];
  if (goneMs < heldMs) found.push({ startMs: goneMs, endMs: heldMs, reasons: GONE });
  const gaps = ring.gaps.within(startMs, endMs);
  const told = (/** @type {number} */ bin) => {
    const [gap, reasons] = [gaps.find((each) => each.startMs < (bin + 1) * binMs && each.endMs > bin * binMs), bins.reasons(bin)];
    return gap ? { reasons: reasons & ~NO_EVENTS | FEED_GAP, gap: gap.reason } : { reasons };
  };
  for (let bin = from, start = from, now = told(from); bin <= until; bin += 1) {
    const next = told(bin + 1);
    if (bin < until && next.reasons === now.reasons && next.gap === now.gap) continue;
    if (now.reasons) found.push({ startMs: start * binMs, endMs: (bin + 1) * binMs, ...now });
    start = bin + 1;
    now = next;
  }
  return found;
}

/** @type {Record<Hatching, string>} */
const LOOKS = { dense: "dense hatching", wide: "wide hatching", faint: "faint hatching", dotted: "dots" };

/** What the hatching on screen means. @param {Stretch[]} shown @returns {string} nothing where nothing is hatched */
export function hatchingKey(shown) {
  const all = within(shown.reduce((sum, { reasons }) => sum | reasons, 0));
  return hatchings(all.reduce((sum, { bit }) => sum | bit, 0)).map((look) => (
    `${LOOKS[look]}: ${all.filter(({ hatching }) => hatching === look).map(({ words }) => words).join(", ")}`)).join(" · ");
}
