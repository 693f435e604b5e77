/**
 * The heatmap: columns of the ring reduced to the canvas's pixels. Each column lies at its own absolute prices, so a
 * moving spot smears nothing. Where several columns share a pixel, the largest value stands.
 */

import { cellColour, Scale } from "./colour.js";

/** @typedef {import("./ring.js").Ring} Ring @typedef {import("./view.js").View} View */

const HOLD_MS = 60_000;
const INVALID_DIM = 0x60ffffff;

export class HeatMap {
  /** @param {HTMLCanvasElement} canvas */
  constructor(canvas) {
    this.canvas = canvas;
    const context = canvas.getContext("2d", { alpha: false });
    if (!context) throw new Error("this browser has no canvas");
    this.context = context;
    this.scale = new Scale();
    this.buffer = document.createElement("canvas");
    this.pressure = new Float32Array(0);
    this.vacuum = new Float32Array(0);
  }

  /**
   * @param {Ring} ring @param {View} view @param {number} width plot width in device pixels
   * @param {number} height plot height in device pixels
   */
  paint(ring, view, width, height) {
    const context = this.context;
    context.fillStyle = "#0b0e14";
    context.fillRect(0, 0, this.canvas.width, this.canvas.height);
    const rows = Math.ceil(view.rows) + 1;
    const topRow = Math.floor(view.top + 0.5);
    if (!(width > 0 && height > 0) || Number.isNaN(topRow) || ring.count === 0) return;
    const bad = this.reduce(ring, view, width, rows, topRow);
    const upper = this.scale.judge(this.pressure.length ? this.both() : this.pressure, performance.now());
    this.colour(width, rows, upper, bad);
    const rowHeight = height / view.rows;
    const offset = (topRow + 0.5 - view.top) * rowHeight;
    context.save();
    context.beginPath();
    context.rect(0, 0, width, height);
    context.clip();
    context.imageSmoothingEnabled = false;
    context.drawImage(this.buffer, 0, 0, width, rows, 0, -offset, width, rows * rowHeight);
    context.restore();
  }

  /** @returns {Float32Array} the larger force of each cell, for the scale */
  both() {
    const values = new Float32Array(this.pressure.length);
    for (let i = 0; i < values.length; i += 1) values[i] = Math.max(this.pressure[i], this.vacuum[i]);
    return values;
  }

  /**
   * Fill pressure and vacuum, [rows][width], by the largest value of each pixel.
   * @param {Ring} ring @param {View} view @param {number} width @param {number} rows @param {number} topRow
   * @returns {Uint8Array} 1 for the pixel columns in which the book was not valid
   */
  reduce(ring, view, width, rows, topRow) {
    const size = width * rows;
    if (this.pressure.length !== size) {
      this.pressure = new Float32Array(size);
      this.vacuum = new Float32Array(size);
    } else {
      this.pressure.fill(0);
      this.vacuum.fill(0);
    }
    const bad = new Uint8Array(width);
    const perMs = width / view.spanMs;
    const start = view.startMs;
    let column = Math.max(ring.columnAt(start) - 1, ring.first);
    for (; column < ring.count; column += 1) {
      const at = ring.slot(column);
      const time = ring.timeMs[at];
      if (time > view.endMs) break;
      const next = column + 1 < ring.count ? ring.timeMs[ring.slot(column + 1)] : view.endMs;
      const from = Math.max(0, Math.floor((time - start) * perMs));
      const until = Math.min(width, Math.max(from + 1, Math.floor((Math.min(next, time + HOLD_MS) - start) * perMs)));
      if (until <= 0) continue;
      if (!ring.valid[at]) bad.fill(1, from, until);
      const bottomOfGrid = ring.spot[at] - ring.half;
      if (Number.isNaN(bottomOfGrid)) continue;
      const cells = at * ring.rows;
      for (let i = 0; i < ring.rows; i += 1) {
        const row = topRow - (bottomOfGrid + i);
        if (row < 0 || row >= rows) continue;
        const p = ring.pressure[cells + i];
        const v = ring.vacuum[cells + i];
        if (p < 1e-4 && v < 1e-4) continue;
        for (let x = from, to = row * width + from; x < until; x += 1, to += 1) {
          if (p > this.pressure[to]) this.pressure[to] = p;
          if (v > this.vacuum[to]) this.vacuum[to] = v;
        }
      }
    }
    return bad;
  }

  /** @param {number} width @param {number} rows @param {number} upper @param {Uint8Array} bad */
  colour(width, rows, upper, bad) {
    if (this.buffer.width !== width || this.buffer.height !== rows) {
      this.buffer.width = width;
      this.buffer.height = rows;
    }
    const context = this.buffer.getContext("2d");
    if (!context) return;
    const image = context.createImageData(width, rows);
    const words = new Uint32Array(image.data.buffer);
    for (let i = 0; i < words.length; i += 1) {
      const word = cellColour(this.pressure[i], this.vacuum[i], upper);
      words[i] = bad[i % width] ? (word & INVALID_DIM) | 0xff000000 : word;
    }
    context.putImageData(image, 0, 0);
  }
}
