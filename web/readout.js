/** What the cursor reads: a cell and its neighbours, a measured rectangle, pinned read-outs. */

import { amountText, clockText, exactText, priceText, spanText } from "./format.js";
import { unitOf } from "./modes.js";
import { doubtsOf, GONE_WORDS } from "./quality.js";
import { HOLD_MS } from "./time-bins.js";

/** @typedef {import("./ring.js").Ring} Ring @typedef {import("./http-api.js").Block} Block */
/** @typedef {{timeMs: number, bucket: number}} Spot a place in the picture */

/** Volumes by aggressor; some trades have none. @param {number} bought @param {number} sold @param {number} other @returns {string} */
function tradedText(bought, sold, other) {
  return [[bought + sold, `bought ${bought}, sold ${sold}`], [other, `without a side ${other}`]]
    .filter(([volume]) => Number(volume) > 0).map(([, text]) => text).join(", ");
}

/** @param {string} text @param {string} [kind] */
const piece = (text, kind = "div") => {
  const made = document.createElement(kind);
  made.textContent = text;
  return made;
};

/**
 * Fill a card with everything about a cell; where there is no room for all of it, the end is cut.
 * @param {HTMLElement} card @param {Ring} ring @param {Spot} spot @param {number | null} column none before the first
 * @param {{decimals: number, brief: boolean, exact: boolean, field: string, quantity: string, full: Block | null, lowest: number, quietMs: number}} how
 * `brief`: of all columns those that the page holds, and nothing of the cells around; `full`: the frame with every column, once the server sent it; `lowest`: no bucket below it is a price; `quietMs`: no frame for
 * longer than that is silence
 */
export function describeCell(card, ring, spot, column, { decimals, brief, exact, field, quantity, full, lowest, quietMs }) {
  if (column === null) {
    card.replaceChildren(piece(spot.timeMs >= ring.goneFromMs ? GONE_WORDS : "before what the page holds"));
    return;
  }
  const value = (/** @type {string} */ name) => ring.scalar(name, column);
  const k = spot.bucket - ring.spot(column);
  const when = exact ? exactText(ring.timeNs(column)) : clockText(ring.timeMs(column), true);
  const price = (/** @type {number} */ bucket) => priceText(bucket < lowest ? NaN : bucket * ring.bucketInt, decimals);
  const lines = [piece(`${when}   ${price(spot.bucket)}   k ${k > 0 ? "+" : ""}${Number.isNaN(k) ? "–" : k}`, "strong")];
  const quote = (/** @type {string} */ side) => `${side} ${price(value(`${side}_price`))} × ${amountText(value(`${side}_size`))}`;
  lines.push(piece(`${quote("bid")}   ${quote("ask")}`));
  const traded = tradedText(value("buy_volume"), value("sell_volume"), value("other_volume"));
  lines.push(piece(`score ${value("score").toFixed(2)}   strength ${value("strength").toFixed(2)}   event ${ring.eventId(column) - ring.partOf(ring.eventId(column)).base}${traded && `   ${traded}`}`));
  const { words, silentMs } = doubtsOf(ring, column, spot.timeMs, quietMs);
  lines.push(...words.map((doubt) => piece(`⚠ ${doubt}`)));
  if (silentMs > 0) lines.push(piece(`no events for ${spanText(silentMs)}`));
  const row = k + ring.k;
  if (row >= 0 && row < ring.rows) {
    if (full && !brief) {
      const entries = Object.entries(full.exact);
      const cells = entries.map(([name, values]) => `${name.padEnd(13)}${amountText(values[row]).padStart(8)}`);
      for (let i = 0; i < cells.length; i += 2) lines.push(piece(`${cells[i]}   ${cells[i + 1] ?? ""}`));
    } else {
      for (const name of ring.fields) {
        const value = full ? full.exact[name][row] : ring.value(name, column, spot.bucket);
        lines.push(piece(`${name.padEnd(13)}${full ? " " : "≈"}${amountText(value).padStart(7)} ${unitOf(name, quantity)}`));
      }
    }
    if (!brief) lines.push(neighbours(ring, column, spot.bucket, field, price));
  } else lines.push(piece(`beyond the grid of ${ring.rows} rows`));
  card.replaceChildren(...lines);
}

/**
 * The cells around: three columns, five prices.
 * @param {Ring} ring @param {number} column @param {number} bucket @param {string} field @param {(bucket: number) => string} price
 */
function neighbours(ring, column, bucket, field, price) {
  const table = document.createElement("table");
  for (let up = 2; up >= -2; up -= 1) {
    const row = table.insertRow();
    const head = document.createElement("th");
    head.textContent = price(bucket + up);
    row.append(head);
    for (let over = -1; over <= 1; over += 1) {
      const cell = row.insertCell();
      const there = column + over;
      cell.textContent = there >= ring.first && there < ring.end ? amountText(ring.value(field, there, bucket + up)) : "–";
      if (over === 0 && up === 0) cell.className = "here";
    }
  }
  const caption = table.createCaption();
  caption.textContent = `${field.replaceAll("_", " ")}: frame before, this, after`;
  caption.style.textAlign = "left";
  return table;
}

/**
 * Sums over a rectangle. Forces are rates, so they are integrated over time: what was added or drained, in contracts.
 * @param {Ring} ring @param {Spot} a @param {Spot} b @param {number} decimals @param {string} quantity
 */
export function measureText(ring, a, b, decimals, quantity) {
  const [startMs, endMs] = [Math.min(a.timeMs, b.timeMs), Math.max(a.timeMs, b.timeMs)];
  const [low, high] = [Math.min(a.bucket, b.bucket), Math.max(a.bucket, b.bucket)];
  const price = `Δ price ${priceText((b.bucket - a.bucket) * ring.bucketInt, decimals)}   ${b.bucket - a.bucket} rows`;
  if (ring.count === 0 || endMs < ring.timeMs(ring.first) || startMs > ring.timeMs(ring.end - 1)) {
    return [`Δt ${spanText(b.timeMs - a.timeMs)}`, price, "the page holds no frame of it"].join("\n");
  }
  const first = Math.max(ring.columnUntil(startMs), ring.columnAt(startMs - HOLD_MS), ring.first);
  let pressure = 0;
  let vacuum = 0;
  let bought = 0;
  let sold = 0;
  let other = 0;
  let columns = 0;
  for (let column = first; column < ring.end && ring.timeMs(column) <= endMs; column += 1) {
    const timeMs = ring.timeMs(column);
    const until = column + 1 < ring.end ? Math.min(ring.timeMs(column + 1), endMs) : endMs;
    const seconds = Math.max(0, Math.min(until - Math.max(timeMs, startMs), HOLD_MS)) / 1000;
    for (let bucket = low; bucket <= high; bucket += 1) {
      pressure += (ring.value("pressure", column, bucket) || 0) * seconds;
      vacuum += (ring.value("vacuum", column, bucket) || 0) * seconds;
    }
    if (timeMs < startMs) continue;
    columns += 1;
    other += ring.scalar("other_volume", column);
    const trades = ring.trades(column);
    for (let i = 0; i < trades.length; i += 3) {
      if (trades[i] < low || trades[i] > high) continue;
      bought += trades[i + 1];
      sold += trades[i + 2];
    }
  }
  return [
    `Δt ${spanText(b.timeMs - a.timeMs)}   ${columns} frames`, price,
    `pressure Σ ${amountText(pressure)}   vacuum Σ ${amountText(vacuum)} ${quantity}`,
    `bought ${amountText(bought)}   sold ${amountText(sold)} ${quantity}`,
    ...(other > 0 ? [`without a side ${amountText(other)}, at any price`] : []),
  ].join("\n");
}
