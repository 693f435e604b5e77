/** What is drawn over the map: prices, trades, market state, sessions, and where the data cannot be trusted. */

import { clockText, dateAndTime, priceStep, priceText, timeStep, zoneName } from "./format.js";
import { BAD, HOLE } from "./reduce.js";

/**
 * @typedef {import("./ring.js").Ring} Ring @typedef {import("./view.js").View} View
 * @typedef {import("./reduce.js").Bins} Bins @typedef {import("./theme.js").Theme} Theme
 * @typedef {{width: number, height: number, side: number, ratio: number}} Size of the plot and of what is beside it, CSS px
 * @typedef {{bbo: boolean, last: boolean, trades: boolean, least: number, profile: boolean, quality: boolean}} Layers
 * @typedef {object} Scene
 * @property {Ring} ring @property {View} view @property {Bins} bins @property {Size} size @property {Theme} theme
 * @property {number} decimals @property {Layers} layers @property {number} first @property {number} last columns on screen
 * @property {(timeMs: number) => number} x @property {(bucket: number) => number} y
 */

export const TIME_AXIS_PX = 24;
export const STATE_BAND_PX = 8;
const FONT = "12px system-ui, sans-serif";
const BUBBLE_PX = 24;
const LEAST_RADIUS_PX = 2;
/** Boundaries of sessions, New York time. */
const SESSION_TIMES = /** @type {Record<string, string>} */ ({
  "09:30:00": "open", "16:00:00": "close", "17:00:00": "halt", "18:00:00": "open",
});

/** @param {HTMLCanvasElement} canvas @returns {CanvasRenderingContext2D} */
export function contextOf(canvas) {
  const context = canvas.getContext("2d");
  if (!context) throw new Error("this browser has no canvas");
  return context;
}

export class Overlay {
  /** @param {HTMLCanvasElement} canvas */
  constructor(canvas) {
    this.canvas = canvas;
    this.context = contextOf(canvas);
  }

  /** @param {Size} size */
  clear(size) {
    const { context } = this;
    context.setTransform(size.ratio, 0, 0, size.ratio, 0, 0);
    context.clearRect(0, 0, this.canvas.width, this.canvas.height);
    context.font = FONT;
  }

  /** @param {Scene} scene */
  paint(scene) {
    const { context } = this;
    const { size, layers, ring } = scene;
    this.timeAxis(scene);
    this.priceGrid(scene);
    this.states(scene);
    context.save();
    context.beginPath();
    context.rect(0, 0, size.width, size.height);
    context.clip();
    if (layers.quality) this.quality(scene);
    this.sessions(scene);
    if (layers.profile) this.profile(scene);
    if (layers.bbo) {
      this.band(scene, "bid", scene.theme.bid);
      this.band(scene, "ask", scene.theme.ask);
    }
    if (layers.last) this.band(scene, "last", scene.theme.last);
    if (layers.trades) this.bubbles(scene);
    const newest = Math.max(scene.last - 1, ring.first); // on screen: a paused picture shows no later price
    this.spot(scene, ring.chunk(newest).spot[ring.at(newest)]);
    context.restore();
  }

  /**
   * A price over time. Each pixel column shows the least and the greatest price in it, and the last one leads on.
   * @param {Scene} scene @param {"bid" | "ask" | "last"} name @param {string} colour
   */
  band({ ring, first, last, x, y, size }, name, colour) {
    const { context } = this;
    context.strokeStyle = colour;
    context.lineWidth = name === "last" ? 1 : 1.5;
    context.setLineDash(name === "last" ? [] : name === "bid" ? [] : [5, 2]);
    context.beginPath();
    let pixel = -Infinity;
    let low = NaN;
    let high = NaN;
    let level = NaN;
    let open = false;
    const flush = () => {
      if (low < high) { context.moveTo(pixel + 0.5, low); context.lineTo(pixel + 0.5, high); context.moveTo(pixel + 0.5, level); }
    };
    for (let column = first; column < last; column += 1) {
      const chunk = ring.chunk(column);
      const price = chunk[name][ring.at(column)];
      const at = Math.floor(x(ring.timeMs(column)));
      if (at !== pixel) {
        flush();
        pixel = at;
        low = high = NaN;
        if (open) context.lineTo(at + 0.5, level);
      }
      if (Number.isNaN(price)) { open = false; continue; }
      const to = y(price);
      if (open) context.lineTo(at + 0.5, to);
      else context.moveTo(at + 0.5, to);
      low = Number.isNaN(low) ? to : Math.min(low, to);
      high = Number.isNaN(high) ? to : Math.max(high, to);
      level = to;
      open = true;
    }
    flush();
    if (open && last === ring.end) context.lineTo(Math.min(size.width, x(ring.timeMs(last - 1)) + 2), level);
    context.stroke();
    context.setLineDash([]);
  }

  /** Trades, by aggressor: buyers as full circles, sellers as rings. The area is the volume. @param {Scene} scene */
  bubbles({ ring, first, last, x, y, theme, layers }) {
    const { context } = this;
    /** @type {Map<string, {x: number, y: number, buy: number, sell: number}>} */
    const spots = new Map();
    let most = 1;
    for (let column = first; column < last; column += 1) {
      const chunk = ring.chunk(column);
      const at = ring.at(column);
      if (!(chunk.buy[at] > 0 || chunk.sell[at] > 0) || Number.isNaN(chunk.last[at])) continue;
      const [left, top] = [x(chunk.timeMs[at]), y(chunk.last[at])];
      const key = `${Math.round(left / 16)}|${Math.round(top / 8)}`;
      const spot = spots.get(key) ?? { x: left, y: top, buy: 0, sell: 0 };
      spot.buy += chunk.buy[at];
      spot.sell += chunk.sell[at];
      spots.set(key, spot);
      most = Math.max(most, spot.buy, spot.sell);
    }
    for (const spot of spots.values()) {
      for (const side of /** @type {const} */ (["buy", "sell"])) {
        const volume = spot[side];
        if (volume < layers.least || volume <= 0) continue;
        const radius = Math.sqrt(volume / most) * (BUBBLE_PX / 2);
        if (radius < LEAST_RADIUS_PX) continue;
        context.beginPath();
        context.arc(spot.x, spot.y, radius, 0, 2 * Math.PI);
        context.lineWidth = side === "sell" ? 1.5 : 1;
        context.globalAlpha = side === "sell" ? 0.95 : 0.62;
        context.fillStyle = context.strokeStyle = theme[side];
        if (side === "buy") context.fill();
        context.globalAlpha = 1;
        context.strokeStyle = side === "buy" ? theme.halo : theme.sell;
        context.stroke();
      }
    }
  }

  /** Traded volume by price over what is on screen, from the left edge. @param {Scene} scene */
  profile({ ring, first, last, y, theme, size, view }) {
    const { context } = this;
    /** @type {Map<number, [number, number]>} */
    const levels = new Map();
    const step = Math.max(1, Math.ceil((3 / size.height) * view.rows));
    let most = 0;
    for (let column = first; column < last; column += 1) {
      const chunk = ring.chunk(column);
      const at = ring.at(column);
      if (!(chunk.buy[at] > 0 || chunk.sell[at] > 0) || Number.isNaN(chunk.last[at])) continue;
      const key = Math.round(chunk.last[at] / step) * step;
      const level = levels.get(key) ?? [0, 0];
      level[0] += chunk.buy[at];
      level[1] += chunk.sell[at];
      levels.set(key, level);
      most = Math.max(most, level[0] + level[1]);
    }
    if (most === 0) return;
    const thick = Math.max(1, (step / view.rows) * size.height - 1);
    const full = Math.min(120, size.width * 0.12);
    context.globalAlpha = 0.55;
    for (const [bucket, [buy, sell]] of levels) {
      const top = y(bucket) - thick / 2;
      context.fillStyle = theme.buy;
      context.fillRect(0, top, (buy / most) * full, thick);
      context.fillStyle = theme.sell;
      context.fillRect((buy / most) * full, top, (sell / most) * full, thick);
    }
    context.globalAlpha = 1;
  }

  /** Stretches that are not to be trusted: hatched, with the reason. @param {Scene} scene */
  quality({ bins, view, size, x, theme }) {
    const from = Math.max(Math.floor(view.startMs / bins.binMs), bins.first);
    const until = Math.min(Math.floor(view.endMs / bins.binMs), bins.newest);
    let start = from;
    const flagsAt = (/** @type {number} */ bin) => bins.flags[bins.slot(bin)] & (BAD | HOLE);
    for (let bin = from; bin <= until; bin += 1) {
      const flags = flagsAt(bin);
      if (bin < until && flagsAt(bin + 1) === flags) continue;
      if (flags) {
        const left = x(start * bins.binMs);
        const width = Math.max(2, x((bin + 1) * bins.binMs) - left);
        this.hatch(left, width, size.height, theme, flags & HOLE ? "data missing" : "book not valid", Boolean(flags & HOLE));
      }
      start = bin + 1;
    }
  }

  /**
   * @param {number} left @param {number} width @param {number} height @param {Theme} theme @param {string} reason
   * @param {boolean} dense
   */
  hatch(left, width, height, theme, reason, dense) {
    const { context } = this;
    const gap = dense ? 6 : 12;
    context.save();
    context.beginPath();
    context.rect(left, 0, width, height);
    context.clip();
    context.strokeStyle = theme.hatch;
    context.globalAlpha = dense ? 0.5 : 0.28;
    context.lineWidth = 1;
    context.beginPath();
    for (let at = Math.floor((left - height) / gap) * gap; at < left + width; at += gap) {
      context.moveTo(at, height);
      context.lineTo(at + height, 0);
    }
    context.stroke();
    context.globalAlpha = 1;
    if (width > 90) {
      context.fillStyle = theme.halo;
      context.fillRect(left + 4, 4, context.measureText(reason).width + 8, 18);
      context.fillStyle = theme.text;
      context.textBaseline = "middle";
      context.textAlign = "left";
      context.fillText(reason, left + 8, 13);
    }
    context.restore();
  }

  /** Lines where a session begins or ends. @param {Scene} scene */
  sessions({ view, size, x, theme }) {
    const { context } = this;
    const half = 1_800_000;
    for (let time = Math.ceil(view.startMs / half) * half; time <= view.endMs; time += half) {
      const clock = dateAndTime(time, "ET");
      const utc = dateAndTime(time, "UTC");
      const what = utc.time === "00:00:00" ? `session ${utc.date}` : SESSION_TIMES[clock.time];
      if (!what) continue;
      context.strokeStyle = context.fillStyle = theme.session;
      context.setLineDash([2, 4]);
      context.beginPath();
      context.moveTo(Math.round(x(time)) + 0.5, 0);
      context.lineTo(Math.round(x(time)) + 0.5, size.height);
      context.stroke();
      context.setLineDash([]);
      context.textAlign = "left";
      context.textBaseline = "bottom";
      context.fillText(`${clock.time.slice(0, 5)} ET ${what}`, x(time) + 4, size.height - 4);
    }
  }

  /** @param {Scene} scene @param {number} spot bucket */
  spot({ y, size, theme }, spot) {
    const { context } = this;
    if (Number.isNaN(spot)) return;
    context.strokeStyle = theme.last;
    context.globalAlpha = 0.5;
    context.setLineDash([1, 5]);
    context.beginPath();
    context.moveTo(0, Math.round(y(spot)) + 0.5);
    context.lineTo(size.width, Math.round(y(spot)) + 0.5);
    context.stroke();
    context.setLineDash([]);
    context.globalAlpha = 1;
  }

  /** @param {Scene} scene */
  priceGrid({ view, size, y, theme }) {
    const { context } = this;
    const step = priceStep((28 / size.height) * view.rows);
    context.fillStyle = theme.grid;
    for (let bucket = Math.ceil((view.top - view.rows) / step) * step; bucket <= view.top; bucket += step) {
      context.fillRect(0, Math.round(y(bucket)), size.width, 1);
    }
  }

  /** @param {Scene} scene */
  timeAxis({ view, size: { width, height }, x, theme }) {
    const { context } = this;
    const step = timeStep((90 / width) * view.spanMs);
    context.textBaseline = "top";
    context.textAlign = "center";
    for (let time = Math.ceil(view.startMs / step) * step; time <= view.endMs; time += step) {
      context.fillStyle = theme.grid;
      context.fillRect(Math.round(x(time)), 0, 1, height);
      context.fillStyle = theme.quiet;
      if (x(time) > 30 && x(time) < width - 30) context.fillText(clockText(time, step < 1000), x(time), height + STATE_BAND_PX + 6);
    }
    context.textAlign = "left";
    context.fillStyle = theme.quiet;
    context.fillText(zoneName(), width + 6, height + STATE_BAND_PX + 6);
  }

  /** The market state along the time axis; UP lies high in the band and DOWN low. @param {Scene} scene */
  states({ ring, first, last, size: { width, height }, x, theme }) {
    const { context } = this;
    let from = 0;
    for (let column = first; column < last; column += 1) {
      const state = ring.chunk(column).state[ring.at(column)];
      if (column + 1 < last && ring.chunk(column + 1).state[ring.at(column + 1)] === state) continue;
      const until = column + 1 < last ? Math.min(x(ring.timeMs(column + 1)), width) : Math.min(x(ring.timeMs(column)) + 2, width);
      context.fillStyle = state > 0 ? theme.up : state < 0 ? theme.down : theme.chop;
      const top = height + 2 + (state < 0 ? STATE_BAND_PX / 2 : state > 0 ? 0 : STATE_BAND_PX / 4);
      const left = Math.max(from, 0);
      if (until > left) context.fillRect(left, top, until - left, STATE_BAND_PX / 2);
      from = until;
    }
  }
}

/**
 * Labels of prices on an axis that begins at `left`.
 * @param {CanvasRenderingContext2D} context @param {Scene} scene @param {number} left @param {number} width
 */
export function paintPriceAxis(context, { ring, view, size, y, theme, decimals, last }, left, width) {
  const step = priceStep((28 / size.height) * view.rows);
  context.textBaseline = "middle";
  context.textAlign = "left";
  context.fillStyle = theme.quiet;
  for (let bucket = Math.ceil((view.top - view.rows) / step) * step; bucket <= view.top; bucket += step) {
    const level = y(bucket);
    if (level > 8 && level < size.height - 6) context.fillText(priceText(bucket * ring.bucketInt, decimals), left + 4, level);
  }
  const newest = Math.max(last - 1, ring.first);
  const chunk = ring.chunk(newest);
  const at = ring.at(newest);
  let taken = -Infinity;
  const marks = /** @type {[string, number, string][]} */ ([
    ["ask", chunk.ask[at], theme.ask], ["last", chunk.last[at], theme.last], ["bid", chunk.bid[at], theme.bid],
  ]).sort((a, b) => b[1] - a[1]);
  for (const [, price, colour] of marks) {
    const level = y(price);
    if (!(level >= 0 && level <= size.height)) continue;
    const top = Math.max(level - 8, taken);
    taken = top + 16;
    context.fillStyle = colour;
    context.fillRect(left + 1, top, width - 2, 16);
    context.fillStyle = theme.ink;
    context.fillText(priceText(price * ring.bucketInt, decimals), left + 4, top + 8.5);
  }
}
