/** What part of time and price the map shows, and whether it follows the market. Prices count in buckets. */

const SHORTEST_MS = 2_000;
const LONGEST_MS = 3_600_000;
const FEWEST_ROWS = 20;
const MOST_ROWS = 400;
const EDGE = 0.2;
const YOUNG_MS = 20_000;
const DEFAULT_SPAN_MS = 180_000;

export class View {
  constructor() {
    this.spanMs = YOUNG_MS;
    this.zoomed = false;
    this.rows = 100;
    this.endMs = NaN;
    /** Bucket in the middle of the map. */
    this.centre = NaN;
    this.following = true;
  }

  get startMs() { return this.endMs - this.spanMs; }

  /** Bucket at the map's upper edge (the upper edge of that row). */
  get top() { return this.centre + this.rows / 2; }

  /**
   * Follow the newest column: time runs, price moves only when spot nears an edge. Until someone zooms, a young
   * picture fills the map from its first column on.
   * @param {number} firstMs time of the oldest column @param {number} timeMs @param {number} spot
   */
  follow(firstMs, timeMs, spot) {
    if (!this.following) return;
    this.endMs = timeMs;
    if (!this.zoomed) this.spanMs = Math.min(Math.max(timeMs - firstMs, YOUNG_MS), DEFAULT_SPAN_MS);
    if (Number.isNaN(spot)) return;
    const off = Math.abs(spot - this.centre) / this.rows;
    if (!(off <= 0.5 - EDGE)) this.centre = spot;
  }

  /** @param {number} factor @param {number} atShare where along the time axis the cursor is, 0 to 1 */
  zoomTime(factor, atShare) {
    const span = Math.min(Math.max(this.spanMs * factor, SHORTEST_MS), LONGEST_MS);
    if (!this.following) this.endMs += (span - this.spanMs) * (1 - atShare);
    this.spanMs = span;
    this.zoomed = true;
  }

  /** @param {number} factor @param {number} atShare where down the price axis the cursor is, 0 to 1 */
  zoomPrice(factor, atShare) {
    const rows = Math.min(Math.max(this.rows * factor, FEWEST_ROWS), MOST_ROWS);
    if (!this.following) this.centre += (rows - this.rows) * (atShare - 0.5);
    this.rows = rows;
  }

  /** @param {number} byMs @param {number} byRows */
  move(byMs, byRows) {
    this.following = false;
    this.endMs += byMs;
    this.centre += byRows;
  }

  live() {
    this.following = true;
    this.centre = NaN;
  }
}
