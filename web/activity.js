/** Where on screen something is going on: the range of prices that the map is fitted to. */

/** @typedef {import("./ring.js").Ring} Ring @typedef {import("./modes.js").Mode} Mode @typedef {{low: number, high: number}} Range of buckets */

/** So many columns tell enough of what is on screen. */
const SAMPLES = 96;
/** Of what the map shows, this share may lie beyond the range on each side. */
const BEYOND = 0.02;
const PRICES = ["bid_price", "ask_price", "last_price"];

/**
 * Buckets that hold nearly all of what the map shows, and every price of the grid's own range.
 * @param {Ring} ring @param {Mode} mode @param {number} startMs @param {number} endMs @returns {Range | null} none before a first price
 */
export function activeRange(ring, mode, startMs, endMs) {
  const first = Math.max(ring.columnUntil(startMs), ring.first);
  const last = ring.columnAt(endMs + 1e-3);
  const step = Math.max(1, (last - first) / SAMPLES);
  /** @type {Map<number, number>} magnitudes by bucket */
  const sums = new Map();
  let [low, high, total] = [Infinity, -Infinity, 0];
  for (let sample = first; sample < last; sample += step) {
    const column = Math.floor(sample);
    const spot = ring.spot(column);
    if (Number.isNaN(spot)) continue;
    for (const price of [spot, ...PRICES.map((name) => ring.scalar(name, column))]) {
      if (!(Math.abs(price - spot) <= ring.k)) continue; // a quote far away is no reason to look there
      low = Math.min(low, price);
      high = Math.max(high, price);
    }
    for (let bucket = spot - ring.k; bucket <= spot + ring.k; bucket += 1) {
      const [a, b] = [mode.a, mode.b].map((name) => Math.abs(ring.value(name, column, bucket)) || 0);
      const sum = mode.a === mode.b ? a : a + b;
      if (sum === 0) continue;
      sums.set(bucket, (sums.get(bucket) ?? 0) + sum);
      total += sum;
    }
  }
  if (low > high) return null;
  let sum = 0;
  for (const [bucket, value] of [...sums].sort(([one], [two]) => one - two)) {
    if (sum <= total * BEYOND && sum + value > total * BEYOND) low = Math.min(low, bucket);
    sum += value;
    if (sum >= total * (1 - BEYOND)) { high = Math.max(high, bucket); break; }
  }
  return { low, high };
}
