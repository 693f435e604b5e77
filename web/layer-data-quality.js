/** Data quality: stretches of the picture that are not to be trusted. */

import { BAD, HOLE } from "./time-bins.js";

/** @typedef {import("./scene.js").Scene} Scene @typedef {import("./colour.js").Theme} Theme */

/**
 * Stretches that are not to be trusted: hatched, with the reason.
 * @param {CanvasRenderingContext2D} context @param {Scene} scene
 */
export function paintDataQuality(context, { bins, viewport, size, x, theme }) {
  const from = Math.max(Math.floor(viewport.startMs / bins.binMs), bins.first);
  const until = Math.min(Math.floor(viewport.endMs / bins.binMs), bins.newest);
  let start = from;
  const flagsAt = (/** @type {number} */ bin) => bins.flags[bins.slot(bin)] & (BAD | HOLE);
  for (let bin = from; bin <= until; bin += 1) {
    const flags = flagsAt(bin);
    if (bin < until && flagsAt(bin + 1) === flags) continue;
    if (flags) {
      const left = x(start * bins.binMs);
      const width = Math.max(2, x((bin + 1) * bins.binMs) - left);
      hatch(context, left, width, size.height, theme, flags & HOLE ? "data missing" : "book not valid", Boolean(flags & HOLE));
    }
    start = bin + 1;
  }
}

/**
 * @param {CanvasRenderingContext2D} context @param {number} left @param {number} width
 * @param {number} height @param {Theme} theme @param {string} reason
 * @param {boolean} dense
 */
function hatch(context, left, width, height, theme, reason, dense) {
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
