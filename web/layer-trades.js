/** Trades over the map: bubbles where they were, and their volume by price at the left edge. */

/** @typedef {import("./scene.js").Scene} Scene */

const BUBBLE_PX = 24;
const LEAST_RADIUS_PX = 2;

/**
 * Trades by their rows and aggressors: buyers as full circles, sellers as rings. The area is the volume.
 * @param {CanvasRenderingContext2D} context @param {Scene} scene
 */
export function paintTrades(context, { ring, first, last, x, y, theme, layers }) {
  /** @type {Map<string, {x: number, y: number, buy: number, sell: number}>} */
  const spots = new Map();
  let most = 1;
  for (let column = first; column < last; column += 1) {
    const trades = ring.trades(column);
    for (let i = 0; i < trades.length; i += 3) {
      const [left, top] = [x(ring.timeMs(column)), y(trades[i])];
      const key = `${Math.round(left / 16)}|${Math.round(top / 8)}`;
      const spot = spots.get(key) ?? { x: left, y: top, buy: 0, sell: 0 };
      spot.buy += trades[i + 1];
      spot.sell += trades[i + 2];
      spots.set(key, spot);
      most = Math.max(most, spot.buy, spot.sell);
    }
  }
  for (const spot of spots.values()) {
    for (const side of /** @type {const} */ (["buy", "sell"])) {
      const volume = spot[side];
      if (volume < layers.least || volume <= 0) continue;
      const radius = Math.sqrt(volume / most) * (BUBBLE_PX / 2);
      if (radius < LEAST_RADIUS_PX) continue;
      context.beginPath();
      context.arc(spot.x, spot.y, radius, 0, 2 * Math.PI);
      context.lineWidth = side === "sell" ? 1.5 : 1;
      context.globalAlpha = side === "sell" ? 0.95 : 0.62;
      context.fillStyle = context.strokeStyle = theme[side];
      if (side === "buy") context.fill();
      context.globalAlpha = 1;
      context.strokeStyle = side === "buy" ? theme.halo : theme.sell;
      context.stroke();
    }
  }
}

/**
 * Traded volume by price over what is on screen, from the left edge.
 * @param {CanvasRenderingContext2D} context @param {Scene} scene
 */
export function paintVolumeProfile(context, { ring, first, last, y, theme, size, viewport }) {
  /** @type {Map<number, [number, number]>} */
  const levels = new Map();
  const step = Math.max(1, Math.ceil((3 / size.height) * viewport.rows));
  let most = 0;
  for (let column = first; column < last; column += 1) {
    const trades = ring.trades(column);
    for (let i = 0; i < trades.length; i += 3) {
      const key = Math.round(trades[i] / step) * step;
      const level = levels.get(key) ?? [0, 0];
      level[0] += trades[i + 1];
      level[1] += trades[i + 2];
      levels.set(key, level);
      most = Math.max(most, level[0] + level[1]);
    }
  }
  if (most === 0) return;
  const thick = Math.max(1, (step / viewport.rows) * size.height - 1);
  const full = Math.min(120, size.width * 0.12);
  context.globalAlpha = 0.55;
  for (const [bucket, [buy, sell]] of levels) {
    const top = y(bucket) - thick / 2;
    context.fillStyle = theme.buy;
    context.fillRect(0, top, (buy / most) * full, thick);
    context.fillStyle = theme.sell;
    context.fillRect((buy / most) * full, top, (sell / most) * full, thick);
  }
  context.globalAlpha = 1;
}
