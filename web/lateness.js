/** How late what comes is: each message against the moment at which the server sent it, or was to send it. */

/** @typedef {import("./server-clock.js").ServerClock} ServerClock @typedef {import("./stream.js").Message} Message */

/** A status comes so often. */
const STATUS_MS = 1000;
/** A frame says how late the stream is for so long. */
const FRAME_HOLDS_MS = 2000;
const milliseconds = (/** @type {string} */ ns) => Number(BigInt(ns) / 1000n) / 1000;

/** Of one stream. */
export class Lateness {
  /** @param {ServerClock} clock */
  constructor(clock) {
    this.clock = clock;
    /** The newest moment of the server's clock that the page has heard of, ms UTC. */
    this.newestMs = -Infinity;
    this.statusLateMs = 0;
    this.frameLateMs = 0;
    this.frameMs = -Infinity;
    /** @type {{serverMs: number, timeMs: number, speed: number} | null} where the session was at a moment of the server's clock */
    this.pace = null;
  }

  /** @param {Message} status @param {number} speed @returns {number} how long it was on its way, ms */
  status(status, speed) {
    const serverMs = milliseconds(status.server_time_ns);
    this.statusLateMs = this.clock.heard(serverMs);
    this.newestMs = Math.max(this.newestMs, serverMs);
    this.pace = status.time_ns && speed > 0 ? { serverMs, timeMs: milliseconds(status.time_ns), speed } : null;
    return this.statusLateMs;
  }

  /** A frame came just when it was made. @param {number} timeMs of the market @returns {number} how late, ms; NaN where it is not known when it was due */
  frame(timeMs) {
    if (!this.pace) return NaN;
    const dueMs = this.pace.serverMs + (timeMs - this.pace.timeMs) / this.pace.speed;
    this.newestMs = Math.max(this.newestMs, dueMs);
    this.frameLateMs = Math.max(0, this.clock.now() - dueMs);
    this.frameMs = performance.now();
    return this.frameLateMs;
  }

  /** How late the stream is, ms; NaN while it is not known. */
  get ms() {
    if (this.newestMs === -Infinity) return NaN;
    const frame = performance.now() - this.frameMs < FRAME_HOLDS_MS ? this.frameLateMs : 0;
    return Math.max(this.statusLateMs, frame, this.clock.now() - this.newestMs - STATUS_MS);
  }
}
