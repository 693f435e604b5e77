/** The chart: the map, what is over, beside and under it, and the legend that tells of the same picture. */

import { memoryMs, smoothingOf } from "./balance.js";
import { ofSession } from "./bookmarks.js";
import { themeOf } from "./colour.js";
import { canvas, element, input, write } from "./dom.js";
import { Heatmap } from "./heatmap.js";
import { paintLayers } from "./layers.js";
import { Legend } from "./legend.js";
import { modeOf } from "./modes.js";
import { hatchingKey, stretches } from "./quality.js";
import { contextOf, FONT, LADDER_PX, PRICE_AXIS_PX, STRIP_PX, TIME_AXIS_PX } from "./scene.js";

/**
 * @typedef {import("./ring.js").Ring} Ring @typedef {import("./viewport.js").Viewport} Viewport
 * @typedef {import("./scene.js").Size} Size @typedef {import("./scene.js").Scene} Scene
 * @typedef {import("./settings.js").Settings} Settings @typedef {import("./feed.js").Feed} Feed
 */

/** Where the map's cut-offs are none of forces, a bar of the ladder is judged by what counts as little in the balance. */
const FLOORS_OF_A_BAR = 20;

export class Chart {
  /** @param {boolean} flat without WebGL @param {Viewport} viewport @param {Settings} settings @param {() => void} changed */
  constructor(flat, viewport, settings, changed) {
    this.viewport = viewport;
    this.settings = settings;
    this.box = element("chart");
    this.heatmap = new Heatmap(canvas("map"), flat, changed);
    /** CSS px to a chart px: what is drawn is as large as the page's text. */
    this.unit = 1;
    this.overlay = canvas("overlay");
    this.cursor = canvas("cursor");
    this.legend = new Legend({
      canvas: canvas("legend"), lower: element("lower"), upper: element("upper"),
      typedLower: input("lower-typed"), typedUpper: input("upper-typed"), text: element("legend-text"),
    }, this.heatmap.scale, changed);
    /** @type {Scene | null} what was painted last */
    this.scene = null;
  }

  /** @returns {Size} */
  size() {
    const { unit } = this;
    const [width, height] = [this.box.clientWidth / unit, this.box.clientHeight / unit];
    const side = PRICE_AXIS_PX + (width >= 820 ? LADDER_PX : 0);
    const strip = this.settings.layers.strip ? STRIP_PX : 0;
    return {
      width: Math.max(1, width - side), height: Math.max(1, height - TIME_AXIS_PX - strip), side, strip,
      unit, ratio: unit * (window.devicePixelRatio || 1),
    };
  }

  /** Let the canvases be as large as the chart, in pixels of the screen; one that is set is empty. */
  fit() {
    const { clientWidth, clientHeight } = this.box;
    this.unit = parseFloat(getComputedStyle(document.documentElement).fontSize) / 16;
    const ratio = window.devicePixelRatio || 1;
    const width = Math.max(1, Math.round(clientWidth * ratio));
    const height = Math.max(1, Math.round(clientHeight * ratio));
    for (const each of [this.heatmap.painter.canvas, this.overlay, this.cursor]) {
      if (each.width !== width || each.height !== height) Object.assign(each, { width, height });
    }
  }

  /** Where a point of the chart lies in the picture. @param {{x: number, y: number}} at chart px @returns {import("./readout.js").Spot} */
  spotAt({ x, y }) {
    if (!this.scene) return { timeMs: NaN, bucket: NaN };
    const { viewport, size } = this.scene;
    return {
      timeMs: viewport.startMs + (x / size.width) * viewport.spanMs,
      bucket: Math.floor(viewport.top - (y / size.height) * viewport.rows + 0.5),
    };
  }

  /** @param {Ring} ring @param {Feed} feed */
  paint(ring, feed) {
    const { viewport, settings, heatmap } = this;
    const { nowMs, emitFromMs, lowestBucket: lowest } = feed;
    this.fit();
    const size = this.size();
    const theme = themeOf(settings.theme, settings.palette);
    const mode = modeOf(settings.mode);
    const smoothing = smoothingOf(settings.smoothing, feed.quantity, Number(feed.config.parameters?.tau_velocity_seconds));
    heatmap.paint(ring, viewport, settings, mode, size, nowMs, smoothing);
    const first = Math.max(ring.columnAt(viewport.startMs) - 1, ring.first);
    const last = ring.columnAt(viewport.endMs + 1e-3);
    /** @type {Scene} */
    const scene = {
      ring, viewport, bins: heatmap.bins, size, theme, decimals: feed.decimals, layers: settings.layers, first, last,
      stretches: stretches(heatmap.bins, ring, viewport.startMs, viewport.endMs), bookmarks: ofSession(feed.sessionName), nowMs, emitFromMs, lowest,
      column: Math.min(Math.max(last - 1, ring.first), ring.end - 1), exact: feed.exact(),
      thresholds: { begin: feed.config.parameters.enter_score, end: feed.config.parameters.leave_score },
      field: ring.fields.includes(mode.name) ? mode.name : "rest_depth",
      upper: mode.kind === "pair" || mode.kind === "net" ? heatmap.scale.upper : FLOORS_OF_A_BAR * smoothing.floor,
      priceLines: { top: new Float32Array(Math.ceil(size.width)).fill(NaN), bottom: new Float32Array(Math.ceil(size.width)).fill(NaN) },
      x: (timeMs) => ((timeMs - viewport.startMs) / viewport.spanMs) * size.width,
      y: (bucket) => ((viewport.top - bucket) / viewport.rows) * size.height,
    };
    this.scene = scene;
    const context = contextOf(this.overlay);
    context.setTransform(size.ratio, 0, 0, size.ratio, 0, 0);
    context.clearRect(0, 0, this.overlay.width, this.overlay.height);
    context.font = FONT;
    paintLayers(context, scene);
    const key = settings.layers.quality ? hatchingKey(scene.stretches) : "";
    element("hatched").hidden = key === "";
    write("hatched", key);
    this.box.style.setProperty("--below", `${(TIME_AXIS_PX + size.strip) * size.unit}px`);
    const leastSeconds = memoryMs({ ...smoothing, seconds: 0 }, heatmap.bins.binMs) / 1000;
    this.legend.paint({ colours: heatmap.colours, theme, mode, settings, smoothing, leastSeconds, quantity: feed.quantity });
  }

  /** The canvases for a screenshot from the lowest up, the map painted just now. @returns {HTMLCanvasElement[]} */
  canvases() { return [this.heatmap.snapshot(), this.overlay, this.cursor]; }
}
