/** Mouse and touch on the chart: zoom, move, axes, box, measure, pin, pinch. */

/** @typedef {import("./crosshair.js").Crosshair} Crosshair */
/** @typedef {import("./viewport.js").Viewport} Viewport @typedef {import("./scene.js").Size} Size @typedef {{x: number, y: number}} Point */
/**
 * @typedef {object} Target
 * @property {Viewport} viewport @property {() => Size} size
 * @property {(kind?: string) => void} remember what is shown, before it is changed
 * @property {Crosshair} crosshair
 * @property {() => void} changed
 * @property {(from: Point, to: Point) => void} box a rectangle to zoom to
 */

const CLICK_PX = 4;
/** Clicks that are this near together are one, wherever the system draws the line. */
const DOUBLE_CLICK_MS = 400;

/** @typedef {"move" | "price" | "time" | "box" | "measure" | "pinch" | ""} Action */

export class Gestures {
  /** @param {HTMLElement} chart @param {Target} target */
  constructor(chart, target) {
    this.chart = chart;
    this.target = target;
    /** @type {Action} */
    this.action = "";
    /** @type {Point} */
    this.from = { x: 0, y: 0 };
    /** @type {Map<number, Point>} */
    this.fingers = new Map();
    this.moved = false;
    /** Whether the click to come pins the cell under it. */
    this.pinnable = false;
    this.clickedMs = -Infinity;
    chart.addEventListener("wheel", (event) => this.wheel(event), { passive: false });
    chart.addEventListener("pointerdown", (event) => this.down(event));
    chart.addEventListener("pointermove", (event) => this.move(event));
    chart.addEventListener("pointerup", (event) => this.up(event));
    chart.addEventListener("pointercancel", (event) => this.up(event));
    chart.addEventListener("pointerleave", () => {
      if (this.action) return;
      target.crosshair.moveTo(null);
    });
    chart.addEventListener("dblclick", (event) => {
      const zone = this.zone(this.point(event));
      if (zone === "plot") return;
      target.remember();
      if (zone === "price") target.viewport.resetPrice();
      else target.viewport.resetTime();
      target.changed();
    });
    // the second click of a double click does nothing of its own
    chart.addEventListener("click", (event) => {
      if (this.pinnable && event.detail <= 1 && event.timeStamp - this.clickedMs > DOUBLE_CLICK_MS) target.crosshair.pin(this.point(event));
      this.pinnable = false;
      this.clickedMs = event.timeStamp;
    });
  }

  /** @param {MouseEvent} event @returns {Point} chart px */
  point(event) {
    const box = this.chart.getBoundingClientRect();
    const { unit } = this.target.size();
    return { x: (event.clientX - box.left) / unit, y: (event.clientY - box.top) / unit };
  }

  /** @param {Point} at */
  zone({ x, y }) {
    const size = this.target.size();
    if (x >= size.width) return "price";
    return y >= size.height ? "time" : "plot";
  }

  /** @param {WheelEvent} event */
  wheel(event) {
    event.preventDefault();
    const { viewport, changed, size } = this.target;
    const at = this.point(event);
    const { width, height } = size();
    const turn = event.deltaY || event.deltaX;
    this.target.remember("wheel");
    if (event.altKey) viewport.move((Math.sign(turn) * viewport.spanMs) / 20, 0);
    else {
      const factor = Math.exp(Math.max(-3, Math.min(3, turn / (event.deltaMode === 1 ? 3 : 100))) * 0.15);
      if (event.shiftKey || this.zone(at) === "price") viewport.zoomPrice(factor, at.y / height);
      else viewport.zoomTime(factor, Math.min(1, at.x / width));
    }
    changed();
  }

  /** @param {PointerEvent} event */
  down(event) {
    if (event.button !== 0 || (event.target instanceof Element && event.target.closest("button, #notice"))) return;
    const at = this.point(event);
    this.chart.focus({ preventScroll: true });
    this.chart.setPointerCapture(event.pointerId);
    this.fingers.set(event.pointerId, at);
    if (this.fingers.size === 2) {
      this.action = "pinch";
      return;
    }
    const zone = this.zone(at);
    this.from = at;
    this.moved = false;
    this.action = zone === "price" ? "price" : zone === "time" ? "time"
      : event.shiftKey ? "box" : event.altKey || event.ctrlKey ? "measure" : "move";
    this.target.crosshair.at = at;
  }

  /** @param {PointerEvent} event */
  move(event) {
    const at = this.point(event);
    const { viewport, crosshair, changed, size } = this.target;
    const before = this.fingers.get(event.pointerId) ?? crosshair.at ?? at;
    const { width, height } = size();
    crosshair.moveTo(at);
    if (!this.action) return;
    if (this.action === "pinch") {
      const other = [...this.fingers].find(([id]) => id !== event.pointerId)?.[1];
      this.fingers.set(event.pointerId, at);
      if (!other) return;
      this.target.remember("pinch");
      const spread = (/** @type {"x" | "y"} */ axis) => Math.max(20, Math.abs(before[axis] - other[axis])) / Math.max(20, Math.abs(at[axis] - other[axis]));
      viewport.zoomTime(spread("x"), (at.x + other.x) / 2 / width);
      viewport.zoomPrice(spread("y"), (at.y + other.y) / 2 / height);
      changed();
      return;
    }
    this.fingers.set(event.pointerId, at);
    if (!this.moved && Math.hypot(at.x - this.from.x, at.y - this.from.y) < CLICK_PX) return;
    const start = this.moved ? before : this.from;
    if (!this.moved) this.target.remember();
    this.moved = true;
    if (this.action === "move") viewport.move(((start.x - at.x) / width) * viewport.spanMs, ((at.y - start.y) / height) * viewport.rows);
    else if (this.action === "price") viewport.zoomPrice(Math.exp((at.y - start.y) / 200), 0.5);
    else if (this.action === "time") viewport.zoomTime(Math.exp((start.x - at.x) / 200), 1);
    else if (this.action === "measure") crosshair.measure(this.from, at);
    if (this.action !== "box" && this.action !== "measure") changed();
  }

  /** @param {PointerEvent} event */
  up(event) {
    const at = this.point(event);
    this.fingers.delete(event.pointerId);
    const { action, moved, from, target } = this;
    if (this.fingers.size === 0) this.action = "";
    if (action === "box" && moved) target.box(from, at);
    this.pinnable = action === "move" && !moved && event.type === "pointerup";
    if (event.pointerType === "touch" && this.fingers.size === 0 && action !== "move") target.crosshair.at = null;
    target.changed();
  }

  /** The rectangle being drawn, if any. @returns {[Point, Point] | null} */
  get rectangle() {
    const { at } = this.target.crosshair;
    return this.action === "box" && this.moved && at ? [this.from, at] : null;
  }
}
