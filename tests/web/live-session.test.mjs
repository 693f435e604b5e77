// A live session in the page's store: gaps of the feed, and a session that follows another; by node's own test runner.

import assert from "node:assert/strict";
import test from "node:test";

import { Feed } from "../../web/feed.js";
import { feedSign } from "../../web/feed-state.js";
import { FrameLayout } from "../../web/frame-layout.js";
import { doubtsOf, FEED_GAP, hatchingKey, NO_EVENTS, reasonWords, stretches } from "../../web/quality.js";
import { Ring } from "../../web/ring.js";
import { signalUntilMs } from "../../web/score-strip.js";
import { TimeBins } from "../../web/time-bins.js";

const START_MS = 1_770_388_200_000;
const ROWS = 3;
const column = (name, type, offset) => ({ name, type, offset, length_bytes: 8, validity_offset: null });
const LAYOUT = new FrameLayout({
  message_bytes: 80, rows: ROWS,
  columns: [
    column("ts_ns", "timestamp_ns", 0), column("event_id", "int64", 8), column("spot_price", "int64", 16), column("quality", "uint8", 24),
    column("pressure", "float32[3]", 32), column("vacuum", "float32[3]", 48),
  ],
});
const ns = (ms) => String(BigInt(ms) * 1_000_000n);

function frame(eventId, ms) {
  const message = new ArrayBuffer(80);
  const view = new DataView(message);
  view.setBigInt64(0, BigInt(ms) * 1_000_000n, true);
  view.setBigInt64(8, BigInt(eventId), true);
  view.setBigInt64(16, 100_000_000_000n, true);
  return message;
}

function hatched(ring, startMs, endMs) {
  const bins = new TimeBins();
  bins.hold(ring, { kind: "pair", a: "pressure", b: "vacuum" }, 1000, { startMs, endMs, top: 102, rows: 4 }, endMs);
  return stretches(bins, ring, startMs, endMs);
}

const gap = (from, until, bridged) => ({
  type: "gap", start_ns: ns(START_MS + from * 1000), end_ns: until === null ? null : ns(START_MS + until * 1000), reason: "the feed holds it no longer", bridged,
});

test("a gap of the feed is hatched with its reason, and is no silence of the market", () => {
  const ring = new Ring(LAYOUT, 1e9);
  ring.push(frame(1, START_MS));
  ring.push(frame(2, START_MS + 200_000));
  const [startMs, endMs] = [START_MS, START_MS + 200_000];
  assert.deepEqual(hatched(ring, startMs, endMs).map(({ reasons }) => reasons), [NO_EVENTS]);
  ring.takeGap(gap(30, null, null));
  assert.equal(ring.gaps.all[0].endMs, Infinity); // it goes on
  ring.takeGap(gap(30, 150, false));
  assert.equal(ring.gaps.all.length, 1);
  const [during, after, ...others] = hatched(ring, startMs, endMs);
  assert.deepEqual(others, []);
  assert.deepEqual([during.reasons, during.gap, during.startMs, during.endMs], [FEED_GAP, "the feed holds it no longer", START_MS + 30_000, START_MS + 150_000]);
  assert.deepEqual([after.reasons, after.startMs], [NO_EVENTS, START_MS + 150_000]);
  assert.equal(reasonWords(during.reasons, during.gap), "gap of the feed, never recorded: the feed holds it no longer");
  assert.match(hatchingKey([during]), /^dense hatching: gap of the feed/);
  const bins = new TimeBins();
  bins.hold(ring, { kind: "pair", a: "pressure", b: "vacuum" }, 1000, { startMs, endMs, top: 102, rows: 4 }, endMs);
  const shows = (second) => (bins.reasons(Math.floor(START_MS / 1000) + second) & NO_EVENTS) === 0;
  assert.deepEqual([0, 20, 29, 35, 50, 149].map(shows), [true, true, true, false, false, false], "what was before holds up to the gap");
  assert.deepEqual([ring.severed(ring.first), ring.severed(ring.first + 1), ring.severed(ring.end)], [false, true, false]);
  assert.equal(signalUntilMs(ring, ring.first, endMs), START_MS + 30_000);
  const told = (second) => doubtsOf(ring, ring.columnUntil(START_MS + second * 1000), START_MS + second * 1000, 5000);
  assert.deepEqual(told(90), { words: ["gap of the feed, never recorded: the feed holds it no longer"], silentMs: 0 });
  assert.deepEqual(told(20), { words: [], silentMs: 20_000 });
  assert.equal(told(160).silentMs, 160_000);
});

test("a gap that was bridged is none, and those of another session are others", () => {
  const ring = new Ring(LAYOUT, 1e9);
  assert.ok(ring.gaps.take(gap(30, null, null), "a"));
  assert.equal(ring.gaps.take(gap(30, 40, true), "a"), null);
  assert.deepEqual(ring.gaps.all, []);
  ring.gaps.take(gap(30, 40, false), "a");
  ring.gaps.take(gap(50, 60, false), "b");
  assert.equal(ring.gaps.all.length, 2);
  assert.deepEqual(ring.gaps.within(START_MS + 45_000, START_MS + 49_000), []);
  assert.deepEqual(ring.gaps.within(START_MS + 39_000, START_MS + 41_000).map(({ endMs }) => endMs), [START_MS + 40_000]);
  for (let number = 0; number < 3000; number += 1) ring.gaps.take(gap(number, number + 1, false), "c");
  assert.equal(ring.gaps.all.length, 1000);
});

test("the session that follows goes on behind the one before, each event of its own session", () => {
  const ring = new Ring(LAYOUT, 1e9);
  ring.part.session = "a";
  for (const id of [1, 2, 7]) assert.ok(ring.push(frame(id, START_MS + id * 1000)));
  ring.follow("b", START_MS + 8000, "2026-02-10");
  for (const id of [1, 3]) assert.ok(ring.push(frame(id, START_MS + 10_000 + id * 1000)));
  assert.ok(!ring.push(frame(3, START_MS + 13_000)), "it is there already");
  const events = Array.from({ length: ring.count }, (_, i) => ring.eventId(ring.first + i));
  assert.deepEqual(events, [1, 2, 7, 8, 10]);
  assert.deepEqual(events.map((id) => [ring.partOf(id).session, id - ring.partOf(id).base]), [["a", 1], ["a", 2], ["a", 7], ["b", 1], ["b", 3]]);
  assert.deepEqual(ring.parts.map(({ fromMs, dt }) => [fromMs, dt]).slice(1), [[START_MS + 8000, "2026-02-10"]]);
  // a block of the later session's history, and then one of the earlier's
  const block = (ids, offset) => ({
    frames: ids.length, timeMs: Float64Array.from(ids, (id) => START_MS + offset + id * 1000), nanos: new Uint32Array(ids.length), exact: {},
    scalars: { event_id: Float64Array.from(ids), spot_price: Float64Array.from(ids, () => 100e9), quality: new Uint8Array(ids.length) },
    grids: { pressure: new Uint16Array(ids.length * ROWS), vacuum: new Uint16Array(ids.length * ROWS) },
  });
  assert.equal(ring.insert(block([2], 10_000), false, ring.part.base), 1);
  assert.equal(ring.insert(block([5, 6], 0), false, 0), 2);
  assert.deepEqual(Array.from({ length: ring.count }, (_, i) => ring.eventId(ring.first + i)), [1, 2, 5, 6, 7, 8, 9, 10]);
  ring.follow("c", START_MS + 20_000, "2026-02-11");
  assert.deepEqual(ring.parts.map(({ session }) => session), ["a", "b", "c"]);
  ring.keepNewest(1);
  ring.follow("d", START_MS + 30_000, "2026-02-12");
  assert.deepEqual(ring.parts.map(({ session }) => session), ["b", "c", "d"], "the first holds no column any more");
});

test("of a past that comes what came last alone is kept, and what lies before it is fetched when the feed has caught up", () => {
  const feed = new Feed("http://127.0.0.1", { message: () => undefined, changed: () => undefined });
  feed.ring = new Ring(LAYOUT, 1e9);
  let fetched = 0;
  feed.backfill.fillHole = () => { fetched += 1; };
  const status = (state) => feed.message({ type: "status", lag_seconds: 0, time_ns: ns(START_MS), server_time_ns: ns(START_MS), feed: { state } });
  const held = () => Array.from({ length: feed.ring.count }, (_, i) => feed.ring.eventId(feed.ring.first + i));
  const comes = (eventId, missed = true) => {
    if (missed) feed.message({ type: "missed", frames: 1 });
    feed.frame(frame(eventId, START_MS + eventId));
  };
  status("catching_up");
  comes(10);
  comes(20);
  assert.deepEqual(held(), [20], "the page came while the past did: it begins with what it saw last");
  comes(21, false);
  status("live");
  assert.equal(fetched, 1);
  status("catching_up");
  for (const eventId of [500, 900, 1400]) comes(eventId);
  assert.deepEqual(held(), [20, 21, 1400]);
  comes(1401, false); // a machine that is busy does not seem to catch up, and then it does again
  comes(1402, false);
  comes(1800);
  assert.deepEqual(held(), [20, 21, 1800], "there is one hole, and one alone is filled");
  assert.ok(feed.ring.hole(feed.ring.end - 1));
  status("catching_up");
  assert.equal(fetched, 1);
  comes(1801, false);
  status("live");
  assert.equal(fetched, 2);
  status("live");
  assert.equal(fetched, 2);
  comes(1900);
  assert.equal(fetched, 3, "of now, what is missing is fetched at once");
  assert.deepEqual(held(), [20, 21, 1800, 1801, 1900]);
  status("catching_up");
  comes(2500);
  status("catching_up");
  comes(2501, false);
  feed.status.feed.state = "live";
  comes(2600);
  assert.deepEqual(held(), [20, 21, 1800, 1801, 1900, 2600], "what waited is of one hole with what is missing now");
  assert.equal(fetched, 4);
  status("live");
  assert.equal(fetched, 4);
});

test("a page that comes at the end of a past fetches what lies before its first column, though nothing comes after it", () => {
  const feed = new Feed("http://127.0.0.1", { message: () => undefined, changed: () => undefined });
  const asked = [];
  feed.backfill.older = (timeMs) => { asked.push(timeMs); };
  const status = (state) => feed.message({ type: "status", lag_seconds: 0, time_ns: ns(START_MS), server_time_ns: ns(START_MS), feed: { state } });
  for (const before of [[], ["catching_up"]]) {
    feed.ring = feed.backfill.ring = new Ring(LAYOUT, 1e9);
    feed.status = {};
    asked.length = 0;
    before.forEach(status);
    feed.message({ type: "missed", frames: 2400 });
    feed.frame(frame(2400, START_MS));
    status("catching_up");
    assert.deepEqual(asked, []);
    status("live");
    status("live");
    assert.deepEqual(asked, [Infinity], "one block");
    assert.equal(feed.backfill.holes, 0);
  }
});

test("the sign of the feed says how it stands, and how far it is behind", () => {
  const told = (state, more = {}) => feedSign({ state, behind_seconds: 0, silent_seconds: 0, ...more });
  assert.deepEqual(told("connecting"), ["wait", "feed connecting"]);
  assert.deepEqual(told("snapshot"), ["wait", "feed: snapshot"]);
  assert.deepEqual(told("catching_up", { behind_seconds: 150, silent_seconds: 1 }), ["wait", "feed catching up, 2 min 30 s behind"]);
  assert.deepEqual(told("live"), ["good", "feed live"]);
  assert.deepEqual(told("silent", { behind_seconds: 1, silent_seconds: 41 }), ["bad", "feed silent 41.0 s"]);
  assert.deepEqual(told("gap"), ["bad", "feed: gap"]);
  assert.deepEqual(told("stopped"), ["bad", "feed stopped"]);
  for (const none of [null, undefined, { state: "another" }]) assert.deepEqual(feedSign(none), ["wait", "feed –"]);
});
