/** Columns of the server's history into the ring: those of a hole, and those from before the page was opened. */

import { fetchHistory, Refusal } from "./http-api.js";
import { CAPACITY } from "./ring.js";

/** @typedef {import("./ring.js").Ring} Ring @typedef {import("./http-api.js").Block} Block */

/** Blocks of older columns that are asked for at once. */
const AHEAD = 2;
/** An answer that did not come, or not whole, is asked for again after so long, and twice as long each time. */
const RETRY_MS = 1000;
const MOST_TRIES = 4;

export class Backfill {
  /** @param {string} base where the server is @param {(untilMs: number) => void} changed columns came, the newest of them at `untilMs` */
  constructor(base, changed) {
    this.base = base;
    this.changed = changed;
    /** @type {Ring | null} */
    this.ring = null;
    /** Columns that came from the history. */
    this.filled = 0;
    /** Stretches that could not be filled. */
    this.holes = 0;
    /** Of these, those whose frames the server holds no longer. */
    this.gone = 0;
    /** Since when there have been any. */
    this.holeMs = Infinity;
    /** Whether the server holds nothing older than the ring. */
    this.exhausted = false;
    this.loading = false;
    /** Older columns are not asked for before that. */
    this.retryAtMs = -Infinity;
    /** From when on the session's frames were made. */
    this.madeFromMs = NaN;
  }

  /** Fill this ring from its sessions' history. @param {Ring | null} ring @param {number} madeFromMs when its frames begin */
  of(ring, madeFromMs) {
    if (ring !== this.ring) this.filled = this.holes = this.gone = 0;
    this.ring = ring;
    this.madeFromMs = madeFromMs;
    this.retryAtMs = -Infinity;
    this.exhausted = false;
  }

  /**
   * Get the columns of the newest hole, the newest of them first, in as many answers as it takes. What the server holds
   * no more stays a hole, and is known to. Without a hole, the newest of those before the first.
   */
  async fillHole() {
    const { ring } = this;
    if (!ring) return;
    const { session, base } = ring.part;
    let behind = ring.end - 1;
    while (behind > ring.first && !ring.hole(behind)) behind -= 1;
    if (!ring.hole(behind)) return this.older(Infinity);
    const [after, before] = [ring.eventId(behind - 1) - base, ring.eventId(behind) - base];
    if (this.holes === 0) this.holeMs = performance.now();
    this.holes += 1;
    for (let until = before, tries = 0; ;) {
      try {
        // the frame before the hole is asked for as well: when it comes, the hole is closed
        const block = await fetchHistory(this.base, { session, after: after - 1, before: until, fields: ring.layout.grids });
        if (ring !== this.ring) return;
        const oldest = block.frames > 0 ? block.scalars.event_id[0] : until;
        const open = oldest > after;
        const added = ring.insert(block, open, base);
        this.filled += added;
        const closed = !open || ring.eventId(ring.first) > after + base; // or the ring begins behind it by now
        if (closed) this.holes -= 1;
        else if (block.gone && ring.giveUp(Math.min(block.goneUntil ?? until, until) + base)) this.gone += 1;
        this.changed(Infinity);
        if (closed || added === 0 || block.gone || block.oldest) return;
        until = oldest;
      } catch (error) {
        if (error instanceof Refusal) return; // the hole stays, and is shown
        if (!(error instanceof TypeError)) throw error;
        if (tries === MOST_TRIES) return;
        await new Promise((resolve) => setTimeout(resolve, RETRY_MS * 2 ** tries)); // an answer was broken off
        if (ring !== this.ring) return;
        tries += 1;
      }
    }
  }

  /**
   * Fetch older columns until the ring reaches back to `timeMs` or the server has no more.
   * @param {number} timeMs
   */
  async older(timeMs) {
    const { ring } = this;
    if (!ring?.count || this.loading || this.exhausted || performance.now() < this.retryAtMs) return;
    this.loading = true;
    const { session, base } = ring.partOf(ring.eventId(ring.first));
    const wanted = { session, fields: ring.layout.grids };
    /** @type {Promise<Block>[]} */
    const asked = [fetchHistory(this.base, { ...wanted, before: ring.eventId(ring.first) - base })];
    try {
      for (let next = asked.shift(); next; next = asked.shift()) {
        const block = await next;
        if (ring !== this.ring) return;
        const newestMs = ring.timeMs(ring.first);
        const added = ring.insert(block, false, base);
        this.filled += added;
        this.exhausted = block.oldest || added === 0;
        if (block.gone) ring.goneFromMs = this.madeFromMs;
        this.changed(newestMs);
        if (this.exhausted || ring.count >= CAPACITY || ring.timeMs(ring.first) <= timeMs) return;
        // while one block is on its way the server makes the next, as many as the stretch will take
        const due = (ring.timeMs(ring.first) - timeMs) / (newestMs - ring.timeMs(ring.first));
        while (asked.length < Math.min(AHEAD, due)) {
          const below = block.sequence - asked.length * block.frames;
          if (below <= 0) break;
          asked.push(fetchHistory(this.base, { ...wanted, below }));
          asked.at(-1)?.catch(() => {}); // it is looked at when its turn comes, or not at all
        }
      }
    } catch (error) {
      if (error instanceof TypeError) {
        this.retryAtMs = performance.now() + RETRY_MS;
        setTimeout(this.changed, RETRY_MS, Infinity);
      } else this.exhausted = true;
      if (!(error instanceof Refusal || error instanceof TypeError)) throw error; // what there is stays on screen
    } finally {
      this.loading = false;
    }
  }
}
