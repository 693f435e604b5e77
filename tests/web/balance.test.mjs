// The balance of the forces, and bins of it, by node's own test runner.

import assert from "node:assert/strict";
import test from "node:test";

import { Balance, memoryMs, smoothingOf, usualSmoothing } from "../../web/balance.js";
import { fromBfloat16, toBfloat16 } from "../../web/bfloat16.js";
import { coloursOf, depthTable, LEVELS, LevelTable, PALETTES, RAMPS, Scale } from "../../web/colour.js";
import { FrameLayout } from "../../web/frame-layout.js";
import { modeOf } from "../../web/modes.js";
import { Ring } from "../../web/ring.js";
import { BINS, ROWS, sample, TimeBins } from "../../web/time-bins.js";

const START_MS = 1_770_388_200_000;
const K = 50;
const HELD = 2 * K + 1;
const SPOT = 1000;
const SMOOTHING = smoothingOf(usualSmoothing(), "contracts");
const column = (name, type) => ({ name, type, offset: 0, length_bytes: 8, validity_offset: null });
const SCALARS = ["event_id", "spot_price", "bid_price", "ask_price"];
const LAYOUT = new FrameLayout({
  message_bytes: 0, rows: HELD,
  columns: [
    column("ts_ns", "timestamp_ns"), ...SCALARS.map((name) => column(name, "int64")), column("quality", "uint8"),
    ...["pressure", "vacuum", "rest_depth"].map((name) => column(name, "float32[101]")),
  ],
});

/** Columns at these times (ms after the start), each row by functions of time and bucket. */
function block(times, { pressure = () => 0, vacuum = () => 0, depth = () => 0, spot = () => SPOT, first = 0 }) {
  const grid = (value) => Uint16Array.from({ length: times.length * HELD }, (_, i) => {
    const ms = times[Math.floor(i / HELD)];
    return toBfloat16(value(ms, spot(ms) - K + (i % HELD)));
  });
  const scalar = (value) => Float64Array.from(times, value);
  return {
    frames: times.length, timeMs: scalar((ms) => START_MS + ms), nanos: new Uint32Array(times.length), exact: {},
    scalars: {
      event_id: scalar((_, i) => first + i), spot_price: scalar((ms) => spot(ms) * 1e9), quality: scalar(() => 0),
      bid_price: scalar((ms) => (spot(ms) - 1) * 1e9), ask_price: scalar((ms) => spot(ms) * 1e9),
    },
    grids: { pressure: grid(pressure), vacuum: grid(vacuum), rest_depth: grid(depth) },
  };
}
const every = (stepMs, fromMs, untilMs) => Array.from({ length: Math.ceil((untilMs - fromMs) / stepMs) }, (_, i) => fromMs + i * stepMs);
function held(...blocks) {
  const ring = new Ring(LAYOUT, 1e9);
  for (const each of blocks) ring.insert(each);
  return ring;
}
const viewOf = (fromMs, untilMs) => ({ startMs: START_MS + fromMs, endMs: START_MS + untilMs, top: SPOT + 50, rows: 100 });
/** The balance that bins show of a moment and a bucket. */
function shown(bins, ms, bucket) {
  const at = (bins.slot(Math.floor((START_MS + ms) / bins.binMs)) * ROWS + bucket - bins.base) * 2;
  return fromBfloat16(bins.cells[at]) - fromBfloat16(bins.cells[at + 1]);
}
function binsOf(ring, view, mode = "balance", binMs = 64, smoothing = SMOOTHING, nowMs = -Infinity) {
  const bins = new TimeBins();
  bins.hold(ring, modeOf(mode), binMs, view, nowMs, smoothing);
  return bins;
}
/** All bins of a time that are whole, as numbers. */
const cellsOf = (bins, fromMs, untilMs) => every(bins.binMs, fromMs, untilMs).flatMap((ms) => (
  Array.from({ length: HELD }, (_, i) => shown(bins, ms, SPOT - K + i))));

/** What it should be, by its definition: an integral over time of what was held and faded, then a sum over rows. */
function expected(times, atMs, bucket, { pressure, vacuum }, { rows, seconds, floor, fadeSeconds }) {
  const memory = memoryMs({ rows, seconds, floor, fadeSeconds }, 1);
  const step = 1;
  const reach = Math.ceil(3 * rows);
  const smooth = (force) => {
    let sum = 0;
    let weights = 0;
    for (let ms = Math.max(times[0], atMs - 14 * memory) + step / 2; ms < atMs; ms += step) {
      const since = times.findLast((time) => time <= ms);
      const weight = Math.exp((ms - atMs) / memory);
      weights += weight;
      for (let row = -reach; row <= reach; row += 1) {
        const share = rows > 0 ? Math.exp(-(row * row) / (2 * rows * rows)) : 1;
        sum += weight * share * force(since, bucket + row) * Math.exp(-(ms - since) / (1000 * fadeSeconds));
      }
    }
    let all = 0;
    for (let row = -reach; row <= reach; row += 1) all += rows > 0 ? Math.exp(-(row * row) / (2 * rows * rows)) : 1;
    return sum / weights / all;
  };
  const [p, v] = [smooth(pressure), smooth(vacuum)];
  return (p - v) / (p + v + floor);
}

test("the balance is its definition, at uneven times and for any smoothing", () => {
  const times = [0, 20, 400, 430, 1900, 1910, 5000, 5040, 5900];
  const forces = {
    pressure: (ms, bucket) => (bucket < SPOT ? 4 : 1) * (1 + (ms % 7)),
    vacuum: (ms, bucket) => (bucket > SPOT ? 3 : 0) * (1 + (bucket % 3)),
  };
  for (const smoothing of [SMOOTHING, { ...SMOOTHING, rows: 0, seconds: 1 }, { ...SMOOTHING, rows: 3, floor: 5, fadeSeconds: memoryMs(SMOOTHING, 1) / 1000 }]) {
    const bins = binsOf(held(block(times, forces)), viewOf(0, 6000), "balance", 64, smoothing, START_MS + 6000);
    for (const ms of [448, 1856, 4992, 5952]) { // ends of bins are multiples of 64 ms from 1970 on
      const bin = Math.floor((START_MS + ms) / 64);
      const endMs = (bin + 1) * 64 - START_MS;
      for (const bucket of [SPOT - 8, SPOT, SPOT + 5]) {
        const wanted = expected(times, endMs, bucket, forces, smoothing);
        const got = shown(bins, ms, bucket);
        assert.ok(Math.abs(got - wanted) < 0.004, `${ms} ms, ${bucket - SPOT}: ${got}, not ${wanted}`);
      }
    }
  }
});

test("pressure is positive, vacuum negative, and what is little against the floor is dark", () => {
  const forces = { pressure: (_, bucket) => (bucket < SPOT ? 9 : 0), vacuum: (_, bucket) => (bucket > SPOT ? 9 : 0) };
  const ring = held(block(every(25, 0, 20_000), forces));
  const bins = binsOf(ring, viewOf(0, 20_000));
  assert.ok(shown(bins, 19_000, SPOT - 10) > 0.9);
  assert.ok(shown(bins, 19_000, SPOT + 10) < -0.9);
  const dark = binsOf(ring, viewOf(0, 20_000), "balance", 64, { ...SMOOTHING, floor: 1000 });
  assert.ok(Math.abs(shown(dark, 19_000, SPOT - 10)) < 0.01);
});

test("prices stay where they are while spot moves", () => {
  const spot = (ms) => (ms < 10_000 ? SPOT : SPOT + 12);
  const forces = { pressure: (ms, bucket) => (bucket === SPOT - 5 ? 50 : 0), spot };
  const bins = binsOf(held(block(every(25, 0, 12_000), forces)), viewOf(0, 12_000));
  const strongest = (ms) => every(1, SPOT - K, SPOT + K).reduce((best, bucket) => (shown(bins, ms, bucket) > shown(bins, ms, best) ? bucket : best));
  assert.deepEqual([9000, 10_100, 11_900].map(strongest), [SPOT - 5, SPOT - 5, SPOT - 5]);
});

test("nothing that comes later changes what was shown", () => {
  const forces = { pressure: (ms, bucket) => ((ms * 7 + bucket * 13) % 11) / 2, vacuum: (ms, bucket) => ((ms * 3 + bucket * 5) % 7) / 2 };
  const loud = { ...forces, pressure: () => 1e4 };
  const ring = held(block(every(25, 0, 20_000), forces));
  const bins = binsOf(ring, viewOf(0, 20_000), "balance", 64, SMOOTHING, START_MS + 20_200);
  const before = cellsOf(bins, 0, 19_900);
  ring.insert(block(every(25, 20_300, 24_000), { ...loud, first: 800 }));
  ring.touchedMs = -Infinity; // as if pushed: the newest columns change nothing before them
  assert.ok(!bins.hold(ring, modeOf("balance"), 64, viewOf(0, 24_000), START_MS + 24_000, SMOOTHING));
  assert.deepEqual(cellsOf(bins, 0, 19_900), before);
  assert.ok(shown(bins, 23_000, SPOT) > 0.9, "what came is shown");
  const anew = binsOf(ring, viewOf(18_000, 24_000));
  const off = cellsOf(anew, 18_100, 19_900).map((value, i) => Math.abs(value - cellsOf(bins, 18_100, 19_900)[i]));
  assert.ok(Math.max(...off) < 0.004, "bins made anew, with a part of the past, are the same");
});

test("what bins show does not depend on how often they were looked at while columns came", () => {
  const spot = (ms) => SPOT + Math.round(6 * Math.sin(ms / 90)); // several prices in a bin
  const forces = { spot, pressure: (ms, bucket) => ((ms * 7 + bucket * 13) % 11) * 3, vacuum: (ms, bucket) => ((ms * 3 + bucket * 5) % 7) * 3 };
  const view = viewOf(0, 20_000);
  for (const mode of ["balance", "depth", "pair"]) {
    const ring = held(block([0], forces));
    const looked = new TimeBins();
    for (let ms = 25, first = 1; ms <= 20_000; ms += 25, first += 1) {
      ring.insert(block([ms], { ...forces, first }));
      ring.touchedMs = -Infinity; // as if pushed: the newest column changes nothing before it
      looked.hold(ring, modeOf(mode), 64, view, START_MS + ms + ((ms * 7) % 200), SMOOTHING);
    }
    const anew = binsOf(ring, view, mode);
    for (let bin = Math.floor(START_MS / 64); bin < anew.newest; bin += 1) {
      const cells = (bins) => {
        const at = bins.slot(bin) * ROWS * 2;
        return bins.cells.subarray(at, at + ROWS * 2);
      };
      assert.equal(looked.base, anew.base);
      assert.deepEqual(cells(looked), cells(anew), `${mode}, ${bin * 64 - START_MS} ms`);
    }
  }
});

test("columns from before the first change what lies beyond the memory by nothing, and bins in it are made anew", () => {
  const forces = { pressure: (ms, bucket) => ((ms * 7 + bucket * 13) % 11) / 2, vacuum: (ms, bucket) => ((ms * 3 + bucket * 5) % 7) / 2 };
  const ring = held(block(every(25, 0, 40_000), { ...forces, first: 1000 }));
  const view = viewOf(0, 40_000);
  const bins = binsOf(ring, view);
  const before = cellsOf(bins, 30_000, 39_900);
  ring.insert(block(every(25, -20_000, 0), { ...forces, pressure: () => 500, first: 200 }));
  assert.ok(bins.hold(ring, modeOf("balance"), 64, view, -Infinity, SMOOTHING));
  const after = cellsOf(bins, 30_000, 39_900);
  assert.ok(Math.max(...after.map((value, i) => Math.abs(value - before[i]))) < 0.004);
  assert.ok(shown(bins, 200, SPOT) > 0.9, "the first moments remember what was before");
});

test("a lone event is a spot that fades, not a bar that lasts until the next frame", () => {
  const vacuum = (ms, bucket) => (ms === 5000 && bucket === SPOT + 4 ? 60 : 0);
  const bins = binsOf(held(block([0, 5000, 60_000], { vacuum })), viewOf(0, 60_000));
  assert.ok(shown(bins, 6000, SPOT + 4) < -0.5);
  assert.ok(shown(bins, 30_000, SPOT + 4) > -0.1);
});

test("what a long gap held is not remembered, a short one is bridged", () => {
  for (const [gapMs, remembered] of [[50, true], [4000, false], [30_000, false]]) {
    const ring = held(block(every(25, 0, 10_000), { pressure: () => 80 }));
    ring.insert(block(every(25, 10_000 + gapMs, 11_000 + gapMs), { vacuum: () => 2, first: 1000 }), true);
    const bins = binsOf(ring, viewOf(0, 11_000 + gapMs));
    assert.equal(shown(bins, 10_200 + gapMs, SPOT) > 0, remembered, String(gapMs));
  }
});

test("zoomed far out the memory is no shorter than a bin, and many columns a bin are not needed", () => {
  assert.equal(memoryMs(SMOOTHING, 8192), 8192);
  const forces = { pressure: () => 3, vacuum: (_, bucket) => (bucket > SPOT ? 9 : 0) };
  const bins = binsOf(held(block(every(25, 0, 120_000), forces)), viewOf(0, 120_000), "balance", 8192);
  assert.ok(Math.abs(shown(bins, 100_000, SPOT - 20) - 3 / 3.5) < 0.01);
  assert.ok(Math.abs(shown(bins, 100_000, SPOT + 20) - (3 - 9) / 12.5) < 0.01);
});

test("the memory is as old as half a Gaussian", () => {
  let [sum, weights] = [0, 0];
  for (let seconds = 0.005; seconds < 30; seconds += 0.01) {
    const weight = Math.exp(-(seconds * seconds) / (2 * SMOOTHING.seconds ** 2));
    sum += weight * seconds;
    weights += weight;
  }
  assert.ok(Math.abs(memoryMs(SMOOTHING, 1) / 1000 - sum / weights) < 0.001);
});

test("bins that are made anew remember what was before the first of them", () => {
  const forces = { pressure: (ms) => (ms < 15_900 ? 50 : 0), vacuum: (ms) => (ms < 15_900 ? 0 : 5) };
  const bins = binsOf(held(block(every(25, 0, 20_000), forces)), viewOf(18_000, 20_000), "balance", 1);
  assert.ok(bins.first > START_MS + 15_800);
  assert.ok(shown(bins, 16_100, SPOT) > 0.5);
  assert.ok(shown(bins, 19_900, SPOT) < shown(bins, 16_100, SPOT));
});

test("another smoothing makes bins anew, the same one does not, and views without it never", () => {
  const ring = held(block(every(25, 0, 10_000), { pressure: () => 3 }));
  const bins = binsOf(ring, viewOf(0, 10_000));
  const hold = (mode, smoothing) => bins.hold(ring, modeOf(mode), 64, viewOf(0, 10_000), -Infinity, smoothing);
  assert.ok(!hold("balance", { ...SMOOTHING }));
  assert.ok(hold("balance", { ...SMOOTHING, rows: 3 }));
  assert.ok(hold("pair", SMOOTHING));
  assert.ok(!hold("pair", { ...SMOOTHING, seconds: 9 }));
});

test("settings that are damaged or too large give a smoothing that works", () => {
  assert.deepEqual(smoothingOf({ rows: NaN, seconds: -1, floor: "x" }, "shares"), { rows: 1.5, seconds: 3, floor: 2, fadeSeconds: 2 });
  const { rows, seconds, floor } = smoothingOf({ rows: 1e9, seconds: 1e9, floor: 0 }, "contracts", 10);
  assert.ok(rows <= 10 && seconds <= 60 && floor > 0);
  assert.equal(smoothingOf(usualSmoothing(), "contracts").floor, 0.5);
});

test("depth tells bids from asks, and carries the balance", () => {
  const forces = { pressure: (_, bucket) => (bucket < SPOT ? 9 : 0), vacuum: (_, bucket) => (bucket > SPOT ? 9 : 0), depth: (_, bucket) => 20 + (bucket & 1) * 20 };
  const bins = binsOf(held(block(every(25, 0, 9000), forces)), viewOf(0, 9000), "depth");
  const at = (bucket) => (bins.slot(Math.floor((START_MS + 8000) / 64)) * ROWS + bucket - bins.base) * 2;
  const [levels, scale] = [new LevelTable(), new Scale()];
  scale.judge(sample(bins, bins.first, bins.newest), 0, 0.4);
  assert.ok(scale.lower >= 20 && scale.upper >= 40, "depths alone are judged, and small ones are hidden");
  levels.set(0, 40, "linear", true);
  const table = depthTable("green", "blue", "dark");
  const colour = (bucket) => {
    const [depth, balance] = bins.cells.subarray(at(bucket), at(bucket) + 2);
    return [...table.subarray((levels.levels[depth] * LEVELS + balance) * 4).subarray(0, 3)];
  };
  assert.equal(levels.levels[bins.cells[at(SPOT - 9)]], LEVELS - 1);
  assert.equal(levels.levels[bins.cells[at(SPOT + 9)]], 2 * LEVELS - 1);
  const [below, above] = [colour(SPOT - 9), colour(SPOT + 9)];
  assert.ok(below[2] > below[0] + 60, "pressure below is blue");
  assert.ok(above[0] > above[2] + 60, "vacuum above is orange");
  for (const ramp of Object.keys(RAMPS)) {
    for (const theme of ["dark", "light"]) {
      const steps = depthTable(ramp, "blue", theme);
      const light = (level, side) => [0, 1, 2].reduce((sum, i) => sum + steps[((side * LEVELS + level) * LEVELS) * 4 + i], 0);
      for (const side of [0, 1]) {
        for (let level = 1; level < LEVELS; level += 1) {
          const rise = light(level, side) - light(level - 1, side);
          assert.ok(theme === "dark" ? rise >= 0 : rise <= 0, `${ramp} ${theme} ${side} ${level}: more depth stands out more`);
        }
      }
    }
  }
  assert.equal(coloursOf({ mode: "depth", palette: "cyan", ramp: "heat" }).choices, RAMPS);
  assert.deepEqual(coloursOf({ mode: "balance", palette: "cyan", ramp: "heat" }), { name: "palette", now: "cyan", choices: PALETTES });
});

test("cut-offs of a view that has its own do not follow what is on screen", () => {
  const scale = new Scale();
  scale.judge(new Float32Array(0), 0, 0, [0.1, 0.7]);
  assert.deepEqual([scale.lower, scale.upper], [0.1, 0.7]);
  scale.judge(new Float32Array(100).fill(0.01), 1000, 0, [0.1, 0.7]);
  assert.deepEqual([scale.lower, scale.upper], [0.1, 0.7]);
  scale.set(0.2, 0.4);
  scale.judge(new Float32Array(100).fill(0.01), 2000, 0, [0.1, 0.7]);
  assert.deepEqual([scale.lower, scale.upper], [0.2, 0.4]);
});

test("a bin's worth of new columns costs a bin's worth of work", () => {
  const ring = held(block(every(25, 0, 60_000), { pressure: () => 3 }));
  const bins = binsOf(ring, viewOf(0, 60_000));
  bins.clean();
  ring.insert(block(every(25, 60_000, 60_100), { pressure: () => 3, first: 2400 }));
  ring.touchedMs = -Infinity;
  bins.hold(ring, modeOf("balance"), 64, viewOf(0, 60_100), -Infinity, SMOOTHING);
  assert.ok(bins.dirtyUntil - bins.dirtyFrom <= 4, `${bins.dirtyUntil - bins.dirtyFrom} of ${BINS} bins`);
  assert.equal(new Balance(ROWS, SMOOTHING, 64).reach, 5);
});
