/** The whole session under the map: volume and prices by the minute, where the picture is in it, and a way to anywhere else. */

import * as bookmarks from "./bookmarks.js";
import { themeOf } from "./colour.js";
import { canvas } from "./dom.js";
import { amountText, clockText, priceText } from "./format.js";
import { fetchOverview } from "./http-api.js";
import { held } from "./labels.js";
import { say } from "./notices.js";
import { contextOf, FONT } from "./scene.js";

/** @typedef {import("./http-api.js").SessionOverview} SessionOverview */
/** A live session is looked at anew after so long. */
const GROWS_MS = 60_000;

/** So many bins are shown of what orders do before anything is traded: that may be hours. */
const BEFORE_TRADING = 5;

/** From shortly before the first trade to the last bin in which something happened. @param {{events: number[], high: (number | null)[]}} bins @returns {[number, number]} the first one, and that behind the last */
export function binsShown({ events, high }) {
  const first = events.findIndex((count) => count > 0);
  const last = events.reduce((found, count, bin) => (count > 0 ? bin : found), events.length - 1);
  return [Math.max(first, high.findIndex((price) => price !== null) - BEFORE_TRADING, 0), last + 1];
}

export class Overview {
  /** @param {string} base @param {import("./commands.js").Page} page @param {import("./player.js").Player} player */
  constructor(base, page, player) {
    this.base = base;
    this.page = page;
    this.player = player;
    this.canvas = canvas("overview");
    /** @type {SessionOverview | null} */
    this.data = null;
    /** Of the session: the greatest volume of a bin, the lowest and the highest price. */
    this.range = { most: 1, low: NaN, high: NaN };
    this.session = "";
    /** What is shown of the session. */
    this.fromMs = NaN;
    this.untilMs = NaN;
    /** Where the pointer or the keys are. */
    this.targetMs = NaN;
    this.dragging = false;
    this.loadedMs = -Infinity;
    this.listen();
  }

  /** Get the overview of the session that is watched, once; of one that grows, again and again. */
  async load() {
    const { sessionName } = this.player;
    const now = performance.now();
    const grown = this.page.feed.live && now - this.loadedMs > GROWS_MS;
    if (sessionName === this.session && !grown) return;
    if (sessionName !== this.session) this.data = null;
    this.session = sessionName;
    this.loadedMs = now;
    const data = await fetchOverview(this.base, this.page.feed.config).catch(() => null);
    if (!data || sessionName !== this.session) return;
    const [first, end] = binsShown(data);
    this.data = data;
    const prices = [...data.high, ...data.low].filter((price) => price !== null);
    this.range = { most: Math.max(...data.volume, 1), low: Math.min(...prices), high: Math.max(...prices) };
    this.fromMs = data.startMs + first * data.binMs;
    this.untilMs = Math.min(data.startMs + end * data.binMs, data.endMs);
    this.canvas.setAttribute("aria-valuemin", String(Math.round(this.fromMs)));
    this.canvas.setAttribute("aria-valuemax", String(Math.round(this.untilMs)));
    this.paint();
  }

  /** @param {number} timeMs @returns {number} CSS px */
  x(timeMs) { return ((timeMs - this.fromMs) / (this.untilMs - this.fromMs)) * this.canvas.clientWidth; }
  /** @param {PointerEvent} event @returns {number} ms UTC */
  timeAt(event) {
    const { left, width } = this.canvas.getBoundingClientRect();
    return this.clamp(this.fromMs + ((event.clientX - left) / width) * (this.untilMs - this.fromMs));
  }
  /** @param {number} timeMs */
  clamp(timeMs) { return Math.min(Math.max(timeMs, this.fromMs), this.untilMs - 1000); }

  listen() {
    const { canvas: surface, player } = this;
    surface.addEventListener("pointerdown", (event) => {
      if (event.button !== 0 || !this.data) return;
      surface.setPointerCapture(event.pointerId);
      this.dragging = true;
      this.aim(this.timeAt(event));
    });
    surface.addEventListener("pointermove", (event) => { if (this.data) this.aim(this.timeAt(event)); });
    surface.addEventListener("pointerup", () => {
      if (this.dragging) player.seek(this.targetMs);
      this.dragging = false;
    });
    for (const left of ["pointerleave", "pointercancel", "blur"]) surface.addEventListener(left, () => { this.dragging = false; this.aim(NaN); });
    surface.addEventListener("keydown", (event) => {
      if (!this.data) return;
      const at = Number.isNaN(this.targetMs) ? player.shownMs : this.targetMs;
      const { binMs } = this.data;
      const to = /** @type {Record<string, number>} */ ({
        ArrowLeft: at - binMs, ArrowRight: at + binMs, PageDown: at - 15 * binMs, PageUp: at + 15 * binMs, Home: this.fromMs, End: this.untilMs,
      })[event.key];
      if (event.key === "Enter" && !Number.isNaN(this.targetMs)) player.seek(this.targetMs);
      else if (to === undefined) return;
      else {
        this.aim(this.clamp(to));
        say(this.words(this.targetMs));
      }
      event.preventDefault();
      event.stopPropagation();
    });
  }

  /** @param {number} timeMs or NaN: nowhere */
  aim(timeMs) {
    this.targetMs = timeMs;
    this.paint();
  }

  /** A moment in words. @param {number} timeMs */
  words(timeMs) {
    const { data } = this;
    if (!data) return clockText(timeMs);
    const bin = Math.floor((timeMs - data.startMs) / data.binMs);
    const price = data.last[bin] ?? null;
    const { decimals, quantity } = this.page.feed;
    return `${clockText(timeMs)}, ${price === null ? "no trade" : `last ${priceText(price, decimals)}, ${amountText(data.volume[bin])} ${quantity}`}`;
  }

  paint() {
    const { canvas: surface, data, page: { viewport, feed, settings }, player } = this;
    const ratio = window.devicePixelRatio || 1;
    const [width, height] = [surface.clientWidth, surface.clientHeight];
    Object.assign(surface, { width: Math.round(width * ratio), height: Math.round(height * ratio) });
    if (!data || width === 0) return;
    const context = contextOf(surface);
    const theme = themeOf(settings.theme, settings.palette);
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    const { most, low, high } = this.range;
    const y = (/** @type {number} */ price) => 2 + ((high - price) / (high - low || 1)) * (height - 4);
    const thick = Math.max(1, this.x(this.fromMs + data.binMs));
    data.volume.forEach((volume, bin) => {
      const x = this.x(data.startMs + bin * data.binMs);
      const tall = Math.sqrt(volume / most) * height * 0.6;
      context.fillStyle = theme.chop;
      context.fillRect(x, height - tall, thick, tall);
    });
    context.fillStyle = theme.last;
    data.high.forEach((top, bin) => {
      const bottom = data.low[bin];
      if (top === null || bottom === null) return;
      context.fillRect(this.x(data.startMs + bin * data.binMs), y(top), thick, Math.max(1, y(bottom) - y(top)));
    });
    const line = (/** @type {number} */ timeMs, /** @type {string} */ colour, wide = 1) => {
      context.fillStyle = colour;
      context.fillRect(Math.round(this.x(timeMs)) - wide / 2, 0, wide, height);
    };
    const { loop } = player;
    if (loop) {
      context.fillStyle = theme.session;
      const end = Number.isFinite(loop.untilMs) ? loop.untilMs : player.shownMs;
      context.fillRect(this.x(loop.fromMs), 0, Math.max(2, this.x(end) - this.x(loop.fromMs)), 3);
    }
    for (const { timeMs } of bookmarks.ofSession(this.session)) {
      const x = this.x(timeMs);
      context.fillStyle = theme.session;
      context.beginPath();
      context.moveTo(x - 4, 0);
      context.lineTo(x + 4, 0);
      context.lineTo(x, 8);
      context.fill();
    }
    if (!Number.isNaN(viewport.endMs)) {
      context.strokeStyle = theme.text;
      const left = this.x(viewport.startMs);
      context.strokeRect(left + 0.5, 0.5, Math.max(2, this.x(viewport.endMs) - left), height - 1);
    }
    if (!Number.isNaN(feed.nowMs)) line(feed.nowMs, theme.up, 2);
    const shown = Number.isNaN(this.targetMs) ? player.shownMs : this.targetMs;
    if (!Number.isNaN(shown)) {
      surface.setAttribute("aria-valuenow", String(Math.round(shown)));
      surface.setAttribute("aria-valuetext", this.words(shown));
    }
    if (Number.isNaN(this.targetMs)) return;
    line(this.targetMs, theme.text);
    context.font = FONT;
    context.textBaseline = "middle";
    const words = this.words(this.targetMs);
    const wide = context.measureText(words).width + 8;
    const x = held(this.x(this.targetMs) + 6, wide, width);
    context.fillStyle = theme.ground;
    context.fillRect(x, height / 2 - 9, wide, 18);
    context.fillStyle = theme.text;
    context.fillText(words, x + 4, height / 2);
  }
}
