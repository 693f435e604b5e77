/**
 * The map in WebGL2: one texture of bins, a ring over time; the work is per pixel of the screen, not per cell. The
 * typed arrays stay the truth: after a lost context all is uploaded again.
 */

import { LEVELS } from "./colour.js";
import { BINS, ROWS } from "./time-bins.js";

/** @typedef {import("./time-bins.js").TimeBins} TimeBins @typedef {import("./map-canvas2d.js").MapFrame} MapFrame */

const VERTEX = `#version 300 es
void main() {
  vec2 corner = vec2((gl_VertexID << 1) & 2, gl_VertexID & 2);
  gl_Position = vec4(corner * 2.0 - 1.0, 0.0, 1.0);
}`;

// Where several bins or rows share a pixel, the largest magnitude stands.
const FRAGMENT = `#version 300 es
precision highp float;
precision highp int;
precision highp usampler2D;
precision highp sampler2D;
uniform usampler2D cells;
uniform usampler2D levels;
uniform sampler2D colours;
uniform vec2 plot;
uniform float canvasHeight, startBin, binsPerPixel, topRow, rowsPerPixel;
uniform int slot, firstBin, lastBin;
uniform bool isSigned, isCoded;
uniform vec3 ground;
out vec4 colour;
int step_of(uint bits) { return int(texelFetch(levels, ivec2(int(bits & 255u), int(bits >> 8u)), 0).r); }
void main() {
  float x = gl_FragCoord.x - 0.5;
  float y = canvasHeight - gl_FragCoord.y - 0.5;
  colour = vec4(ground, 1.0);
  if (x >= plot.x || y >= plot.y) return;
  int from = int(floor(startBin + x * binsPerPixel));
  int until = max(from, int(ceil(startBin + (x + 1.0) * binsPerPixel)) - 1);
  int high = int(floor(topRow - y * rowsPerPixel));
  int low = min(high, int(ceil(topRow - (y + 1.0) * rowsPerPixel)));
  if (rowsPerPixel <= 1.0) { high = int(floor(topRow - (y + 0.5) * rowsPerPixel)); low = high; }
  if (binsPerPixel <= 1.0) { from = int(floor(startBin + (x + 0.5) * binsPerPixel)); until = from; }
  uvec2 most = uvec2(0u);
  for (int bin = max(from, firstBin); bin <= min(until, lastBin); bin += 1) {
    for (int row = max(low, 0); row <= min(high, ${ROWS - 1}); row += 1) {
      most = max(most, texelFetch(cells, ivec2(row, (slot + bin) & ${BINS - 1}), 0).rg);
    }
  }
  if (isSigned) most = most.r >= most.g ? uvec2(most.r, 0u) : uvec2(0u, most.g);
  colour = texelFetch(colours, ivec2(isCoded ? int(most.g) : step_of(most.g), step_of(most.r)), 0);
}`;

const UNIFORMS = /** @type {const} */ ([
  "cells", "levels", "colours", "plot", "canvasHeight", "startBin", "binsPerPixel", "topRow", "rowsPerPixel", "slot",
  "firstBin", "lastBin", "isSigned", "isCoded", "ground",
]);

export class WebglMap {
  /** @param {HTMLCanvasElement} canvas @param {WebGL2RenderingContext} gl @param {() => void} restored */
  constructor(canvas, gl, restored) {
    this.canvas = canvas;
    this.gl = gl;
    this.lost = false;
    canvas.addEventListener("webglcontextlost", (event) => {
      event.preventDefault();
      this.lost = true;
    });
    canvas.addEventListener("webglcontextrestored", () => {
      this.lost = false;
      this.prepare();
      restored();
    });
    this.prepare();
  }

  get name() {
    const info = this.gl.getExtension("WEBGL_debug_renderer_info");
    return `WebGL2, ${info ? this.gl.getParameter(info.UNMASKED_RENDERER_WEBGL) : "unknown renderer"}`;
  }

  /** Programs and textures, empty. */
  prepare() {
    const { gl } = this;
    const program = gl.createProgram();
    for (const [kind, source] of /** @type {[number, string][]} */ ([[gl.VERTEX_SHADER, VERTEX], [gl.FRAGMENT_SHADER, FRAGMENT]])) {
      const shader = gl.createShader(kind);
      if (!shader) continue; // the context was lost again
      gl.shaderSource(shader, source);
      gl.compileShader(shader);
      gl.attachShader(program, shader);
    }
    gl.linkProgram(program);
    if (!gl.getProgramParameter(program, gl.LINK_STATUS) && !gl.isContextLost()) {
      throw new Error(`the map's shader does not link: ${gl.getProgramInfoLog(program)}`);
    }
    gl.useProgram(program);
    gl.pixelStorei(gl.UNPACK_ALIGNMENT, 1);
    this.at = Object.fromEntries(UNIFORMS.map((name) => [name, gl.getUniformLocation(program, name)]));
    this.texture(0, gl.RG16UI, ROWS, BINS);
    this.texture(1, gl.R8UI, 256, 128);
    this.texture(2, gl.RGBA8, LEVELS, 2 * LEVELS);
    gl.uniform1i(this.at.cells, 0);
    gl.uniform1i(this.at.levels, 1);
    gl.uniform1i(this.at.colours, 2);
    this.full = true;
  }

  /** @param {number} unit @param {number} format @param {number} width @param {number} height */
  texture(unit, format, width, height) {
    const { gl } = this;
    gl.activeTexture(gl.TEXTURE0 + unit);
    gl.bindTexture(gl.TEXTURE_2D, gl.createTexture());
    gl.texStorage2D(gl.TEXTURE_2D, 1, format, width, height);
    for (const side of [gl.TEXTURE_MIN_FILTER, gl.TEXTURE_MAG_FILTER]) gl.texParameteri(gl.TEXTURE_2D, side, gl.NEAREST);
  }

  /** Bring what changed to the GPU. @param {TimeBins} bins */
  upload(bins) {
    const { gl } = this;
    const from = this.full ? bins.first : Math.max(bins.dirtyFrom, bins.first);
    const until = this.full ? bins.first + BINS : Math.min(bins.dirtyUntil, bins.first + BINS);
    this.full = false;
    gl.activeTexture(gl.TEXTURE0);
    for (let bin = from; bin < until;) {
      const slot = bins.slot(bin);
      const run = Math.min(until - bin, BINS - slot);
      gl.texSubImage2D(gl.TEXTURE_2D, 0, 0, slot, ROWS, run, gl.RG_INTEGER, gl.UNSIGNED_SHORT, bins.cells, slot * ROWS * 2);
      bin += run;
    }
    bins.clean();
  }

  /** @param {MapFrame} frame */
  paint(frame) {
    const { gl, at } = this;
    if (this.lost || gl.isContextLost() || !at) return;
    const { bins } = frame;
    const again = this.full;
    this.upload(bins);
    if (frame.levelsChanged || again) {
      gl.activeTexture(gl.TEXTURE1);
      gl.texSubImage2D(gl.TEXTURE_2D, 0, 0, 0, 256, 128, gl.RED_INTEGER, gl.UNSIGNED_BYTE, frame.levels);
    }
    if (frame.coloursChanged || again) {
      gl.activeTexture(gl.TEXTURE2);
      gl.texSubImage2D(gl.TEXTURE_2D, 0, 0, 0, LEVELS, 2 * LEVELS, gl.RGBA, gl.UNSIGNED_BYTE, frame.colours);
    }
    const origin = Math.floor(frame.startBin);
    gl.viewport(0, 0, this.canvas.width, this.canvas.height);
    gl.uniform2f(at.plot, frame.width, frame.height);
    gl.uniform1f(at.canvasHeight, this.canvas.height);
    gl.uniform1f(at.startBin, frame.startBin - origin);
    gl.uniform1f(at.binsPerPixel, frame.binsPerPixel);
    gl.uniform1f(at.topRow, frame.topRow);
    gl.uniform1f(at.rowsPerPixel, frame.rowsPerPixel);
    gl.uniform1i(at.slot, bins.slot(origin));
    gl.uniform1i(at.firstBin, Math.max(bins.first - origin, -BINS));
    gl.uniform1i(at.lastBin, Math.min(frame.lastBin - origin, BINS));
    gl.uniform1i(at.isSigned, frame.signed ? 1 : 0);
    gl.uniform1i(at.isCoded, frame.coded ? 1 : 0);
    gl.uniform3f(at.ground, frame.colours[0] / 255, frame.colours[1] / 255, frame.colours[2] / 255);
    gl.drawArrays(gl.TRIANGLES, 0, 3);
  }

  /** Let the picture be there to be copied: it is painted and read in one go. @param {MapFrame} frame */
  snapshot(frame) {
    this.paint(frame);
    return this.canvas;
  }
}
