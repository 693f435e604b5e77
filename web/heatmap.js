/** The map: columns reduced to bins, values to levels between the cut-offs, levels to colours, and a painter for them. */

import { colourTable, depthTable, LevelTable, Scale } from "./colour.js";
import { createMap } from "./map-canvas2d.js";
import { binWidth, sample, TimeBins } from "./time-bins.js";

/**
 * @typedef {import("./ring.js").Ring} Ring @typedef {import("./viewport.js").Viewport} Viewport
 * @typedef {import("./scene.js").Size} Size @typedef {import("./settings.js").Settings} Settings
 * @typedef {import("./balance.js").Smoothed} Smoothed
 * @typedef {import("./modes.js").Mode} Mode @typedef {import("./map-canvas2d.js").MapFrame} MapFrame
 */

/** Of the depths on screen, those that the lower cut-off hides. */
const HIDDEN_DEPTHS = 0.4;

export class Heatmap {
  /** @param {HTMLCanvasElement} canvas @param {boolean} flat without WebGL @param {() => void} restored */
  constructor(canvas, flat, restored) {
    this.painter = createMap(canvas, flat, restored);
    canvas.hidden = true; // an opaque canvas is black until it is painted
    this.bins = new TimeBins();
    this.scale = new Scale();
    this.levels = new LevelTable();
    this.coloursKey = "";
    this.colours = colourTable("blue", "dark");
    /** @type {MapFrame | null} what was painted last */
    this.frame = null;
  }

  /** @param {Ring} ring @param {Viewport} viewport @param {Settings} settings @param {Mode} mode @param {Size} size @param {number} nowMs the session's time @param {Smoothed} smoothing */
  paint(ring, viewport, settings, mode, size, nowMs, smoothing) {
    const width = Math.floor(size.width * size.ratio);
    const height = Math.floor(size.height * size.ratio);
    const binMs = binWidth(viewport.spanMs, width);
    const { bins, scale, painter } = this;
    const depth = mode.kind === "depth";
    const anew = bins.hold(ring, mode, binMs, viewport, nowMs, smoothing);
    const lastBin = Math.min(Math.floor(viewport.endMs / binMs), bins.newest);
    const now = performance.now();
    if (anew || scale.due(now)) scale.judge(sample(bins, Math.floor(viewport.startMs / binMs), lastBin), now, depth ? HIDDEN_DEPTHS : 0, mode.cutoffs);
    const levelsChanged = this.levels.set(scale.lower, scale.upper, scale.transfer, depth);
    const key = `${settings.palette}|${settings.theme}|${depth && settings.ramp}`;
    const coloursChanged = key !== this.coloursKey;
    if (coloursChanged) {
      this.coloursKey = key;
      this.colours = depth ? depthTable(settings.ramp, settings.palette, settings.theme) : colourTable(settings.palette, settings.theme);
    }
    this.frame = {
      bins, width, height, lastBin, startBin: viewport.startMs / binMs, binsPerPixel: viewport.spanMs / binMs / width,
      topRow: viewport.top - bins.base + 0.5, rowsPerPixel: viewport.rows / height,
      signed: ["net", "signed", "balance"].includes(mode.kind), coded: depth,
      levels: this.levels.levels, levelsChanged, colours: this.colours, coloursChanged,
    };
    painter.paint(this.frame);
    painter.canvas.hidden = false;
  }

  /** Upload everything at the next painting, if there is a GPU to upload to: it may have forgotten. */
  refresh() { if ("full" in this.painter) this.painter.full = true; }

  /** The canvas, painted just now so that it can be copied. @returns {HTMLCanvasElement} */
  snapshot() { return this.frame ? this.painter.snapshot(this.frame) : this.painter.canvas; }
}
