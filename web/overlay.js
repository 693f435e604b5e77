/** What is drawn over the map: best bid and ask, last price, axes, market-state band, crosshair. */

/** @typedef {import("./ring.js").Ring} Ring @typedef {import("./view.js").View} View */

export const PRICE_AXIS_PX = 74;
export const TIME_AXIS_PX = 24;
export const STATE_BAND_PX = 8;
const FONT = "12px system-ui, sans-serif";
const STATE_COLOURS = { 1: "#56b4e9", 0: "#3a4252", "-1": "#e69f00" };
const TIME_STEPS_MS = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600].map((seconds) => seconds * 1000);

const CLOCK = new Intl.DateTimeFormat("en-GB", {
  timeZone: "America/New_York", hour: "2-digit", minute: "2-digit", second: "2-digit",
});

/** @param {number} timeMs @returns {string} time of day in New York */
export function clockText(timeMs) { return CLOCK.format(timeMs); }

/** @param {number} price in 1e-9 units @param {number} decimals @returns {string} */
export function priceText(price, decimals) {
  return Number.isNaN(price) ? "–" : (price / 1e9).toLocaleString("en-US", {
    minimumFractionDigits: decimals, maximumFractionDigits: decimals,
  });
}

export class Overlay {
  /** @param {HTMLCanvasElement} canvas */
  constructor(canvas) {
    this.canvas = canvas;
    const context = canvas.getContext("2d");
    if (!context) throw new Error("this browser has no canvas");
    this.context = context;
  }

  /**
   * @param {Ring} ring @param {View} view @param {{width: number, height: number, ratio: number}} size of the plot, CSS px
   * @param {number} decimals @param {{x: number, y: number} | null} cursor
   */
  paint(ring, view, size, decimals, cursor) {
    const { context } = this;
    const { width, height, ratio } = size;
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, this.canvas.width, this.canvas.height);
    context.font = FONT;
    if (ring.count === 0 || Number.isNaN(view.centre)) return;
    /** @param {number} timeMs */
    const x = (timeMs) => ((timeMs - view.startMs) / view.spanMs) * width;
    /** @param {number} bucket */
    const y = (bucket) => ((view.top - bucket) / view.rows) * height;
    this.priceAxis(ring, view, size, decimals, y);
    this.timeAxis(view, size, x);
    const first = Math.max(ring.columnAt(view.startMs) - 1, ring.first);
    const last = Math.min(ring.columnAt(view.endMs + 1e-3), ring.count);
    this.states(ring, first, last, size, x);
    context.save();
    context.beginPath();
    context.rect(0, 0, width, height);
    context.clip();
    this.line(ring, ring.last, first, last, x, y, "#f4f6fa", 1);
    this.line(ring, ring.bid, first, last, x, y, "#5fe0a8", 1.5);
    this.line(ring, ring.ask, first, last, x, y, "#ff7b91", 1.5);
    context.restore();
    this.marks(ring, size, decimals, y);
    if (cursor && cursor.x < width && cursor.y < height) this.crosshair(size, cursor);
  }

  /**
   * A stepped price line; each pixel column shows the last value in it.
   * @param {Ring} ring @param {Float64Array} prices in buckets @param {number} first @param {number} last
   * @param {(timeMs: number) => number} x @param {(bucket: number) => number} y
   * @param {string} colour @param {number} lineWidth
   */
  line(ring, prices, first, last, x, y, colour, lineWidth) {
    const { context } = this;
    context.strokeStyle = colour;
    context.lineWidth = lineWidth;
    context.beginPath();
    let open = false;
    let pixel = -1;
    for (let column = first; column < last; column += 1) {
      const at = ring.slot(column);
      const to = x(ring.timeMs[at]);
      const next = column + 1 < last ? Math.floor(x(ring.timeMs[ring.slot(column + 1)])) : Infinity;
      if (Math.floor(to) === pixel && next === pixel) continue;
      pixel = Math.floor(to);
      const price = prices[at];
      if (Number.isNaN(price)) { open = false; continue; }
      if (open) context.lineTo(to, this.lastY);
      else context.moveTo(to, y(price));
      this.lastY = y(price);
      context.lineTo(to, this.lastY);
      open = true;
    }
    context.stroke();
  }

  lastY = 0;

  /**
   * @param {Ring} ring @param {View} view @param {{width: number, height: number}} size @param {number} decimals
   * @param {(bucket: number) => number} y
   */
  priceAxis(ring, view, { width, height }, decimals, y) {
    const { context } = this;
    const perLabel = (26 / height) * view.rows;
    const step = [1, 2, 4, 5, 10, 20, 40, 50, 100].find((buckets) => buckets >= perLabel) ?? 200;
    context.textBaseline = "middle";
    context.textAlign = "left";
    for (let bucket = Math.ceil((view.top - view.rows) / step) * step; bucket <= view.top; bucket += step) {
      context.fillStyle = "#ffffff12";
      context.fillRect(0, Math.round(y(bucket)), width, 1);
      context.fillStyle = "#93a0b5";
      context.fillText(priceText(bucket * ring.bucketInt, decimals), width + 6, y(bucket));
    }
  }

  /** @param {View} view @param {{width: number, height: number}} size @param {(timeMs: number) => number} x */
  timeAxis(view, { width, height }, x) {
    const { context } = this;
    const perLabel = (90 / width) * view.spanMs;
    const step = TIME_STEPS_MS.find((ms) => ms >= perLabel) ?? 7_200_000;
    context.textBaseline = "top";
    context.textAlign = "center";
    for (let time = Math.ceil(view.startMs / step) * step; time <= view.endMs; time += step) {
      context.fillStyle = "#ffffff12";
      context.fillRect(Math.round(x(time)), 0, 1, height);
      context.fillStyle = "#93a0b5";
      if (x(time) > 30 && x(time) < width - 30) context.fillText(clockText(time), x(time), height + STATE_BAND_PX + 6);
    }
  }

  /**
   * @param {Ring} ring @param {number} first @param {number} last @param {{width: number, height: number}} size
   * @param {(timeMs: number) => number} x
   */
  states(ring, first, last, { width, height }, x) {
    const { context } = this;
    let from = 0;
    for (let column = first; column < last; column += 1) {
      const state = /** @type {1 | 0 | -1} */ (ring.state[ring.slot(column)]);
      if (column + 1 < last && ring.state[ring.slot(column + 1)] === state) continue;
      const until = column + 1 < last ? Math.min(x(ring.timeMs[ring.slot(column + 1)]), width) : width;
      context.fillStyle = STATE_COLOURS[state];
      if (until > from) context.fillRect(from, height + 2, until - from, STATE_BAND_PX);
      from = Math.max(until, 0);
    }
  }

  /**
   * Labels of the newest bid, ask and last price on the axis.
   * @param {Ring} ring @param {{width: number, height: number}} size @param {number} decimals
   * @param {(bucket: number) => number} y
   */
  marks(ring, { width, height }, decimals, y) {
    const { context } = this;
    const at = ring.slot(ring.count - 1);
    context.textBaseline = "middle";
    context.textAlign = "left";
    for (const [prices, colour] of /** @type {[Float64Array, string][]} */ ([
      [ring.ask, "#ff7b91"], [ring.bid, "#5fe0a8"], [ring.last, "#f4f6fa"],
    ])) {
      const level = y(prices[at]);
      if (!(level >= 0 && level <= height)) continue;
      context.fillStyle = colour;
      context.fillRect(width + 1, level - 8, PRICE_AXIS_PX - 2, 16);
      context.fillStyle = "#0b0e14";
      context.fillText(priceText(prices[at] * ring.bucketInt, decimals), width + 6, level + 0.5);
    }
  }

  /** @param {{width: number, height: number}} size @param {{x: number, y: number}} cursor */
  crosshair({ width, height }, { x, y }) {
    const { context } = this;
    context.fillStyle = "#ffffff55";
    context.fillRect(Math.round(x), 0, 1, height);
    context.fillRect(0, Math.round(y), width, 1);
  }
}
