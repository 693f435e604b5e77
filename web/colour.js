/**
 * Colour: themes, palettes and ramps as a table over two channels, the scale from a value to its level in the table, and the
 * cut-offs of the scale. The default pair, blue and orange, is told apart with any common form of colour blindness.
 */

export const LEVELS = 64;

/**
 * @typedef {[number, number, number]} Rgb
 * @typedef {{hues: [string, string], lightHues?: [string, string]}} Hues two colours in words, other words for the light theme where they differ
 * @typedef {Hues & {name: string, note: string, dark: [Rgb, Rgb, Rgb], light: [Rgb, Rgb, Rgb]}} Palette
 * first channel, second, both; the first two have words
 * @typedef {Hues & {name: string, note: string, dark: [Rgb, Rgb][], light: [Rgb, Rgb][]}} Ramp
 * bids and asks, from little depth to much; what is less still is the ground
 * @typedef {"linear" | "sqrt" | "log"} Transfer
 */

/** @type {Record<string, Palette>} */
export const PALETTES = {
  blue: {
    name: "Blue and orange", note: "safe with any colour vision", hues: ["blue", "orange"],
    dark: [[64, 156, 255], [255, 150, 20], [112, 116, 124]], light: [[0, 84, 190], [206, 92, 0], [120, 118, 116]],
  },
  purple: {
    name: "Green and purple", note: "safe with any colour vision", hues: ["green", "purple"],
    dark: [[120, 214, 130], [196, 120, 246], [122, 120, 124]], light: [[10, 116, 48], [112, 30, 168], [120, 118, 122]],
  },
  cyan: {
    name: "Cyan and red", note: "safe but for blue-blindness", hues: ["cyan", "red"],
    dark: [[40, 220, 230], [255, 84, 84], [120, 116, 118]], light: [[0, 118, 130], [196, 20, 30], [122, 118, 118]],
  },
  heat: {
    name: "Heat", note: "bright on dark; the two forces differ in lightness too", hues: ["pale yellow", "red"], lightHues: ["navy", "red"],
    dark: [[250, 244, 200], [226, 72, 30], [150, 120, 110]], light: [[20, 20, 60], [214, 60, 20], [120, 100, 100]],
  },
};
/** @type {Record<string, Ramp>} */
export const RAMPS = {
  green: {
    name: "Green and rose", note: "bids and asks as their lines have them", hues: ["green", "rose"],
    dark: [[[20, 92, 70], [104, 40, 62]], [[130, 250, 196], [255, 160, 184]]], light: [[[168, 214, 194], [236, 190, 202]], [[0, 84, 52], [150, 6, 50]]],
  },
  teal: {
    name: "Teal and violet", note: "safe with any colour vision", hues: ["teal", "violet"],
    dark: [[[10, 82, 88], [74, 46, 122]], [[120, 244, 236], [208, 178, 255]]], light: [[[164, 214, 214], [208, 194, 236]], [[0, 82, 88], [78, 20, 150]]],
  },
  grey: {
    name: "Cool and warm grey", note: "leaves colour to the balance", hues: ["cool grey", "warm grey"],
    dark: [[[52, 66, 84], [86, 72, 62]], [[214, 230, 250], [250, 232, 214]]], light: [[[196, 206, 218], [220, 210, 200]], [[40, 54, 74], [80, 60, 44]]],
  },
  heat: {
    name: "Heat", note: "four steps of brightness, as heatmaps of depth usually have them", hues: ["blue to white", "red to white"],
    lightHues: ["light blue to navy", "light red to dark red"],
    dark: [[[18, 40, 110], [96, 22, 30]], [[30, 150, 220], [224, 96, 24]], [[250, 252, 220], [255, 246, 200]]],
    light: [[[176, 206, 240], [246, 200, 180]], [[40, 110, 200], [214, 90, 30]], [[10, 20, 70], [90, 10, 10]]],
  },
};
/** What the choice of colours is about: the pair's, or in the view of depth the ramp. @param {import("./settings.js").Settings} settings */
export const coloursOf = ({ mode, palette, ramp }) => (mode === "depth"
  ? { name: "ramp", now: ramp, choices: RAMPS } : { name: "palette", now: palette, choices: PALETTES });

/** Two colours of a table in words. @param {Hues} entry @param {"dark" | "light"} theme */
export const huesOf = ({ hues, lightHues }, theme) => (theme === "light" && lightHues ? lightHues : hues);

/** How much of a depth's colour the strongest balance takes over, and how bright it is where there is no depth. */
const TINT = 0.85;
const TINT_GROUND = 0.4;
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

/** @param {"dark" | "light"} theme @returns {number[]} */
const groundOf = (theme) => [1, 3, 5].map((at) => parseInt(THEMES[theme].ground.slice(at, at + 2), 16)); // #rrggbb

/** A theme, with the palette's own colours for the forces and for where they lead. @param {ThemeName} name @param {string} palette */
export function themeOf(name, palette) {
  const [first, second] = (PALETTES[palette] ?? PALETTES.blue)[name].map((rgb) => `rgb(${rgb.join(" ")})`);
  return { ...THEMES[name], pressure: first, vacuum: second, up: first, down: second };
}

/**
 * RGBA of (level of a depth, then LEVELS more for asks; its balance): Uint8Array[2 * LEVELS * LEVELS * 4], the second running
 * faster. Depth gives the brightness, the balance takes over the hue. The balance is twice its step, plus 1 if negative.
 * @param {string} ramp @param {string} palette of the balance @param {"dark" | "light"} theme
 */
export function depthTable(ramp, palette, theme) {
  const stops = (RAMPS[ramp] ?? RAMPS.green)[theme];
  const hues = (PALETTES[palette] ?? PALETTES.blue)[theme];
  const ground = groundOf(theme);
  const table = new Uint8Array(2 * LEVELS * LEVELS * 4);
  for (let at = 0; at < 2 * LEVELS * LEVELS; at += 1) {
    const code = at % LEVELS;
    const level = Math.floor(at / LEVELS) % LEVELS;
    const side = at < LEVELS * LEVELS ? 0 : 1;
    const share = level / (LEVELS - 1);
    const tint = (TINT * (code >> 1)) / (LEVELS / 2 - 1);
    const place = share * stops.length;
    const stop = Math.min(Math.floor(place), stops.length - 1);
    for (let i = 0; i < 3; i += 1) {
      const from = stop === 0 ? ground[i] : stops[stop - 1][side][i];
      const depth = from + (stops[stop][side][i] - from) * (place - stop);
      const hue = ground[i] + (hues[code & 1][i] - ground[i]) * (TINT_GROUND + (1 - TINT_GROUND) * share);
      table[at * 4 + i] = Math.round(depth + (hue - depth) * tint);
    }
    table[at * 4 + 3] = 255;
  }
  return table;
}

/**
 * RGBA of (first channel, second), each in LEVELS steps: Uint8Array[2 * LEVELS * LEVELS * 4], the second running faster; the
 * second half is not used. The stronger of the two gives the strength, their balance the hue: an even pair is grey, so an imbalance stands out.
 * @param {string} palette @param {"dark" | "light"} theme
 */
export function colourTable(palette, theme) {
  const [first, second, both] = (PALETTES[palette] ?? PALETTES.blue)[theme];
  const ground = groundOf(theme);
  const table = new Uint8Array(2 * LEVELS * LEVELS * 4);
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

/** Level of every bfloat16, in LEVELS steps, and as many more for asks: what both painters look a cell up in. */
export class LevelTable {
  constructor() {
    /** Over the 15 bits of a magnitude. */
    this.levels = new Uint8Array(1 << 15);
    this.key = "";
  }

  /**
   * @param {number} lower @param {number} upper @param {Transfer} transfer
   * @param {boolean} [sided] whether the last bit of a value says that it is an ask's @returns {boolean} whether it changed
   */
  set(lower, upper, transfer, sided = false) {
    const key = `${lower}|${upper}|${transfer}|${sided}`;
    if (key === this.key) return false;
    this.key = key;
    const one = new Uint32Array(1);
    const value = new Float32Array(one.buffer);
    for (let magnitude = 0; magnitude < this.levels.length; magnitude += 1) {
      one[0] = magnitude << 16;
      this.levels[magnitude] = Math.round(normalise(value[0], lower, upper, transfer) * (LEVELS - 1)) + (sided && magnitude & 1 ? LEVELS : 0);
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

  /**
   * A picture begins: with cut-offs that a person once set, or with those that it had by itself, or none.
   * @param {{lower: number, upper: number} | null} cutoffs @param {{lower: number, upper: number} | null} [had]
   */
  begin(cutoffs, had = null) {
    this.frozen = false;
    this.rejudge();
    if (had) Object.assign(this, had);
    if (cutoffs && cutoffs.upper > 0) this.set(cutoffs.lower, cutoffs.upper);
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
   * @param {number} [least] share of them that lies below the lower cut-off; 0: none does
   * @param {[number, number]} [fixed] cut-offs whatever is on screen
   * @returns {boolean} whether a cut-off changed: only when off by a quarter
   */
  judge(values, nowMs, least = 0, fixed = undefined) {
    this.judgedMs = nowMs;
    this.values = values;
    if (this.frozen || (!fixed && values.length < 20)) return false;
    const at = (/** @type {number} */ share) => values[Math.floor(values.length * share)];
    const [lower, upper] = fixed ?? [least > 0 ? at(least) : 0, Math.max(at(0.995), 0.01)];
    const near = (/** @type {number} */ now, /** @type {number} */ wanted) => (fixed ? now === wanted : Math.abs(wanted - now) <= now * 0.25);
    if (near(this.upper, upper) && near(this.lower, lower)) return false;
    this.upper = upper;
    this.lower = Math.min(lower, upper * 0.98);
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
