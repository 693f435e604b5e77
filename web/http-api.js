/** What the server answers over plain HTTP: sessions, older frames, one frame in full (docs/protocol.md). */

const API = "/v1/vacuum-pressure";

/**
 * @typedef {object} Block frames as columns
 * @property {number} frames @property {number} sequence the server's number of the first of them
 * @property {boolean} oldest whether the server holds none before them
 * @property {boolean} gone whether frames that were asked for as well are held no longer
 * @property {number | null} goneUntil the event right after those, null where none is held
 * @property {Float64Array} timeMs @property {Uint32Array} nanos
 * @property {Record<string, import("./frame-layout.js").ScalarArray>} scalars a null price is NaN
 * @property {Record<string, Uint16Array>} grids bfloat16
 * @property {Record<string, Float32Array>} exact grids that are not rounded, volumes always
 * @typedef {object} SessionEntry @property {string} product_type @property {string} symbol @property {string} dt
 * @property {string[]} [contracts] those that the names of files tell
 * @property {string} source @property {boolean} [live] whether it is being recorded now @property {string} hours_et @property {string} start_ns @property {string} end_ns
 * @typedef {{version: string, protocol: number, default: Record<string, any>, sessions: SessionEntry[]}} Catalogue
 */

/** An answer that says what is wrong. */
export class Refusal extends Error {}

/** @param {string} base where the server is @param {string} path @param {AbortSignal} [signal] @returns {Promise<Response>} */
async function ask(base, path, signal) {
  const answer = await fetch(`${base}${API}/${path}`, signal ? { signal } : {});
  if (!answer.ok) {
    const problem = await answer.json().catch(() => null);
    throw new Refusal(problem?.message ?? `the server answered ${answer.status}`);
  }
  return answer;
}

/** @param {string} base @returns {Promise<Catalogue>} */
export async function fetchSessions(base) {
  return (await ask(base, "sessions")).json();
}

/**
 * What the signal was worth; a figure is null where it has no interval.
 * @typedef {{value: number, low: number, high: number, told_from_chance: boolean}} Figure
 * @typedef {{samples: number, mean_move_ticks: Figure | null, hit_rate: Figure | null}} Aftermath
 * @typedef {{session_id: string, horizon_seconds: number, block_seconds: number, least_blocks: number, samples: number, blocks: number, from_ns: string | null, until_ns: string | null,
 * half_spread_ticks: number | null, after: Record<string, Aftermath>, coefficients: Record<string, Figure | null>}} TrackRecord
 */
/** @param {string} base @param {string} session @returns {Promise<TrackRecord>} */
export async function fetchTrackRecord(base, session) {
  return (await ask(base, `track-record?${new URLSearchParams({ session_id: session })}`)).json();
}

/**
 * A whole session in bins of equal time; prices in 1e-9 units, null where nothing was traded.
 * @typedef {{startMs: number, endMs: number, binMs: number, volume: number[], events: number[], high: (number | null)[], low: (number | null)[], last: (number | null)[]}} SessionOverview
 */
/** @param {string} base @param {Record<string, any>} config of the session @returns {Promise<SessionOverview>} */
export async function fetchOverview(base, { product_type, contract, dt }) {
  const told = await (await ask(base, `overview?${new URLSearchParams({ product_type, symbol: contract, dt })}`)).json();
  const [startMs, endMs, binMs] = ["start_ns", "end_ns", "bin_ns"].map((name) => Number(told[name]) / 1e6);
  const [high, low, last] = ["high", "low", "last"].map((name) => told[name].map((/** @type {string | null} */ price) => (price === null ? null : Number(price))));
  return { startMs, endMs, binMs, volume: told.volume, events: told.events, high, low, last };
}

/**
 * @param {string} base
 * @param {{session: string, after?: number, before?: number, below?: number, limit?: number, fields?: string[], exact?: boolean}} wanted without `fields`, every grid column
 * @param {AbortSignal} [signal]
 * @returns {Promise<Block>}
 */
export async function fetchHistory(base, { session, fields, exact, ...between }, signal) {
  const query = new URLSearchParams({ session_id: session });
  if (fields) query.set("fields", fields.join(","));
  for (const [name, value] of Object.entries(between)) if (value !== undefined) query.set(name, String(value));
  if (exact) query.set("exact", "1");
  const answer = await ask(base, `history?${query}`, signal);
  return parseBlock(await answer.arrayBuffer());
}

/** @param {string} base @param {Record<string, string>} wanted @returns {string} address of a file of frames */
export function framesAddress(base, wanted) {
  return `${base}${API}/frames?${new URLSearchParams(wanted)}`;
}

/** @param {ArrayBuffer} buffer @returns {Block} */
function parseBlock(buffer) {
  const length = new DataView(buffer).getUint32(0, true);
  const head = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 4, length)));
  const body = 4 + length;
  /** @type {Block} */
  const block = {
    frames: head.frames, sequence: head.first, oldest: head.first <= head.oldest, gone: head.hole, goneUntil: head.hole_before_event_id, timeMs: new Float64Array(head.frames),
    nanos: new Uint32Array(head.frames), scalars: {}, grids: {}, exact: {},
  };
  for (const { name, type, offset, length_bytes: bytes } of head.columns) {
    const at = body + offset;
    if (type.startsWith("sparse float32[")) block.exact[name] = spread(new Uint8Array(buffer, at, bytes), head.frames, parseInt(type.slice(type.indexOf("[") + 1), 10));
    else if (type.startsWith("bfloat16[")) block.grids[name] = new Uint16Array(buffer, at, bytes / 2);
    else if (type.startsWith("float32[")) block.exact[name] = new Float32Array(buffer, at, bytes / 4);
    else if (type.startsWith("int64[")) continue;
    else if (name === "ts_ns") splitTime(new Uint32Array(buffer, at, bytes / 4), block);
    else if (type === "int64") block.scalars[name] = integers(new Int32Array(buffer, at, bytes / 4));
    else if (type === "float64") block.scalars[name] = new Float64Array(buffer, at, bytes / 8);
    else if (type === "float32") block.scalars[name] = new Float32Array(buffer, at, bytes / 4);
    else block.scalars[name] = new (type === "int8" ? Int8Array : Uint8Array)(buffer, at, bytes);
  }
  return block;
}

/**
 * A grid of which the values are given that are not 0: how many of each frame, their rows, and from a multiple of four on
 * the values.
 * @param {Uint8Array} bytes @param {number} frames @param {number} rows @returns {Float32Array}
 */
function spread(bytes, frames, rows) {
  const counts = bytes.subarray(0, frames);
  const count = counts.reduce((sum, each) => sum + each, 0);
  const values = new Float32Array(bytes.buffer, bytes.byteOffset + Math.ceil((frames + count) / 4) * 4, count);
  const grid = new Float32Array(frames * rows);
  for (let frame = 0, i = 0; frame < frames; frame += 1) {
    for (const end = i + counts[frame]; i < end; i += 1) grid[frame * rows + bytes[frames + i]] = values[i];
  }
  return grid;
}

/** @param {Int32Array} words low and high in turn @returns {Float64Array} NaN for null */
function integers(words) {
  const values = new Float64Array(words.length / 2);
  for (let i = 0; i < values.length; i += 1) {
    const high = words[2 * i + 1];
    values[i] = high === 0x7fffffff && words[2 * i] === -1 ? NaN : high * 4294967296 + (words[2 * i] >>> 0);
  }
  return values;
}

/** @param {Uint32Array} words @param {Block} block */
function splitTime(words, block) {
  for (let i = 0; i < block.frames; i += 1) {
    // ns = high * 2^32 + low, divided by 1e6 in two steps that stay below 2^53
    const high = words[2 * i + 1];
    const low = words[2 * i];
    const wholeHigh = Math.floor((high * 4096) / 1_000_000);
    const rest = high * 4096 - wholeHigh * 1_000_000; // of 2^20 ns
    const tail = rest * 1_048_576 + low;
    const wholeTail = Math.floor(tail / 1_000_000);
    block.nanos[i] = tail - wholeTail * 1_000_000;
    block.timeMs[i] = wholeHigh * 1_048_576 + wholeTail + block.nanos[i] / 1e6;
  }
}
