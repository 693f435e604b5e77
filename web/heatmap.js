/** The map: columns reduced to bins, values to levels between the cut-offs, levels to colours, and a painter for them. */

import { colourTable, LevelTable, Scale } from "./colour.js";
import { createMap } from "./map-canvas2d.js";
import { binWidth, sample, TimeBins } from "./time-bins.js";

/**
 * @typedef {import("./ring.js").Ring} Ring @typedef {import("./viewport.js").Viewport} Viewport
 * @typedef {import("./scene.js").Size} Size @typedef {import("./settings.js").Settings} Settings
 * @typedef {import("./modes.js").Mode} Mode @typedef {import("./map-canvas2d.js").MapFrame} MapFrame
 */

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

  /** @param {Ring} ring @param {Viewport} viewport @param {Settings} settings @param {Mode} mode @param {Size} size @param {number} nowMs the session's time */
  paint(ring, viewport, settings, mode, size, nowMs) {
    const width = Math.floor(size.width * size.ratio);
    const height = Math.floor(size.height * size.ratio);
    const binMs = binWidth(viewport.spanMs, width);
    const { bins, scale, painter } = this;
    const anew = bins.hold(ring, mode, binMs, viewport, nowMs);
    const lastBin = Math.min(Math.floor(viewport.endMs / binMs), bins.newest);
    const now = performance.now();
    if (anew || scale.due(now)) scale.judge(sample(bins, Math.floor(viewport.startMs / binMs), lastBin), now);
    const levelsChanged = this.levels.set(scale.lower, scale.upper, scale.transfer);
    const key = `${settings.palette}|${settings.theme}`;
    const coloursChanged = key !== this.coloursKey;
    if (coloursChanged) {
      this.coloursKey = key;
      this.colours = colourTable(settings.palette, settings.theme);
    }
    this.frame = {
      bins, width, height, lastBin, startBin: viewport.startMs / binMs, binsPerPixel: viewport.spanMs / binMs / width,
      topRow: viewport.top - bins.base + 0.5, rowsPerPixel: viewport.rows / height,
      signed: mode.kind === "net" || mode.kind === "signed",
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
