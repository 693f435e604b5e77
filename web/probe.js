/**
 * What tests and scripts may see and do, as `window.vp`: all that they rely on, so that the rest is free to change. The
 * page itself never loads it: `await import("./probe.js")`. Prices count in buckets, times are ms UTC, lengths CSS px
 * but for those of `size`.
 */

import { page } from "./main.js";
import { Canvas2dMap } from "./map-canvas2d.js";

/** @typedef {import("./http-api.js").Block} Block @typedef {import("./latency.js").Stage} Stage */

/** @param {HTMLCanvasElement} source @returns {ImageData} */
function pixels(source) {
  const copy = Object.assign(document.createElement("canvas"), { width: source.width, height: source.height });
  const context = /** @type {CanvasRenderingContext2D} */ (copy.getContext("2d"));
  context.drawImage(source, 0, 0);
  return context.getImageData(0, 0, copy.width, copy.height);
}

const { session, feed, settings, viewport, chart, painting, crosshair } = page;
const { heatmap } = chart;
const { backfill, stream } = feed;

/** The ring, once it holds a column. */
function held() {
  if (!feed.ring || feed.ring.count === 0) throw new Error("the page holds no column yet");
  return feed.ring;
}

const vp = {
  /** How the page is, as plain values. */
  state: () => ({
    connection: feed.connection, idle: painting.idle, paints: painting.count, paintMs: painting.tookMs, columns: feed.ring?.count ?? 0,
    newestMs: feed.ring?.count ? feed.ring.timeMs(feed.ring.end - 1) : NaN, fields: feed.ring?.fields ?? [],
    received: feed.received, missed: feed.status.frames_missed ?? 0, filled: backfill.filled, holes: backfill.holes,
    loading: backfill.loading, exhausted: backfill.exhausted, settings: structuredClone(settings), mode: heatmap.bins.mode?.name,
    painter: heatmap.painter.name, scale: { lower: heatmap.scale.lower, upper: heatmap.scale.upper, frozen: heatmap.scale.frozen },
    size: chart.size(), measured: crosshair.measureText(), tags: crosshair.tags,
  }),
  /** The session's runtime_config. */
  config: () => feed.config,
  /** What part of time and price is shown, after changes to it. @param {Partial<import("./viewport.js").Place>} [changes] */
  view: (changes) => {
    if (changes) { Object.assign(viewport, changes); painting.request("all"); }
    const { endMs, spanMs, rows, centre, following } = viewport;
    return { endMs, spanMs, rows, centre, following };
  },
  /** Where a time and a price lie in the chart that was painted last. @param {number} timeMs @param {number} bucket */
  at: (timeMs, bucket) => ({ x: (chart.scene?.x(timeMs) ?? NaN) * chart.unit, y: (chart.scene?.y(bucket) ?? NaN) * chart.unit }),
  /** Scalars by name of the newest column at or before a time, or else of the one beside the map. @param {number} [timeMs] */
  column: (timeMs) => {
    const ring = held();
    const number = timeMs === undefined ? chart.scene?.column ?? ring.first : Math.max(ring.columnUntil(timeMs), ring.first);
    return { timeMs: ring.timeMs(number), ...Object.fromEntries(ring.layout.scalars.map((name) => [name, ring.scalar(name, number)])) };
  },
  /** `event_id` of every column held up to a time. @param {number} [untilMs] */
  events: (untilMs = Infinity) => {
    const { ring } = feed;
    return ring ? Array.from({ length: ring.columnUntil(untilMs) + 1 - ring.first }, (_, i) => ring.eventId(ring.first + i)) : [];
  },
  /** Of the live feed. */
  gaps: () => held().gaps.all,
  /** A canvas's pixels, the map's painted just now; `flat`: the map as it is without WebGL. @param {"map" | "flat" | "overlay" | "cursor"} name */
  image: (name) => {
    const [map, overlay, cursor] = chart.canvases();
    if (name !== "flat") return pixels({ map, overlay, cursor }[name]);
    const flat = Object.assign(document.createElement("canvas"), { width: map.width, height: map.height });
    if (heatmap.frame) new Canvas2dMap(flat, "").paint(heatmap.frame);
    return pixels(flat);
  },
  /** An address that shows the same picture. */
  link: () => session.link(),
  /** @param {number} lower @param {number} upper cut-offs, as if a person set them */
  setScale: (lower, upper) => { heatmap.scale.set(lower, upper); painting.request("all"); },
  /** Let all but the newest columns go, as if the page had been opened just now. @param {number} count */
  keepNewest: (count) => { held().keepNewest(count); backfill.exhausted = false; },
  /** Put columns into the ring, as if they came from the server's history. @param {Block} block */
  insert: (block) => { backfill.exhausted = true; return held().insert(block); },
  /** Fetch older columns back to a time. @param {number} timeMs */
  older: (timeMs) => backfill.older(timeMs),
  /** Bytes of the columns held. */
  bytes: () => held().bytes,
  /** p50 and p99 of a stage in ms, and how many there were in ten seconds. @param {Stage} stage */
  latency: (stage) => feed.latency.summary(stage, performance.now()),
  /** The socket is gone all at once; the page tries again after so long. @param {number} retryMs @returns {string} where it led */
  breakSocket: (retryMs) => stream.break(retryMs),
  /** Try again at once. */
  reconnect: () => stream.connect(),
};

Object.assign(window, { vp });
