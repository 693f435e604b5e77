// The pure modules of the page, by node's own test runner; tests/web/test_modules.py runs it.

import assert from "node:assert/strict";
import test from "node:test";

import { addressOf, passedOverText, readAddress } from "../../web/address.js";
import * as bookmarks from "../../web/bookmarks.js";
import { copyAsBfloat16, fromBfloat16 } from "../../web/bfloat16.js";
import { LEVELS, LevelTable, normalise, Scale } from "../../web/colour.js";
import { amountText, dateAndTime, exactText, priceStep, shortenedTo, spanText, timeStep } from "../../web/format.js";
import { Feed } from "../../web/feed.js";
import { FrameLayout } from "../../web/frame-layout.js";
import { playerKeys, shortcuts } from "../../web/keyboard.js";
import { layerDefaults, SWITCHED_LAYERS } from "../../web/layers.js";
import { gridsOf, modeOf, unitOf } from "../../web/modes.js";
import { load, MOST_INSTRUMENTS, save } from "../../web/kept.js";
import { Lateness } from "../../web/lateness.js";
import { CAPACITY, Ring } from "../../web/ring.js";
import { ServerClock } from "../../web/server-clock.js";
import { defaults, FIELDS, fullName, judged, put, valueOf } from "../../web/settings.js";
import { settingsFile, takeSettingsFile } from "../../web/settings-file.js";
import { hatchingKey, MISSING, NO_EVENTS, reasonWords, stretches } from "../../web/quality.js";
import { timeInSession } from "../../web/session-time.js";
import { serverBase } from "../../web/stream.js";
import { BINS, binWidth, HOLD_MS, ROWS, sample, TimeBins } from "../../web/time-bins.js";
import { cellWords } from "../../web/spoken.js";
import { besideMarks } from "../../web/crosshair-tags.js";
import { linesWithin, placeBeside } from "../../web/card-placement.js";
import { UndoHistory } from "../../web/undo.js";
import { placeKey, Viewport } from "../../web/viewport.js";

const ROWS_HELD = 101;
const START_MS = 1_770_388_200_000;
const SCALARS = {
  event_id: "int64", spot_price: "int64", bid_price: "int64", ask_price: "int64", last_price: "int64", mid_price: "float64",
  bid_size: "int64", ask_size: "int64", buy_volume: "int64", sell_volume: "int64", other_volume: "int64", state: "int8", score: "float32",
  strength: "float32", book_valid: "bool", ofi: "int64", quality: "uint8",
};
const column = (name, type, offset = 0, validity = null) => ({ name, type, offset, length_bytes: 8, validity_offset: validity });
const LAYOUT = new FrameLayout({
  message_bytes: 0, rows: ROWS_HELD,
  columns: [
    column("ts_ns", "timestamp_ns"), ...Object.entries(SCALARS).map(([name, type]) => column(name, type)),
    ...["pressure", "vacuum", "bought", "sold"].map((name) => column(name, "float32[101]")), column("last_event_id", "int64[101]"),
  ],
});

function toBfloat16(value) {
  const [from, to] = [new DataView(new ArrayBuffer(4)), new Uint16Array(1)];
  from.setFloat32(0, value, true);
  copyAsBfloat16(from, 0, to, 0, 1);
  return to[0];
}

/** A block of history: columns with these events, 25 ms apart by event, one value at row 50 each. */
function block(events, value = (event) => event) {
  const n = events.length;
  const scalar = (fill) => Float64Array.from(events, fill);
  const grids = {};
  for (const name of ["pressure", "vacuum"]) {
    grids[name] = new Uint16Array(n * ROWS_HELD);
    events.forEach((event, i) => { grids[name][i * ROWS_HELD + 50] = name === "pressure" ? toBfloat16(value(event)) : 0x8000; });
  }
  const values = { event_id: (e) => e, spot_price: () => 100e9, bid_price: () => 99e9, ask_price: () => 101e9, last_price: () => NaN, book_valid: () => 1 };
  return {
    frames: n, oldest: false, timeMs: scalar((event) => START_MS + event * 25), nanos: new Uint32Array(n),
    scalars: Object.fromEntries(Object.keys(SCALARS).map((name) => [name, scalar(values[name] ?? (() => 0))])),
    grids, exact: {},
  };
}
const range = (from, until) => Array.from({ length: until - from }, (_, i) => from + i);
const eventsOf = (ring) => range(ring.first, ring.end).map((column) => ring.eventId(column));
const made = () => new Ring(LAYOUT, 1e9);
const viewOf = (startMs, endMs) => ({ startMs, endMs, top: 150.5, rows: 101 });

test("bfloat16 values keep the range and round to the nearest", () => {
  for (const value of [0, 1, 3.14159, 1e-20, 70_000, 3e38, -2.5]) {
    assert.ok(Math.abs(fromBfloat16(toBfloat16(value)) - value) <= Math.abs(value) / 256);
  }
});

test("columns come in from before, behind and into a hole, each once and in order", () => {
  const ring = made();
  assert.equal(ring.insert(block(range(5000, 5100))), 100);
  assert.equal(ring.insert(block(range(100, 5000))), 4900);
  assert.equal(ring.insert(block(range(0, 150))), 100);
  assert.equal(ring.insert(block(range(5050, 5080))), 0);
  assert.equal(ring.insert(block(range(5090, 5200))), 100);
  assert.equal(ring.insert(block(range(5300, 5310))), 10);
  assert.equal(ring.insert(block(range(5200, 5300))), 100);
  assert.deepEqual(eventsOf(ring), range(0, 5310));
  assert.equal(ring.value("pressure", ring.first + 4097, 100), fromBfloat16(toBfloat16(4097)));
});

test("the ring holds whatever columns runtime_config tells of, from history and stream alike", () => {
  const types = { ts_ns: "timestamp_ns", event_id: "int64", spot_price: "int64", last_price: "int64", quality: "uint8", ofi: "int64", mid_price: "float64" };
  let bytes = 16; // the validity of last_price lies in front
  const columns = Object.entries(types).map(([name, type]) => column(name, type, (bytes += 8) - 8, name === "last_price" ? 3 : null));
  columns.push(column("depth", "float32[3]", bytes));
  const ring = new Ring(new FrameLayout({ message_bytes: bytes + 12, rows: 3, columns }), 250_000_000);
  const message = new DataView(new ArrayBuffer(bytes + 12));
  const at = Object.fromEntries(columns.map(({ name, offset }) => [name, offset]));
  const write = (event, last) => {
    message.setBigInt64(at.ts_ns, BigInt(START_MS) * 1_000_000n + BigInt(event) * 1_000_001n, true);
    for (const [name, value] of [["event_id", event], ["spot_price", 21_500_000_000_000], ["last_price", last], ["ofi", -7]]) {
      message.setBigInt64(at[name], BigInt(value), true);
    }
    message.setUint8(3, last ? 1 : 0);
    message.setUint8(at.quality, 200);
    message.setFloat64(at.mid_price, 21_500.125, true);
    [1, 2, 3].forEach((value, i) => message.setFloat32(at.depth + 4 * i, value, true));
    return message.buffer.slice(0);
  };
  assert.ok(ring.push(write(1, 21_499_250_000_000)));
  assert.ok(ring.push(write(2, 0)));
  assert.ok(!ring.push(write(2, 0)), "it is there already");
  const scalars = (number) => Object.fromEntries(ring.layout.scalars.map((name) => [name, ring.scalar(name, number)]));
  const rest = { spot_price: 86_000, quality: 200, ofi: -7, mid_price: 21_500.125 }; // prices count in buckets
  assert.deepEqual(scalars(0), { event_id: 1, last_price: 85_997, ...rest });
  assert.deepEqual(scalars(1), { event_id: 2, last_price: NaN, ...rest });
  assert.deepEqual([-1, 0, 1, 2].map((k) => ring.value("depth", 0, 86_000 + k)), [1, 2, 3, NaN]);
  assert.equal(ring.timeNs(1), BigInt(START_MS) * 1_000_000n + 2_000_002n);
  const older = block([-1]);
  Object.assign(older.scalars, {
    spot_price: Float64Array.of(21_500e9), last_price: Float64Array.of(21_500.25e9), quality: Uint8Array.of(9),
    ofi: Float64Array.of(3), mid_price: Float64Array.of(1.5),
  });
  older.grids.depth = Uint16Array.from([4, 5, 6], toBfloat16);
  assert.equal(ring.insert(older), 1);
  assert.deepEqual(scalars(-1), { event_id: -1, spot_price: 86_000, last_price: 86_001, quality: 9, ofi: 3, mid_price: 1.5 });
  assert.equal(ring.value("depth", -1, 86_001), 6);
  assert.equal(ring.columnUntil(START_MS - 26), -2);
  assert.equal(ring.columnUntil(START_MS - 25), -1);
});

test("every key does one thing, and layers have theirs from their table", () => {
  const table = [...playerKeys({}, {}), ...shortcuts({}, {})];
  const keys = table.flatMap((entry) => entry.keys);
  assert.deepEqual(keys, [...new Set(keys)]);
  for (const layer of SWITCHED_LAYERS) {
    assert.ok(layer.help);
    if (layer.key) assert.equal(table.find((entry) => entry.keys.includes(layer.key)).what, `${layer.label.toLowerCase()} on or off`);
  }
  for (const { name, default: shown, option } of SWITCHED_LAYERS) {
    assert.equal(layerDefaults()[name], shown);
    if (option) assert.equal(layerDefaults()[option.name], option.default);
  }
  assert.ok(SWITCHED_LAYERS.some(({ key }) => key) && SWITCHED_LAYERS.some(({ option }) => option));
});

test("a view asks for the columns that it shows, and those that every picture takes", () => {
  assert.deepEqual(gridsOf(modeOf("net")), ["pressure", "vacuum", "rest_depth", "bought", "sold"]);
  assert.deepEqual(gridsOf(modeOf("v_add")), ["pressure", "vacuum", "rest_depth", "bought", "sold", "v_add"]);
  assert.equal(modeOf("of another version").name, "balance");
  assert.deepEqual(["balance", "depth"].map((name) => gridsOf(modeOf(name))), [gridsOf(modeOf("pair")), gridsOf(modeOf("pair"))]);
  const units = ["pressure", "v_add", "a_pull", "j_fill", "rest_depth"].map((name) => unitOf(name, "shares"));
  assert.deepEqual(units, ["shares/s", "shares/s", "shares/s²", "shares/s³", "shares"]);
  assert.deepEqual(["v_add", "v_rest_depth", "a_add", "add_mass"].map((name) => modeOf(name).kind), ["one", "signed", "signed", "one"]);
});

test("a full ring lets the oldest go and takes nothing before them", () => {
  const ring = made();
  for (let from = 0; from < CAPACITY + 5000; from += 5000) ring.insert(block(range(from, from + 5000)));
  assert.equal(ring.count, CAPACITY);
  assert.equal(ring.insert(block(range(0, 10))), 0);
  assert.ok(ring.chunks.size <= CAPACITY / 4096 + 2);
});

test("bins keep the largest magnitude of every column, whatever the zoom", () => {
  const ring = made();
  const spike = (event) => (event === 1234 ? 900 : 1);
  ring.insert(block(range(0, 4000), spike));
  for (const binMs of [8, 32, 256, 4096]) {
    const bins = new TimeBins();
    bins.hold(ring, { kind: "pair", a: "pressure", b: "vacuum" }, binMs, viewOf(START_MS + 1230 * 25, START_MS + 1240 * 25));
    const bin = Math.floor((START_MS + 1234 * 25) / binMs);
    const at = (bins.slot(bin) * ROWS + (100 - bins.base)) * 2;
    assert.equal(fromBfloat16(bins.cells[at]), 900);
    assert.equal(bins.cells[at + 1], 0, "minus zero is zero");
  }
});

test("a signed value keeps its sign where magnitudes are reduced", () => {
  const ring = made();
  ring.insert(block(range(0, 100), (event) => (event === 50 ? -7 : 2)));
  const bins = new TimeBins();
  bins.hold(ring, { kind: "signed", a: "pressure", b: "pressure" }, 4096, viewOf(START_MS, START_MS + 2500));
  const bin = Math.floor((START_MS + 50 * 25) / 4096);
  const at = (bins.slot(bin) * ROWS + (100 - bins.base)) * 2;
  assert.deepEqual([bins.cells[at], fromBfloat16(bins.cells[at + 1])], [0, 7]);
});

test("taking columns in one by one gives the bins of building them at once", () => {
  const ring = made();
  ring.insert(block(range(0, 10)));
  const [slow, fast] = [new TimeBins(), new TimeBins()];
  const mode = { kind: "pair", a: "pressure", b: "vacuum" };
  for (const event of range(10, 9000)) {
    ring.insert(block([event]));
    ring.epoch = 1; // as if pushed: the newest column changes nothing before it
    if (event % 100 === 99) slow.hold(ring, mode, 64, viewOf(START_MS + event * 25 - 20_000, START_MS + event * 25));
  }
  fast.hold(ring, mode, 64, viewOf(START_MS + 8999 * 25 - 20_000, START_MS + 8999 * 25));
  const from = Math.floor((START_MS + 8999 * 25 - 20_000) / 64);
  for (let bin = from; bin <= fast.newest; bin += 1) {
    assert.equal(slow.reasons(bin), 0);
    const at = (100 - fast.base) * 2;
    assert.equal(slow.cells[slow.slot(bin) * ROWS * 2 + at], fast.cells[fast.slot(bin) * ROWS * 2 + at]);
  }
});

const PAIR = { kind: "pair", a: "pressure", b: "vacuum" };
/** What bins say of moments, ms after the start. */
function reasonsAt(bins, ...moments) { return moments.map((ms) => bins.reasons(Math.floor((START_MS + ms) / bins.binMs))); }
/** Whether bins show a value in row 50 of the grid. */
const shownAt = (bins, ms) => bins.cells[(bins.slot(Math.floor((START_MS + ms) / bins.binMs)) * ROWS + (100 - bins.base)) * 2] > 0;

test("nothing happens for long: that is no hole, what is known of the book stays, values fade from the picture", () => {
  const ring = made();
  const silent = block([0, 4000, 8000], () => 5); // 100 s apart
  silent.scalars.quality = Uint8Array.of(0, 1, 0); // a side is empty from the second on
  ring.insert(silent);
  const bins = new TimeBins();
  bins.hold(ring, PAIR, 64, viewOf(START_MS, START_MS + 200_000));
  assert.deepEqual(reasonsAt(bins, 30_000, 99_000, 130_000, 199_000, 200_000), [0, NO_EVENTS, 1, 1 | NO_EVENTS, 0]);
  assert.deepEqual([30_000, 99_000].map((ms) => shownAt(bins, ms)), [true, false]);
  assert.equal(reasonWords(1 | NO_EVENTS), "a side is empty, no events");
});

test("frames are missing from the column before them to the one after, whatever the time between", () => {
  for (const last of [400, 4000]) { // 10 s, 100 s
    const ring = made();
    ring.insert(block([0]));
    ring.insert(block([last]), true);
    const bins = new TimeBins();
    bins.hold(ring, PAIR, 64, viewOf(START_MS, START_MS + 100_000));
    assert.deepEqual(reasonsAt(bins, 0, 5000, last * 25), [0, MISSING, MISSING]);
    assert.ok(!shownAt(bins, 5000) && shownAt(bins, last * 25));
    ring.insert(block([last / 2])); // it came after all
    bins.hold(ring, PAIR, 64, viewOf(START_MS, START_MS + 100_000));
    assert.deepEqual(reasonsAt(bins, 5000, last * 25), [0, 0]);
  }
});

test("time runs on behind the newest column, and what then comes takes its place", () => {
  const [ring, bins] = [made(), new TimeBins()];
  ring.insert(block(range(0, 10)));
  for (let ms = 1000; ms <= 90_000; ms += 1000) bins.hold(ring, PAIR, 64, viewOf(START_MS - 10_000, START_MS + ms), START_MS + ms);
  assert.deepEqual(reasonsAt(bins, 1000, 60_000, 89_000), [0, 0, NO_EVENTS]);
  assert.deepEqual([1000, 89_000].map((ms) => shownAt(bins, ms)), [true, false]);
  ring.insert(block([1000])); // at 25 s: it had been on its way for long
  bins.hold(ring, PAIR, 64, viewOf(START_MS - 10_000, START_MS + 90_000), START_MS + 90_000);
  const anew = new TimeBins();
  anew.hold(ring, PAIR, 64, viewOf(START_MS - 10_000, START_MS + 90_000), START_MS + 90_000);
  for (let bin = Math.floor(START_MS / 64); bin <= anew.newest; bin += 1) {
    assert.equal(bins.reasons(bin), anew.reasons(bin));
    const at = (100 - anew.base) * 2;
    assert.equal(bins.cells[bins.slot(bin) * ROWS * 2 + at], anew.cells[anew.slot(bin) * ROWS * 2 + at]);
  }
  assert.equal(bins.newest, Math.floor((START_MS + 90_000) / 64));
});

test("each bit of quality has the words that the frames' documentation gives it", () => {
  const words = { 1: "a side is empty", 2: "locked or crossed", 4: "within a snapshot", 8: "bad book", 16: "incomplete book", 32: "gap" };
  for (const [bit, said] of Object.entries(words)) assert.ok(reasonWords(Number(bit)).includes(said), bit);
});

test("stretches begin where frames do, and a key says what their hatching means", () => {
  const ring = made();
  const columns = block([0, 4000, 4400]);
  columns.scalars.quality = Uint8Array.of(0, 2, 2 | 32);
  ring.insert(columns);
  const bins = new TimeBins();
  bins.hold(ring, PAIR, 64, viewOf(START_MS - 50_000, START_MS + 120_000), START_MS + 120_000);
  const found = stretches(bins, ring, START_MS - 50_000, START_MS + 120_000);
  assert.deepEqual(found.map(({ reasons }) => reasons), [NO_EVENTS, 2, 2 | 32]);
  assert.ok(Math.abs(found[0].startMs - START_MS - HOLD_MS) <= 64 && Math.abs(found[1].startMs - START_MS - 100_000) <= 64);
  assert.equal(hatchingKey(found), "wide hatching: locked or crossed · dense hatching: after a gap of the feed · dots: no events");
  assert.equal(hatchingKey([]), "");
});

test("trades lie in their own rows, from history and stream alike", () => {
  const ring = made();
  const traded = block([1, 2]);
  traded.scalars.buy_volume = Float64Array.of(7, 0);
  traded.exact = { bought: new Float32Array(2 * ROWS_HELD), sold: new Float32Array(2 * ROWS_HELD) };
  traded.exact.bought[50] = 4;
  traded.exact.bought[52] = 3;
  traded.exact.sold[52] = 1234;
  ring.insert(traded);
  assert.deepEqual([ring.trades(0), ring.trades(1)], [[100, 4, 0, 102, 3, 1234], []]);
  ring.insert(block([0]));
  ring.insert(block(range(-5000, 0)));
  assert.deepEqual(ring.trades(1), [], "the number of a column may have been another's");
  assert.deepEqual(ring.trades(ring.afterEvent(1) - 1), [100, 4, 0, 102, 3, 1234]);
});

test("below zero is shown where there were prices", () => {
  const ring = made();
  ring.insert(block([1]));
  assert.ok(!ring.belowZero);
  const below = block([2]);
  below.scalars.bid_price = Float64Array.from([-5e9]);
  ring.insert(below);
  assert.ok(ring.belowZero);
  const view = new Viewport();
  view.follow(START_MS, 30, 0);
  assert.equal(view.top - view.rows, -0.5); // the lower edge of the row of price 0
  view.follow(START_MS, 300, 0);
  assert.equal(view.centre, 300);
  view.live();
  view.follow(START_MS, 30);
  assert.equal(view.centre, 30);
});

test("the server is where the page came from", () => {
  const at = (href) => serverBase(new URL(href));
  assert.equal(at("http://127.0.0.1:8002/vacuum-pressure.html?dt=2026-02-06#end=1"), "http://127.0.0.1:8002");
  assert.equal(at("https://example.org/a/vp/vacuum-pressure.html"), "https://example.org/a/vp");
  assert.equal(at("http://localhost:5174/vacuum-pressure.html"), "http://localhost:8002");
});

test("bins are never wider than a pixel and fit the texture", () => {
  for (const [span, width] of [[1000, 300], [180_000, 1090], [7_200_000, 1920], [43_200_000, 3840]]) {
    const binMs = binWidth(span, width);
    assert.ok(span / binMs <= BINS - 128);
    if (width * 2 < BINS) assert.ok(binMs <= span / width);
  }
});

test("the scale rises from its lower to its upper cut-off", () => {
  for (const transfer of ["linear", "sqrt", "log"]) {
    assert.equal(normalise(1, 1, 10, transfer), 0);
    assert.equal(normalise(10, 1, 10, transfer), 1);
    assert.ok(normalise(3, 1, 10, transfer) < normalise(4, 1, 10, transfer));
  }
  const table = new LevelTable();
  table.set(0, 8, "linear");
  assert.equal(table.levels[toBfloat16(8)], LEVELS - 1);
  assert.equal(table.levels[toBfloat16(4)], Math.round((LEVELS - 1) / 2));
});

test("the cut-off follows what is on screen, with hysteresis, and stays when frozen", () => {
  const scale = new Scale();
  assert.equal(scale.percentile(1), null);
  const values = (top) => Float32Array.from({ length: 1000 }, (_, i) => (i / 999) * top);
  assert.ok(scale.judge(values(100), 0));
  const { upper } = scale;
  assert.ok(!scale.judge(values(110), 1000));
  assert.equal(scale.upper, upper);
  assert.ok(scale.judge(values(300), 2000));
  scale.set(1, 20);
  assert.ok(!scale.judge(values(900), 3000));
  assert.equal(scale.upper, 20);
  assert.ok(Math.abs(scale.percentile(90) - 10) < 0.2);
});

test("a sample sees a single cell's magnitude range", () => {
  const ring = made();
  ring.insert(block(range(0, 2000), (event) => 1 + (event % 10)));
  const bins = new TimeBins();
  bins.hold(ring, { kind: "pair", a: "pressure", b: "vacuum" }, 32, viewOf(START_MS, START_MS + 50_000));
  const found = sample(bins, Math.floor(START_MS / 32), bins.newest);
  assert.ok(found.length > 10);
  assert.ok(found[0] >= 1 && found[found.length - 1] <= 10);
});

test("zooming keeps what is under the cursor, and the way back leads there", () => {
  const view = new Viewport();
  Object.assign(view, { endMs: START_MS, spanMs: 60_000, centre: 100, rows: 100, following: false });
  const before = view.endMs - view.spanMs * 0.75;
  view.zoomTime(0.5, 0.25);
  assert.ok(Math.abs(view.startMs + view.spanMs * 0.25 - before) < 1e-3);
  const undo = new UndoHistory(() => view.place(), (place) => Object.assign(view, place), (place) => JSON.stringify(placeKey(place)));
  undo.remember();
  view.show(START_MS, START_MS + 5000, 120, 80);
  assert.deepEqual([view.startMs, view.rows], [START_MS, 40]);
  assert.ok(undo.undo());
  assert.equal(view.spanMs, 30_000);
  assert.ok(!undo.undo());
  view.follow(START_MS + 1e6, 300);
  assert.equal(view.endMs, before + 0.75 * 30_000);
});

test("times, steps and amounts are written as people write them", () => {
  assert.deepEqual(dateAndTime(START_MS, "ET"), { date: "2026-02-06", time: "09:30:00" });
  assert.deepEqual(dateAndTime(START_MS, "UTC"), { date: "2026-02-06", time: "14:30:00" });
  assert.equal(exactText(BigInt(START_MS) * 1_000_000n + 123n), "2026-02-06 09:30:00.000000123");
  assert.deepEqual([0.2, 3.4, 60, 700].map((least) => priceStep(least, 250_000_000)), [1, 4, 80, 800]);
  assert.equal(priceStep(3, 15_625_000), 4); // a 64th
  assert.deepEqual([40, 900, 70_000].map(timeStep), [100, 1000, 120_000]);
  assert.deepEqual([0, 0.0000004, 0.123, 12.34, 1234, 1_234_567].map(amountText), ["0", "≈0", "0.12", "12.3", "1234", "1.23M"]);
  const spans = [999.7, 61_000, 179_900, -179_900, 180_000, 3_599_900, 3_660_000];
  assert.deepEqual(spans.map(spanText), ["1.0 s", "61.0 s", "2 min 59 s", "-2 min 59 s", "3 min 0 s", "59 min 59 s", "1 h 1 min"]); // never 60 s
});

const HERE = { origin: "https://desk.example", pathname: "/vp/vacuum-pressure.html", search: "?flat=1&utm=2" };
/** Another value of each setting. */
function changedSettings() {
  const settings = defaults();
  for (const field of FIELDS) {
    const usual = valueOf(settings, field);
    const others = field.group === "cutoffs" ? [{ lower: 0.5, upper: 12.25 }]
      : typeof usual === "boolean" ? [!usual] : typeof usual === "number" || usual === null ? [Number(usual) + 1] : field.expected.slice("one of ".length).split(", ");
    put(settings, field, others.find((value) => field.fits(value) && value !== usual));
  }
  return settings;
}

test("words are cut to their room by whole letters, wide ones too, or left out", () => {
  const widthOf = (text) => [...text].reduce((sum, letter) => sum + (letter === "W" ? 20 : 8), 0);
  assert.equal(shortenedTo("the wall goes", 13 * 8, widthOf), "the wall goes");
  assert.equal(shortenedTo("the wall goes", 13 * 8 - 1, widthOf), "the wall go…");
  assert.equal(shortenedTo("the WWWWWWWWWWWW", 90, widthOf), "the WW…");
  assert.equal(shortenedTo("🙂🙂🙂🙂🙂🙂🙂🙂", 44, widthOf), "🙂🙂🙂🙂…");
  assert.equal(shortenedTo("the wall goes", 39, widthOf), "");
  assert.equal(shortenedTo("the wall goes", -500, widthOf), "");
  assert.equal(shortenedTo("", -500, widthOf), "");
});

test("every setting of the tables is in the address and comes back from it", () => {
  const settings = changedSettings();
  const viewport = Object.assign(new Viewport(), { endMs: START_MS + 0.1234, spanMs: 60_000, centre: -12.5, rows: 80, following: false, fitting: false });
  const address = new URL(addressOf(HERE, { symbol: "MNQ", speed: 5, start_time: null, bucket: "0.50" }, viewport, settings, { lower: 0.5, upper: 12.25, frozen: true }));
  assert.equal(address.search, "?symbol=MNQ&start_time=&speed=5&bucket=0.50&flat=1");
  const linked = readAddress(address.search, address.hash.slice(1));
  assert.deepEqual(linked.settings, settings);
  assert.deepEqual(linked.passedOver, []);
  assert.equal(linked.place.endMs, START_MS + 0.123);
  assert.deepEqual([linked.place.spanMs, linked.place.centre, linked.place.rows], [60_000, -12.5, 80]);
  for (const field of FIELDS) assert.ok(address.hash.includes(`${fullName(field)}=`), field.name);
  assert.ok(String(address).length < 2000);
});

test("an address says the usual settings by saying nothing, and what is live by live", () => {
  const viewport = Object.assign(new Viewport(), { endMs: START_MS, spanMs: 60_000, centre: 100, rows: 80, following: true, fitting: true });
  const address = new URL(addressOf(HERE, { speed: 1 }, viewport, defaults(), { lower: 0, upper: 3.5, frozen: false }));
  assert.equal(address.hash, `#end=${START_MS}&span=60000&live=1&theme=dark&scale=0..3.5`);
  const { place, scale } = readAddress(address.search, address.hash.slice(1));
  assert.deepEqual([place.following, place.rows, scale], [true, undefined, { lower: 0, upper: 3.5 }]);
  const [stands, runs] = [true, false].map((held) => new URL(addressOf(HERE, { speed: 1 }, viewport, defaults(), { lower: 0, upper: 3.5, frozen: false }, held)));
  assert.deepEqual([stands, runs].map(({ search, hash }) => readAddress(search, hash.slice(1)).held), [true, false]);
  assert.deepEqual(readAddress("", "held=perhaps&constructor=1").passedOver, ["held=perhaps", "constructor=1"]);
});

test("an address without meaning is passed over in one sentence of bounded length", () => {
  const { settings, place, passedOver } = readAddress("?symbol=ES&a=1", "palette=pink&end=&rows=1e9&transfer=log&least=-1&cutoffs.pair=1..2..3&cutoffs.pair=..&live=yes&" + "b=".repeat(50));
  assert.deepEqual(passedOver, ["a", "palette=pink", "end", "rows=1e9", "least=-1", "cutoffs.pair=1..2..3", "cutoffs.pair=..", "live=yes", "b=b=b=b=b=b=b=b=b=b=b=b=b=b=b=…"]);
  assert.equal(passedOverText(passedOver), "Passed over in the address, as it means nothing here: “a”, “palette=pink”, “end”, “rows=1e9” and 5 more.");
  assert.equal(settings.transfer, "log");
  assert.deepEqual(place, {});
  assert.equal(readAddress("", "x".repeat(5000)).passedOver.length, 1);
  assert.equal(passedOverText([]), "");
});

/** A browser's storage. */
function storage(most = Infinity) {
  const kept = {};
  Object.defineProperty(kept, "getItem", { value: (key) => kept[key] ?? null });
  Object.defineProperty(kept, "removeItem", { value: (key) => { delete kept[key]; } });
  Object.defineProperty(kept, "setItem", { value: (key, text) => {
    if (Object.keys(kept).length >= most && !(key in kept)) throw new Error("full");
    kept[key] = text;
  } });
  globalThis.localStorage = kept;
  return kept;
}

test("settings are kept by instrument, so many at most, and what is damaged is as usual", () => {
  const kept = storage();
  const settings = changedSettings();
  assert.equal(save("future_mbo.ESH4", settings), true);
  assert.deepEqual(load("future_mbo.ESH4"), settings);
  assert.deepEqual(load("future_mbo.CLX5"), { ...settings, cutoffs: defaults().cutoffs }); // another market, another size
  kept["vp.settings.future_mbo.ESH4"] = JSON.stringify({ palette: "pink", transfer: "log", layers: 7 });
  assert.deepEqual(load("future_mbo.ESH4"), { ...defaults(), transfer: "log" });
  kept["vp.settings.future_mbo.ESH4"] = "{";
  assert.equal(load("future_mbo.ESH4").palette, settings.palette);
  for (let i = 0; i < MOST_INSTRUMENTS + 20; i += 1) save(`future_mbo.X${i}`, settings);
  assert.ok(Object.keys(kept).length <= MOST_INSTRUMENTS + 1);
  storage(0);
  assert.equal(save("future_mbo.ESH4", settings), false);
  delete globalThis.localStorage;
  assert.deepEqual(load("future_mbo.ESH4"), defaults());
});

test("a file of settings is taken in whole, or refused by a code and nothing is changed", () => {
  storage();
  const settings = changedSettings();
  save("future_mbo.ESH4", settings);
  const file = settingsFile();
  const kept = storage();
  assert.deepEqual(takeSettingsFile(file), []);
  assert.deepEqual(load("future_mbo.ESH4"), settings);
  const before = { ...kept };
  const refused = (changes, code, words) => assert.throws(() => takeSettingsFile(JSON.stringify({ ...JSON.parse(file), ...changes })), (error) => {
    assert.equal(error.code, code);
    assert.match(error.message, words);
    return true;
  });
  refused({ version: 2 }, "newer_version", /version 2/);
  refused({ version: "1" }, "bad_value", /whole number/);
  refused({ format: "other" }, "not_settings", /no settings file/);
  refused({ settings: 3 }, "bad_value", /settings.*object/);
  refused({ settings: { a: { theme: "blue" } } }, "bad_value", /theme is "blue"; expected one of dark, light/);
  refused({ settings: { a: { layers: { bbo: 1 } } } }, "bad_value", /layers.bbo is 1; expected true or false/);
  refused({ settings: { a: { cutoffs: { pair: { lower: 2, upper: 1 } } } } }, "bad_value", /cutoffs.pair/);
  refused({ settings: { a: [] } }, "bad_value", /expected an object/);
  refused({ workspaces: { "": "?" } }, "bad_value", /1 to 60/);
  refused({ workspaces: Object.fromEntries(Array.from({ length: 51 }, (_, i) => [i, "?"])) }, "too_large", /51 workspaces/);
  refused({ settings: [{ mode: "pair" }] }, "bad_value", /"settings" is \[\{"mode":"pair"\}\]; expected an object/);
  refused({ settings: { any: { cutoffs: [] } } }, "bad_value", /cutoffs is \[\]; expected an object/);
  refused({ workspaces: ["?speed=1"] }, "bad_value", /"workspaces" is \["\?speed=1"\]; expected an object/);
  refused({ workspaces: { long: `?speed=${"1".repeat(5000)}` } }, "bad_value", /"long" has 5007 characters; expected at most 4000/);
  refused({ bookmarks: [{ session: "s", timeMs: 1e300, note: "" }] }, "bad_value", /bookmark 1 cannot be/); // no date has that time
  const nested = (changes) => `${file.trimEnd().slice(0, -1)}, ${changes}}`;
  for (const place of ['"settings": DEEP', '"settings": {"any": {"mode": DEEP}}', '"workspaces": {"a": DEEP}', '"bookmarks": [DEEP]']) {
    assert.throws(() => takeSettingsFile(nested(place.replace("DEEP", "[".repeat(20_000) + "]".repeat(20_000)))), { code: "bad_value" });
  }
  assert.throws(() => takeSettingsFile("[1"), { code: "not_json" });
  assert.throws(() => takeSettingsFile("null"), { code: "not_settings" });
  assert.throws(() => takeSettingsFile(" ".repeat(1_000_001)), { code: "too_large" });
  assert.deepEqual({ ...kept }, before);
  assert.deepEqual(takeSettingsFile(JSON.stringify({ ...JSON.parse(file), later: 1, settings: { any: { of_tomorrow: 1 } } })), ["later", "of_tomorrow"]);
  storage(0);
  assert.throws(() => takeSettingsFile(file), { code: "not_kept" });
  delete globalThis.localStorage;
});

test("settings from elsewhere are judged one by one", () => {
  const { settings, wrong, unknown } = judged({ palette: "pink", zone: "UTC", layers: { bbo: false, moon: 1 } });
  assert.deepEqual([settings.palette, settings.zone, settings.layers.bbo, unknown], ["blue", "UTC", false, ["layers.moon"]]);
  assert.match(wrong[0], /^palette is "pink"; expected one of blue, /);
  assert.equal(wrong.length, 1);
});

test("the server's clock is known by the shortest round trip, and nothing comes before it was sent", () => {
  const clock = new ServerClock("");
  assert.ok(Number.isNaN(clock.offsetMs));
  assert.equal(clock.heard(5000, 1000), 0); // the fastest message, for want of a round trip
  assert.equal(clock.heard(5500, 1800), 300);
  assert.equal(clock.uncertaintyMs, Infinity);
  clock.took(2000, 2400, 6190); // 3990 by the middle of 400 ms
  assert.equal(clock.offsetMs, 4000); // a message has shown more
  clock.took(3000, 3010, 7105); // 4100 by that of 10 ms
  assert.deepEqual([clock.offsetMs, clock.uncertaintyMs, clock.now(1000)], [4100, 5, 5100]);
});

test("a stream is as late as what comes, or as long as nothing does", () => {
  const clock = new ServerClock("");
  const local = Date.now();
  clock.took(local, local + 2, local + 1);
  const late = new Lateness(clock);
  assert.ok(Number.isNaN(late.ms));
  const ns = (ms) => String(BigInt(Math.round(ms)) * 1_000_000n);
  const near = (value, wanted) => assert.ok(Math.abs(value - wanted) < 200, `${value} is not near ${wanted}`);
  near(late.status({ server_time_ns: ns(Date.now() - 50), time_ns: ns(START_MS) }, 10), 50);
  near(late.frame(START_MS + 500), 0); // due 50 ms after the status, at ten times the speed
  near(late.ms, 50);
  near(late.frame(START_MS - 30_000), 3050); // made three seconds before the status
  near(late.ms, 3050);
  near(late.status({ server_time_ns: ns(Date.now() - 20_000), time_ns: ns(START_MS) }, 1), 20_000);
  near(late.frame(START_MS), 20_000);
  near(late.ms, 20_000);
  const silent = new Lateness(clock);
  silent.status({ server_time_ns: ns(Date.now() - 9000), time_ns: null }, 0);
  assert.ok(Number.isNaN(silent.frame(START_MS)));
  near(silent.ms, 9000);
});

test("changes of a kind that follow one another are undone together, and what changed nothing is passed over", () => {
  let value = 0;
  const undo = new UndoHistory(() => value, (before) => { value = before; }, String);
  const change = (kind, nowMs) => { undo.remember(kind, nowMs); value += 1; };
  [[undefined, 0], ["wheel", 100], ["wheel", 600], ["wheel", 1100], ["wheel", 2000], ["pan", 2100]].forEach(([kind, nowMs]) => change(kind, nowMs));
  undo.remember();
  undo.remember();
  const led = [];
  while (undo.undo()) led.push(value);
  assert.deepEqual(led, [5, 4, 1, 0]);
  const again = [];
  while (undo.redo()) again.push(value);
  assert.deepEqual(again, [1, 4, 5, 6]);
  undo.undo();
  undo.undo();
  undo.remember(); // and nothing is changed
  assert.ok(undo.redo());
  assert.equal(value, 5);
  change();
  value = -1;
  assert.ok(!undo.redo()); // something was
  assert.ok(undo.undo());
  assert.equal(value, 5);
  assert.ok(undo.redo());
  assert.equal(value, -1);
  for (let i = 0; i < 500; i += 1) change();
  assert.ok(undo.states.length <= 100);
});

test("a moment is shown with its price in sight, and prices stay where it is in sight anyway", () => {
  const view = new Viewport();
  Object.assign(view, { endMs: START_MS, centre: 100, rows: 40 });
  view.showTime(START_MS - 60_000, 118);
  assert.deepEqual([view.endMs, view.centre, view.following], [START_MS - 60_000, 100, false]);
  view.showTime(START_MS, 122);
  assert.equal(view.centre, 122);
  view.showTime(START_MS - 1000, NaN);
  view.showTime(START_MS - 2000);
  assert.deepEqual([view.endMs, view.centre], [START_MS - 2000, 122]);
});

test("the price at the crosshair covers none of the marks on the axis, and stands as near to its height as it can", () => {
  const marks = [{ top: 100 }, { top: 116 }, { top: 200 }];
  assert.equal(besideMarks(50, 400, marks), 41);
  assert.equal(besideMarks(108, 400, marks), 82);
  assert.equal(besideMarks(125, 400, marks), 132);
  assert.equal(besideMarks(209, 400, marks), 216);
  assert.equal(besideMarks(395, 400, [{ top: 384 }]), 366); // none of it lies below the axis
  for (let at = 0; at < 400; at += 1) {
    const top = besideMarks(at, 400, marks);
    assert.ok(top >= 0 && top + 18 <= 400 && marks.every((mark) => top + 18 <= mark.top || top >= mark.top + 16), `${at}: ${top}`);
  }
});

test("a place that follows the market is the same while the market moves it, a paused one is not", () => {
  const view = new Viewport();
  view.follow(START_MS, 100);
  const key = () => JSON.stringify(placeKey(view.place()));
  const before = key();
  view.follow(START_MS + 5000, 180);
  assert.equal(key(), before);
  view.pause();
  const paused = key();
  view.move(10, 0);
  assert.notEqual(key(), paused);
});

test("the usual spans leave what is paused where it is", () => {
  const view = new Viewport();
  view.follow(START_MS, 100);
  view.move(-60_000, 3);
  view.zoomTime(0.2, 0.5);
  const { endMs } = view;
  view.resetTime();
  view.resetPrice();
  assert.deepEqual([view.following, view.endMs], [false, endMs]);
  view.reset();
  assert.ok(view.following);
});

test("a cell is spoken in whole words", () => {
  const ring = made();
  const blocked = block([0, 40, 80]);
  blocked.grids.pressure[52] = toBfloat16(3.25); // two rows above
  blocked.grids.vacuum[52] = toBfloat16(0.375);
  blocked.grids.pressure[49] = toBfloat16(0.5);
  blocked.grids.vacuum[48] = toBfloat16(7.5e-22); // forces fade and never end
  blocked.scalars.quality[2] = 2;
  ring.insert(blocked);
  const how = { decimals: 2, field: "balance", lowest: 0, quietMs: 3000 };
  const said = (timeMs, bucket, more = {}) => cellWords(ring, { timeMs, bucket }, { ...how, ...more });
  assert.equal(said(START_MS, 102), "pressure 3.25, vacuum 0.375 at 102.00, two rows above the price, at 09:30:00");
  assert.equal(said(START_MS, 102, { field: "vacuum" }), "vacuum 0.375, pressure 3.25 at 102.00, two rows above the price, at 09:30:00");
  assert.equal(said(START_MS, 99), "pressure 0.5, vacuum 0 at 99.00, one row below the price, at 09:30:00");
  assert.equal(said(START_MS, 98), "pressure 0, vacuum almost 0 at 98.00, two rows below the price, at 09:30:00");
  assert.match(said(START_MS, 100), /, at the price, at 09:30:00$/);
  assert.equal(said(START_MS, 160), "beyond the grid at 160.00, 60 rows above the price, at 09:30:00");
  assert.equal(said(START_MS - 1, 100), "before what the page holds");
  assert.match(said(START_MS + 2000, 100), /at 09:30:02, locked or crossed$/);
  assert.match(said(START_MS + 7000, 100), /at 09:30:02, locked or crossed, no events for five seconds$/);
});

test("a read-out lies beside its cell and never over a line of prices", () => {
  const size = { width: 1000, height: 500, strip: 50 };
  const card = { width: 300, height: 200 };
  for (const price of [5, 120, 250, 380, 495]) {
    const lines = { top: new Float32Array(1000).fill(NaN), bottom: new Float32Array(1000).fill(NaN) };
    for (let pixel = 0; pixel < 1000; pixel += 40) [lines.top[pixel], lines.bottom[pixel]] = [price - 8, price + 8 + (pixel % 120) / 10];
    for (const x of [0, 150, 499, 700, 999]) for (const y of [0, 130, 250, 499]) {
      const { left, top, height } = placeBeside({ x, y }, card, { size, priceLines: lines });
      const [high, low] = linesWithin(lines, left, left + card.width);
      assert.ok(top + height <= high || top >= low, `${price} ${x} ${y}`);
      assert.ok(left >= 0 && left + card.width <= size.width && top >= 0 && top + height <= 550);
      assert.ok(x < left || x > left + card.width, "the cell is seen");
      assert.ok(height > 150 || price === 250);
    }
  }
  const none = new Float32Array(1000).fill(NaN);
  const quiet = { top: none.slice(), bottom: none.slice() };
  [quiet.top[20], quiet.bottom[20], quiet.top[900], quiet.bottom[900]] = [92, 108, 392, 408];
  assert.deepEqual([[300, 600], [0, 10], [300, 950], [950, 990]].map(([left, right]) => linesWithin(quiet, left, right)), [
    [92, 108], null, [92, 408], [392, 408],
  ], "a price that does not change has a line though it has no pixel of its own there");
  assert.deepEqual(placeBeside({ x: 100, y: 100 }, card, { size, priceLines: { top: none, bottom: none } }), { left: 114, top: 114, height: 200, away: 114 });
});

test("a time of day is found in the session", () => {
  const [start, end] = [Date.UTC(2026, 1, 6), Date.UTC(2026, 1, 7)]; // 19:00 to 19:00 in New York
  const at = (text, dt = "2026-02-06") => timeInSession(text, start, end, dt);
  assert.equal(at("09:30"), Date.UTC(2026, 1, 6, 14, 30));
  assert.equal(at(" 9:30:05 ET "), Date.UTC(2026, 1, 6, 14, 30, 5));
  assert.equal(at("20:00"), Date.UTC(2026, 1, 6, 1)); // the evening before
  assert.equal(at("18:59:59"), Date.UTC(2026, 1, 6, 23, 59, 59));
  assert.equal(at("19:00"), start);
  assert.equal(at("2026-02-05 23:00"), Date.UTC(2026, 1, 6, 4));
  for (const wrong of ["", "24:00", "9", "09:60", "9:30 PM", "2026-02-06 20:00", "2026-02-07 10:00", "x09:30"]) assert.ok(Number.isNaN(at(wrong)), wrong);
  const days = (text) => timeInSession(text, Date.UTC(2026, 6, 6), Date.UTC(2026, 6, 8), "2026-07-06..2026-07-07"); // summer
  assert.equal(days("10:00"), Date.UTC(2026, 6, 6, 14));
  assert.equal(days("2026-07-07 10:00"), Date.UTC(2026, 6, 7, 14));
  assert.equal(days("21:00"), Date.UTC(2026, 6, 7, 1)); // of the first date, not of the evening before it
});

test("bookmarks are kept by session and time, bounded, and part of the settings file", () => {
  const storage = new Map();
  globalThis.localStorage = { getItem: (key) => storage.get(key) ?? null, setItem: (key, value) => storage.set(key, value), removeItem: (key) => storage.delete(key) };
  const mark = (timeMs, note = "", session = "future_mbo MNQH6 2026-02-06") => ({ session, timeMs, note });
  assert.deepEqual(bookmarks.all(), []);
  for (const each of [mark(30), mark(10, "a"), mark(20, "b", "other")]) assert.ok(bookmarks.put(each));
  assert.deepEqual(bookmarks.ofSession("future_mbo MNQH6 2026-02-06"), [mark(10, "a"), mark(30)]);
  bookmarks.put(mark(10, "changed"));
  assert.deepEqual(bookmarks.all(), [mark(10, "changed"), mark(30), mark(20, "b", "other")]);
  const file = settingsFile();
  bookmarks.remove(mark(10));
  assert.deepEqual(bookmarks.ofSession("future_mbo MNQH6 2026-02-06"), [mark(30)]);
  bookmarks.put(mark(40, "since"));
  takeSettingsFile(file);
  assert.deepEqual(bookmarks.all(), [mark(10, "changed"), mark(30), mark(40, "since"), mark(20, "b", "other")]);
  for (const wrong of [{}, "x", [1], [mark("1")], [{ ...mark(1), note: "x".repeat(201) }], [mark(NaN)]]) {
    const text = JSON.stringify({ ...JSON.parse(file), bookmarks: wrong });
    assert.throws(() => takeSettingsFile(text), { code: "bad_value" });
  }
  assert.equal(bookmarks.all().length, 4);
  const many = Array.from({ length: bookmarks.MOST_BOOKMARKS }, (_, i) => mark(i, "", "many"));
  assert.throws(() => takeSettingsFile(JSON.stringify({ ...JSON.parse(file), bookmarks: many })), { code: "too_large" });
  bookmarks.replace(many);
  assert.ok(!bookmarks.put(mark(1)));
  assert.ok(bookmarks.put(mark(0, "noted", "many")));
  bookmarks.replace([...many.slice(1), mark(5)]);
  const others = bookmarks.ofOthers("future_mbo MNQH6 2026-02-06"); // of which no panel of this session tells one by one
  assert.deepEqual(others, many.slice(1));
  bookmarks.replace([]);
  assert.ok(bookmarks.put(mark(1)));
  assert.ok(bookmarks.putBack(others));
  assert.deepEqual([bookmarks.all().length, bookmarks.ofSession("future_mbo MNQH6 2026-02-06")], [bookmarks.MOST_BOOKMARKS, [mark(1)]]);
  storage.set("vp.bookmarks", '[{"session":1},null,7]');
  assert.deepEqual(bookmarks.all(), []);
});

test("no events are told of by what the server said, not by the clock that runs on beyond it", () => {
  const feed = new Feed("http://127.0.0.1", {});
  feed.ring = new Ring(LAYOUT, 250_000_000);
  feed.ring.insert(block([1, 2, 3]));
  Object.assign(feed, { connection: "live", config: { speed: 10, throttle_ms: 100 } });
  const newestMs = feed.ring.timeMs(feed.ring.end - 1);
  const told = (ms, agoMs) => Object.assign(feed, { status: { time_ns: String(BigInt(Math.round((newestMs + ms) * 1000)) * 1000n), lag_seconds: 0 }, statusMs: performance.now() - agoMs });
  told(1000, 1900); // the next status is late, and the events before it with it
  assert.ok(feed.nowMs - newestMs > 19_000);
  assert.equal(feed.eventlessMs, 0);
  told(5000, 0);
  assert.equal(feed.eventlessMs, 0);
  told(6000, 0);
  assert.ok(Math.abs(feed.eventlessMs - 6000) < 1);
});

test("frames of the history that are left out are waited for no longer", () => {
  const feed = new Feed("http://127.0.0.1", { message: () => undefined });
  feed.message({ type: "history", frames: 100 });
  feed.message({ type: "missed", frames: 60, frames_missed: 60 });
  assert.equal(feed.catchingUp, 40);
  feed.message({ type: "missed", frames: 400, frames_missed: 460 });
  assert.equal(feed.catchingUp, 0);
});

test("a picture that is paused before it had prices lies where the market is", () => {
  const viewport = new Viewport();
  Object.assign(viewport, { following: false, endMs: START_MS });
  viewport.follow(START_MS + 1000, 19_228);
  assert.equal(viewport.centre, 19_228);
  viewport.follow(START_MS + 2000, 19_300);
  assert.equal(viewport.centre, 19_228); // and stays
});

test("an address asks for no more of time and prices than a person can zoom to", () => {
  const { place, passedOver } = readAddress("", "end=1770388200000&span=1&rows=100000");
  assert.deepEqual(place, { endMs: 1_770_388_200_000 });
  assert.deepEqual(passedOver, ["span=1", "rows=100000"]);
});
