/** The legend is the control: a histogram of what is on screen with two handles, the cut-offs, which can be typed as well. */

import { huesOf, LEVELS, normalise, PALETTES, RAMPS } from "./colour.js";
import { amountText } from "./format.js";
import { unitOf } from "./modes.js";

/** @typedef {import("./colour.js").Scale} Scale @typedef {import("./colour.js").Theme} Theme */
/**
 * @typedef {object} Shown what the legend tells of
 * @property {Uint8Array} colours @property {Theme} theme @property {import("./modes.js").Mode} mode
 * @property {import("./settings.js").Settings} settings @property {import("./balance.js").Smoothed} smoothing
 * @property {number} leastSeconds of smoothing at this zoom @property {string} quantity contracts or shares
 */

const DECADES = 4;
const REDUCTION = "where cells share a pixel, the largest magnitude";

export class Legend {
  /**
   * @param {{canvas: HTMLCanvasElement, lower: HTMLElement, upper: HTMLElement, typedLower: HTMLInputElement, typedUpper: HTMLInputElement, text: HTMLElement}} parts
   * @param {Scale} scale @param {() => void} changed
   */
  constructor(parts, scale, changed) {
    this.parts = parts;
    this.scale = scale;
    this.changed = changed;
    this.most = 1;
    /** Whether the bar runs from 0 to 1; it is logarithmic else. */
    this.linear = false;
    for (const [end, field] of /** @type {["lower" | "upper", HTMLInputElement][]} */ ([["lower", parts.typedLower], ["upper", parts.typedUpper]])) {
      field.addEventListener("change", () => { if (field.value !== "" && Number(field.value) >= 0) this.type(end, Number(field.value)); });
    }
    for (const end of /** @type {const} */ (["lower", "upper"])) {
      const handle = parts[end];
      handle.addEventListener("pointerdown", (event) => {
        event.preventDefault();
        handle.setPointerCapture(event.pointerId);
        handle.focus();
      });
      handle.addEventListener("pointermove", (event) => {
        if (!handle.hasPointerCapture(event.pointerId)) return;
        const box = parts.canvas.getBoundingClientRect();
        this.move(end, this.valueAt((event.clientX - box.left) / box.width));
      });
      handle.addEventListener("keydown", (event) => {
        const steps = /** @type {Record<string, number>} */ ({
          ArrowRight: 0.01, ArrowUp: 0.01, ArrowLeft: -0.01, ArrowDown: -0.01, PageUp: 0.1, PageDown: -0.1,
        })[event.key];
        if (steps === undefined) return;
        event.preventDefault();
        event.stopPropagation();
        this.move(end, this.valueAt(this.shareOf(this.scale[end]) + steps));
      });
    }
  }

  /** @param {"lower" | "upper"} end @param {number} value */
  move(end, value) {
    const { scale } = this;
    if (end === "lower") scale.set(Math.min(value, scale.upper * 0.95), scale.upper);
    else scale.set(scale.lower, Math.max(value, scale.lower * 1.05, this.linear ? 0.01 : this.most * 10 ** -DECADES));
    this.changed();
  }

  /** A number that is typed holds; the other cut-off gives way. @param {"lower" | "upper"} end @param {number} value */
  type(end, value) {
    const { scale } = this;
    if (end === "lower") scale.set(value, Math.max(scale.upper, value * 1.05));
    else scale.set(Math.min(scale.lower, value), value);
    this.changed();
  }

  /** @param {number} share 0 to 1 along the bar, which is linear, or logarithmic over DECADES, and 0 at its left end */
  valueAt(share) {
    if (this.linear) return Math.min(Math.max(share, 0), 1);
    return share <= 0.005 ? 0 : this.most * 10 ** ((Math.min(share, 1) - 1) * DECADES);
  }

  /** @param {number} value */
  shareOf(value) {
    if (this.linear) return Math.min(Math.max(value, 0), 1);
    return value <= 0 ? 0 : Math.min(1, Math.max(0, 1 + Math.log10(value / this.most) / DECADES));
  }

  /** @param {Shown} shown */
  paint(shown) {
    const { scale, parts } = this;
    const { colours, theme, mode } = shown;
    const { values } = scale;
    this.linear = mode.cutoffs !== undefined;
    if (values.length > 0) {
      const wanted = Math.max(values[values.length - 1], scale.upper) * 1.2;
      if (wanted > this.most || wanted < this.most / 2) this.most = wanted;
    }
    const { canvas } = parts;
    const context = canvas.getContext("2d");
    if (!context) return;
    const ratio = window.devicePixelRatio || 1;
    const width = Math.max(1, Math.round(canvas.clientWidth * ratio));
    const height = Math.max(1, Math.round(canvas.clientHeight * ratio));
    if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
    context.clearRect(0, 0, width, height);
    const counts = new Float32Array(width);
    for (const value of values) counts[Math.min(width - 1, Math.floor(this.shareOf(value) * width))] += 1;
    const highest = Math.max(1, ...counts);
    const band = height * 0.42;
    for (let x = 0; x < width; x += 1) {
      const step = Math.round(normalise(this.valueAt(x / width), scale.lower, scale.upper, scale.transfer) * (LEVELS - 1));
      const bands = mode.kind === "one" ? [step * LEVELS] : [step * LEVELS, mode.kind === "depth" ? (LEVELS + step) * LEVELS : step];
      for (const [i, at] of bands.entries()) {
        context.fillStyle = `rgb(${colours[4 * at]} ${colours[4 * at + 1]} ${colours[4 * at + 2]})`;
        const size = band / bands.length;
        context.fillRect(x, height - band + i * size, 1, size);
      }
      context.fillStyle = theme.quiet;
      const bar = Math.sqrt(counts[x] / highest) * (height - band - 2);
      context.fillRect(x, height - band - 1 - bar, 1, bar);
    }
    const unit = mode.kind === "balance" ? "" : ` ${unitOf(mode.a, shown.quantity)}`;
    for (const [end, field] of /** @type {["lower" | "upper", HTMLInputElement][]} */ ([["lower", parts.typedLower], ["upper", parts.typedUpper]])) {
      const value = scale[end];
      const text = `${amountText(value)}${unit}${this.placeText(value, ", percentile ", 1)}`;
      const handle = parts[end];
      handle.style.left = `${this.shareOf(value) * 100}%`;
      handle.setAttribute("aria-valuenow", value.toPrecision(4));
      handle.setAttribute("aria-valuemin", "0");
      handle.setAttribute("aria-valuemax", (this.linear ? 1 : this.most).toPrecision(4));
      handle.setAttribute("aria-valuetext", text);
      handle.title = `${end} cut-off: ${text}`;
      if (field !== document.activeElement) field.value = String(Number(value.toPrecision(3)));
    }
    const bound = (/** @type {"lower" | "upper"} */ end, /** @type {number} */ digits) => `${amountText(scale[end])}${end === "upper" ? unit : ""}${
      this.linear ? "" : this.placeText(scale[end], " (p", digits, ")")}`;
    const words = `${explained(shown)}: ${bound("lower", 0)} to ${bound("upper", 1)}, ${
      scale.frozen ? "frozen" : mode.cutoffs ? "as usual" : "auto"}; ${REDUCTION}${mode.kind === "one" ? "" : ", with its sign"}`;
    if (parts.text.textContent !== words) parts.text.textContent = words;
  }

  /**
   * The percentile of a value between two texts; nothing where no cell is on screen.
   * @param {number} value @param {string} before @param {number} digits @param {string} after
   */
  placeText(value, before, digits, after = "") {
    const share = this.scale.percentile(value);
    return share === null ? "" : `${before}${share.toFixed(digits)}${after}`;
  }
}

/** What is shown, in a sentence. @param {Shown} shown @returns {string} */
function explained({ mode, settings, smoothing, leastSeconds, quantity }) {
  if (mode.kind !== "balance" && mode.kind !== "depth") return mode.legend;
  const { theme } = settings;
  const [first, second] = huesOf(PALETTES[settings.palette] ?? PALETTES.blue, theme);
  const { rows, seconds, floor } = smoothing;
  const formula = `(pressure − vacuum) / (pressure + vacuum + ${amountText(floor)} ${quantity}/s), smoothed by σ ${rows} rows and σ ${
    amountText(Math.max(seconds, leastSeconds))} s back in time`;
  if (mode.kind === "balance") return `Balance: ${first} where liquidity builds, ${second} where it drains, ${theme === "light" ? "pale" : "dark"} where little happens; ${formula}`;
  const [bids, asks] = huesOf(RAMPS[settings.ramp] ?? RAMPS.green, theme);
  return `Depth: the ${theme === "light" ? "darker" : "brighter"} the more rests, bids ${bids}, asks ${asks}; ${first} over it where liquidity builds, ${second} where it drains: ${formula}`;
}
