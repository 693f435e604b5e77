/** Gaps of the live feed: what the market did meanwhile was never recorded, and why. */

/** @typedef {import("./stream.js").Message} Message @typedef {{startMs: number, endMs: number, reason: string, open: boolean}} FeedGap `endMs` of one that is open: Infinity */

const MOST = 1000;
const milliseconds = (/** @type {string | number} */ ns) => Number(BigInt(ns) / 1000n) / 1000;

export class FeedGaps {
  constructor() {
    /** By session and start; one that was bridged is none. @type {Map<string, FeedGap>} */
    this.held = new Map();
  }

  /** @param {Message} gap @param {string} session @returns {FeedGap | null} null where what was missing has come again */
  take({ start_ns: start, end_ns: end, reason, bridged }, session) {
    const key = `${session}.${start}`;
    const gap = { startMs: milliseconds(start), endMs: end === null ? Infinity : milliseconds(end), reason: String(reason), open: end === null };
    this.held.delete(key);
    if (bridged !== true) this.held.set(key, gap);
    while (this.held.size > MOST) this.held.delete(/** @type {string} */ (this.held.keys().next().value));
    return bridged === true ? null : gap;
  }

  get all() { return [...this.held.values()]; }

  /** Those that reach into a stretch of time. @param {number} fromMs @param {number} untilMs not included */
  within(fromMs, untilMs) { return this.all.filter(({ startMs, endMs }) => startMs < untilMs && endMs > fromMs); }
}
