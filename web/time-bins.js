/**
 * The picture at the resolution of the screen: columns reduced to bins of equal time, each row by the value of largest
 * magnitude, its sign kept; the balance as it is at a bin's end. Bins are a ring over time (bin n lies at n modulo BINS),
 * rows lie at absolute prices.
 */

import { Balance, smoothingOf, usualSmoothing } from "./balance.js";
import { toBfloat16 } from "./bfloat16.js";
import { BALANCE_CUTOFFS, smoothed } from "./modes.js";
import { GONE, MISSING, NO_EVENTS } from "./quality.js";

/** @typedef {import("./ring.js").Ring} Ring */
/** @typedef {import("./modes.js").Mode} Mode */

export const BINS = 4096;
export const ROWS = 1024;
/** A column's values are shown until the next one, but not longer than this: forces fade where nothing happens. */
export const HOLD_MS = 60_000;
/** Of a bin's flags; the others are reasons, as in quality.js. */
const SHOWN = NO_EVENTS;
const MAGNITUDE = 0x7fff;
/** Steps of the balance over a depth, in either direction. */
export const TINTS = 32;
const words = new Float32Array(2);
const wordBits = new Uint32Array(words.buffer);

export class TimeBins {
  constructor() {
    /**
     * bfloat16, [bin][row][two channels]; a signed value lies in channel 0 if positive, its magnitude in 1 if not. Of a depth:
     * in channel 0, its last bit 1 for an ask; in channel 1 twice the step of its balance, plus 1 if that is negative.
     */
    this.cells = new Uint16Array(BINS * ROWS * 2);
    /** Per bin the reasons not to trust it, and whether it shows values. */
    this.flags = new Uint16Array(BINS);
    this.binMs = NaN;
    /** Bins `first` up to, not including, `first + BINS` have a place; rows begin at the bucket `base`. */
    this.first = 0;
    this.base = 0;
    this.epoch = -1;
    /** @type {Mode | null} */
    this.mode = null;
    /** @type {Ring | null} */
    this.ring = null;
    this.taken = 0;
    /** Whether the window moves along with the newest column. */
    this.sliding = false;
    this.newest = -1;
    /** The bin of the newest column taken in; what lies after it shows that nothing has come since. */
    this.settled = -1;
    /** Where the mode shows it. @type {Balance | null} */
    this.balance = null;
    this.smoothing = smoothingOf(usualSmoothing(), "contracts");
    /** Bins that changed since `clean`. */
    this.dirtyFrom = 0;
    this.dirtyUntil = 0;
  }

  /** @param {number} bin @returns {number} its place */
  slot(bin) { return bin - Math.floor(bin / BINS) * BINS; }

  /** Why a bin is not to be trusted, or shows nothing, as bits of quality.js. @param {number} bin @returns {number} */
  reasons(bin) {
    const reasons = this.flags[this.slot(bin)] ^ SHOWN;
    return reasons & (MISSING | GONE) ? reasons & ~NO_EVENTS : reasons;
  }

  clean() { this.dirtyFrom = Infinity; this.dirtyUntil = -Infinity; }

  /**
   * See that the bins hold the view: build them anew if they have to be, else take the newest columns in.
   * @param {Ring} ring @param {Mode} mode @param {number} binMs
   * @param {{startMs: number, endMs: number, top: number, rows: number}} view
   * @param {number} [nowMs] until when the newest column is known to be the last
   * @param {import("./balance.js").Smoothed} [smoothing] of the balance
   * @returns {boolean} whether all is new
   */
  hold(ring, mode, binMs, view, nowMs = -Infinity, smoothing = this.smoothing) {
    const from = Math.floor(view.startMs / binMs);
    const until = Math.floor(view.endMs / binMs) + 1;
    const bottom = Math.floor(view.top - view.rows);
    const rememberedMs = this.balance?.reachMs ?? 0;
    const untouched = ring.epoch === this.epoch || ring.touchedMs < this.first * this.binMs - rememberedMs; // older columns came
    const same = !smoothed(mode) || sameSmoothing(smoothing, this.smoothing);
    const fits = ring === this.ring && untouched && same && mode === this.mode && binMs === this.binMs && bottom >= this.base && view.top + 1 <= this.base + ROWS
      && from >= this.first && (this.sliding || until <= this.first + BINS);
    this.epoch = ring.epoch;
    ring.touchedMs = -Infinity;
    if (fits) {
      this.extend(nowMs);
      if (from >= this.first) return false;
    }
    this.ring = ring;
    this.mode = mode;
    this.binMs = binMs;
    this.smoothing = smoothing;
    this.balance = smoothed(mode) ? new Balance(ROWS, smoothing, binMs) : null;
    this.base = Math.round(view.top - view.rows / 2) - ROWS / 2;
    const spare = Math.max(0, BINS - (until - from) - 2);
    const newestBin = ring.count > 0 ? Math.floor(ring.timeMs(ring.end - 1) / binMs) : until;
    // at the live edge all the room is kept to the left, as the ring makes its own to the right
    this.sliding = until >= newestBin;
    this.first = this.sliding ? until - BINS : from - (spare >> 1);
    this.cells.fill(0);
    this.flags.fill(0);
    this.newest = this.settled = this.first - 1;
    this.taken = Math.max(ring.first, ring.columnAt(this.first * binMs - (this.balance?.reachMs ?? 0)) - 1);
    this.extend(nowMs);
    this.dirtyFrom = this.first;
    this.dirtyUntil = this.first + BINS;
    return true;
  }

  /** Take in the columns that came since, and hold the newest one until now. @param {number} nowMs */
  extend(nowMs) {
    const ring = this.ring;
    if (!ring?.count) return;
    if (this.taken < ring.first) this.taken = ring.first;
    if (this.taken < ring.end) this.newest = Math.min(this.newest, this.settled);
    for (let column = this.taken; column < ring.end; column += 1) {
      const bin = Math.floor(ring.timeMs(column) / this.binMs);
      const edge = this.first + BINS - 1;
      const missing = ring.gone(column) ? GONE : ring.hole(column) ? MISSING : 0;
      // over a short gap the last column is held; what a longer one held is not known
      const cutMs = column > ring.first ? ring.gaps.cutMs(ring.timeMs(column - 1), ring.timeMs(column)) : Infinity;
      const alone = (missing > 0 || cutMs < Infinity) && ring.timeMs(column) - ring.timeMs(column - 1) > (this.balance?.memoryMs ?? 0);
      if (bin > this.settled) this.weigh(this.settled, alone ? -Infinity : Infinity);
      if (column > ring.first && bin > this.newest + 1) {
        const until = this.sliding ? bin - 1 : Math.min(bin - 1, edge);
        if (missing) this.mark(this.newest + 1, until, missing);
        else this.carry(column - 1, this.newest + 1, Math.min(until, Math.floor(cutMs / this.binMs)));
        this.open(until);
        this.settled = this.newest;
      }
      this.taken = column;
      if (bin > edge && !this.sliding) return; // a window that looks at the past stays where it is
      this.open(bin);
      this.put(column, bin, bin);
      this.remember(column, alone);
      if (missing) this.mark(bin, bin, missing);
      this.taken = column + 1;
      this.settled = this.newest;
    }
    if (this.taken === ring.end) this.weigh(this.settled, nowMs);
    const now = Math.min(Math.floor(nowMs / this.binMs), this.sliding ? Infinity : this.first + BINS - 1);
    if (now > this.newest) this.carry(ring.end - 1, this.newest + 1, now);
  }

  /**
   * Hold a column over the bins after it: its values for a while, what is known of its book until the next one.
   * @param {number} column @param {number} from @param {number} until inclusive
   */
  carry(column, from, until) {
    const ring = /** @type {Ring} */ (this.ring);
    const last = Math.min(until, Math.floor((ring.timeMs(column) + HOLD_MS) / this.binMs));
    this.open(until);
    this.put(column, from, last);
    for (let bin = from; this.balance && bin <= last; bin += 1) this.weigh(bin, Infinity);
    this.mark(Math.max(last + 1, from), until, ring.scalar("quality", column));
  }

  /** Let a column be in the balance from its time on. @param {number} column @param {boolean} alone whether what was before it is not known */
  remember(column, alone) {
    const ring = /** @type {Ring} */ (this.ring);
    const { grids: { pressure, vacuum }, scalars } = ring.chunk(column);
    const at = ring.at(column);
    if (alone) this.balance?.forget();
    if (!pressure || !vacuum) return;
    this.balance?.take(ring.timeMs(column), scalars.spot_price[at] - ring.k - this.base, pressure, vacuum, at * ring.rows, ring.rows);
  }

  /** Write the balance of a bin as it is at its end, or before that at `untilMs`, and no more of what it was before. @param {number} bin @param {number} untilMs */
  weigh(bin, untilMs) {
    const { cells, balance } = this;
    if (!balance || bin < this.first || bin > this.newest || Number.isNaN(balance.timeMs)) return;
    const target = this.slot(bin) * ROWS * 2;
    const timeMs = Math.max(Math.min((bin + 1) * this.binMs, untilMs), balance.seenMs);
    this.dirtyFrom = Math.min(this.dirtyFrom, bin);
    this.dirtyUntil = Math.max(this.dirtyUntil, bin + 1);
    if (this.mode?.kind === "depth") {
      const [least, most] = BALANCE_CUTOFFS;
      for (let to = target + 1; to < target + 2 * ROWS; to += 2) cells[to] = 0; // the price may have moved on since it was written
      balance.read(timeMs, (row, value) => {
        const step = Math.round(((Math.abs(value) - least) / (most - least)) * (TINTS - 1));
        cells[target + 2 * row + 1] = step <= 0 ? 0 : 2 * Math.min(step, TINTS - 1) + (value < 0 ? 1 : 0);
      });
    } else {
      cells.fill(0, target, target + 2 * ROWS);
      balance.read(timeMs, (row, value) => {
        const to = target + 2 * row;
        cells[to] = value > 0 ? toBfloat16(value) : 0;
        cells[to + 1] = value < 0 ? toBfloat16(-value) : 0;
      });
    }
  }

  /** Add reasons to bins. @param {number} from @param {number} until inclusive @param {number} reasons */
  mark(from, until, reasons) {
    this.open(until);
    for (let bin = Math.max(from, this.first); bin <= until; bin += 1) this.flags[this.slot(bin)] |= reasons;
  }

  /** Make room for the bins up to `bin`, empty. @param {number} bin */
  open(bin) {
    if (bin <= this.newest) return;
    if (bin >= this.first + BINS) this.first = bin - BINS + 1;
    for (let n = Math.max(this.newest + 1, this.first); n <= bin; n += 1) {
      const at = this.slot(n);
      this.cells.fill(0, at * ROWS * 2, (at + 1) * ROWS * 2);
      this.flags[at] = 0;
    }
    this.dirtyFrom = Math.min(this.dirtyFrom, this.newest + 1);
    this.newest = bin;
    this.dirtyUntil = Math.max(this.dirtyUntil, bin + 1);
  }

  /** Reduce a column into bins. @param {number} column @param {number} from @param {number} until inclusive */
  put(column, from, until) {
    if (until < from) return;
    const ring = /** @type {Ring} */ (this.ring);
    const chunk = ring.chunk(column);
    const at = ring.at(column);
    this.dirtyFrom = Math.min(this.dirtyFrom, from);
    this.dirtyUntil = Math.max(this.dirtyUntil, until + 1);
    const low = chunk.scalars.spot_price[at] - ring.k - this.base;
    const flags = SHOWN | chunk.scalars.quality[at];
    const mode = /** @type {Mode} */ (this.mode);
    const { kind } = mode;
    const a = chunk.grids[mode.a];
    const b = chunk.grids[mode.b];
    const [bid, ask] = kind === "depth" ? ["bid_price", "ask_price"].map((name) => Math.floor(chunk.scalars[name][at] + 0.5)) : [NaN, NaN];
    const start = Math.max(0, -low);
    const end = Math.min(ring.rows, ROWS - low);
    const source = at * ring.rows;
    for (let bin = Math.max(from, this.first); bin <= until; bin += 1) {
      this.flags[this.slot(bin)] |= flags;
      if (!(low === low) || !a || kind === "balance") continue; // no spot yet
      const target = (this.slot(bin) * ROWS + low) * 2;
      const { cells } = this;
      if (kind === "pair") {
        for (let i = start; i < end; i += 1) {
          const p = a[source + i];
          const v = b[source + i];
          const to = target + 2 * i;
          if (p > cells[to] && p <= MAGNITUDE) cells[to] = p; // a force can be -0, whose bits are large
          if (v > cells[to + 1] && v <= MAGNITUDE) cells[to + 1] = v;
        }
      } else if (kind === "depth") {
        for (let i = start; i < end; i += 1) {
          const bucket = this.base + low + i;
          const value = (a[source + i] & ~1) | (bucket <= bid && !(bucket >= ask) ? 0 : 1);
          const to = target + 2 * i;
          if (value > cells[to] && value <= MAGNITUDE) cells[to] = value;
        }
      } else {
        for (let i = start; i < end; i += 1) {
          let value = a[source + i];
          if (kind === "net") {
            wordBits[0] = value << 16;
            wordBits[1] = b[source + i] << 16;
            words[0] -= words[1];
            value = wordBits[0] >>> 16;
          }
          const magnitude = value & MAGNITUDE;
          const to = target + 2 * i;
          if (magnitude <= cells[to] || magnitude <= cells[to + 1]) continue;
          cells[to] = value === magnitude ? magnitude : 0;
          cells[to + 1] = value === magnitude ? 0 : magnitude;
        }
      }
    }
  }
}

/** @param {import("./balance.js").Smoothed} one @param {import("./balance.js").Smoothed} two */
const sameSmoothing = (one, two) => one.rows === two.rows && one.seconds === two.seconds && one.floor === two.floor && one.fadeSeconds === two.fadeSeconds;

/**
 * The width of a bin for a view: a power of two of milliseconds, at least one bin a pixel.
 * @param {number} spanMs @param {number} width device pixels
 */
export function binWidth(spanMs, width) {
  const most = Math.min(width * 2, BINS - 128);
  return 2 ** Math.ceil(Math.log2(spanMs / most));
}

/**
 * Magnitudes on screen, as float32 numbers above 0, sorted: what cut-offs are judged by.
 * @param {TimeBins} bins @param {number} from @param {number} until bins @param {number} most how many at most
 */
export function sample(bins, from, until, most = 24_000) {
  const first = Math.max(from, bins.first);
  const last = Math.min(until, bins.newest);
  const total = Math.max(0, last - first + 1) * ROWS * 2;
  const depth = bins.mode?.kind === "depth"; // whose second channel is no magnitude
  const step = Math.max(1, Math.floor(total / (most * 8))) | 1;
  const values = [];
  for (let i = 0; i < total; i += step) {
    const bin = first + Math.floor(i / (ROWS * 2));
    const cell = bins.cells[bins.slot(bin) * ROWS * 2 + (i % (ROWS * 2))];
    if (cell > 0x3a83 && !(depth && i & 1)) values.push(cell); // 0.001
  }
  const sorted = Uint16Array.from(values).sort();
  return Float32Array.from(sorted, (cell) => { wordBits[0] = cell << 16; return words[0]; });
}
