/**
 * Everything painted over and beside the map: one table, of which the menu, its keys, what settings begin with, and the
 * painting are made. A layer is an entry here and the function that paints it.
 */

import { paintBookmarks, paintContextEdge, paintPriceAxis, paintPriceGrid, paintSessions, paintTimeAxis } from "./axes.js";
import { paintLadder } from "./ladder.js";
import { paintDataQuality } from "./layer-data-quality.js";
import { paintBestQuotes, paintLastPrice, paintSpot } from "./layer-prices.js";
import { paintTrades, paintVolumeProfile } from "./layer-trades.js";
import { paintSizes } from "./layer-sizes.js";
import { paintScoreStrip } from "./score-strip.js";

/**
 * @typedef {import("./scene.js").Scene} Scene
 * @typedef {object} Layer
 * @property {string} name in the settings, and of its control in the page
 * @property {number} level order of painting, the lowest first
 * @property {(context: CanvasRenderingContext2D, scene: Scene) => void} [paint] one without goes along with the crosshair
 * @property {boolean} [around] whether it may paint beyond the plot
 * @property {string} [label] in the menu; one without is always shown
 * @property {string} [help] how to read it @property {string} [key] that shows and hides it
 * @property {boolean} [default] whether it is shown at first
 * @property {{name: string, label: string, default: number, most: number}} [option] a number that it takes
 */

/** Those with a label in the order of the menu. @type {Layer[]} */
const LAYERS = [
  { name: "bbo", label: "Best bid (solid), ask (dashed)", level: 40, default: true, paint: paintBestQuotes, help: "A pixel shows the least and greatest price in it" },
  { name: "last", label: "Last price", level: 50, default: true, paint: paintLastPrice, help: "A pixel shows the least and greatest price in it" },
  { name: "trades", label: "Trades: buys full, sells rings", level: 60, default: true, paint: paintTrades, help: "By aggressor, area by volume, near ones together",
    option: { name: "least", label: "of at least", default: 0, most: 100_000 } },
  { name: "profile", label: "Volume by price on screen", level: 30, default: true, paint: paintVolumeProfile, help: "At the left edge, by aggressor: buys, then sells" },
  { name: "quality", label: "Untrusted and empty stretches", key: "g", level: 10, default: true, paint: paintDataQuality, help: "Hatched with the reason: dense: data missing or a gap; wide: a side empty, locked or crossed, in a snapshot, a bad book; faint: incomplete; dots: no events" },
  { name: "strip", label: "Score strip", level: 2, around: true, default: true, paint: paintScoreStrip, help: "Score by its square root: solid lines where states begin, dotted where they end; a pixel shows the least and greatest score in it. Area: UP above, DOWN below, CHOP between; the more opaque, the stronger, full at twice the usual; where states share a pixel, by their share of its time" },
  { name: "sizes", label: "Numbers in cells with room", level: 35, default: true, paint: paintSizes, help: "Resting size, or the column that the map shows; ≈ the page's own, rounded to 0.4 %" },
  { name: "readout", label: "Read-out beside the cursor", key: "h", level: 100, default: true, help: "Never over the lines of prices; a click pins it, with or without" },
  { name: "time axis", level: 0, around: true, paint: paintTimeAxis },
  { name: "bookmarks", level: 3, around: true, paint: paintBookmarks },
  { name: "price grid", level: 1, around: true, paint: paintPriceGrid },
  { name: "sessions", level: 20, paint: paintSessions },
  { name: "context", level: 21, paint: paintContextEdge },
  { name: "spot", level: 70, paint: paintSpot },
  { name: "price axis", level: 80, around: true, paint: paintPriceAxis },
  { name: "ladder", level: 90, around: true, paint: paintLadder },
];
export const SWITCHED_LAYERS = LAYERS.filter(({ label }) => label);
const BY_LEVEL = [...LAYERS].sort((a, b) => a.level - b.level);

/** What is shown at first, and the numbers that layers begin with. @returns {Record<string, any>} */
export const layerDefaults = () => Object.fromEntries(SWITCHED_LAYERS.flatMap((layer) => [
  [layer.name, layer.default], ...(layer.option ? [[layer.option.name, layer.option.default]] : []),
]));

/** Each layer begins with the same pen. @param {CanvasRenderingContext2D} context @param {Scene} scene */
export function paintLayers(context, scene) {
  const { width, height } = scene.size;
  for (const { name, label, around, paint } of BY_LEVEL) {
    if (!paint || (label && !scene.layers[name])) continue;
    context.save();
    if (!around) {
      context.beginPath();
      context.rect(0, 0, width, height);
      context.clip();
    }
    paint(context, scene);
    context.restore();
  }
}
