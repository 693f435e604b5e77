/**
 * Colour: themes, palettes as a table over two channels, the scale from a value to its level in the table, and the cut-offs
 * of the scale. The default pair, blue and orange, is told apart with any common form of colour blindness.
 */

export const LEVELS = 64;

/**
 * @typedef {[number, number, number]} Rgb
 * @typedef {{name: string, note: string, dark: [Rgb, Rgb, Rgb], light: [Rgb, Rgb, Rgb]}} Palette first channel, second, both
 * @typedef {"linear" | "sqrt" | "log"} Transfer
 */

/** @type {Record<string, Palette>} */
export const PALETTES = {
  blue: {
    name: "Blue and orange", note: "safe with any colour vision",
    dark: [[64, 156, 255], [255, 150, 20], [112, 116, 124]], light: [[0, 84, 190], [206, 92, 0], [120, 118, 116]],
  },
  purple: {
    name: "Green and purple", note: "safe with any colour vision",
    dark: [[120, 214, 130], [196, 120, 246], [122, 120, 124]], light: [[10, 116, 48], [112, 30, 168], [120, 118, 122]],
  },
  cyan: {
    name: "Cyan and red", note: "safe but for blue-blindness",
    dark: [[40, 220, 230], [255, 84, 84], [120, 116, 118]], light: [[0, 118, 130], [196, 20, 30], [122, 118, 118]],
  },
  heat: {
    name: "Heat", note: "bright on dark; the two forces differ in lightness too",
    dark: [[250, 244, 200], [226, 72, 30], [150, 120, 110]], light: [[20, 20, 60], [214, 60, 20], [120, 100, 100]],
  },
};
/** Colours of everything that is no cell of the map. */
export const THEMES = {
  dark: {
    ground: "#0b0e14", text: "#d9e0ec", quiet: "#9aa7bb", grid: "#ffffff14", bid: "#5fe0a8", ask: "#ff8fa3", last: "#f4f6fa",
    buy: "#5fe0a8", sell: "#ff8fa3", chop: "#3a4252", hatch: "#c9d2e2", cross: "#ffffff70",
    session: "#b9a5ff", ink: "#0b0e14", depth: "#8794a8", halo: "#0b0e14cc",
  },
  light: {
    ground: "#fafaf8", text: "#1b2230", quiet: "#525d70", grid: "#00000014", bid: "#00764a", ask: "#b3123c", last: "#10141c",
    buy: "#00764a", sell: "#b3123c", chop: "#c3c9d3", hatch: "#3a4252", cross: "#00000080",
    session: "#5a3fc0", ink: "#ffffff", depth: "#8a93a3", halo: "#fafaf8dd",
  },
};

/** @typedef {keyof typeof THEMES} ThemeName @typedef {ReturnType<typeof themeOf>} Theme */

/** A theme, with the palette's own colours for the forces and for where they lead. @param {ThemeName} name @param {string} palette */
export function themeOf(name, palette) {
  const [first, second] = (PALETTES[palette] ?? PALETTES.blue)[name].map((rgb) => `rgb(${rgb.join(" ")})`);
  return { ...THEMES[name], pressure: first, vacuum: second, up: first, down: second };
}

/**
 * RGBA of (first channel, second), each in LEVELS steps: Uint8Array[LEVELS * LEVELS * 4], the second running faster.
 * The stronger of the two gives the strength, their balance the hue: an even pair is grey, so an imbalance stands out.
 * @param {string} palette @param {"dark" | "light"} theme
 */
export function colourTable(palette, theme) {
  const [first, second, both] = (PALETTES[palette] ?? PALETTES.blue)[theme];
  const ground = [1, 3, 5].map((at) => parseInt(THEMES[theme].ground.slice(at, at + 2), 16)); // #rrggbb
  const table = new Uint8Array(LEVELS * LEVELS * 4);
  for (let p = 0; p < LEVELS; p += 1) {
    for (let v = 0; v < LEVELS; v += 1) {
      const strength = Math.max(p, v) / (LEVELS - 1);
      const balance = p + v === 0 ? 0 : (p * p - v * v) / (p * p + v * v);
      const lean = Math.min(1, Math.abs(balance) * 1.25);
      const hue = balance > 0 ? first : second;
      const at = (p * LEVELS + v) * 4;
      for (let i = 0; i < 3; i += 1) {
        const full = both[i] + (hue[i] - both[i]) * lean;
        table[at + i] = Math.round(ground[i] + (full - ground[i]) * strength);
      }
      table[at + 3] = 255;
    }
  }
  return table;
}

/** @param {Transfer} transfer @param {number} value @param {number} upper */
function bent(transfer, value, upper) {
  if (transfer === "sqrt") return Math.sqrt(value);
  if (transfer === "log") return Math.log(1 + (1000 * value) / upper);
  return value;
}

/**
 * Where a magnitude lies between the cut-offs, 0 to 1.
 * @param {number} value @param {number} lower @param {number} upper @param {Transfer} transfer
 */
export function normalise(value, lower, upper, transfer) {
  if (!(value > lower)) return 0;
  if (value >= upper) return 1;
  const from = bent(transfer, lower, upper);
  return (bent(transfer, value, upper) - from) / (bent(transfer, upper, upper) - from);
}

/** Level of every bfloat16, in LEVELS steps: what both painters look a cell up in. */
export class LevelTable {
  constructor() {
    /** Over the 15 bits of a magnitude. */
    this.levels = new Uint8Array(1 << 15);
    this.key = "";
  }

  /** @param {number} lower @param {number} upper @param {Transfer} transfer @returns {boolean} whether it changed */
  set(lower, upper, transfer) {
    const key = `${lower}|${upper}|${transfer}`;
    if (key === this.key) return false;
    this.key = key;
    const one = new Uint32Array(1);
    const value = new Float32Array(one.buffer);
    for (let magnitude = 0; magnitude < this.levels.length; magnitude += 1) {
      one[0] = magnitude << 16;
      this.levels[magnitude] = Math.round(normalise(value[0], lower, upper, transfer) * (LEVELS - 1));
    }
    return true;
  }
}

/** The cut-offs: they follow what is on screen without flicker, or stay where a person put or froze them. */
export class Scale {
  constructor() {
    this.lower = 0;
    this.upper = 1;
    /** @type {Transfer} */
    this.transfer = "sqrt";
    this.frozen = false;
    this.judgedMs = -Infinity;
    /** Sorted magnitudes on screen. */
    this.values = /** @type {Float32Array} */ (new Float32Array(0));
  }

  /** A picture begins: with cut-offs that a person once set, or with none. @param {{lower: number, upper: number} | null} cutoffs */
  begin(cutoffs) {
    this.frozen = false;
    if (cutoffs) this.set(cutoffs.lower, cutoffs.upper);
    else this.rejudge();
  }

  /** What a person set, or null. */
  get cutoffs() { return this.frozen ? { lower: this.lower, upper: this.upper } : null; }

  /** Freeze the scale as it is, or let it follow again. */
  freeze() {
    this.frozen = !this.frozen;
    this.rejudge();
  }

  /** Let the next painting judge. */
  rejudge() { this.judgedMs = -Infinity; }

  /** Whether it is time to judge. @param {number} nowMs */
  due(nowMs) { return nowMs - this.judgedMs >= 500; }

  /**
   * @param {Float32Array} values sorted magnitudes on screen @param {number} nowMs
   * @returns {boolean} whether a cut-off changed: only when off by a quarter
   */
  judge(values, nowMs) {
    this.judgedMs = nowMs;
    this.values = values;
    if (this.frozen || values.length < 20) return false;
    const wanted = Math.max(values[Math.floor(values.length * 0.995)], 0.01);
    if (wanted <= this.upper * 1.25 && wanted >= this.upper * 0.75 && this.lower === 0) return false;
    this.upper = wanted;
    this.lower = 0;
    return true;
  }

  /** Share of the cells on screen below a value, 0 to 100; null where none is on screen. @param {number} value */
  percentile(value) {
    let low = 0;
    let high = this.values.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.values[middle] < value) low = middle + 1;
      else high = middle;
    }
    return this.values.length === 0 ? null : (low / this.values.length) * 100;
  }

  /** A person sets the cut-offs: they stay. @param {number} lower @param {number} upper */
  set(lower, upper) {
    this.frozen = true;
    this.upper = Math.max(upper, 1e-3);
    this.lower = Math.min(Math.max(lower, 0), this.upper * 0.98);
  }
}
