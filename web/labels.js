/** Where words stand: whole wherever there is room for them, and never cut by an edge. */

import { shortenedTo } from "./format.js";

/** Between a line and the words beside it. */
const GAP_PX = 8;

/** Where something as long as `length` begins, at best at `at`, so that none of it lies outside of 0 to `end`. @param {number} at @param {number} length @param {number} end */
export const held = (at, length, end) => Math.max(0, Math.min(at, end - length));

/** Words over a picture of any colour. @param {CanvasRenderingContext2D} context @param {import("./colour.js").Theme} theme @param {string} words @param {number} left @param {number} top */
export function writeOver(context, theme, words, left, top) {
  context.setLineDash([]);
  context.strokeStyle = theme.halo;
  context.lineWidth = 3;
  context.strokeText(words, left, top);
  context.fillText(words, left, top);
}

/**
 * Words beside a vertical line: right of it, or left where they have no room, or cut short where there is none on either side.
 * @param {CanvasRenderingContext2D} context @param {number} line @param {string} words @param {number} from @param {number} until what the room is between
 * @returns {{words: string, left: number, wide: number}} `wide`: 0 where not even a part of them has room
 */
export function beside(context, line, words, from, until) {
  const widthOf = (/** @type {string} */ text) => context.measureText(text).width;
  const [before, behind] = [line - GAP_PX - from, until - line - GAP_PX];
  const room = widthOf(words) <= behind ? behind : Math.max(before, behind);
  const fitting = shortenedTo(words, room, widthOf);
  const wide = widthOf(fitting);
  return { words: fitting, left: room === behind ? line + GAP_PX : line - GAP_PX - wide, wide };
}
