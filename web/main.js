/** The page: the stream fills the ring, the ring is painted when something has changed. */

import { drawLegend } from "./colour.js";
import { FrameLayout } from "./layout.js";
import { HeatMap } from "./map.js";
import { clockText, Overlay, PRICE_AXIS_PX, priceText, STATE_BAND_PX, TIME_AXIS_PX } from "./overlay.js";
import {
  element, showConnection, showLegend, showNewest, showNotice, showProgress, showSession, showStatus, showSummary,
} from "./panel.js";
import { Ring } from "./ring.js";
import { Stream, streamAddress } from "./stream.js";
import { View } from "./view.js";

const FIELDS = ["pressure", "vacuum", "rest_depth"];
const SUMMARY_MS = 10_000;

const chart = element("chart");
const map = new HeatMap(/** @type {HTMLCanvasElement} */ (element("map")));
const overlay = new Overlay(/** @type {HTMLCanvasElement} */ (element("overlay")));
const view = new View();
/** @type {FrameLayout | null} */
let layout = null;
/** @type {Ring | null} */
let ring = null;
let decimals = 2;
let dirty = true;
let summarisedMs = 0;
/** @type {{x: number, y: number} | null} */
let cursor = null;
let sessionKey = "";
let schemaDue = true;

/** @returns {{width: number, height: number, ratio: number}} the plot, without its axes, in CSS pixels */
function plotSize() {
  const box = chart.getBoundingClientRect();
  return {
    width: Math.max(0, Math.floor(box.width - PRICE_AXIS_PX)),
    height: Math.max(0, Math.floor(box.height - TIME_AXIS_PX - STATE_BAND_PX)),
    ratio: window.devicePixelRatio || 1,
  };
}

function fitCanvases() {
  const box = chart.getBoundingClientRect();
  const ratio = window.devicePixelRatio || 1;
  for (const canvas of [map.canvas, overlay.canvas]) {
    canvas.width = Math.round(box.width * ratio);
    canvas.height = Math.round(box.height * ratio);
  }
  dirty = true;
}

function paint() {
  requestAnimationFrame(paint);
  if (!dirty || !ring) return;
  dirty = false;
  const size = plotSize();
  if (ring.count > 0) {
    const newest = ring.slot(ring.count - 1);
    view.follow(ring.timeMs[ring.slot(ring.first)], ring.timeMs[newest], ring.spot[newest]);
    showNewest(ring, decimals);
    if (performance.now() - summarisedMs > SUMMARY_MS) {
      summarisedMs = performance.now();
      showSummary(ring, decimals);
    }
  }
  map.paint(ring, view, Math.round(size.width * size.ratio), Math.round(size.height * size.ratio));
  overlay.paint(ring, view, size, decimals, cursor);
  showLegend(map.scale.upper);
  showReadout(size);
}

/** @param {{width: number, height: number}} size */
function showReadout(size) {
  const box = element("readout");
  box.hidden = true;
  if (!cursor || !ring || cursor.x >= size.width || cursor.y >= size.height || Number.isNaN(view.centre)) return;
  const column = ring.columnAt(view.startMs + (cursor.x / size.width) * view.spanMs + 1e-6) - 1;
  if (column < ring.first || column >= ring.count) return;
  const at = ring.slot(column);
  const bucket = Math.floor(view.top - (cursor.y / size.height) * view.rows + 0.5);
  const row = bucket - ring.spot[at] + ring.half;
  const price = priceText(bucket * ring.bucketInt, decimals);
  const lines = [`${clockText(ring.timeMs[at])} ET   ${price}   k ${row - ring.half}`];
  if (row >= 0 && row < ring.rows) {
    const cell = at * ring.rows + row;
    lines.push(
      `pressure ${ring.pressure[cell].toFixed(2)}   vacuum ${ring.vacuum[cell].toFixed(2)}`,
      `resting ${ring.depth[cell].toLocaleString("en-US")}`,
    );
  } else lines.push("beyond the grid");
  if (!ring.valid[at]) lines.push("book not valid here");
  box.textContent = lines.join("\n");
  box.hidden = false;
  box.style.left = `${cursor.x > size.width / 2 ? cursor.x - box.offsetWidth - 14 : cursor.x + 14}px`;
  box.style.top = `${Math.min(cursor.y + 14, size.height - box.offsetHeight)}px`;
}

const stream = new Stream(streamAddress(window.location, FIELDS), {
  message(message) {
    if (message.type === "runtime_config") {
      schemaDue = true;
      layout = new FrameLayout(message.frame);
      decimals = message.decimals;
      const key = [message.contract, message.dt, message.start_time, message.session_id].join("|");
      if (!ring || key !== sessionKey) {
        ring = new Ring(layout, message.bucket_int);
        view.live();
      } else ring.layout = layout;
      sessionKey = key;
      showSession(message);
      showNotice("", "");
    } else if (message.type === "progress") showProgress(message);
    else if (message.type === "status") showStatus(message);
    else if (message.type === "error") {
      showProgress(null);
      showNotice(message.message, message.hint ?? "");
    }
  },
  binary(frame) {
    if (schemaDue) { // the first binary message opens the Arrow stream; the layout has said all of it
      schemaDue = false;
      return;
    }
    if (!layout || !ring || frame.byteLength !== layout.messageBytes) return;
    showProgress(null);
    if (ring.push(frame)) dirty = true;
  },
  connection: showConnection,
});

chart.addEventListener("wheel", (event) => {
  event.preventDefault();
  const size = plotSize();
  const box = chart.getBoundingClientRect();
  const factor = Math.exp(Math.sign(event.deltaY || event.deltaX) * 0.15);
  if (event.shiftKey) view.zoomPrice(factor, (event.clientY - box.top) / size.height);
  else view.zoomTime(factor, (event.clientX - box.left) / size.width);
  dirty = true;
}, { passive: false });

chart.addEventListener("pointermove", (event) => {
  const box = chart.getBoundingClientRect();
  const size = plotSize();
  const at = { x: event.clientX - box.left, y: event.clientY - box.top };
  if (event.buttons === 1 && cursor) {
    view.move(((cursor.x - at.x) / size.width) * view.spanMs, ((at.y - cursor.y) / size.height) * view.rows);
  }
  cursor = at;
  dirty = true;
});
chart.addEventListener("pointerleave", () => { cursor = null; dirty = true; });
chart.addEventListener("dblclick", () => { view.live(); dirty = true; });
window.addEventListener("keydown", (event) => {
  if (event.key === "l" || event.key === "L") { view.live(); dirty = true; }
});
new ResizeObserver(fitCanvases).observe(chart);

drawLegend(/** @type {HTMLCanvasElement} */ (element("legend")));
showProgress({ phase: "decode", records_done: 0, records_total: null });
fitCanvases();
stream.open();
paint();
