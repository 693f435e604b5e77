/**
 * Balance: smoothed pressure less smoothed vacuum, over their sum and a floor; -1 to 1. It is smoothed backwards in time by
 * a memory that fades exponentially, which a few sums hold exactly whatever the times of columns are; and over absolute
 * prices by a Gaussian. What was written of a time depends on nothing after it.
 */

/**
 * @typedef {object} Smoothing
 * @property {number} rows sigma of the Gaussian over prices
 * @property {number} seconds the memory is on average as old as half a Gaussian of this sigma
 * @property {number | null} floor in the unit of the forces; null: what suits the market
 */
/** @typedef {Smoothing & {floor: number, fadeSeconds: number}} Smoothed with what the session says: forces fade by `fadeSeconds` where nothing happens */

/** @returns {Smoothing} */
export const usualSmoothing = () => ({ rows: 1.5, seconds: 3, floor: null });
export const MOST_SMOOTHING = { rows: 10, seconds: 60, floor: 1e6 };
/** Forces of one contract, or of two shares, in two seconds. */
const FLOORS = /** @type {Record<string, number>} */ ({ contracts: 0.5, shares: 2 });
/** Mean age of half a Gaussian, in its sigma. */
const MEAN_AGE = Math.sqrt(2 / Math.PI);
/** What lies so many times the memory back counts for nothing. */
const FORGOTTEN = 12;
/** A bin takes in no more columns than this; more would not be seen. */
const COLUMNS_A_BIN = 16;
const SMALLEST_SCALE = 1e-100;

/**
 * @param {Smoothing} wanted as a person set it, or damaged settings have it @param {string} quantity contracts or shares
 * @param {number} [fadeSeconds] time constant of velocities @returns {Smoothed}
 */
export function smoothingOf(wanted, quantity, fadeSeconds = 2) {
  const usual = usualSmoothing();
  const within = (/** @type {"rows" | "seconds" | "floor"} */ name, /** @type {number} */ otherwise) => {
    const value = wanted?.[name];
    return typeof value === "number" && value >= 0 ? Math.min(value, MOST_SMOOTHING[name]) : otherwise;
  };
  return {
    rows: within("rows", Number(usual.rows)), seconds: within("seconds", Number(usual.seconds)),
    floor: within("floor", FLOORS[quantity]) || 1e-6, fadeSeconds: fadeSeconds > 0 ? fadeSeconds : 2,
  };
}

/** The time constant of the memory for bins of a width: no shorter than a bin. @param {Smoothed} smoothing @param {number} binMs @returns {number} ms */
export const memoryMs = ({ seconds }, binMs) => Math.max(seconds * MEAN_AGE * 1000, binMs);

export class Balance {
  /** @param {number} rows of the picture @param {Smoothed} smoothing @param {number} binMs */
  constructor(rows, smoothing, binMs) {
    this.rows = rows;
    this.smoothing = smoothing;
    this.memoryMs = memoryMs(smoothing, binMs);
    this.fadeMs = smoothing.fadeSeconds * 1000;
    if (Math.abs(this.fadeMs / this.memoryMs - 1) < 1e-4) this.fadeMs *= 1.001; // the share below would be 0 / 0
    this.slotMs = binMs / COLUMNS_A_BIN;
    /** Of the Gaussian, which adds up to 1. */
    this.reach = Math.ceil(3 * smoothing.rows);
    const weights = Array.from({ length: 2 * this.reach + 1 }, (_, i) => (
      smoothing.rows > 0 ? Math.exp(-((i - this.reach) ** 2) / (2 * smoothing.rows ** 2)) : 1));
    const sum = weights.reduce((total, each) => total + each, 0);
    this.weights = Float64Array.from(weights, (each) => each / sum);
    /** Decaying sums by row, in units of `scale`, as of `timeMs`; `weight`: how much of the memory has been lived through. */
    this.pressures = new Float64Array(rows);
    this.vacuums = new Float64Array(rows);
    this.scale = 1;
    this.weight = 0;
    this.timeMs = NaN;
    /** The newest column's, which may have been passed over; the held one fades from there on. */
    this.seenMs = NaN;
    this.slot = NaN;
    /** The column that holds until the next one: its forces, its lowest row, how many rows it has. */
    this.held = { pressures: new Widened(0), vacuums: new Widened(0), low: NaN, rows: 0 };
  }

  /** How long before a time columns still count in it. */
  get reachMs() { return FORGOTTEN * this.memoryMs; }

  /** What came before is not known. */
  forget() {
    this.pressures.fill(0);
    this.vacuums.fill(0);
    this.scale = 1;
    this.weight = 0;
    this.timeMs = this.seenMs = this.slot = NaN;
    this.held.rows = 0;
  }

  /**
   * How much is left of the sums at a time, and what the held column has added to them by then.
   * @param {number} timeMs @returns {[number, number]}
   */
  shares(timeMs) {
    const kept = Math.exp((this.timeMs - timeMs) / this.memoryMs);
    const later = Math.exp((this.seenMs - timeMs) / this.memoryMs);
    const faded = Math.exp((this.seenMs - timeMs) / this.fadeMs);
    return [kept, later - kept + (this.fadeMs / (this.fadeMs - this.memoryMs)) * (faded - later)];
  }

  /**
   * Take a column in, not before the one before it.
   * @param {number} timeMs @param {number} low its lowest row; NaN: it has no prices
   * @param {Uint16Array} pressures bfloat16 @param {Uint16Array} vacuums @param {number} at where its rows begin @param {number} rows
   */
  take(timeMs, low, pressures, vacuums, at, rows) {
    const slot = Math.floor(timeMs / this.slotMs);
    if (slot === this.slot) {
      this.seenMs = timeMs;
      return;
    }
    this.slot = slot;
    const { held } = this;
    if (!Number.isNaN(this.timeMs)) {
      const [kept, added] = this.shares(timeMs);
      this.scale *= kept;
      this.weight = this.weight * kept + 1 - kept;
      if (this.scale < SMALLEST_SCALE) {
        for (const sums of [this.pressures, this.vacuums]) for (let row = 0; row < this.rows; row += 1) sums[row] *= this.scale;
        this.scale = 1;
      }
      const share = added / this.scale;
      const from = Math.max(0, -held.low);
      const until = Math.min(held.rows, this.rows - held.low);
      for (let i = from; i < until; i += 1) {
        this.pressures[held.low + i] += share * held.pressures.values[i];
        this.vacuums[held.low + i] += share * held.vacuums.values[i];
      }
    }
    this.timeMs = this.seenMs = timeMs;
    if (held.pressures.values.length < rows) Object.assign(held, { pressures: new Widened(rows), vacuums: new Widened(rows) });
    held.low = low;
    held.rows = Number.isNaN(low) ? 0 : rows;
    held.pressures.take(pressures, at, held.rows);
    held.vacuums.take(vacuums, at, held.rows);
  }

  /**
   * The balance at a time not before the newest column taken in, for each row of that column.
   * @param {number} timeMs @param {(row: number, balance: number) => void} write
   */
  read(timeMs, write) {
    const { held, reach, weights, smoothing } = this;
    const first = Math.max(0, held.low);
    const last = Math.min(held.low + held.rows, this.rows) - 1;
    if (!(held.rows > 0) || last < first) return;
    let [kept, added] = this.shares(timeMs);
    let weight = this.weight * kept + 1 - kept;
    if (weight < 1e-9) [kept, added, weight] = [0, 1, 1]; // the very first, at its own time
    const old = (kept * this.scale) / weight;
    const fresh = added / weight;
    const from = first - reach;
    const count = last + reach - from + 1;
    if (forces.length < 2 * count) forces = new Float64Array(2 * count);
    for (let i = 0; i < count; i += 1) {
      const row = from + i;
      const at = row - held.low;
      const known = row >= 0 && row < this.rows;
      const now = at >= 0 && at < held.rows;
      forces[2 * i] = (known ? old * this.pressures[row] : 0) + (now ? fresh * held.pressures.values[at] : 0);
      forces[2 * i + 1] = (known ? old * this.vacuums[row] : 0) + (now ? fresh * held.vacuums.values[at] : 0);
    }
    for (let row = first; row <= last; row += 1) {
      let pressure = 0;
      let vacuum = 0;
      for (let i = 0, at = 2 * (row - first); i < weights.length; i += 1, at += 2) {
        pressure += weights[i] * forces[at];
        vacuum += weights[i] * forces[at + 1];
      }
      write(row, (pressure - vacuum) / (pressure + vacuum + smoothing.floor));
    }
  }
}

/** Pressure and vacuum of rows, one after the other, while they are read. */
let forces = new Float64Array(0);

/** Numbers that are given as bfloat16. */
class Widened {
  /** @param {number} count */
  constructor(count) {
    this.values = new Float32Array(count);
    this.bits = new Uint32Array(this.values.buffer);
  }

  /** @param {Uint16Array} from @param {number} at @param {number} count */
  take(from, at, count) { for (let i = 0; i < count; i += 1) this.bits[i] = from[at + i] << 16; }
}
