// Holes in the picture and what the server's history has of them, over HTTP; by node's own test runner.

import assert from "node:assert/strict";
import { createServer } from "node:http";
import test from "node:test";

import { Backfill } from "../../web/backfill.js";
import { FrameLayout } from "../../web/frame-layout.js";
import { doubtsOf, GONE, hatchingKey, stretches } from "../../web/quality.js";
import { Ring } from "../../web/ring.js";
import { TimeBins } from "../../web/time-bins.js";

const START_MS = 1_770_388_200_000;
const EVERY_MS = 25;
const ROWS = 3;
const AT_ONCE = 40;
const column = (name, type) => ({ name, type, offset: 0, length_bytes: 8, validity_offset: null });
const LAYOUT = new FrameLayout({
  message_bytes: 0, rows: ROWS,
  columns: [
    column("ts_ns", "timestamp_ns"), column("event_id", "int64"), column("spot_price", "int64"), column("quality", "uint8"),
    column("pressure", "float32[3]"), column("vacuum", "float32[3]"),
  ],
});

/** An answer as the protocol has it: frames of these events, numbered by them. */
function answer(events, { oldest, hole = null }) {
  const values = {
    ts_ns: ["int64", BigInt64Array.from(events, (event) => BigInt(START_MS + event * EVERY_MS) * 1_000_000n)],
    event_id: ["int64", BigInt64Array.from(events, BigInt)], spot_price: ["int64", BigInt64Array.from(events, () => 100_000_000_000n)],
    quality: ["uint8", new Uint8Array(events.length)],
    pressure: ["bfloat16[3]", new Uint16Array(events.length * ROWS)], vacuum: ["bfloat16[3]", new Uint16Array(events.length * ROWS)],
  };
  let offset = 0;
  const columns = Object.entries(values).map(([name, [type, array]]) => {
    const described = { name, type, offset, length_bytes: array.byteLength };
    offset += Math.ceil(array.byteLength / 8) * 8;
    return described;
  });
  let head = JSON.stringify({ frames: events.length, first: events[0] ?? oldest, oldest, hole: hole !== null, hole_before_event_id: hole, columns });
  head += " ".repeat((8 - ((4 + head.length) % 8)) % 8);
  const body = Buffer.alloc(4 + head.length + offset);
  body.writeUInt32LE(head.length);
  body.write(head, 4);
  columns.forEach(({ name, offset: at }) => Buffer.from(values[name][1].buffer).copy(body, 4 + head.length + at));
  return body;
}

/** A server whose history holds the events from `oldest` on, and breaks the first answers off. */
async function serving(oldest, brokenOff, act) {
  const made = 100; // events 0 to 99
  let asked = 0;
  const server = createServer((request, response) => {
    const query = new URL(request.url, "http://any").searchParams;
    const [after, before] = [Number(query.get("after") ?? -1), Number(query.get("before") ?? query.get("below") ?? made)];
    const wanted = Array.from({ length: made }, (_, event) => event).filter((event) => event > after && event < before && event >= oldest);
    const given = wanted.slice(-AT_ONCE);
    const whole = given.length === wanted.length;
    const gone = whole && oldest > after + 1 && oldest > 0;
    const body = answer(given, { oldest, hole: gone ? oldest : null });
    response.writeHead(200, { "content-length": body.length });
    asked += 1;
    if (asked > brokenOff) response.end(body);
    else response.write(body.subarray(0, 50), () => response.destroy());
  });
  await new Promise((resolve) => { server.listen(0, "127.0.0.1", resolve); });
  try {
    await act(`http://127.0.0.1:${server.address().port}`);
  } finally {
    server.close();
  }
}

/** A page that holds events 0 to 4, 90 and those that came `since`, and fills the hole between. */
async function filled(oldest, brokenOff = 0, since = []) {
  const ring = new Ring(LAYOUT, 1e9);
  let backfill;
  await serving(oldest, brokenOff, async (base) => {
    backfill = new Backfill(base, () => {});
    backfill.of(ring, START_MS - 60_000);
    const seen = (events) => ({
      frames: events.length, timeMs: Float64Array.from(events, (event) => START_MS + event * EVERY_MS), nanos: new Uint32Array(events.length), exact: {},
      scalars: { event_id: Float64Array.from(events), spot_price: Float64Array.from(events, () => 100e9), quality: new Uint8Array(events.length) },
      grids: { pressure: new Uint16Array(events.length * ROWS), vacuum: new Uint16Array(events.length * ROWS) },
    });
    ring.insert(seen([0, 1, 2, 3, 4]));
    ring.insert(seen([90]), true);
    if (since.length > 0) ring.insert(seen(since));
    await backfill.fillHole();
  });
  const events = Array.from({ length: ring.count }, (_, i) => ring.eventId(ring.first + i));
  return { ring, backfill, events };
}

const view = { startMs: START_MS - 1000, endMs: START_MS + 90 * EVERY_MS + 100, top: 102, rows: 4 };
function hatched(ring) {
  const bins = new TimeBins();
  bins.hold(ring, { kind: "pair", a: "pressure", b: "vacuum" }, 8, view);
  return stretches(bins, ring, view.startMs, view.endMs);
}

test("a hole is filled in as many answers as it takes, each asked for again where it was broken off", async () => {
  for (const brokenOff of [0, 1]) {
    const { ring, backfill, events } = await filled(0, brokenOff);
    assert.deepEqual(events, Array.from({ length: 91 }, (_, event) => event));
    assert.deepEqual([backfill.holes, backfill.gone], [0, 0]);
    assert.deepEqual(hatched(ring), []);
  }
});

test("a hole is found and filled behind columns that came since", async () => {
  const { ring, backfill, events } = await filled(0, 0, [91, 92]);
  assert.deepEqual(events, Array.from({ length: 93 }, (_, event) => event));
  assert.equal(backfill.holes, 0);
  assert.deepEqual(hatched(ring), []);
});

test("what the server holds no longer stays a hole, and is said to be gone", async () => {
  for (const [oldest, first] of [[70, 70], [95, 90]]) { // a part of it can be had, nothing of it
    const { ring, backfill, events } = await filled(oldest);
    assert.deepEqual(events, [0, 1, 2, 3, 4, ...Array.from({ length: 91 - first }, (_, i) => first + i)]);
    assert.deepEqual([backfill.holes, backfill.gone], [1, 1]);
    const [only, ...others] = hatched(ring);
    assert.deepEqual(others, []);
    assert.equal(only.reasons, GONE);
    assert.ok(Math.abs(only.startMs - START_MS - 5 * EVERY_MS) <= EVERY_MS && Math.abs(only.endMs - START_MS - first * EVERY_MS) <= EVERY_MS);
    assert.equal(hatchingKey([only]), "dense hatching: gone: the server holds these frames no longer");
    const behind = ring.afterEvent(4);
    assert.deepEqual(doubtsOf(ring, behind, START_MS, 1e9).words, ["frames before this one are gone, the server holds them no longer"]);
    assert.deepEqual(doubtsOf(ring, behind - 1, START_MS, 1e9).words, ["frames after this one are gone, the server holds them no longer"]);
  }
});

test("before the first column, only what was made and is held no longer is gone", async () => {
  for (const [oldest, from] of [[70, START_MS - 1000], [0, null]]) {
    const { ring, backfill } = await filled(oldest);
    ring.keepNewest(10);
    await serving(oldest, 0, async (base) => {
      backfill.base = base;
      await backfill.older(-Infinity);
    });
    assert.equal(ring.eventId(ring.first), oldest);
    const shown = hatched(ring);
    assert.deepEqual(shown, from === null ? [] : [{ startMs: from, endMs: START_MS + oldest * EVERY_MS, reasons: GONE }]);
  }
});
