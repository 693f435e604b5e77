/** What is drawn over the map: prices, trades, market state, sessions, and where the data cannot be trusted. */

import { priceGrid, STATE_BAND_PX, timeAxis } from "./axes.js";
import { dateAndTime } from "./format.js";
import { quality } from "./quality.js";
import { bubbles, profile } from "./trades.js";

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
const FONT = "12px system-ui, sans-serif";
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
    timeAxis(context, scene);
    priceGrid(context, scene);
    this.states(scene);
    context.save();
    context.beginPath();
    context.rect(0, 0, size.width, size.height);
    context.clip();
    if (layers.quality) quality(context, scene);
    this.sessions(scene);
    if (layers.profile) profile(context, scene);
    if (layers.bbo) {
      this.band(scene, "bid", scene.theme.bid);
      this.band(scene, "ask", scene.theme.ask);
    }
    if (layers.last) this.band(scene, "last", scene.theme.last);
    if (layers.trades) bubbles(context, scene);
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
