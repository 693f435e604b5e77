// What the chart makes of columns before it paints: the course of the score, numbers in cells and ladder, rows that fit.

import assert from "node:assert/strict";
import test from "node:test";

import { activeRange } from "../../web/activity.js";
import { copyAsBfloat16 } from "../../web/bfloat16.js";
import { PALETTES, themeOf, THEMES } from "../../web/colour.js";
import { sizeText } from "../../web/format.js";
import { FrameLayout } from "../../web/frame-layout.js";
import { ladderLevels } from "../../web/ladder.js";
import { linesWithin } from "../../web/card-placement.js";
import { paintBestQuotes } from "../../web/layer-prices.js";
import { cellNumbers } from "../../web/layer-sizes.js";
import { binsShown } from "../../web/overview.js";
import { measureText } from "../../web/readout.js";
import { CHUNK, Ring } from "../../web/ring.js";
import { scoreCourse, signalAt, signalText } from "../../web/score-strip.js";
import { Viewport } from "../../web/viewport.js";

const START_MS = 1_770_388_200_000;
const SPOT = 100;
const ROWS = 101;
const SCALARS = {
  event_id: "int64", spot_price: "int64", bid_price: "int64", ask_price: "int64", last_price: "int64", state: "int8", score: "float32", strength: "float32",
};
const GRIDS = ["pressure", "vacuum", "rest_depth"];
const column = (name, type) => ({ name, type, offset: 0, length_bytes: 8, validity_offset: null });
const LAYOUT = new FrameLayout({
  message_bytes: 0, rows: ROWS,
  columns: [column("ts_ns", "timestamp_ns"), ...Object.entries(SCALARS).map(([name, type]) => column(name, type)), ...GRIDS.map((name) => column(name, `float32[${ROWS}]`))],
});

function toBfloat16(value) {
  const [from, to] = [new DataView(new ArrayBuffer(4)), new Uint16Array(1)];
  from.setFloat32(0, value, true);
  copyAsBfloat16(from, 0, to, 0, 1);
  return to[0];
}

/** A ring of frames: ms after START_MS, scalars, and grids as values by ticks from spot; `hole`: frames before it are missing. */
function ringOf(frames) {
  const ring = new Ring(LAYOUT, 1e9);
  frames.forEach(({ ms, grids = {}, hole = false, ...given }, i) => {
    const scalars = { event_id: i + 1, spot_price: SPOT, bid_price: SPOT - 1, ask_price: SPOT + 1, last_price: SPOT, state: 0, score: 0, strength: 1, ...given };
    const block = {
      frames: 1, timeMs: Float64Array.of(START_MS + ms), nanos: new Uint32Array(1), exact: {},
      scalars: Object.fromEntries(Object.entries(scalars).map(([name, value]) => [name, Float64Array.of(name.endsWith("_price") ? value * 1e9 : value)])),
      grids: Object.fromEntries(GRIDS.map((name) => [name, new Uint16Array(ROWS)])),
    };
    for (const [name, values] of Object.entries(grids)) {
      for (const [ticks, value] of Object.entries(values)) block.grids[name][50 + Number(ticks)] = toBfloat16(value);
    }
    ring.insert(block, hole);
  });
  return ring;
}

/** A scene of a pixel a second from START_MS on. */
const sceneOf = (ring, seconds, nowMs = ring.timeMs(ring.end - 1), emitFromMs = -Infinity) => ({
  ring, first: ring.first, last: ring.end, size: { width: seconds, height: 400, side: 0, strip: 52, ratio: 1 }, nowMs, emitFromMs,
  x: (timeMs) => (timeMs - START_MS) / 1000,
});
const about = (values, wanted) => wanted.forEach((want, i) => assert.ok(Math.abs(values[i] - want) < 1e-6 || Number.isNaN(values[i]) && Number.isNaN(want), `${i}: ${values[i]}, not ${want}`));

test("a pixel of the strip has the least, the greatest and the last score of its time", () => {
  const ring = ringOf([{ ms: 1000, score: 0.5 }, { ms: 2250, score: -0.25 }, { ms: 2500, score: 0.75 }, { ms: 2750, score: 0.125 }, { ms: 4000, score: -1 }]);
  const { low, high, end } = scoreCourse(sceneOf(ring, 5, START_MS + 5000));
  about(low, [NaN, 0.5, -0.25, 0.125, -1]);
  about(high, [NaN, 0.5, 0.75, 0.125, -1]);
  about(end, [NaN, 0.5, 0.125, 0.125, -1]);
});

test("where states share a pixel each has its share of the time, the stronger the more", () => {
  const areas = (strength) => scoreCourse(sceneOf(ringOf([
    { ms: 0, state: 1, strength }, { ms: 1000, state: -1, strength }, { ms: 1750, state: 1, strength }, { ms: 2000, state: 0, strength }, { ms: 3000, strength },
  ]), 3)).area;
  const usual = areas(1); // of each pixel DOWN, CHOP, UP
  const full = usual[2];
  assert.ok(full > 0.4 && full < 0.6);
  about(usual, [0, 0, full, 0.75 * full, 0, 0.25 * full, 0, full, 0]);
  assert.ok(areas(0)[2] < full / 2 && areas(2)[2] > 1.4 * full);
  assert.equal(areas(2)[2], areas(50)[2]);
  const context = scoreCourse(sceneOf(ringOf([{ ms: 0, state: 1 }, { ms: 1000 }]), 1, START_MS + 1000, START_MS + 500)).area;
  assert.ok(context[2] < full / 2);
});

test("the strip has no signal before the first frame, across missing data and after a minute of silence", () => {
  const ring = ringOf([{ ms: 2000, score: 0.5 }, { ms: 4000, score: 0.5 }, { ms: 8000, score: 0.25, hole: true }, { ms: 80_000, score: 0.125 }]);
  const scene = sceneOf(ring, 100, START_MS + 90_000);
  const { end } = scoreCourse(scene);
  const there = [...end].flatMap((score, second) => (Number.isNaN(score) ? [] : [second]));
  const range = (from, until) => Array.from({ length: until - from }, (_, i) => from + i);
  assert.deepEqual(there, [2, 3, 4, ...range(8, 68), ...range(80, 90)]); // the last one before the hole is a moment
  assert.deepEqual([1, 3, 4.5, 7, 9, 67, 69, 85, 95].map((second) => signalAt(scene, START_MS + second * 1000)), [null, 0, null, null, 2, 2, null, 3, null]);
  assert.ok(ring.giveUp(ring.eventId(2)));
  assert.deepEqual(scoreCourse(scene).end, end, "nor across data that cannot be had");
});

test("the strip goes on from chunk to chunk of the ring", () => {
  const ring = ringOf(Array.from({ length: 2 * CHUNK + 9 }, (_, i) => ({ ms: i * 10, state: 1, score: i / 10_000 })));
  const { low, end, area } = scoreCourse(sceneOf(ring, 82, START_MS + 82_000));
  about(low, Array.from({ length: 82 }, (_, second) => Math.fround((second === 0 ? 0 : second * 100) / 10_000)));
  about(end.subarray(0, 82), Array.from({ length: 82 }, (_, second) => Math.fround(Math.min(second * 100 + 99, 2 * CHUNK + 8) / 10_000)));
  assert.ok(Array.from({ length: 82 }, (_, second) => area[3 * second + 2]).every((opacity) => Math.abs(opacity - area[2]) < 1e-3));
});

test("the strip says state, score and strength of a time", () => {
  const scene = sceneOf(ringOf([{ ms: 0, state: 1, score: 0.42, strength: 1.5 }, { ms: 1000, state: -1, score: -0.31, strength: 0.75 }, { ms: 2000 }]), 3);
  assert.deepEqual([500, 1500, 2000, -1].map((ms) => signalText(scene, START_MS + ms)), [
    "▲ UP  score 0.42  strength 1.50×", "▼ DOWN  score -0.31  strength 0.75×", "■ CHOP  score 0.00  strength 1.00×", "no signal"]);
});

test("the ladder numbers each level on its side, and best prices even where rows are thin", () => {
  const ring = ringOf([{ ms: 0, grids: { rest_depth: { "-2": 31, "-1": 30, 1: 12, 2: 1000 }, pressure: { "-1": 1.5, 2: 0.004 } } }]);
  const numbers = (field, all, exact = null) => ladderLevels({ ring, column: 0, exact }, field, 1, all).map(({ bucket, side, text }) => [bucket - SPOT, side, text]);
  assert.deepEqual(numbers("rest_depth", true), [[-2, "bid", "31"], [-1, "bid", "30"], [1, "ask", "12"], [2, "ask", "≈1,000"]]);
  assert.deepEqual(numbers("rest_depth", false), [[-2, "bid", ""], [-1, "bid", "30"], [1, "ask", "12"], [2, "ask", ""]]);
  assert.deepEqual(numbers("pressure", true), [[-1, "bid", "1.50"], [2, "ask", ""]]);
  const exact = { rest_depth: new Float32Array(ROWS) };
  exact.rest_depth[52] = 1003;
  assert.deepEqual(numbers("rest_depth", true, exact), [[2, "ask", "1,003"]]);
  assert.deepEqual(ladderLevels({ ring, column: 0, exact: null }, "rest_depth", 50, false).map(({ value }) => value), [31, 1000]);
});

test("a cell has one number for as long as its value lasts, where there is room", () => {
  const depth = (size) => ({ rest_depth: { 3: size, [-3]: 7 } });
  const ring = ringOf([
    { ms: 0, grids: depth(20) }, { ms: 30_000, grids: depth(20) }, { ms: 60_000, grids: depth(25) }, { ms: 61_000, grids: depth(300) }, { ms: 200_000, grids: depth(300) },
    { ms: 240_000, grids: depth(300), hole: true },
  ]);
  const viewport = { top: SPOT + 10, rows: 20 };
  const numbers = (more) => cellNumbers({ ...sceneOf(ring, 300, START_MS + 290_000), viewport, field: "rest_depth", ...more });
  const at = (ticks) => numbers({}).filter(({ bucket }) => bucket === SPOT + ticks).map(({ left, right, text }) => [left, right, text]);
  assert.deepEqual(at(3), [[0, 60, "20"], [61, 121, "≈300"], [240, 290, "≈300"]]); // held for a minute, then silence
  assert.deepEqual(at(-3), [[0, 121, "7"], [240, 290, "7"]]);
  assert.deepEqual(at(4), []);
  assert.deepEqual(numbers({ viewport: { top: SPOT + 50, rows: 100 } }), [], "rows too thin");
  assert.deepEqual(numbers({ size: { width: 30, height: 400 } }), [], "columns too many");
});

test("numbers say when the page rounded them", () => {
  assert.deepEqual([7, 256, 257, 12_345, 1.5].map((value) => sizeText(value, false)), ["7", "256", "≈257", "≈12,300", "≈1.50"]);
  assert.deepEqual([7, 12_345, 1.5].map((value) => sizeText(value, true)), ["7", "12,345", "1.50"]);
});

const FORCES = { kind: "pair", a: "pressure", b: "vacuum" };

test("the range of prices in which something goes on", () => {
  const far = { pressure: { "-4": 10, 20: 0.1 }, vacuum: { 6: 10 }, rest_depth: { "-40": 5, 40: 5 } };
  const ring = ringOf([{ ms: 0, grids: far }, { ms: 1000, grids: far, last_price: SPOT + 9 }, { ms: 2000, grids: far, bid_price: SPOT - 900 }]);
  const range = (mode, from = 0) => {
    const found = activeRange(ring, mode, START_MS + from, START_MS + 2000);
    return [found.low - SPOT, found.high - SPOT];
  };
  assert.deepEqual(range(FORCES), [-4, 9]); // the trace at 20 and the quote far away are none
  assert.deepEqual(range(FORCES, 2000), [-4, 6]);
  assert.deepEqual(range({ kind: "one", a: "rest_depth", b: "rest_depth" }), [-40, 40]);
  assert.equal(activeRange(ringOf([{ ms: 0, spot_price: NaN }]), FORCES, START_MS, START_MS), null);
});

test("rows are fitted to what goes on, and do not jump", () => {
  const view = new Viewport();
  let [now, looked] = [0, 0];
  const fit = (low, high, spot = 100) => {
    view.follow(START_MS, spot, 0);
    view.fit(now += 2000, spot, 0, () => { looked += 1; return { low, high }; });
    return [view.rows, view.top - view.rows < low - 0.5, view.top > high + 0.5];
  };
  const [rows, ...inside] = fit(80, 125);
  assert.ok(rows > 46 && rows < 60);
  assert.deepEqual(inside, [true, true]);
  for (const [low, high] of [[79, 125], [81, 126], [85, 120]]) assert.equal(fit(low, high)[0], rows, "what nearly fits stays");
  const place = view.centre;
  view.fit(now + 1, 100, 0, () => { throw new Error("looked too often"); });
  assert.equal(view.centre, place);
  assert.ok(fit(60, 125)[0] > rows);
  const [few] = fit(98, 103);
  assert.ok(few >= 32 && few < 40);
  const [many] = fit(0, 200);
  assert.ok(many <= 112);
  fit(100, 160); // all on one side: spot stays away from the edge
  assert.ok((100 - (view.top - view.rows)) / view.rows > 0.2);
  const before = [view.rows, view.centre];
  for (let i = 0; i < 5; i += 1) fit(100, 160);
  assert.deepEqual([view.rows, view.centre], before, "it comes to rest");
  view.zoomPrice(0.5, 0.5);
  const { rows: chosen } = view;
  looked = 0;
  assert.equal(fit(0, 200)[0], chosen, "who zoomed, chose");
  assert.equal(looked, 0);
  view.resetPrice();
  assert.ok(fit(80, 125)[0] < 60);
  view.pause();
  assert.ok(fit(0, 200)[0] < 60, "a paused picture stays");
});

test("the span of time is the usual one from the first column on", () => {
  const view = new Viewport();
  const { spanMs } = view;
  for (const ms of [0, 1000, 30_000, 3_600_000]) {
    view.follow(START_MS + ms, 100);
    assert.equal(view.spanMs, spanMs);
    assert.equal(view.endMs, START_MS + ms);
  }
  view.zoomTime(0.5, 0);
  view.follow(START_MS + 3_700_000, 100);
  assert.equal(view.spanMs, spanMs / 2);
  view.resetTime();
  assert.equal(view.spanMs, spanMs);
});

test("a palette colours what goes up and down as it does the forces", () => {
  for (const name of Object.keys(PALETTES)) {
    for (const theme of Object.keys(THEMES)) {
      const { up, down, pressure, vacuum } = themeOf(theme, name);
      const [first, second] = PALETTES[name][theme].map((rgb) => `rgb(${rgb.join(" ")})`);
      assert.deepEqual([pressure, up, vacuum, down], [first, first, second, second]);
    }
  }
});

test("a measure of what is not held says so instead of sums", () => {
  const ring = ringOf([{ ms: 10_000 }, { ms: 11_000 }]);
  for (const fromMs of [0, 20_000]) {
    const [a, b] = [0, 5000].map((ms) => ({ timeMs: START_MS + fromMs + ms, bucket: SPOT + ms / 1000 }));
    const words = measureText(ring, a, b, 2, "contracts");
    assert.match(words, /^Δt 5.0 s\nΔ price 5.00   5 rows\nthe page holds no frame of it$/);
  }
});

test("an overview begins shortly before the first trade, and ends with what happened last", () => {
  const bins = (events, traded) => ({ events, high: events.map((_, bin) => (traded.includes(bin) ? 100 : null)) });
  const long = Array.from({ length: 40 }, (_, bin) => (bin >= 2 && bin < 38 ? 3 : 0));
  assert.deepEqual(binsShown(bins(long, [20, 30])), [15, 38]);
  assert.deepEqual(binsShown(bins(long, [4])), [2, 38]);
  assert.deepEqual(binsShown(bins(long, [])), [2, 38]);
  assert.deepEqual(binsShown(bins([0, 0, 0], [])), [0, 3]);
});

test("a price that comes from left of the map has a line there, which no read-out may lie over", () => {
  const ring = ringOf([{ ms: -9000 }, { ms: 80_000, bid_price: SPOT - 7, ask_price: SPOT - 5 }]);
  const none = new Float32Array(100).fill(NaN);
  const priceLines = { top: none.slice(), bottom: none.slice() };
  const scene = { ...sceneOf(ring, 100), y: (bucket) => 200 - 10 * (bucket - SPOT), theme: THEMES.dark, priceLines };
  paintBestQuotes(new Proxy({}, { get: () => () => {}, set: () => true }), scene);
  assert.deepEqual(linesWithin(priceLines, 20, 60), [190, 210]);
  assert.deepEqual(linesWithin(priceLines, 85, 99), [250, 270]);
});
