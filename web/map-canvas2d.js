/** The map on a 2D canvas, without WebGL2: the same bins, reduced and coloured by the same rules. */

import { LEVELS } from "./colour.js";
import { WebglMap } from "./map-webgl.js";
import { BINS, ROWS } from "./time-bins.js";

/** @typedef {import("./time-bins.js").TimeBins} TimeBins */
/**
 * @typedef {object} MapFrame what to paint
 * @property {TimeBins} bins
 * @property {number} width @property {number} height of the plot, device pixels
 * @property {number} startBin bin at the left edge, with its fraction @property {number} binsPerPixel
 * @property {number} lastBin the newest one to show
 * @property {number} topRow row at the upper edge, counted from the bins' base, with its fraction
 * @property {number} rowsPerPixel
 * @property {boolean} signed @property {boolean} coded whether the second channel is a level as it stands
 * @property {Uint8Array} levels by the bits of a magnitude @property {boolean} levelsChanged
 * @property {Uint8Array} colours @property {boolean} coloursChanged
 */

/** @param {HTMLCanvasElement} canvas @param {boolean} flat whether to do without WebGL @param {() => void} restored */
export function createMap(canvas, flat, restored) {
  const gl = flat ? null : canvas.getContext("webgl2", {
    alpha: false, antialias: false, depth: false, stencil: false, powerPreference: "low-power",
  });
  return gl ? new WebglMap(canvas, gl, restored) : new Canvas2dMap(canvas, flat ? "as the address asks" : "this browser has no WebGL2");
}

export class Canvas2dMap {
  /** @param {HTMLCanvasElement} canvas @param {string} why and not by WebGL */
  constructor(canvas, why) {
    this.canvas = canvas;
    const context = canvas.getContext("2d", { alpha: false });
    if (!context) throw new Error("this browser has no canvas");
    this.context = context;
    this.lost = false;
    this.name = `canvas 2D: ${why}`;
  }

  /** @param {MapFrame} frame */
  paint(frame) {
    const { canvas, context } = this;
    const [r, g, b] = frame.colours;
    context.fillStyle = `rgb(${r} ${g} ${b})`;
    context.fillRect(0, 0, canvas.width, canvas.height);
    frame.bins.clean();
    if (frame.width < 1 || frame.height < 1) return;
    const image = context.createImageData(frame.width, frame.height);
    colourPixels(frame, new Uint32Array(image.data.buffer));
    context.putImageData(image, 0, 0);
  }

  /** @param {MapFrame} frame */
  snapshot(frame) {
    this.paint(frame);
    return this.canvas;
  }
}

/**
 * The plot's pixels, row by row; where several bins or rows share a pixel, the largest magnitude stands.
 * @param {MapFrame} frame @param {Uint32Array} pixels
 */
function colourPixels(frame, pixels) {
  const { bins, width, height, levels } = frame;
  const { cells } = bins;
  const words = new Uint32Array(frame.colours.buffer);
  const most = new Uint16Array(ROWS * 2);
  for (let x = 0; x < width; x += 1) {
    let from = Math.floor(frame.startBin + x * frame.binsPerPixel);
    let until = Math.max(from, Math.ceil(frame.startBin + (x + 1) * frame.binsPerPixel) - 1);
    if (frame.binsPerPixel <= 1) from = until = Math.floor(frame.startBin + (x + 0.5) * frame.binsPerPixel);
    most.fill(0);
    for (let bin = Math.max(from, bins.first); bin <= Math.min(until, frame.lastBin, bins.first + BINS - 1); bin += 1) {
      const source = bins.slot(bin) * ROWS * 2;
      for (let i = 0; i < ROWS * 2; i += 1) if (cells[source + i] > most[i]) most[i] = cells[source + i];
    }
    for (let y = 0; y < height; y += 1) {
      let high = Math.floor(frame.topRow - y * frame.rowsPerPixel);
      let low = Math.min(high, Math.ceil(frame.topRow - (y + 1) * frame.rowsPerPixel));
      if (frame.rowsPerPixel <= 1) high = low = Math.floor(frame.topRow - (y + 0.5) * frame.rowsPerPixel);
      let a = 0;
      let b = 0;
      for (let row = Math.max(low, 0); row <= Math.min(high, ROWS - 1); row += 1) {
        a = Math.max(a, most[2 * row]);
        b = Math.max(b, most[2 * row + 1]);
      }
      if (frame.signed) { if (a >= b) b = 0; else a = 0; }
      pixels[y * width + x] = words[levels[a] * LEVELS + (frame.coded ? b : levels[b])];
    }
  }
}
