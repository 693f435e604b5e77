/** The viewport: what part of time and price is shown, and whether it follows the market. Prices count in buckets. */

export const SHORTEST_MS = 1_000;
export const LONGEST_MS = 12 * 3_600_000;
export const FEWEST_ROWS = 10;
export const MOST_ROWS = 900;
/** Spot that comes so near an edge, as a share of the rows, goes to the middle. */
const EDGE = 0.2;
/** Rows fitted to activity: so many at least and at most, room beside what is going on, and spot no nearer to an edge. */
const FEWEST_FITTED = 32;
const MOST_FITTED = 112;
const MARGIN = 0.06;
const FITTED_EDGE = 0.25;
/** They are fitted anew where so much of the rows lies beyond, or so few would do. */
const OVERFLOW = 0.05;
const SPARSE = 0.65;
const FIT_MS = 2000;
const DEFAULT_SPAN_MS = 180_000;
const DEFAULT_ROWS = 100;

/** @typedef {{spanMs: number, rows: number, endMs: number, centre: number, following: boolean, fitting: boolean}} Place */

/**
 * Two places of one key are the same to a person: one that follows the market moves by itself.
 * @param {Place} place @returns {unknown}
 */
export const placeKey = ({ spanMs, rows, endMs, centre, following, fitting }) => [
  spanMs, following, fitting, following ? 0 : endMs, ...(following && fitting ? [] : [rows, centre]),
];

/** @param {number} value @param {number} least @param {number} most */
const within = (value, least, most) => Math.min(Math.max(value, least), most);

export class Viewport {
  constructor() {
    this.spanMs = DEFAULT_SPAN_MS;
    this.rows = DEFAULT_ROWS;
    this.endMs = NaN;
    /** Bucket in the middle of the map. */
    this.centre = NaN;
    this.following = true;
    /** Rows follow what is going on, until someone zooms or moves prices. */
    this.fitting = true;
    this.fitDueMs = -Infinity;
    /** Spot goes to the middle as soon as it is followed. */
    this.recentre = true;
  }

  get startMs() { return this.endMs - this.spanMs; }

  /** Bucket at the map's upper edge (the upper edge of that row). */
  get top() { return this.centre + this.rows / 2; }

  /**
   * Follow the newest column: time runs, price moves only when spot nears an edge.
   * @param {number} timeMs @param {number} spot
   * @param {number} [lowest] bucket: what lies below it need not be shown
   */
  follow(timeMs, spot, lowest = -Infinity) {
    if (Number.isNaN(this.centre)) this.centre = Number.isNaN(spot) ? 0 : spot;
    if (!this.following) return;
    this.endMs = timeMs;
    if (Number.isNaN(spot)) return;
    const off = Math.abs(spot - this.centre) / this.rows;
    if (this.recentre || !(off <= 0.5 - EDGE)) {
      this.centre = Math.max(spot, lowest - 0.5 + this.rows / 2);
      this.fitDueMs = -Infinity;
    }
    this.recentre = false;
  }

  /**
   * Fit the rows to what is going on, if they follow it and it is time to look: at once where it does not fit in, else
   * only where far fewer rows would do.
   * @param {number} nowMs of any steady clock @param {number} spot @param {number} lowest bucket that need be shown
   * @param {() => {low: number, high: number} | null} activity buckets
   */
  fit(nowMs, spot, lowest, activity) {
    if (!this.following || !this.fitting || Number.isNaN(spot) || nowMs < this.fitDueMs + FIT_MS) return;
    this.fitDueMs = nowMs;
    const range = activity();
    if (!range) return;
    const [low, high] = [range.low - 0.5, range.high + 0.5];
    const reach = (1 + 2 * MARGIN) * Math.max(high - low, (high - spot) / (1 - FITTED_EDGE), (spot - low) / (1 - FITTED_EDGE));
    const rows = within(reach, FEWEST_FITTED, MOST_FITTED);
    const beyond = Math.max(high - this.top, this.top - this.rows - low);
    if (beyond <= OVERFLOW * this.rows && rows >= SPARSE * this.rows) return;
    const centre = within((low + high) / 2, spot - (0.5 - FITTED_EDGE) * rows, spot + (0.5 - FITTED_EDGE) * rows);
    if (Math.abs(rows - this.rows) < 1 && Math.abs(centre - this.centre) < 1) return;
    this.rows = rows;
    this.centre = Math.max(centre, lowest - 0.5 + rows / 2);
  }

  /** @param {number} factor @param {number} atShare where along the time axis the cursor is, 0 to 1 */
  zoomTime(factor, atShare) {
    const span = within(this.spanMs * factor, SHORTEST_MS, LONGEST_MS);
    if (!this.following) this.endMs += (span - this.spanMs) * (1 - atShare);
    this.spanMs = span;
  }

  /** @param {number} factor @param {number} atShare where down the price axis the cursor is, 0 to 1 */
  zoomPrice(factor, atShare) {
    const rows = within(this.rows * factor, FEWEST_ROWS, MOST_ROWS);
    this.centre += (rows - this.rows) * (atShare - 0.5);
    this.rows = rows;
    this.fitting = false;
  }

  /** Move the picture; it no longer follows. @param {number} byMs @param {number} byRows */
  move(byMs, byRows) {
    if (byMs !== 0) this.following = false;
    if (byRows !== 0) this.fitting = false;
    this.endMs += byMs;
    this.centre += byRows;
  }

  /** Stay at a time, its price in sight. @param {number} timeMs @param {number} [spot] */
  showTime(timeMs, spot = NaN) {
    this.following = false;
    this.endMs = timeMs;
    if (Math.abs(spot - this.centre) > this.rows / 2) this.centre = spot;
  }

  /** Show a rectangle. @param {number} startMs @param {number} endMs @param {number} top @param {number} bottom */
  show(startMs, endMs, top, bottom) {
    this.following = this.fitting = false;
    this.spanMs = within(endMs - startMs, SHORTEST_MS, LONGEST_MS);
    this.endMs = endMs;
    this.rows = within(top - bottom, FEWEST_ROWS, MOST_ROWS);
    this.centre = (top + bottom) / 2;
  }

  /** What a person sees, to come back to. @returns {Place} */
  place() {
    const { spanMs, rows, endMs, centre, following, fitting } = this;
    return { spanMs, rows, endMs, centre, following, fitting };
  }

  /** Stay here. */
  pause() { this.following = false; }

  live() {
    this.following = true;
    this.recentre = true;
  }

  /** The usual span of prices again: where something is going on, if it follows the market. */
  resetPrice() {
    this.rows = DEFAULT_ROWS;
    this.fitting = this.recentre = true;
    this.fitDueMs = -Infinity;
  }

  /** The usual span of time again. */
  resetTime() { this.spanMs = DEFAULT_SPAN_MS; }

  /** The usual spans again, and the market. */
  reset() {
    this.resetTime();
    this.resetPrice();
    this.live();
  }
}
