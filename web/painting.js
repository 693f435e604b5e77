/** When to paint: once per screen refresh, and only what changed since. */

/** Where the picture was not painted for so long, the GPU may have forgotten it. */
const STALL_MS = 750;

export class Painting {
  constructor() {
    /** The whole picture is to be painted; the crosshair is. */
    this.dirty = true;
    this.cursorDirty = true;
    /** The last painting of the whole picture: when it ended, how long it took; and how many there were. */
    this.endMs = -Infinity;
    this.tookMs = 0;
    this.count = 0;
    /** How much later than asked the tab does its work, ms: the worst of late. */
    this.behindMs = 0;
    this.tickedMs = NaN;
  }

  get idle() { return !this.dirty && !this.cursorDirty; }

  /** @param {"cursor" | "all"} level what is to be painted */
  request(level) {
    if (level === "all") this.dirty = true;
    this.cursorDirty = true;
  }

  /** The tab does what it was to do every so often. @param {number} everyMs */
  tick(everyMs) {
    const now = performance.now();
    const lateMs = now - this.tickedMs - everyMs; // a hidden tab is let sleep
    this.behindMs = Math.max(this.behindMs * 0.8, document.hidden || !(lateMs > 0) ? 0 : lateMs);
    this.tickedMs = document.hidden ? NaN : now;
  }

  /**
   * Paint from now on, and anew where the window comes to a screen of another scale, its size unchanged.
   * @param {() => boolean} ready whether there is anything to be painted
   * @param {(stalled: boolean, startMs: number) => void} paintAll @param {() => void} paintCursor
   */
  start(ready, paintAll, paintCursor) {
    let scale = window.devicePixelRatio;
    const loop = () => {
      requestAnimationFrame(loop);
      if (window.devicePixelRatio !== scale) {
        scale = window.devicePixelRatio;
        this.request("all");
      }
      const now = performance.now();
      if (!ready()) return;
      // a picture that takes long leaves as much time to the rest of the page
      const due = this.dirty && now - this.endMs >= this.tookMs;
      if (!due && !this.cursorDirty) return;
      if (due) {
        this.dirty = false;
        paintAll(now - this.endMs > STALL_MS, now);
        this.endMs = performance.now();
        this.tookMs = this.endMs - now;
        this.count += 1;
      }
      this.cursorDirty = false;
      paintCursor();
    };
    loop();
  }
}
