/** Prices over the map: best bid, best ask, last trade and spot. */

/** @typedef {import("./scene.js").Scene} Scene */

/** @param {CanvasRenderingContext2D} context @param {Scene} scene */
export function paintBestQuotes(context, scene) {
  paintPrice(context, scene, "bid_price", { colour: scene.theme.bid, width: 1.5, dash: [] });
  paintPrice(context, scene, "ask_price", { colour: scene.theme.ask, width: 1.5, dash: [5, 2] });
}

/** @param {CanvasRenderingContext2D} context @param {Scene} scene */
export function paintLastPrice(context, scene) {
  paintPrice(context, scene, "last_price", { colour: scene.theme.last, width: 1, dash: [] });
}

/**
 * A price over time. Each pixel column shows the least and the greatest price in it, and the last one leads on.
 * @param {CanvasRenderingContext2D} context @param {Scene} scene @param {string} price a scalar column
 * @param {{colour: string, width: number, dash: number[]}} line
 */
function paintPrice(context, { ring, first, last, x, y, size, nowMs, priceLines: { top, bottom } }, price, { colour, width, dash }) {
  context.strokeStyle = colour;
  context.lineWidth = width;
  context.setLineDash(dash);
  context.beginPath();
  let pixel = -Infinity;
  let low = NaN;
  let high = NaN;
  let level = NaN;
  let open = false;
  const flush = () => {
    const within = Math.max(pixel, 0); // a line may come from left of the map
    if (low < (top[within] || Infinity)) top[within] = low;
    if (high > (bottom[within] || -Infinity)) bottom[within] = high;
    if (low < high) { context.moveTo(pixel + 0.5, low); context.lineTo(pixel + 0.5, high); context.moveTo(pixel + 0.5, level); }
  };
  for (let column = first; column < last; column += 1) {
    const chunk = ring.chunk(column);
    const bucket = chunk.scalars[price][ring.at(column)];
    const at = Math.floor(x(ring.timeMs(column)));
    if (ring.severed(column)) open = false; // what lay between is not known
    if (at !== pixel) {
      flush();
      pixel = at;
      low = high = NaN;
      if (open) context.lineTo(at + 0.5, level);
    }
    if (Number.isNaN(bucket)) { open = false; continue; }
    const to = y(bucket);
    if (open) context.lineTo(at + 0.5, to);
    else context.moveTo(at + 0.5, to);
    low = Number.isNaN(low) ? to : Math.min(low, to);
    high = Number.isNaN(high) ? to : Math.max(high, to);
    level = to;
    open = true;
  }
  flush();
  if (open && !ring.severed(last)) context.lineTo(last < ring.end ? size.width : Math.min(size.width, x(nowMs) + 2), level);
  context.stroke();
}

/**
 * Where spot is: of the newest column on screen, for a paused picture shows no later price.
 * @param {CanvasRenderingContext2D} context @param {Scene} scene
 */
export function paintSpot(context, { ring, column, y, size, theme }) {
  const spot = ring.spot(column);
  if (Number.isNaN(spot)) return;
  context.strokeStyle = theme.last;
  context.globalAlpha = 0.5;
  context.setLineDash([1, 5]);
  context.beginPath();
  context.moveTo(0, Math.round(y(spot)) + 0.5);
  context.lineTo(size.width, Math.round(y(spot)) + 0.5);
  context.stroke();
}
