/** Where a read-out lies: beside its cell, and never over the lines of prices. */

/** @typedef {import("./scene.js").Scene} Scene */

/** From the cell, and from the lines. */
const BESIDE_PX = 14;
const FREE_PX = 4;

/**
 * From where to where lines of prices run in a stretch of pixels.
 * @param {Scene["priceLines"]} lines @param {number} left @param {number} right @returns {[number, number] | null} top and bottom, null without a line
 */
export function linesWithin({ top, bottom }, left, right) {
  let first = Math.max(0, Math.floor(left));
  while (first > 0 && Number.isNaN(top[first])) first -= 1; // it comes from the last one before
  let [highest, lowest] = [Infinity, -Infinity];
  for (let pixel = Math.max(0, first - 1); pixel <= Math.min(right, top.length - 1); pixel += 1) {
    if (top[pixel] < highest) highest = top[pixel];
    if (bottom[pixel] > lowest) lowest = bottom[pixel];
  }
  return highest <= lowest ? [highest, lowest] : null;
}

/**
 * A place for a card: at the cell's right or left, as near to it as the lines leave room; where they leave too little, the greatest
 * room that there is, and the card is cut.
 * @param {{x: number, y: number}} at the cell @param {{width: number, height: number}} card @param {Scene} scene
 * @returns {{left: number, top: number, height: number}} chart px; `height`: how much of the card is shown
 */
export function placeBeside(at, card, { size, priceLines }) {
  const [right, left] = [at.x + BESIDE_PX, at.x - card.width - BESIDE_PX];
  const fits = [right + card.width <= size.width ? [right] : [], left >= 0 ? [left] : []].flat();
  const sides = fits.length > 0 ? fits : [Math.max(0, Math.min(right, size.width - card.width))];
  if (at.x > size.width / 2) sides.reverse();
  const rooms = sides.flatMap((x) => {
    const lines = linesWithin(priceLines, x, x + card.width);
    const free = lines ? [[0, lines[0] - FREE_PX], [lines[1] + FREE_PX, size.height + size.strip]] : [[0, size.height + size.strip]];
    return free.map(([from, until]) => {
      const height = Math.max(0, Math.min(card.height, until - from));
      const top = Math.max(from, Math.min(at.y + BESIDE_PX, until - height));
      return { left: x, top, height, away: Math.abs(top + height / 2 - at.y) };
    });
  });
  rooms.sort((a, b) => b.height - a.height || a.away - b.away);
  return rooms[0];
}
