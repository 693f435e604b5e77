/** The newest columns of the picture, in typed arrays that are used over and over: the page's only store. */

/** @typedef {import("./layout.js").FrameLayout} FrameLayout */

export const CAPACITY = 1 << 15;
const MASK = CAPACITY - 1;

export class Ring {
  /** @param {FrameLayout} layout @param {number} bucketInt bucket size in 1e-9 units */
  constructor(layout, bucketInt) {
    this.layout = layout;
    this.bucketInt = bucketInt;
    this.rows = layout.rows;
    this.half = (layout.rows - 1) / 2;
    this.count = 0;
    this.timeMs = new Float64Array(CAPACITY);
    this.eventId = new Float64Array(CAPACITY);
    /** Absolute bucket of the middle row; NaN before the first spot. */
    this.spot = new Float64Array(CAPACITY);
    this.bid = new Float64Array(CAPACITY);
    this.ask = new Float64Array(CAPACITY);
    this.last = new Float64Array(CAPACITY);
    this.state = new Int8Array(CAPACITY);
    this.score = new Float32Array(CAPACITY);
    this.strength = new Float32Array(CAPACITY);
    this.valid = new Uint8Array(CAPACITY);
    this.pressure = new Float32Array(CAPACITY * this.rows);
    this.vacuum = new Float32Array(CAPACITY * this.rows);
    this.depth = new Float32Array(CAPACITY * this.rows);
  }

  /** Number of the oldest column held; columns are numbered from 0 as they come. */
  get first() { return Math.max(0, this.count - CAPACITY); }

  /** @param {number} column @returns {number} its slot in the arrays */
  slot(column) { return column & MASK; }

  /**
   * Take a frame in. After a reconnection the server sends its history anew: frames already held are passed over.
   * @param {ArrayBuffer} message @returns {boolean} whether it was new
   */
  push(message) {
    const view = new DataView(message);
    const eventId = this.layout.scalar(view, "event_id") ?? 0;
    if (this.count > 0 && eventId <= this.eventId[this.slot(this.count - 1)]) return false;
    const at = this.slot(this.count);
    const price = (/** @type {string} */ name) => (this.layout.scalar(view, name) ?? NaN) / this.bucketInt;
    this.eventId[at] = eventId;
    this.timeMs[at] = (this.layout.scalar(view, "ts_ns") ?? 0) / 1e6;
    this.spot[at] = Math.round(price("spot_price"));
    this.bid[at] = price("bid_price");
    this.ask[at] = price("ask_price");
    this.last[at] = price("last_price");
    this.state[at] = this.layout.scalar(view, "state") ?? 0;
    this.score[at] = this.layout.scalar(view, "score") ?? 0;
    this.strength[at] = this.layout.scalar(view, "strength") ?? 0;
    this.valid[at] = this.layout.scalar(view, "book_valid") ?? 0;
    this.pressure.set(this.layout.grid(message, "pressure"), at * this.rows);
    this.vacuum.set(this.layout.grid(message, "vacuum"), at * this.rows);
    this.depth.set(this.layout.grid(message, "rest_depth"), at * this.rows);
    this.count += 1;
    return true;
  }

  /** Number of the first column at or after `timeMs`. @param {number} timeMs @returns {number} */
  columnAt(timeMs) {
    let low = this.first;
    let high = this.count;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.timeMs[this.slot(middle)] < timeMs) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
