/** How times, prices and amounts are written. */

const ZONES = /** @type {Record<string, string>} */ ({ ET: "America/New_York", CT: "America/Chicago", UTC: "UTC" });
/** Of words that are cut short. */
const FEWEST_LETTERS = 4;
/** @type {Map<string, Intl.DateTimeFormat>} */
const clocks = new Map();
let zone = "ET";

/** @param {string} name of ZONES, or "local" */
export function setZone(name) { zone = name; }
export const zoneName = () => zone;
export const zoneNames = () => [...Object.keys(ZONES), "local"];

/** @param {string} name @returns {Intl.DateTimeFormat} */
function clock(name) {
  let found = clocks.get(name);
  if (!found) {
    found = new Intl.DateTimeFormat("en-GB", {
      timeZone: ZONES[name], hourCycle: "h23", year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit",
      minute: "2-digit", second: "2-digit",
    });
    clocks.set(name, found);
  }
  return found;
}

/** @param {number} timeMs @param {string} [name] @returns {{date: string, time: string}} YYYY-MM-DD, HH:MM:SS */
export function dateAndTime(timeMs, name = zone) {
  const part = Object.fromEntries(clock(name).formatToParts(timeMs).map(({ type, value }) => [type, value]));
  return { date: `${part.year}-${part.month}-${part.day}`, time: `${part.hour}:${part.minute}:${part.second}` };
}

/** @param {number} timeMs @param {boolean} [fine] with milliseconds @returns {string} time of day */
export function clockText(timeMs, fine = false) {
  const text = dateAndTime(timeMs).time;
  return fine ? `${text}.${String(Math.floor(timeMs % 1000)).padStart(3, "0")}` : text;
}

/** @param {bigint} ns UTC @returns {string} date and time of day to the nanosecond */
export function exactText(ns) {
  const { date, time } = dateAndTime(Number(ns / 1_000_000n));
  return `${date} ${time}.${String(ns % 1_000_000_000n).padStart(9, "0")}`;
}

/** @param {number} price in 1e-9 units @param {number} decimals @returns {string} */
export function priceText(price, decimals) {
  return Number.isNaN(price) ? "–" : (price / 1e9).toLocaleString("en-US", {
    minimumFractionDigits: decimals, maximumFractionDigits: decimals,
  });
}

/** Three digits that count. @param {number} value @returns {string} */
export function amountText(value) {
  if (!Number.isFinite(value)) return "–";
  const size = Math.abs(value);
  if (size >= 1e6) return `${(value / 1e6).toFixed(2)}M`;
  if (size >= 1e4) return `${(value / 1e3).toFixed(1)}k`;
  if (size >= 100 || Number.isInteger(value)) return value.toFixed(0);
  if (size >= 10) return value.toFixed(1);
  return size >= 0.01 ? value.toFixed(2) : size >= 0.001 ? value.toFixed(3) : size === 0 ? "0" : "≈0";
}

/** Whole numbers up to this are exact in a bfloat16. */
const EXACT_BELOW = 256;

/** A value in a cell. @param {number} value @param {boolean} exact whether it is the frame's own, or the page's rounded one */
export function sizeText(value, exact) {
  const whole = Number.isInteger(value);
  if (exact || (whole && Math.abs(value) <= EXACT_BELOW)) return whole ? value.toLocaleString("en-US") : amountText(value);
  return `≈${whole ? Number(value.toPrecision(3)).toLocaleString("en-US") : amountText(value)}`;
}

/** @param {number} ms @returns {string} */
export function spanText(ms) {
  const size = Math.abs(ms);
  if (size < 999.5) return `${ms.toFixed(0)} ms`;
  if (size < 120_000) return `${(ms / 1000).toFixed(1)} s`;
  const minutes = Math.floor(size / 60_000);
  const text = minutes < 60 ? `${minutes} min ${Math.floor((size % 60_000) / 1000)} s`
    : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
  return ms < 0 ? `-${text}` : text;
}

const TIME_STEPS_MS = [
  0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14_400, 21_600,
].map((seconds) => seconds * 1000);

/** @param {number} leastMs @returns {number} a step that people count time in */
export const timeStep = (leastMs) => TIME_STEPS_MS.find((ms) => ms >= leastMs) ?? 43_200_000;

/**
 * A step between prices that people count in: 0.25, 0.50, 1, 2, 2.50, 5; on odd ticks a power of two of them.
 * @param {number} least buckets @param {number} bucketInt price of a bucket in 1e-9 units @returns {number} buckets
 */
export function priceStep(least, bucketInt) {
  const start = Math.max(1, Math.ceil(least));
  for (let power = 10 ** Math.floor(Math.log10(start * bucketInt)); power < start * bucketInt * 4; power *= 10) {
    const step = [1, 2, 2.5, 5].map((n) => (n * power) / bucketInt).find((n) => n >= start && Number.isInteger(n));
    if (step !== undefined && step < start * 4) return step;
  }
  return 2 ** Math.ceil(Math.log2(start));
}

/** As much of words as there is room for; nothing where that is next to nothing. @param {string} words @param {number} room @param {(text: string) => number} widthOf @returns {string} */
export function shortenedTo(words, room, widthOf) {
  if (widthOf(words) <= room) return words;
  const letters = [...words];
  const cut = (/** @type {number} */ count) => `${letters.slice(0, count).join("")}…`;
  let [fits, most] = [0, letters.length - 1];
  while (fits < most) {
    const count = Math.ceil((fits + most) / 2);
    if (widthOf(cut(count)) <= room) fits = count;
    else most = count - 1;
  }
  return fits < FEWEST_LETTERS ? "" : cut(fits);
}
