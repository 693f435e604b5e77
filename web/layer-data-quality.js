/** Data quality: stretches of the picture that are not to be trusted, or that are empty, and why. */

import { shortenedTo } from "./format.js";
import { hatchings, reasonWords } from "./quality.js";

/** @typedef {import("./scene.js").Scene} Scene @typedef {import("./quality.js").Hatching} Hatching */

const LEAST_PX = 2;
const LABEL_PX = 90;
const EDGE_PX = 4;
/** Below what the page itself says at the upper left of a picture that is paused. */
export const LABEL_TOP_PX = 32;
/** Px between lines, and how strong they are. @type {Record<Hatching, {gap: number, alpha: number}>} */
const LINES = {
  dense: { gap: 6, alpha: 0.5 }, wide: { gap: 12, alpha: 0.28 }, faint: { gap: 24, alpha: 0.16 }, dotted: { gap: 18, alpha: 0.3 },
};

/** @param {CanvasRenderingContext2D} context @param {Scene} scene */
export function paintDataQuality(context, { stretches, size: { height }, x, theme }) {
  for (const { startMs, endMs, reasons, gap } of stretches) {
    const left = x(startMs);
    const width = Math.max(LEAST_PX, x(endMs) - left);
    context.save();
    context.beginPath();
    context.rect(left, 0, width, height);
    context.clip();
    context.strokeStyle = theme.hatch;
    context.lineWidth = 1;
    for (const hatching of hatchings(reasons)) {
      context.globalAlpha = LINES[hatching].alpha;
      hatch(context, left, width, height, hatching);
    }
    context.globalAlpha = 1;
    const from = Math.max(left, 0);
    const room = left + width - from;
    if (room > LABEL_PX) label(context, from + EDGE_PX, room - 2 * EDGE_PX, reasonWords(reasons, gap), theme);
    context.restore();
  }
}

/**
 * @param {CanvasRenderingContext2D} context @param {number} left @param {number} width @param {number} height
 * @param {Hatching} hatching
 */
function hatch(context, left, width, height, hatching) {
  const { gap } = LINES[hatching];
  context.beginPath();
  if (hatching === "dotted") {
    context.setLineDash([1, gap / 2]);
    for (let level = gap; level < height; level += gap) {
      context.moveTo(left, level + 0.5);
      context.lineTo(left + width, level + 0.5);
    }
  } else {
    context.setLineDash([]);
    for (let at = Math.floor((left - height) / gap) * gap; at < left + width; at += gap) {
      context.moveTo(at, height);
      context.lineTo(at + height, 0);
    }
  }
  context.stroke();
}

/** @param {CanvasRenderingContext2D} context @param {number} left @param {number} room @param {string} reason @param {import("./colour.js").Theme} theme */
function label(context, left, room, reason, theme) {
  const widthOf = (/** @type {string} */ text) => context.measureText(text).width;
  const words = shortenedTo(reason, room - 2 * EDGE_PX, widthOf);
  context.fillStyle = theme.halo;
  context.fillRect(left, LABEL_TOP_PX, widthOf(words) + 2 * EDGE_PX, 18);
  context.fillStyle = theme.text;
  context.textBaseline = "middle";
  context.textAlign = "left";
  context.fillText(words, left + EDGE_PX, LABEL_TOP_PX + 9);
}
