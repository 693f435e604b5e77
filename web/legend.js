/** The legend is the control: a histogram of what is on screen with two handles, the cut-offs. */

import { normalise } from "./colour.js";
import { amountText } from "./format.js";

/** @typedef {import("./colour.js").Scale} Scale @typedef {import("./colour.js").Theme} Theme */

const DECADES = 4;

export class Legend {
  /**
   * @param {{canvas: HTMLCanvasElement, lower: HTMLElement, upper: HTMLElement, text: HTMLElement}} parts
   * @param {Scale} scale @param {() => void} changed
   */
  constructor(parts, scale, changed) {
    this.parts = parts;
    this.scale = scale;
    this.changed = changed;
    this.most = 1;
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
    else scale.set(scale.lower, Math.max(value, scale.lower * 1.05, this.most * 10 ** -DECADES));
    this.changed();
  }

  /** @param {number} share 0 to 1 along the bar, which is logarithmic over DECADES, and 0 at its left end */
  valueAt(share) {
    return share <= 0.005 ? 0 : this.most * 10 ** ((Math.min(share, 1) - 1) * DECADES);
  }

  /** @param {number} value */
  shareOf(value) {
    return value <= 0 ? 0 : Math.min(1, Math.max(0, 1 + Math.log10(value / this.most) / DECADES));
  }

  /**
   * @param {Uint8Array} table colours @param {number} levels @param {Theme} theme @param {boolean} both two channels
   * @param {string} names what the channels are @param {string} unit @param {string} reduction
   */
  paint(table, levels, theme, both, names, unit, reduction) {
    const { scale, parts } = this;
    const { values } = scale;
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
      const step = Math.round(normalise(this.valueAt(x / width), scale.lower, scale.upper, scale.transfer) * (levels - 1));
      for (const channel of both ? [0, 1] : [0]) {
        const at = (channel === 0 ? step * levels : step) * 4;
        context.fillStyle = `rgb(${table[at]} ${table[at + 1]} ${table[at + 2]})`;
        const size = both ? band / 2 : band;
        context.fillRect(x, height - band + channel * size, 1, size);
      }
      context.fillStyle = theme.quiet;
      const bar = Math.sqrt(counts[x] / highest) * (height - band - 2);
      context.fillRect(x, height - band - 1 - bar, 1, bar);
    }
    for (const end of /** @type {const} */ (["lower", "upper"])) {
      const value = scale[end];
      const text = `${amountText(value)} ${unit}${this.placeText(value, ", percentile ", 1)}`;
      const handle = parts[end];
      handle.style.left = `${this.shareOf(value) * 100}%`;
      handle.setAttribute("aria-valuenow", value.toPrecision(4));
      handle.setAttribute("aria-valuemin", "0");
      handle.setAttribute("aria-valuemax", this.most.toPrecision(4));
      handle.setAttribute("aria-valuetext", text);
      handle.title = `${end} cut-off: ${text}`;
    }
    const words = `${names}: ${amountText(scale.lower)}${this.placeText(scale.lower, " (p", 0, ")")} to ${amountText(scale.upper)} `
      + `${unit}${this.placeText(scale.upper, " (p", 1, ")")}, ${scale.frozen ? "frozen" : "auto"}; ${reduction}`;
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
