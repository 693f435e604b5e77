/** Everything painted, in layers: the map, what is over and beside it, the cursor; each only when it is due. */

import { STATE_BAND_PX } from "./axes.js";
import { colourTable, GROUND, LEVELS, PlaceTable, Scale } from "./colour.js";
import { createMap } from "./flatmap.js";
import { PRICE_AXIS_PX, paintCourse, paintSide } from "./ladder.js";
import { Legend } from "./legend.js";
import { contextOf, Overlay, TIME_AXIS_PX } from "./overlay.js";
import { element } from "./panel.js";
import { Bins, binWidth, sample } from "./reduce.js";
import { THEMES } from "./theme.js";
import { unitOf } from "./format.js";

/**
 * @typedef {import("./ring.js").Ring} Ring @typedef {import("./view.js").View} View
 * @typedef {import("./overlay.js").Size} Size @typedef {import("./overlay.js").Scene} Scene
 * @typedef {import("./settings.js").Settings} Settings @typedef {import("./reduce.js").Mode} Mode
 * @typedef {import("./flatmap.js").Frame} Frame
 */

const LADDER_PX = 200;

/** @param {string} name @returns {Mode} */
export function modeOf(name) {
  if (name === "pair") return { kind: "pair", a: "pressure", b: "vacuum" };
  if (name === "net") return { kind: "net", a: "pressure", b: "vacuum" };
  const signed = /^[aj]_|^v_rest/.test(name);
  return { kind: signed ? "signed" : "one", a: name, b: name };
}

export class Picture {
  /** @param {boolean} flat without WebGL @param {() => void} changed */
  constructor(flat, changed) {
    this.chart = element("chart");
    this.map = createMap(/** @type {HTMLCanvasElement} */ (element("map")), flat, changed);
    this.map.canvas.hidden = true; // an opaque canvas is black until it is painted
    this.overlay = new Overlay(/** @type {HTMLCanvasElement} */ (element("overlay")));
    this.cursor = /** @type {HTMLCanvasElement} */ (element("cursor"));
    this.bins = new Bins();
    this.scale = new Scale();
    this.places = new PlaceTable();
    this.tableKey = "";
    this.table = colourTable("blue", "dark");
    this.legend = new Legend({
      canvas: /** @type {HTMLCanvasElement} */ (element("legend")), lower: element("lower"), upper: element("upper"),
      text: element("legend-text"),
    }, this.scale, changed);
    /** @type {Scene | null} */
    this.scene = null;
    /** @type {Frame | null} */
    this.frame = null;
  }

  /** @returns {Size} */
  size() {
    const { clientWidth: width, clientHeight: height } = this.chart;
    const side = PRICE_AXIS_PX + (width >= 820 ? LADDER_PX : 0);
    return {
      width: Math.max(1, width - side), height: Math.max(1, height - TIME_AXIS_PX - STATE_BAND_PX), side,
      ratio: window.devicePixelRatio || 1,
    };
  }

  /** Let the canvases be as large as the chart. */
  fit() {
    const { clientWidth, clientHeight } = this.chart;
    const ratio = window.devicePixelRatio || 1;
    for (const canvas of [this.map.canvas, this.overlay.canvas, this.cursor]) {
      canvas.width = Math.max(1, Math.round(clientWidth * ratio));
      canvas.height = Math.max(1, Math.round(clientHeight * ratio));
    }
  }

  /** @param {number} x CSS px @returns {number} */
  timeAt(x) { return this.scene ? this.scene.view.startMs + (x / this.scene.size.width) * this.scene.view.spanMs : NaN; }
  /** @param {number} y CSS px @returns {number} bucket */
  bucketAt(y) {
    return this.scene ? Math.floor(this.scene.view.top - (y / this.scene.size.height) * this.scene.view.rows + 0.5) : NaN;
  }

  /**
   * @param {Ring} ring @param {View} view @param {Settings} settings @param {number} decimals
   * @param {Record<string, Float32Array> | null} exact grids of the newest column @param {string} thing contracts or shares
   */
  paint(ring, view, settings, decimals, exact, thing) {
    const size = this.size();
    const theme = THEMES[settings.theme];
    const mode = modeOf(settings.mode);
    const width = Math.floor(size.width * size.ratio);
    const height = Math.floor(size.height * size.ratio);
    const binMs = binWidth(view.spanMs, width);
    const { bins, scale } = this;
    const anew = bins.hold(ring, mode, binMs, view);
    const lastBin = Math.min(Math.floor(view.endMs / binMs), bins.newest);
    const now = performance.now();
    const firstBin = Math.floor(view.startMs / binMs);
    if (anew || scale.due(now)) scale.judge(sample(bins, firstBin, lastBin), now);
    const placesChanged = this.places.set(scale.lower, scale.upper, scale.transfer);
    const key = `${settings.palette}|${settings.theme}`;
    const coloursChanged = key !== this.tableKey;
    if (coloursChanged) {
      this.tableKey = key;
      this.table = colourTable(settings.palette, settings.theme);
    }
    this.frame = {
      bins, width, height, lastBin, startBin: view.startMs / binMs, binsPerPixel: view.spanMs / binMs / width,
      topRow: view.top - bins.base + 0.5, rowsPerPixel: view.rows / height, signed: mode.kind === "net" || mode.kind === "signed",
      places: this.places.steps, placesChanged, colours: this.table, coloursChanged,
    };
    this.map.paint(this.frame);
    this.map.canvas.hidden = false;
    /** @type {Scene} */
    const scene = {
      ring, view, bins, size, theme, decimals, layers: settings.layers,
      first: Math.max(ring.columnAt(view.startMs) - 1, ring.first), last: ring.columnAt(view.endMs + 1e-3),
      x: (timeMs) => ((timeMs - view.startMs) / view.spanMs) * size.width,
      y: (bucket) => ((view.top - bucket) / view.rows) * size.height,
    };
    this.scene = scene;
    this.overlay.clear(size);
    this.overlay.paint(scene);
    paintSide(this.overlay.context, scene, this.column(), exact, ["pair", "net"].includes(mode.kind) ? scale.upper : 0);
    paintCourse(/** @type {HTMLCanvasElement} */ (element("course")), scene);
    const names = { pair: "pressure and vacuum", net: "net force (pressure − vacuum)" }[settings.mode] ?? settings.mode.replaceAll("_", " ");

    this.legend.paint(this.table, LEVELS, theme, mode.kind !== "one", names, unitOf(mode.a, thing),
      "where cells share a pixel, the largest magnitude with its sign");
  }

  /** The column that the numbers beside the map tell of: the newest one on screen. */
  column() {
    const { scene } = this;
    return scene ? Math.min(Math.max(scene.last - 1, scene.ring.first), scene.ring.end - 1) : 0;
  }

  /**
   * The crosshair, and the rectangle being drawn or measured.
   * @param {{x: number, y: number} | null} at @param {[{x: number, y: number}, {x: number, y: number}] | null} rectangle
   * @param {string} text what the rectangle says
   */
  paintCursor(at, rectangle, text) {
    const context = contextOf(this.cursor);
    const { size, theme } = this.scene ?? { size: this.size(), theme: THEMES.dark };
    context.setTransform(size.ratio, 0, 0, size.ratio, 0, 0);
    context.clearRect(0, 0, this.cursor.width, this.cursor.height);
    if (at && at.x < size.width && at.y < size.height) {
      context.fillStyle = theme.cross;
      context.fillRect(Math.round(at.x), 0, 1, size.height);
      context.fillRect(0, Math.round(at.y), size.width + PRICE_AXIS_PX, 1);
    }
    if (!rectangle) return;
    const [a, b] = rectangle;
    const [left, top] = [Math.min(a.x, b.x), Math.min(a.y, b.y)];
    context.strokeStyle = theme.text;
    context.setLineDash([4, 3]);
    context.strokeRect(left + 0.5, top + 0.5, Math.abs(b.x - a.x), Math.abs(b.y - a.y));
    context.setLineDash([]);
    if (!text) return;
    context.font = "12px system-ui, sans-serif";
    const lines = text.split("\n");
    const width = Math.max(...lines.map((line) => context.measureText(line).width)) + 16;
    const x = Math.max(0, Math.min(left, size.width - width));
    const y = Math.max(0, Math.min(Math.max(a.y, b.y) + 6, size.height - lines.length * 17 - 10));
    context.fillStyle = theme.ground;
    context.fillRect(x, y, width, lines.length * 17 + 8);
    context.strokeRect(x + 0.5, y + 0.5, width, lines.length * 17 + 8);
    context.fillStyle = theme.text;
    context.textBaseline = "top";
    lines.forEach((line, i) => context.fillText(line, x + 8, y + 5 + i * 17));
  }

  /** The layers for a screenshot, the map painted just now. @returns {HTMLCanvasElement[]} */
  layers() {
    const map = this.frame ? this.map.snapshot(this.frame) : this.map.canvas;
    return [map, this.overlay.canvas, this.cursor];
  }

  /** @param {"dark" | "light"} theme @returns {string} */
  ground(theme) { return `rgb(${GROUND[theme].join(" ")})`; }
}
