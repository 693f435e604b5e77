/** What the signal was worth so far, as the server reckons it: a line under the chart, and a panel. No figure without its interval. */

import { element } from "./dom.js";
import { clockText, zoneName } from "./format.js";
import { fetchTrackRecord, Refusal } from "./http-api.js";
import { msOf } from "./stream.js";

/**
 * @typedef {import("./feed.js").Feed} Feed @typedef {import("./http-api.js").Figure} Figure
 * @typedef {import("./http-api.js").TrackRecord} TrackRecord
 */

const EVERY_MS = 5000;
const NAMES = /** @type {Record<string, string>} */ ({ UP: "after UP", DOWN: "after DOWN", any: "after any moment" });

/** @param {number} value @param {number} digits */
const signed = (value, digits) => `${value < 0 ? "−" : "+"}${Math.abs(value).toFixed(digits)}`;
const ticks = (/** @type {number} */ value) => signed(value, 2);
const percent = (/** @type {number} */ value) => `${(100 * value).toFixed(0)}`;
/** @param {Figure | null} figure @param {(value: number) => string} written */
const figureText = (figure, written) => (figure ? `${written(figure.value)} [${written(figure.low)}, ${written(figure.high)}]` : "–");

/** Grey until it can be told from chance. @template {HTMLElement} T @param {T} made @param {string} text @param {Figure | null} figure @returns {T} */
function told(made, text, figure) {
  made.textContent = text;
  made.dataset.told = String(figure?.told_from_chance ?? false);
  return made;
}
const piece = (/** @type {string} */ tag, text = "") => Object.assign(document.createElement(tag), { textContent: text });

export class TrackRecordPanel {
  /** @param {string} base where the server is @param {Feed} feed */
  constructor(base, feed) {
    this.base = base;
    this.feed = feed;
    this.panel = element("record");
    this.line = element("record-open");
    /** @type {TrackRecord | null} */
    this.record = null;
    this.askedMs = -Infinity;
    this.asking = false;
    this.line.addEventListener("click", () => this.toggle());
  }

  toggle() {
    this.panel.hidden = !this.panel.hidden;
    this.line.setAttribute("aria-expanded", String(!this.panel.hidden));
    this.show();
  }

  /** Ask again, when it is time to. */
  async refresh() {
    const { feed: { config, connection, ring }, record } = this;
    const session = config.session_id;
    if (record && record.session_id !== session) { this.record = null; this.askedMs = -Infinity; this.show(); }
    const now = performance.now();
    if (!session || !ring?.count || this.asking || document.hidden || now - this.askedMs < EVERY_MS || !["live", "ended"].includes(connection)) return;
    this.asking = true;
    this.askedMs = now;
    try {
      this.record = await fetchTrackRecord(this.base, session);
      this.show();
    } catch (error) {
      if (!(error instanceof Refusal || error instanceof TypeError)) throw error; // the figures of before stay
    } finally {
      this.asking = false;
    }
  }

  show() {
    const { record } = this;
    if (!record?.samples) { this.line.textContent = "What UP and DOWN were worth so far: nothing yet"; this.panel.replaceChildren(); return; }
    const { after, coefficients: ic, horizon_seconds: seconds } = record;
    this.line.replaceChildren(`In ${seconds} s, ticks: `, ...Object.entries(after).flatMap(([name, { samples, mean_move_ticks: move }], i) => [
      i ? " · " : "", told(piece("span"), `${NAMES[name]} ${figureText(move, ticks)}, n ${samples.toLocaleString("en-US")}`, move),
    ]), " · ", told(piece("span"), `IC score ${figureText(ic.score, ticks)}`, ic.score), ", ", told(piece("span"), `queue imbalance ${figureText(ic["queue imbalance"], ticks)}`, ic["queue imbalance"]));
    if (!this.panel.hidden) this.fill(record);
  }

  /** @param {TrackRecord} record */
  fill({ after, coefficients: ic, horizon_seconds: seconds, block_seconds: block, least_blocks: least, blocks, samples, half_spread_ticks: half, from_ns: from, until_ns: until }) {
    const moves = /** @type {HTMLTableElement} */ (piece("table"));
    const head = moves.createTHead().insertRow();
    head.append(piece("td"), ...["n", "mean move, ticks", "hit rate, %"].map((name) => Object.assign(piece("th", name), { scope: "col" })));
    for (const [name, { samples: n, mean_move_ticks: move, hit_rate: rate }] of Object.entries(after)) {
      const row = moves.insertRow();
      row.append(Object.assign(piece("th", NAMES[name]), { scope: "row" }), piece("td", n.toLocaleString("en-US")), told(piece("td"), figureText(move, ticks), move), told(piece("td"), figureText(rate, percent), rate));
    }
    const ranks = /** @type {HTMLTableElement} */ (piece("table"));
    for (const [label, figure] of /** @type {[string, Figure | null][]} */ ([["score", ic.score], ["queue imbalance", ic["queue imbalance"]], ["score less queue imbalance", ic.difference]])) {
      const row = ranks.insertRow();
      row.append(Object.assign(piece("th", label), { scope: "row" }), told(piece("td"), figureText(figure, ticks), figure));
    }
    const when = from && until ? `From ${clockText(msOf(from))} to ${clockText(msOf(until))} ${zoneName()}: ` : "";
    this.panel.replaceChildren(
      piece("h2", `What came within ${seconds} s, in this session so far`), moves, piece("h2", `Rank correlation (IC) with the move of ${seconds} s`), ranks,
      piece("p", `${when}${samples.toLocaleString("en-US")} moments, one a second, ${blocks} block${blocks === 1 ? "" : "s"} of ${block} s. In brackets 95 % intervals. Grey: not told from chance${blocks < least ? `; of fewer than ${least} blocks nothing can be` : ""}. `
        + `A hit is a move in the state's direction, of those that moved; after any moment, upward.${half === null ? "" : ` Half the spread, which a trade costs one way, is ${half.toFixed(2)} ticks.`} `
        + "Another start or speed begins anew. One session says little about others."),
    );
  }
}
