/** What layers are painted from: the columns on screen, and where times and prices lie. */

/**
 * @typedef {import("./ring.js").Ring} Ring @typedef {import("./viewport.js").Viewport} Viewport
 * @typedef {import("./time-bins.js").TimeBins} TimeBins @typedef {import("./colour.js").Theme} Theme
 * @typedef {{width: number, height: number, side: number, strip: number, unit: number, ratio: number}} Size of the plot, of
 * what is beside it and of the strip below, in chart px: as many to a line of text at every size of text. `unit`: CSS px, and `ratio`:
 * pixels of the screen that one is
 * @typedef {object} Scene
 * @property {Ring} ring @property {Viewport} viewport @property {TimeBins} bins @property {Size} size @property {Theme} theme
 * @property {number} decimals @property {Record<string, any>} layers which are shown, and their options
 * @property {import("./quality.js").Stretch[]} stretches on screen that are not to be trusted, or empty
 * @property {import("./bookmarks.js").Bookmark[]} bookmarks of the session
 * @property {number} nowMs the session's time @property {number} emitFromMs frames before it are context
 * @property {number} lowest bucket that can be a price
 * @property {number} first @property {number} last columns on screen, the last one not included
 * @property {number} column the newest one on screen, which the numbers beside the map tell of
 * @property {{begin: number, end: number}} thresholds scores at which states begin and end
 * @property {string} field a grid column: what numbers in cells tell of
 * @property {Record<string, Float32Array> | null} exact grids of the ring's newest column @property {number} upper cut-off of forces
 * @property {{top: Float32Array, bottom: Float32Array}} priceLines from where to where they run, a pixel each; NaN without one
 * @property {(timeMs: number) => number} x @property {(bucket: number) => number} y
 */

export const TIME_AXIS_PX = 24;
/** Room for the score strip between the map and the time axis. */
export const STRIP_PX = 52;
export const PRICE_AXIS_PX = 76;
export const LADDER_PX = 200;
export const FONT = "12px system-ui, sans-serif";

/** @param {HTMLCanvasElement} canvas @returns {CanvasRenderingContext2D} */
export function contextOf(canvas) {
  const context = canvas.getContext("2d");
  if (!context) throw new Error("this browser has no canvas");
  return context;
}
