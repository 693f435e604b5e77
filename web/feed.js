/** The stream into the ring: sessions, reconnection, holes, and history from before the page was opened. */

import { fetchHistory, Refusal } from "./archive.js";
import { FrameLayout } from "./layout.js";
import { CAPACITY, Ring } from "./ring.js";
import { Stream } from "./stream.js";
import { Latency } from "./trust.js";

/** @typedef {import("./stream.js").Message} Message @typedef {import("./stream.js").Connection} Connection */

export const PROTOCOL = 1;
/** Blocks of older columns that are asked for at once. */
const AHEAD = 2;
export const BASE_FIELDS = ["pressure", "vacuum", "rest_depth"];

/**
 * @typedef {object} Hooks
 * @property {(untilMs: number) => void} changed there are new columns to paint, the newest of them at `untilMs`
 * @property {(config: Message, fresh: boolean) => void} configured `fresh`: the ring began anew
 * @property {(message: Message) => void} message
 * @property {(state: Connection, why: string) => void} connection
 */

export class Feed {
  /** @param {string} base where the server is @param {Hooks} hooks */
  constructor(base, hooks) {
    this.base = base;
    this.hooks = hooks;
    /** @type {Ring | null} */
    this.ring = null;
    /** @type {FrameLayout | null} */
    this.layout = null;
    /** @type {Message} */
    this.config = {};
    /** @type {Message} */
    this.status = {};
    this.statusMs = -Infinity;
    /** Frames of the server's history that are still to come at once. */
    this.catchingUp = 0;
    this.latency = new Latency();
    this.fields = [...BASE_FIELDS];
    this.received = 0;
    this.repeated = 0;
    this.filled = 0;
    /** Stretches that could not be filled. */
    this.holes = 0;
    this.holeDue = false;
    this.keepRing = false;
    this.schemaDue = false;
    this.identity = "";
    this.restarted = false;
    /** Whether the server holds nothing older than the ring. */
    this.exhausted = false;
    this.loading = false;
    /** @type {ArrayBuffer | null} */
    this.newest = null;
    this.arrivedMs = NaN;
    this.stream = new Stream(base, {
      message: (message) => this.message(message),
      binary: (frame) => this.frame(frame),
      connection: (state, why) => hooks.connection(state, why),
      after: () => this.place(),
    });
  }

  /**
   * Watch a session.
   * @param {Record<string, string>} query @param {string} extra a grid column beyond the usual, or nothing
   * @param {boolean} keep whether the columns held go on with it (another speed of the same session)
   */
  open(query, extra, keep = false) {
    this.fields = extra && !BASE_FIELDS.includes(extra) ? [...BASE_FIELDS, extra] : [...BASE_FIELDS];
    this.keepRing = keep;
    if (!keep) this.identity = "";
    const wanted = new URLSearchParams(query);
    wanted.set("fields", this.fields.join(","));
    this.stream.open(wanted);
  }

  /** The newest frame held, for a reconnection. */
  place() {
    const { ring } = this;
    if (!ring || ring.count === 0 || this.identity === "" || this.keepRing) return "";
    return `${this.config.session_id}.${ring.eventId(ring.end - 1)}`;
  }

  /** @param {Message} message */
  message(message) {
    if (message.type === "runtime_config") this.configure(message);
    else if (message.type === "status") {
      this.status = message;
      this.statusMs = performance.now();
      this.latency.add("engine", message.lag_seconds * 1000, this.statusMs);
      const wire = Date.now() - Number(BigInt(message.server_time_ns) / 1000n) / 1000;
      this.latency.add("wire", Math.max(0, wire), this.statusMs);
    } else if (message.type === "missed" || (message.type === "history" && message.hole)) this.holeDue = true;
    if (message.type === "history") this.catchingUp = message.frames;
    this.hooks.message(message);
  }

  /** @param {Message} config */
  configure(config) {
    const identity = JSON.stringify([
      config.contract, config.dt, config.raw_file, config.version, config.throttle_ms, config.parameters, this.fields,
    ]);
    const same = this.ring && identity === this.identity && (this.keepRing || config.session_id === this.config.session_id);
    /** Nobody asked for another session, and yet the one that was shown is gone: the server began again. */
    this.restarted = this.identity !== "" && !this.keepRing && config.session_id !== this.config.session_id;
    const goesOn = this.ring && this.keepRing && this.identity === identity;
    this.layout = new FrameLayout(config.frame);
    this.schemaDue = true;
    this.catchingUp = 0;
    this.statusMs = performance.now();
    this.config = config;
    this.identity = identity;
    this.keepRing = false;
    this.exhausted = false;
    if (!same && !goesOn) {
      this.ring = new Ring(this.layout.rows, config.bucket_int, this.fields);
      this.newest = null;
      this.holeDue = false;
      this.holes = this.received = this.repeated = this.filled = 0;
    }
    this.hooks.configured(config, !same && !goesOn);
  }

  /** @param {ArrayBuffer} message */
  frame(message) {
    if (this.schemaDue) { // the first binary message opens the Arrow stream; the layout has said all of it
      this.schemaDue = false;
      return;
    }
    const { ring, layout } = this;
    if (!layout || !ring || message.byteLength !== layout.messageBytes) return;
    const started = performance.now();
    this.received += 1;
    if (this.catchingUp > 0) this.catchingUp -= 1;
    const hole = this.holeDue && ring.count > 0;
    if (!ring.push(layout, message, hole)) {
      this.repeated += 1;
      return;
    }
    this.holeDue = false;
    this.newest = message;
    if (Number.isNaN(this.arrivedMs)) this.arrivedMs = started;
    if (hole) {
      this.holes += 1;
      void this.fill(ring, ring.eventId(ring.end - 2), ring.eventId(ring.end - 1));
    }
    if (this.received % 8 === 0) this.latency.add("decode", performance.now() - started, started);
    this.hooks.changed(Infinity);
  }

  /** Exact grids of the newest column. @returns {Record<string, Float32Array> | null} */
  exact() {
    const { newest, layout } = this;
    if (!newest || !layout) return null;
    return Object.fromEntries(BASE_FIELDS.map((name) => [name, layout.grid(newest, name)]));
  }

  /**
   * Get the columns of a hole from the server's history, the newest first, in as many answers as it takes. What the
   * server holds no more stays a hole.
   * @param {Ring} ring @param {number} after @param {number} before
   */
  async fill(ring, after, before) {
    try {
      for (let until = before; ;) {
        // the frame before the hole is asked for as well: when it comes, the hole is closed
        const block = await fetchHistory(this.base, { session: this.config.session_id, after: after - 1, before: until, fields: ring.fields });
        if (ring !== this.ring || block.frames === 0) return;
        const open = block.eventId[0] > after;
        const added = ring.insert(block, open);
        this.filled += added;
        if (!open || ring.eventId(ring.first) > after) this.holes -= 1; // or the ring begins behind it by now
        this.hooks.changed(Infinity);
        if (!open || added === 0 || block.oldest) return;
        until = block.eventId[0];
      }
    } catch (error) {
      if (!(error instanceof Refusal || error instanceof TypeError)) throw error; // the hole stays, and is shown
    }
  }

  /**
   * Fetch older columns until the ring reaches back to `timeMs` or the server has no more.
   * @param {number} timeMs
   */
  async older(timeMs) {
    const { ring } = this;
    if (!ring || this.loading || this.exhausted || ring.count === 0) return;
    this.loading = true;
    const wanted = { session: this.config.session_id, fields: ring.fields };
    /** @type {Promise<import("./archive.js").Block>[]} */
    const asked = [fetchHistory(this.base, { ...wanted, before: ring.eventId(ring.first) })];
    try {
      for (let next = asked.shift(); next; next = asked.shift()) {
        const block = await next;
        if (ring !== this.ring) return;
        const newestMs = ring.timeMs(ring.first);
        const added = ring.insert(block);
        this.filled += added;
        this.exhausted = block.oldest || added === 0;
        this.hooks.changed(newestMs);
        if (this.exhausted || ring.count >= CAPACITY || ring.timeMs(ring.first) <= timeMs) return;
        // while one block is on its way the server makes the next, as many as the stretch will take
        const due = (ring.timeMs(ring.first) - timeMs) / (newestMs - ring.timeMs(ring.first));
        while (asked.length < Math.min(AHEAD, due)) {
          const below = block.sequence - asked.length * block.frames;
          if (below <= 0) break;
          asked.push(fetchHistory(this.base, { ...wanted, below }));
          asked.at(-1)?.catch(() => {}); // it is looked at when its turn comes, or not at all
        }
      }
    } catch (error) {
      this.exhausted = true;
      if (!(error instanceof Refusal || error instanceof TypeError)) throw error; // what there is stays on screen
    } finally {
      this.loading = false;
    }
  }
}
