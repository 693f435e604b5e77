/**
 * The server's clock as the page knows it, whatever the browser's own clock says: by round trips over HTTP, and by what
 * the stream says of its time. Without either it is not known how late a stream is.
 */

const MOST_TRIPS = 8;
const EVERY_MS = 20_000;
const AT_FIRST_MS = 1000;
const AT_FIRST = 3;
const PATIENCE_MS = 5000;
/** The browser's clock was set anew, or the machine slept. */
const STEP_MS = 250;

export class ServerClock {
  /** @param {string} base where the server is */
  constructor(base) {
    this.base = base;
    /** @type {{offsetMs: number, tripMs: number}[]} */
    this.trips = [];
    /** The server's clock less the browser's is at least this: nothing comes before it was sent. */
    this.leastMs = -Infinity;
    this.steady = Date.now() - performance.now();
    /** When the server last answered over HTTP, of performance.now(). */
    this.answeredMs = -Infinity;
    this.askedMs = -Infinity;
    this.asking = false;
  }

  /** The server's clock less the browser's; NaN while it is not known. */
  get offsetMs() {
    const best = this.best;
    return best ? Math.max(best.offsetMs, this.leastMs) : this.leastMs === -Infinity ? NaN : this.leastMs;
  }

  /** How far the offset may be off; infinite without a round trip: then it is that of the fastest message. */
  get uncertaintyMs() { return this.best ? this.best.tripMs / 2 : Infinity; }

  get best() { return this.trips.length > 0 ? this.trips.reduce((best, trip) => (trip.tripMs < best.tripMs ? trip : best)) : null; }

  /** The server's clock, ms UTC. @param {number} [localMs] of the browser */
  now(localMs = Date.now()) { return localMs + this.offsetMs; }

  /** A message came that was sent at `serverMs`. @param {number} serverMs @param {number} [localMs] @returns {number} how long it took, ms */
  heard(serverMs, localMs = Date.now()) {
    this.watchSteps();
    this.leastMs = Math.max(this.leastMs, serverMs - localMs);
    return this.now(localMs) - serverMs;
  }

  /** @param {number} sentMs @param {number} receivedMs of the browser's clock @param {number} serverMs between them */
  took(sentMs, receivedMs, serverMs) {
    this.trips.push({ offsetMs: serverMs - (sentMs + receivedMs) / 2, tripMs: receivedMs - sentMs });
    if (this.trips.length > MOST_TRIPS) this.trips.shift();
  }

  /** What was measured before the browser's clock made a step says nothing any more. */
  watchSteps() {
    const steady = Date.now() - performance.now();
    if (Math.abs(steady - this.steady) > STEP_MS) {
      this.trips = [];
      this.leastMs = -Infinity;
      this.askedMs = -Infinity;
    }
    this.steady = steady;
  }

  /** Ask the server for its time, if it is due: often at first and where the stream is silent. @param {boolean} silent */
  async keep(silent) {
    this.watchSteps();
    const wait = silent || this.trips.length < AT_FIRST ? AT_FIRST_MS : EVERY_MS;
    if (this.asking || performance.now() - this.askedMs < wait) return;
    this.asking = true;
    this.askedMs = performance.now();
    const sentMs = Date.now();
    try {
      const answer = await fetch(`${this.base}/health`, { cache: "no-store", signal: AbortSignal.timeout(PATIENCE_MS) });
      const receivedMs = Date.now();
      const { server_time_ns: serverNs } = await answer.json();
      if (!serverNs) return;
      this.answeredMs = performance.now();
      this.took(sentMs, receivedMs, Number(BigInt(serverNs) / 1000n) / 1000);
    } catch { /* no answer, or one of something else: diagnosis.js finds out what */ } finally {
      this.asking = false;
    }
  }
}
