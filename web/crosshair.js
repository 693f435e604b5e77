/** The crosshair: what it reads, pins and measures, and the rectangle being drawn. */

import { placeBeside } from "./card-placement.js";
import { paintHair, tagsOf } from "./crosshair-tags.js";
import { element } from "./dom.js";
import { fetchHistory } from "./http-api.js";
import { held } from "./labels.js";
import { say } from "./notices.js";
import { moveCard, Pins } from "./pins.js";
import { describeCell, measureText } from "./readout.js";
import { contextOf, FONT } from "./scene.js";
import { cellWords, measureWords } from "./spoken.js";

/**
 * @typedef {import("./feed.js").Feed} Feed @typedef {import("./chart.js").Chart} Chart
 * @typedef {import("./ring.js").Ring} Ring
 * @typedef {import("./readout.js").Spot} Spot @typedef {import("./gestures.js").Point} Point
 */

/** The crosshair has to rest on a frame for so long before all of it is fetched. */
const REST_MS = 120;
/** A card of which less would be seen is not shown. */
const LEAST_CARD_PX = 30;
/** And on a cell for so long before it is spoken. */
const SPEAK_MS = 250;

export class Crosshair {
  /** @param {string} base where the server is @param {Feed} feed @param {Chart} chart @param {import("./painting.js").Painting} painting @param {() => void} remember pins and measure, before they are changed */
  constructor(base, feed, chart, painting, remember) {
    this.base = base;
    this.feed = feed;
    this.chart = chart;
    this.painting = painting;
    this.remember = remember;
    /** @type {Point | null} */
    this.at = null;
    /** @type {[Spot, Spot] | null} */
    this.measured = null;
    /** Whether the measure's second corner goes along with the crosshair. */
    this.measuring = false;
    this.exactTime = false;
    /** The frame that was fetched with every column. @type {{ring: Ring, eventId: number, block: import("./http-api.js").Block} | null} */
    this.full = null;
    /** What stands on the axes and in the strip beside it. @type {Record<string, string>} */
    this.tags = {};
    this.wanted = -1;
    this.timer = 0;
    this.speakTimer = 0;
    this.pins = new Pins(remember);
  }

  /** Whose prices the picture shows. */
  get instrument() { return `${this.feed.config.contract}, ${this.feed.config.bucket_int}`; }

  /** @param {Point | null} at */
  moveTo(at) {
    this.at = at;
    if (at && this.measuring && this.measured) this.measured = [this.measured[0], this.chart.spotAt(at)];
    this.painting.request("cursor");
    clearTimeout(this.speakTimer);
    this.speakTimer = setTimeout(() => this.speak(), SPEAK_MS);
  }

  /** Say what the crosshair lies on, or measures by keys. */
  speak() {
    const { at, feed: { ring, decimals, lowestBucket: lowest, quietMs }, chart } = this;
    const { scene } = chart;
    if (!at || !ring || !scene || at.x >= scene.size.width || at.y >= scene.size.height) return;
    say(this.measuring ? measureWords(this.measureText()) : cellWords(ring, chart.spotAt(at), { decimals, field: chart.settings.mode, lowest, quietMs }));
  }

  /** Measure between two points of the chart. @param {Point} from @param {Point} to */
  measure(from, to) {
    this.measuring = false;
    this.measured = [this.chart.spotAt(from), this.chart.spotAt(to)];
  }

  /** Begin to measure at the crosshair, or take the measure away. */
  toggleMeasure() {
    this.remember();
    const taken = this.measured !== null;
    this.measuring = !this.measured && this.at !== null;
    this.measured = this.measuring && this.at ? [this.chart.spotAt(this.at), this.chart.spotAt(this.at)] : null;
    this.painting.request("cursor");
    if (this.measuring || taken) say(taken ? "The measure is taken away" : "A measure begins here");
  }

  /** Let go of the cell, the measure and what is pinned. */
  release() {
    this.remember();
    this.at = null;
    this.putMarks({ pins: [], measured: null });
  }

  /** What a person set, to come back to. */
  marks() { return { pins: this.pins.pins, measured: this.measured }; }

  /** @param {ReturnType<Crosshair["marks"]>} marks */
  putMarks({ pins, measured }) {
    this.pins.put(pins);
    this.measured = measured;
    this.measuring = false;
    this.painting.request("cursor");
  }

  toggleExactTime() {
    this.exactTime = !this.exactTime;
    this.painting.request("cursor");
  }

  /** What is measured in words. @returns {string} */
  measureText() {
    const { measured, feed: { ring, decimals, quantity } } = this;
    return measured && ring ? measureText(ring, ...measured, decimals, quantity) : "";
  }

  /** @param {[Point, Point] | null} drawn a rectangle being drawn */
  paint(drawn) {
    const { feed: { ring }, chart, at } = this;
    const { scene } = chart;
    if (!ring || !scene) return;
    const { size, x, y, layers } = scene;
    const corner = (/** @type {Spot} */ { timeMs, bucket }) => ({ x: x(timeMs), y: y(bucket) });
    /** @type {[Point, Point] | null} */
    const rectangle = drawn ?? (this.measured && [corner(this.measured[0]), corner(this.measured[1])]);
    this.tags = paintCrosshair(chart.cursor, scene, at, rectangle, drawn ? "" : this.measureText());
    this.pins.paint(contextOf(chart.cursor), scene, this.instrument);
    const card = element("readout");
    const inside = layers.readout && at && at.x < size.width && at.y < size.height && !rectangle;
    card.hidden = !inside;
    if (!inside) {
      card.replaceChildren(); // what is not seen says nothing of another place
      return;
    }
    const column = this.describe(card, ring, chart.spotAt(at), false);
    const { left, top, height } = this.place(card, at, scene);
    moveCard(card, left, top, size.unit);
    card.style.maxHeight = `${height * size.unit}px`;
    card.hidden = height < LEAST_CARD_PX;
    this.fetchSoon(column === null || this.fullOf(ring, column) ? -1 : ring.eventId(column));
  }

  /** @param {HTMLElement} card @param {Point} at @param {import("./scene.js").Scene} scene */
  place(card, at, scene) {
    card.style.maxHeight = "";
    const { unit } = scene.size;
    return placeBeside(at, { width: card.offsetWidth / unit, height: card.offsetHeight / unit }, scene);
  }

  /** The frame with every column, once it came. @param {Ring} ring @param {number} column */
  fullOf(ring, column) {
    const { full } = this;
    return full && full.ring === ring && full.eventId === ring.eventId(column) ? full.block : null;
  }

  /** @param {HTMLElement} card @param {Ring} ring @param {Spot} spot @param {boolean} brief @returns {number | null} its column */
  describe(card, ring, spot, brief) {
    const { decimals, quantity } = this.feed;
    const { mode } = this.chart.settings;
    const number = ring.columnUntil(spot.timeMs);
    const column = number < ring.first ? null : number;
    const field = ring.fields.includes(mode) ? mode : "pressure";
    describeCell(card, ring, spot, column, {
      decimals, brief, exact: brief || this.exactTime, field, quantity, lowest: this.feed.lowestBucket, quietMs: this.feed.quietMs, full: column === null ? null : this.fullOf(ring, column),
    });
    return column;
  }

  /** Fetch all of a frame once the crosshair has rested on it. @param {number} eventId or -1 */
  fetchSoon(eventId) {
    if (eventId === this.wanted) return;
    this.wanted = eventId;
    clearTimeout(this.timer);
    if (eventId >= 0) this.timer = setTimeout(() => void this.fetchFull(eventId), REST_MS);
  }

  /** Every column of a frame, exact. @param {number} eventId */
  async fetchFull(eventId) {
    const { ring } = this.feed;
    if (!ring) return;
    const { session, base } = ring.partOf(eventId);
    try {
      const block = await fetchHistory(this.base, { session, after: eventId - base - 1, before: eventId - base + 1, exact: true });
      if (block.frames === 1) this.full = { ring, eventId, block };
      this.painting.request("cursor");
    } catch { /* the rounded values stay */ }
  }

  /** @param {Point} at */
  pin(at) {
    const { feed: { ring }, chart: { scene } } = this;
    if (!ring || !scene) return;
    const card = document.createElement("div");
    card.className = "card pinned";
    const spot = this.chart.spotAt(at);
    if (this.describe(card, ring, spot, true) === null) return;
    this.remember();
    element("pins").append(card); // which has a size there
    const { left, top } = this.place(card, at, scene);
    this.pins.add({ card, spot, right: left - scene.x(spot.timeMs), down: top - scene.y(spot.bucket), of: this.instrument });
    this.painting.request("cursor");
    say("Read-out pinned");
  }
}

/**
 * The crosshair, and the rectangle being drawn or measured.
 * @param {HTMLCanvasElement} canvas @param {import("./scene.js").Scene} scene @param {Point | null} at
 * @param {[Point, Point] | null} rectangle @param {string} text what the rectangle says
 * @returns {Record<string, string>} what its tags say
 */
function paintCrosshair(canvas, scene, at, rectangle, text) {
  const { size, theme } = scene;
  const context = contextOf(canvas);
  context.setTransform(size.ratio, 0, 0, size.ratio, 0, 0);
  context.clearRect(0, 0, canvas.width, canvas.height);
  context.font = FONT;
  const tags = at ? tagsOf(context, scene, at) : [];
  if (at) paintHair(context, scene, at, tags);
  const said = Object.fromEntries(tags.map(({ name, words }) => [name, words]));
  if (!rectangle) return said;
  const [a, b] = rectangle;
  const [left, top] = [Math.min(a.x, b.x), Math.min(a.y, b.y)];
  context.strokeStyle = theme.text;
  context.save();
  context.beginPath();
  context.rect(0, 0, size.width, size.height); // what goes on beyond the map lies under no axis
  context.clip();
  context.setLineDash([4, 3]);
  context.strokeRect(left + 0.5, top + 0.5, Math.abs(b.x - a.x), Math.abs(b.y - a.y));
  context.restore();
  if (!text) return said;
  const lines = text.split("\n");
  const width = Math.max(...lines.map((line) => context.measureText(line).width)) + 16;
  const x = held(left, width, size.width);
  const y = held(Math.max(a.y, b.y) + 6, lines.length * 17 + 10, size.height);
  context.fillStyle = theme.ground;
  context.fillRect(x, y, width, lines.length * 17 + 8);
  context.strokeRect(x + 0.5, y + 0.5, width, lines.length * 17 + 8);
  context.fillStyle = theme.text;
  context.textBaseline = "top";
  lines.forEach((line, i) => context.fillText(line, x + 8, y + 5 + i * 17));
  return said;
}
