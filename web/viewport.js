/** The viewport: what part of time and price is shown, whether it follows the market, and the way back. Prices count in buckets. */

const SHORTEST_MS = 1_000;
const LONGEST_MS = 12 * 3_600_000;
const FEWEST_ROWS = 10;
const MOST_ROWS = 900;
const EDGE = 0.2;
const YOUNG_MS = 20_000;
const DEFAULT_SPAN_MS = 180_000;
const DEFAULT_ROWS = 100;
const MOST_UNDO = 50;

/** @typedef {{spanMs: number, rows: number, endMs: number, centre: number, following: boolean, zoomed: boolean}} Place */

/** @param {number} value @param {number} least @param {number} most */
const within = (value, least, most) => Math.min(Math.max(value, least), most);

export class Viewport {
  constructor() {
    this.spanMs = YOUNG_MS;
    this.zoomed = false;
    this.rows = DEFAULT_ROWS;
    this.endMs = NaN;
    /** Bucket in the middle of the map. */
    this.centre = NaN;
    this.following = true;
    /** Spot goes to the middle as soon as it is followed. */
    this.recentre = true;
    /** @type {Place[]} */
    this.undoable = [];
  }

  get startMs() { return this.endMs - this.spanMs; }

  /** Bucket at the map's upper edge (the upper edge of that row). */
  get top() { return this.centre + this.rows / 2; }

  /**
   * Follow the newest column: time runs, price moves only when spot nears an edge. Until someone zooms, a young
   * picture fills the map from its first column on.
   * @param {number} firstMs time of the oldest column @param {number} timeMs @param {number} spot
   * @param {number} [lowest] bucket: what lies below it need not be shown
   */
  follow(firstMs, timeMs, spot, lowest = -Infinity) {
    if (Number.isNaN(this.centre)) this.centre = 0;
    if (!this.following) return;
    this.endMs = timeMs;
    if (!this.zoomed) this.spanMs = within(timeMs - firstMs, YOUNG_MS, DEFAULT_SPAN_MS);
    if (Number.isNaN(spot)) return;
    const off = Math.abs(spot - this.centre) / this.rows;
    if (this.recentre || !(off <= 0.5 - EDGE)) this.centre = Math.max(spot, lowest - 0.5 + this.rows / 2);
    this.recentre = false;
  }

  /** @param {number} factor @param {number} atShare where along the time axis the cursor is, 0 to 1 */
  zoomTime(factor, atShare) {
    const span = within(this.spanMs * factor, SHORTEST_MS, LONGEST_MS);
    if (!this.following) this.endMs += (span - this.spanMs) * (1 - atShare);
    this.spanMs = span;
    this.zoomed = true;
  }

  /** @param {number} factor @param {number} atShare where down the price axis the cursor is, 0 to 1 */
  zoomPrice(factor, atShare) {
    const rows = within(this.rows * factor, FEWEST_ROWS, MOST_ROWS);
    this.centre += (rows - this.rows) * (atShare - 0.5);
    this.rows = rows;
  }

  /** Move the picture; it no longer follows. @param {number} byMs @param {number} byRows */
  move(byMs, byRows) {
    if (byMs !== 0) this.following = false;
    this.endMs += byMs;
    this.centre += byRows;
  }

  /** Show a rectangle, with a way back. @param {number} startMs @param {number} endMs @param {number} top @param {number} bottom */
  show(startMs, endMs, top, bottom) {
    this.remember();
    this.following = false;
    this.zoomed = true;
    this.spanMs = within(endMs - startMs, SHORTEST_MS, LONGEST_MS);
    this.endMs = endMs;
    this.rows = within(top - bottom, FEWEST_ROWS, MOST_ROWS);
    this.centre = (top + bottom) / 2;
  }

  /** Let `undo` come back here. */
  remember() {
    const { spanMs, rows, endMs, centre, following, zoomed } = this;
    this.undoable.push({ spanMs, rows, endMs, centre, following, zoomed });
    if (this.undoable.length > MOST_UNDO) this.undoable.shift();
  }

  undo() { Object.assign(this, this.undoable.pop() ?? {}); }

  /** Stay here, with a way back. */
  pause() {
    this.remember();
    this.following = false;
  }

  live() {
    this.following = true;
    this.recentre = true;
  }

  /** The usual span of prices again. */
  resetPrice() {
    this.rows = DEFAULT_ROWS;
    this.live();
  }

  /** The usual span of time again. */
  resetTime() {
    this.zoomed = false;
    this.following = true;
  }

  /** The usual spans again. */
  reset() {
    this.resetTime();
    this.resetPrice();
  }
}
