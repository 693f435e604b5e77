/**
 * The columns of the picture, in typed arrays: the page's only store, and the truth behind every pixel. Columns are
 * numbered in the order of time; older ones than the first may be put before it, so numbers can be negative.
 */

import { copyAsBfloat16, fromBfloat16 } from "./bfloat16.js";
import { FeedGaps } from "./feed-gaps.js";

/** @typedef {import("./frame-layout.js").FrameLayout} FrameLayout @typedef {import("./http-api.js").Block} Block */
/**
 * A session whose columns the ring holds: `base` is added to its event ids, so that they go on from those of the session before;
 * `fromMs`: where it follows that one, of `dt`.
 * @typedef {{session: string, base: number, fromMs: number, dt: string}} Part
 */

const CHUNK_BITS = 12;
export const CHUNK = 1 << CHUNK_BITS;
const CHUNK_MASK = CHUNK - 1;
/** Two hours and a bit at forty columns a second. */
export const CAPACITY = 72 * CHUNK;
/** Grid columns of traded volume, in which nearly all rows are empty: held as lists of the others. */
export const VOLUMES = ["bought", "sold"];
/** @type {number[]} */
const NO_TRADES = [];
const NANOS = 1_000_000n;
const HOLE = 1;
const GONE = 2;

/** @param {FrameLayout} layout @returns {string[]} grid columns that are held whole */
const dense = (layout) => layout.grids.filter((name) => !VOLUMES.includes(name));

/** CHUNK columns. */
class Chunk {
  /** @param {FrameLayout} layout */
  constructor(layout) {
    this.timeMs = new Float64Array(CHUNK);
    /** Nanoseconds beyond the whole millisecond. */
    this.nanos = new Uint32Array(CHUNK);
    /** HOLE where columns are missing right before this one, GONE where they cannot be had. */
    this.hole = new Uint8Array(CHUNK);
    /** Every scalar column of a frame by its name. Prices count in buckets, NaN where there is none. */
    this.scalars = Object.fromEntries(layout.scalars.map((name) => [name, layout.allocate(name, CHUNK)]));
    /** @type {Record<string, Uint16Array>} bfloat16, row after row from the lowest price up */
    this.grids = Object.fromEntries(dense(layout).map((name) => [name, new Uint16Array(CHUNK * layout.rows)]));
    /** Bucket, bought and sold of each row that was traded in, one after the other. @type {number[][]} */
    this.trades = [];
  }
}

export class Ring {
  /** @param {FrameLayout} layout which columns frames have @param {number} bucketInt bucket size in 1e-9 units */
  constructor(layout, bucketInt) {
    this.layout = layout;
    this.rows = layout.rows;
    /** Rows on each side of spot. */
    this.k = (layout.rows - 1) / 2;
    this.bucketInt = bucketInt;
    /** Grid columns that are held whole. */
    this.fields = dense(layout);
    /** Whether there were prices below zero. */
    this.belowZero = false;
    /** Number of the oldest column held, and the number that the next one will have. */
    this.first = 0;
    this.end = 0;
    /** From then on to the first column frames were made that the server holds no longer; NaN where none are known of. */
    this.goneFromMs = NaN;
    /** Changes whenever a column came other than as the newest. */
    this.epoch = 0;
    /** Until when `epoch` changes touched the picture; whoever shows it sets it back. */
    this.touchedMs = -Infinity;
    /** @type {Map<number, Chunk>} */
    this.chunks = new Map();
    /** Of which sessions the columns are, one behind the other. @type {Part[]} */
    this.parts = [{ session: "", base: 0, fromMs: -Infinity, dt: "" }];
    /** Of the live feed. */
    this.gaps = new FeedGaps();
  }

  get count() { return this.end - this.first; }

  /** @param {number} column @returns {Chunk} where it lies, at `column & CHUNK_MASK` */
  chunk(column) {
    const found = this.chunks.get(column >> CHUNK_BITS);
    if (!found) throw new RangeError(`the ring holds no column ${column}`);
    return found;
  }

  /** @param {number} column @returns {number} its place in its chunk */
  at(column) { return column & CHUNK_MASK; }

  /** @param {number} column */
  timeMs(column) { return this.chunk(column).timeMs[column & CHUNK_MASK]; }
  /** @param {number} column */
  eventId(column) { return this.scalar("event_id", column); }
  /** The session of an event. @param {number} eventId @returns {Part} */
  partOf(eventId) { return this.parts.filter(({ base }) => base < eventId).pop() ?? this.parts[0]; }
  /** The session whose columns come now. @returns {Part} */
  get part() { return this.parts[this.parts.length - 1]; }
  /** What comes from now on is of the session that follows. @param {string} session @param {number} fromMs @param {string} dt */
  follow(session, fromMs, dt) {
    const base = this.count > 0 ? this.eventId(this.end - 1) : 0;
    const held = this.count > 0 ? this.parts.slice(this.parts.indexOf(this.partOf(this.eventId(this.first)))) : [];
    this.parts = [...held, { session, base, fromMs, dt }];
  }

  /** @param {number} column @returns {number} bucket, NaN where there is none */
  spot(column) { return this.scalar("spot_price", column); }
  /** @param {string} name a scalar column of frames @param {number} column @returns {number} prices in buckets */
  scalar(name, column) { return this.chunk(column).scalars[name][column & CHUNK_MASK]; }
  /** Whether columns are missing right before a column. @param {number} column */
  hole(column) { return column > this.first && column < this.end && this.chunk(column).hole[column & CHUNK_MASK] !== 0; }
  /** Whether what was right before a column is not known: columns are missing, or the feed had a gap. @param {number} column */
  severed(column) { return this.hole(column) || (column > this.first && column < this.end && this.gaps.cutMs(this.timeMs(column - 1), this.timeMs(column)) < Infinity); }
  /** Whether the server holds no longer what is missing right before a column. @param {number} column */
  gone(column) { return this.hole(column) && this.chunk(column).hole[column & CHUNK_MASK] === GONE; }
  /** Bucket, bought and sold of each row that was traded in, one after the other. @param {number} column @returns {number[]} */
  trades(column) { return this.chunk(column).trades[column & CHUNK_MASK] ?? NO_TRADES; }
  /** @param {number} column @returns {bigint} the exact clock, ns UTC */
  timeNs(column) {
    const chunk = this.chunk(column);
    const at = column & CHUNK_MASK;
    return BigInt(Math.floor(chunk.timeMs[at])) * NANOS + BigInt(chunk.nanos[at]);
  }

  /**
   * A grid value of a bucket, or NaN beyond the column's grid.
   * @param {string} field @param {number} column @param {number} bucket absolute
   */
  value(field, column, bucket) {
    const chunk = this.chunk(column);
    const at = column & CHUNK_MASK;
    const row = bucket - chunk.scalars.spot_price[at] + this.k;
    const grid = chunk.grids[field];
    return grid && row >= 0 && row < this.rows ? fromBfloat16(grid[at * this.rows + row]) : NaN;
  }

  /**
   * Take a frame in as the newest column.
   * @param {ArrayBuffer} message @param {boolean} hole whether frames before it are missing
   * @returns {boolean} false when the column is there already
   */
  push(message, hole = false) {
    const { layout } = this;
    const view = new DataView(message);
    const eventId = layout.scalar(view, "event_id") + this.part.base;
    if (this.count > 0 && eventId <= this.eventId(this.end - 1)) return false;
    const { chunk, at } = this.place(this.end);
    const ns = layout.clockNs(view);
    chunk.timeMs[at] = Number(ns / NANOS) + Number(ns % NANOS) / 1e6;
    chunk.nanos[at] = Number(ns % NANOS);
    chunk.hole[at] = hole ? HOLE : 0;
    for (const name of layout.scalars) {
      chunk.scalars[name][at] = layout.scalar(view, name) / (layout.isPrice(name) ? this.bucketInt : 1);
      if (chunk.scalars[name][at] < 0 && layout.isPrice(name)) this.belowZero = true;
    }
    chunk.scalars.event_id[at] = eventId;
    for (const name of this.fields) copyAsBfloat16(view, layout.column(name).offset, chunk.grids[name], at * this.rows, this.rows);
    this.takeTrades(chunk, at, (name) => layout.grid(message, name), 0);
    this.end += 1;
    if (this.count > CAPACITY) this.forget();
    return true;
  }

  /**
   * Put columns of the server's history where they belong: before the first, behind the newest, or into a hole.
   * Those already there are passed over.
   * @param {Block} block @param {boolean} [hole] whether columns between the block and what is held before it are missing
   * @param {number} [base] of the session that it is of
   * @returns {number} how many were new
   */
  insert(block, hole = false, base = 0) {
    if (base > 0) block.scalars.event_id = block.scalars.event_id.map((id) => id + base);
    let from = 0;
    let place = this.end;
    for (; from < block.frames && this.count > 0; from += 1) {
      place = this.afterEvent(block.scalars.event_id[from]);
      if (place === this.first || this.eventId(place - 1) !== block.scalars.event_id[from]) break;
    }
    if (from === block.frames) return 0;
    const limit = place < this.end ? this.eventId(place) : Infinity;
    let until = from;
    while (until < block.frames && block.scalars.event_id[until] < limit) until += 1;
    if (place === this.first && this.count > 0) from = Math.max(from, until - (CAPACITY - this.count));
    const count = until - from;
    if (count <= 0) return 0;
    if (place === this.first && this.count > 0) {
      this.touchedMs = Math.max(this.touchedMs, this.timeMs(this.first)); // what holds until the column after
      this.first -= count;
      this.fill(this.first, block, from, count);
    } else {
      this.touchedMs = Infinity;
      for (let column = this.end - 1; column >= place; column -= 1) this.copy(column, column + count);
      this.end += count;
      this.fill(place, block, from, count);
      if (hole && from === 0) this.chunk(place).hole[this.at(place)] = HOLE;
      if (place + count < this.end) this.chunk(place + count).hole[this.at(place + count)] = 0;
      while (this.count > CAPACITY) this.forget();
    }
    this.epoch += 1;
    return count;
  }

  /** Any part of the picture may have changed. */
  touch() {
    this.epoch += 1;
    this.touchedMs = Infinity;
  }

  /** Take a gap of the feed: what was held over it is shown no longer. @param {import("./stream.js").Message} message */
  takeGap(message) {
    this.gaps.take(message, this.part.session);
    this.touch();
  }

  /** What is missing right before an event cannot be had. @param {number} eventId @returns {boolean} whether anything is */
  giveUp(eventId) {
    const column = this.afterEvent(eventId - 1);
    if (!this.hole(column)) return false;
    this.chunk(column).hole[this.at(column)] = GONE;
    this.touch();
    return true;
  }

  /** Number of the first column at or after `timeMs`. @param {number} timeMs @returns {number} */
  columnAt(timeMs) {
    return this.bisect((column) => this.timeMs(column) >= timeMs);
  }

  /** Number of the newest column at or before `timeMs`, or of the one before the first. @param {number} timeMs @returns {number} */
  columnUntil(timeMs) {
    return this.bisect((column) => this.timeMs(column) > timeMs) - 1;
  }

  /** Number of the first column with a later event. @param {number} eventId @returns {number} */
  afterEvent(eventId) {
    return this.bisect((column) => this.eventId(column) > eventId);
  }

  /** @param {(column: number) => boolean} reached */
  bisect(reached) {
    let low = this.first;
    let high = this.end;
    while (low < high) {
      const middle = Math.floor((low + high) / 2);
      if (reached(middle)) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  /** @param {number} column @returns {{chunk: Chunk, at: number}} */
  place(column) {
    const key = column >> CHUNK_BITS;
    let chunk = this.chunks.get(key);
    if (!chunk) {
      chunk = new Chunk(this.layout);
      this.chunks.set(key, chunk);
    }
    return { chunk, at: column & CHUNK_MASK };
  }

  /** Let the oldest column go; a chunk without columns is used again for the newest. */
  forget() {
    const key = this.first >> CHUNK_BITS;
    this.first += 1;
    this.goneFromMs = NaN; // of what lies before the first column the page let go some itself
    if (this.first >> CHUNK_BITS === key) return;
    const spare = this.chunks.get(key);
    this.chunks.delete(key);
    const next = (this.end >> CHUNK_BITS) + 1;
    if (spare && !this.chunks.has(next)) this.chunks.set(next, spare);
  }

  /** Let go of what lies behind the newest hole; of all, where there is none. */
  forgetBehindHole() {
    for (let hole = false; !hole && this.count > 0; this.end -= 1) hole = this.hole(this.end - 1);
    this.touch();
  }

  /** Let all but the newest columns go. @param {number} count */
  keepNewest(count) {
    while (this.count > count) this.forget();
    for (const key of this.chunks.keys()) {
      if (key < this.first >> CHUNK_BITS || key > this.end >> CHUNK_BITS) this.chunks.delete(key);
    }
    this.touch();
  }

  /** Bytes of all columns. */
  get bytes() {
    let sum = 0;
    for (const { timeMs, nanos, hole, scalars, grids, trades } of this.chunks.values()) {
      for (const array of [timeMs, nanos, hole, ...Object.values(scalars), ...Object.values(grids)]) sum += array.byteLength;
      for (const list of trades) sum += 8 * (list?.length ?? 0);
    }
    return sum;
  }

  /** @param {number} column @param {Block} block @param {number} from @param {number} count */
  fill(column, block, from, count) {
    for (let i = 0; i < count;) {
      const { chunk, at } = this.place(column + i);
      const run = Math.min(count - i, CHUNK - at);
      const source = from + i;
      chunk.timeMs.set(block.timeMs.subarray(source, source + run), at);
      chunk.nanos.set(block.nanos.subarray(source, source + run), at);
      chunk.hole.fill(0, at, at + run);
      for (const name of this.layout.scalars) {
        const target = chunk.scalars[name];
        target.set(block.scalars[name].subarray(source, source + run), at);
        if (!this.layout.isPrice(name)) continue;
        for (let n = at; n < at + run; n += 1) {
          target[n] /= this.bucketInt;
          if (target[n] < 0) this.belowZero = true;
        }
      }
      for (const name of this.fields) {
        const values = block.grids[name].subarray(source * this.rows, (source + run) * this.rows);
        chunk.grids[name].set(values, at * this.rows);
      }
      for (let n = 0; n < run; n += 1) this.takeTrades(chunk, at + n, (name) => block.exact[name], source + n);
      i += run;
    }
  }

  /** @param {number} from @param {number} to */
  copy(from, to) {
    const source = this.chunk(from);
    const { chunk: target, at: b } = this.place(to);
    const a = this.at(from);
    for (const key of /** @type {const} */ (["timeMs", "nanos", "hole"])) target[key][b] = source[key][a];
    for (const name of this.layout.scalars) target.scalars[name][b] = source.scalars[name][a];
    for (const name of this.fields) {
      target.grids[name].set(source.grids[name].subarray(a * this.rows, (a + 1) * this.rows), b * this.rows);
    }
    target.trades[b] = source.trades[a];
  }

  /**
   * Keep the rows of a column that were traded in; its scalars are there already.
   * @param {Chunk} chunk @param {number} at @param {(name: string) => Float32Array | undefined} volumes of rows of columns
   * @param {number} from which of those columns
   */
  takeTrades(chunk, at, volumes, from) {
    chunk.trades[at] = NO_TRADES;
    const { buy_volume: buys, sell_volume: sells, spot_price: spot } = chunk.scalars;
    if (!(buys?.[at] > 0 || sells?.[at] > 0) || Number.isNaN(spot[at])) return;
    const [bought, sold] = VOLUMES.map(volumes);
    if (!bought || !sold) return;
    const list = [];
    for (let row = 0; row < this.rows; row += 1) {
      const i = from * this.rows + row;
      if (bought[i] > 0 || sold[i] > 0) list.push(spot[at] - this.k + row, bought[i], sold[i]);
    }
    if (list.length > 0) chunk.trades[at] = list.slice(); // as long as it is, where what grew is longer
  }
}
