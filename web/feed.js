/** The stream into the ring: sessions, what is held over a reconnection, and how the stream fares. */

import { Backfill } from "./backfill.js";
import { FrameLayout } from "./frame-layout.js";
import { Latency } from "./latency.js";
import { Lateness } from "./lateness.js";
import { Ring } from "./ring.js";
import { ServerClock } from "./server-clock.js";
import { msOf, Stream } from "./stream.js";

/** @typedef {import("./stream.js").Message} Message @typedef {import("./stream.js").Connection} Connection */

/**
 * @typedef {object} Hooks
 * @property {(untilMs: number, fromMs?: number) => void} changed there are new columns to paint, the newest of them at `untilMs`, and none at or before `fromMs`
 * @property {(config: Message, fresh: boolean) => void} configured `fresh`: the ring began anew
 * @property {(message: Message) => void} message
 * @property {(state: Connection, why: string) => void} connection
 * @property {() => boolean} held whether a session that begins now is to stand
 */

/** Time runs on where no frame has come for so long. */
const SILENT_MS = 500;
/** A silence is told of that lasts so much longer than frames are apart anyway. */
const QUIET_MS = 5000;
/** A status says where the session is, and is soon out of date. */
const STATUS_HOLDS_MS = 2000;
/** Whose names are those of spreads, whose prices may well be below zero: legs are put together with these. */
const SPREAD = /[-:]/;

export class Feed {
  /** @param {string} base where the server is @param {Hooks} hooks */
  constructor(base, hooks) {
    this.hooks = hooks;
    /** @type {Ring | null} */
    this.ring = null;
    /** @type {Message} runtime_config */
    this.config = {};
    /** @type {Message} the newest one */
    this.status = {};
    this.statusMs = -Infinity;
    /** When anything came. */
    this.heardMs = -Infinity;
    /** @type {Connection} */
    this.connection = "connecting";
    this.clock = new ServerClock(base);
    this.lateness = new Lateness(this.clock);
    /** Frames of the server's history that are still to come at once. */
    this.catchingUp = 0;
    this.latency = new Latency();
    /** @type {string[]} grid columns asked for */
    this.fields = [];
    this.received = 0;
    this.repeated = 0;
    /** Frames are missing before the next one. */
    this.holeDue = false;
    /** It is filled once the feed has caught up. */
    this.holeWaits = false;
    this.keepRing = false;
    this.schemaDue = false;
    this.identity = "";
    /** The session and the first event to be had again of it, until one is there: the page was loaded again. */
    this.returnTo = "";
    /** What has to be the same for the next live session to go on in the same picture. */
    this.kind = "";
    /** Whether the session is being recorded, from the live feed. */
    this.live = false;
    /** @type {Message | null} the next live session is about to come on this stream */
    this.followDue = null;
    /** Nobody asked for another session, and yet the one that was shown is gone: the server began again. */
    this.restarted = false;
    /** @type {ArrayBuffer | null} the newest frame as it came */
    this.newest = null;
    this.arrivedMs = NaN;
    /** When the newest frame came. */
    this.frameMs = -Infinity;
    /** From when on frames are the session's own; those before are context. */
    this.emitFromMs = NaN;
    this.backfill = new Backfill(base, hooks.changed);
    this.stream = new Stream(base, {
      message: (message) => this.message(message),
      binary: (frame) => this.frame(frame),
      connection: (state, why) => {
        if (state === "connecting") this.schemaDue = true;
        this.connection = state;
        hooks.connection(state, why);
      },
      wishes: () => {
        const after = this.place();
        return { ...(after && { after }), ...(hooks.held() && { held: "yes" }) };
      },
    });
  }

  /** A live session's past comes, far faster than it can be shown: of the newest columns alone the last is kept. */
  get past() { return this.status.feed?.state === "catching_up"; }
  /** What is counted: contracts or shares. */
  get quantity() { return this.config.product_type === "equity_mbo" ? "shares" : "contracts"; }
  /** Product type, contract and date; nothing before they are known. */
  get sessionName() {
    const { product_type, contract, dt } = this.config;
    return contract ? `${product_type} ${contract} ${dt}` : "";
  }
  /** The page was loaded again, and the session that stood meanwhile is the one that is watched. */
  get returned() { return this.returnTo !== "" && this.returnTo.split(".")[0] === this.config.session_id; }
  get decimals() { return this.config.decimals ?? 2; }
  /** Names of the raw files played. @returns {string} */
  get files() { return (this.config.raw_files ?? []).join(", ") || "–"; }

  /** The lowest bucket that can be a price: some contracts trade below zero, and then it shows. */
  get lowestBucket() {
    const spread = this.config.product_type !== "equity_mbo" && SPREAD.test(this.config.contract ?? "");
    return spread || this.ring?.belowZero ? -Infinity : 0;
  }

  /** How long nothing has come, ms. */
  get silentMs() { return performance.now() - this.heardMs; }

  /** No frame for longer than this: nothing happened. */
  get quietMs() { return QUIET_MS + (this.config.throttle_ms ?? 0); }

  /** The session's time by the newest status, before which all frames have come. NaN before the first. */
  get toldMs() { return this.status.time_ns ? Number(BigInt(this.status.time_ns) / 1000n) / 1000 : NaN; }

  /** The session's time, which runs on where no events come, as far as the server said and a little on. Only while the ring holds a column. */
  get nowMs() {
    const { ring, status, config } = this;
    if (!ring?.count) return NaN;
    const newestMs = ring.timeMs(ring.end - 1);
    const now = performance.now();
    if (this.connection !== "live" || this.catchingUp > 0 || !status.time_ns || now - this.frameMs < SILENT_MS) return newestMs;
    const since = status.lag_seconds > 0 || status.paused || status.feed ? 0 : Math.min(now - this.statusMs, STATUS_HOLDS_MS) * config.speed;
    return Math.max(newestMs, this.toldMs + since);
  }

  /**
   * How long nothing has happened, ms, 0 where that is no silence. The page's own reckoning beyond the newest status says
   * nothing of events: they may be on their way.
   */
  get eventlessMs() {
    const { ring } = this;
    const ms = ring?.count ? this.toldMs - ring.timeMs(ring.end - 1) : 0;
    return ms > this.quietMs ? ms : 0;
  }

  /**
   * Watch a session.
   * @param {Record<string, string>} query @param {string[]} fields grid columns
   * @param {boolean} keep whether the columns held go on with it (another speed of the same session)
   */
  open(query, fields, keep = false) {
    this.fields = fields;
    this.keepRing = keep;
    if (!keep) this.identity = "";
    const wanted = new URLSearchParams(query);
    wanted.set("fields", fields.join(","));
    wanted.set("sparse", "yes");
    this.stream.open(wanted);
  }

  /** The newest frame held, for a reconnection. */
  place() {
    const { ring } = this;
    if (!ring) return this.returnTo;
    if (ring.count === 0 || this.identity === "" || this.keepRing) return "";
    const eventId = ring.eventId(ring.end - 1);
    const { session, base } = ring.partOf(eventId);
    return `${session}.${eventId - base}`;
  }

  /** @param {Message} message */
  message(message) {
    this.heardMs = performance.now();
    if (message.type === "runtime_config") this.configure(message);
    else if (message.type === "status") {
      this.status = message;
      this.live = Boolean(message.feed);
      this.statusMs = performance.now();
      this.latency.add("engine", message.lag_seconds * 1000, this.statusMs);
      this.latency.add("wire", this.lateness.status(message, this.config.speed), this.statusMs);
      if (this.holeWaits && !this.past) {
        this.holeWaits = false;
        void this.backfill.fillHole();
      }
    } else if (message.type === "missed" || (message.type === "history" && message.hole)) this.holeDue = true;
    if (message.type === "history") this.catchingUp = message.frames;
    else if (message.type === "gap") this.ring?.takeGap(message);
    else if (message.type === "next_session") {
      this.followDue = message;
      if (this.stream.query.has("dt")) this.stream.query.set("dt", message.dt);
    }
    else if (message.type === "missed") this.catchingUp = Math.max(0, this.catchingUp - message.frames); // they do not come any more
    this.hooks.message(message);
  }

  /** @param {Message} config */
  configure(config) {
    const identity = JSON.stringify([
      config.contract, config.dt, config.raw_files, config.version, config.throttle_ms, config.parameters, this.fields,
    ]);
    const kind = JSON.stringify([config.contract, config.bucket_int, config.version, config.throttle_ms, config.parameters, this.fields, config.frame]);
    const sameSession = config.session_id === this.config.session_id;
    const { followDue, ring } = this;
    const goesOn = ring && (followDue ? kind === this.kind : identity === this.identity && (this.keepRing || sameSession));
    this.restarted = this.identity !== "" && !this.keepRing && !sameSession && !followDue;
    this.catchingUp = 0;
    this.statusMs = performance.now();
    this.lateness = new Lateness(this.clock);
    this.config = config;
    this.status = {};
    const emitFromMs = msOf(config.emit_from_ns);
    this.emitFromMs = goesOn ? Math.min(this.emitFromMs, emitFromMs) : emitFromMs;
    this.identity = identity;
    this.kind = kind;
    this.keepRing = false;
    this.followDue = null;
    if (goesOn && followDue) ring.follow(config.session_id, msOf(followDue.start_ns), config.dt);
    else if (goesOn) ring.part.session = config.session_id;
    else {
      this.ring = new Ring(new FrameLayout(config.frame), config.bucket_int);
      this.ring.part.session = config.session_id;
      this.newest = null;
      this.holeDue = this.holeWaits = false;
      this.received = this.repeated = 0;
    }
    this.backfill.of(this.ring, msOf(config.context_from_ns));
    this.hooks.configured(config, !goesOn);
  }

  /** @param {ArrayBuffer} message */
  frame(message) {
    if (this.schemaDue) { // the first binary message opens the Arrow stream; the layout has said all of it
      this.schemaDue = false;
      return;
    }
    const { ring } = this;
    if (!ring || message.byteLength !== ring.layout.messageBytes) return;
    const started = performance.now();
    this.heardMs = started;
    this.received += 1;
    const older = this.catchingUp > 0;
    if (older) this.catchingUp -= 1;
    const due = this.holeDue;
    if (due && this.holeWaits) ring.forgetBehindHole(); // one hole waits at a time: what came since lies in the history too
    const hole = due && ring.count > 0;
    if (!ring.push(message, hole)) {
      this.repeated += 1;
      return;
    }
    this.holeDue = false;
    this.newest = message;
    this.frameMs = started;
    const lateMs = older ? NaN : this.lateness.frame(ring.timeMs(ring.end - 1));
    if (!Number.isNaN(lateMs)) this.latency.add("frame", lateMs, started);
    if (Number.isNaN(this.arrivedMs)) this.arrivedMs = started;
    if (due) {
      this.holeWaits = !hole || this.past; // before the first frame nobody knows yet whether it is a past that comes
      if (!this.holeWaits) void this.backfill.fillHole();
    }
    if (this.received % 8 === 0) this.latency.add("decode", performance.now() - started, started);
    this.hooks.changed(Infinity, ring.count > 1 ? ring.timeMs(ring.end - 2) : -Infinity);
  }

  /** Exact grids of the newest column that are held whole. @returns {Record<string, Float32Array> | null} */
  exact() {
    const { newest, ring } = this;
    if (!newest || !ring) return null;
    return Object.fromEntries(ring.fields.map((name) => [name, ring.layout.grid(newest, name)]));
  }
}
