/** The page's state and its paint loop: what the controls act on. */

import { fetchHistory, fetchSessions, framesAddress } from "./archive.js";
import { BASE_FIELDS, Feed, PROTOCOL } from "./feed.js";
import { clockText, dateAndTime, setZone, spanText, zoneName } from "./format.js";
import { download, picture as makePicture } from "./keep.js";
import { totals } from "./ladder.js";
import {
  element, say, showNotice, showNumbers, showProgress, showSession, showSign, showStatus, showSummary, showTotals, write,
} from "./panel.js";
import { Picture } from "./picture.js";
import { columnBefore, describeCell, measureText, placeCard } from "./readout.js";
import { CAPACITY } from "./ring.js";
import { defaults, link, load, readLink, save, STREAM_NAMES } from "./settings.js";
import { THEMES } from "./theme.js";
import { paintTrust } from "./trust.js";
import { View } from "./view.js";

/**
 * @typedef {import("./stream.js").Message} Message @typedef {import("./stream.js").Connection} Connection
 * @typedef {import("./readout.js").Spot} Spot @typedef {import("./gestures.js").Point} Point
 * @typedef {import("./settings.js").Settings} Settings
 */

const SUMMARY_MS = 10_000;
const FULL_FRAME_MS = 120;
const STALL_MS = 750;

export class App {
  /** @param {string} base where the server is @param {Location} location */
  constructor(base, location) {
    this.base = base;
    this.location = location;
    this.view = new View();
    /** @type {Settings} */
    this.settings = defaults();
    this.decimals = 2;
    this.query = Object.fromEntries([...new URLSearchParams(location.search)].filter(([name]) => STREAM_NAMES.includes(name)));
    this.linked = readLink(location);
    this.picture = new Picture(new URLSearchParams(location.search).has("flat"), () => this.change("all"));
    this.feed = new Feed(base, {
      changed: (untilMs) => { if (!(untilMs < this.view.startMs)) this.dirty = true; },
      configured: (config, fresh) => this.configured(config, fresh),
      message: (message) => this.message(message),
      connection: (state, why) => this.connection(state, why),
    });
    this.dirty = true;
    this.cursorDirty = true;
    /** @type {Point | null} */
    this.cursor = null;
    /** @type {[Spot, Spot] | null} */
    this.measured = null;
    /** @type {() => [Point, Point] | null} */
    this.box = () => null;
    this.exactTime = false;
    /** @type {Connection} */
    this.state = "connecting";
    this.painted = { endMs: -Infinity, tookMs: 0, frames: 0 };
    this.summarisedMs = -Infinity;
    /** @type {{column: number, eventId: number, block: import("./archive.js").Block} | null} */
    this.full = null;
    this.fullDue = 0;
    this.fullWanted = -1;
    /** @type {() => void} */
    this.settled = () => {};
    this.pageVersion = "";
  }

  get thing() { return this.feed.config.product_type === "equity_mbo" ? "shares" : "contracts"; }
  get instrument() { return `${this.feed.config.product_type}.${this.feed.config.contract}`; }

  start() {
    this.open({});
    setInterval(() => this.signs(), 250);
    const loop = () => { requestAnimationFrame(loop); this.paint(); };
    loop();
  }

  /** Watch what the query says, with changes. @param {Record<string, string>} changes @param {boolean} [keep] */
  open(changes, keep = false) {
    this.query = { ...this.query, ...changes };
    if (!keep) showProgress({ phase: "decode", records_done: 0, records_total: null });
    showNotice("");
    const extra = ["pair", "net"].includes(this.settings.mode) ? "" : this.settings.mode;
    this.feed.open(this.query, extra, keep);
  }

  /** @param {"cursor" | "all"} level */
  change(level) {
    if (level === "all") this.dirty = true;
    this.cursorDirty = true;
  }

  /** @param {Message} config @param {boolean} fresh */
  configured(config, fresh) {
    if (config.protocol !== PROTOCOL || (this.pageVersion && this.pageVersion !== config.version)) {
      showNotice(`The server speaks protocol ${config.protocol}, version ${config.version}; this page was made for protocol ${PROTOCOL}${this.pageVersion && `, version ${this.pageVersion}`}.`,
        "The server was changed while the page was open: load the page again.", [{ label: "Reload", act: () => this.location.reload() }]);
      if (config.protocol !== PROTOCOL) return;
    } else showNotice("");
    this.pageVersion = config.version;
    this.decimals = config.decimals;
    showSession(config, this.feed.restarted);
    if (this.feed.restarted) say("The server began a new run; what was shown before belonged to the one before");
    if (fresh) {
      const mode = this.settings.mode;
      this.settings = load(this.instrument);
      if (this.feed.fields.length > BASE_FIELDS.length) this.settings.mode = mode;
      const { linked } = this;
      if (!linked) this.view.live();
      else {
        Object.assign(this.view, { endMs: linked.end, spanMs: linked.span, centre: linked.centre, rows: linked.rows, following: false, zoomed: true });
        for (const name of ["palette", "transfer", "theme", "mode"]) if (linked[name]) Object.assign(this.settings, { [name]: linked[name] });
        if (linked.upper > 0) this.settings.cutoffs = { lower: linked.lower, upper: linked.upper };
        this.linked = null;
      }
      const { scale } = this.picture;
      scale.frozen = false;
      scale.transfer = this.settings.transfer;
      if (this.settings.cutoffs) scale.set(this.settings.cutoffs.lower, this.settings.cutoffs.upper);
      this.full = null;
      this.needField();
    }
    setZone(this.settings.zone);
    this.settled();
    this.change("all");
  }

  /** Ask for the column that the view needs, if it is not sent. */
  needField() {
    const { mode } = this.settings;
    if (["pair", "net"].includes(mode) || this.feed.fields.includes(mode)) return;
    this.open({});
  }

  /** @param {Message} message */
  message(message) {
    if (message.type === "progress") showProgress(message);
    else if (message.type === "status") showStatus(message, this.feed.holes);
    else if (message.type === "history" || message.type === "end") showProgress(null);
    else if (message.type === "error") {
      showProgress(null);
      void this.explain(message);
    }
  }

  /** An error in place, with what there is instead. @param {Message} problem */
  async explain(problem) {
    showNotice(problem.message, problem.hint ?? "");
    if (!["no_raw_file", "bad_date", "unknown_symbol", "unknown_root", "bad_start_time"].includes(problem.code)) return;
    const catalogue = await fetchSessions(this.base).catch(() => null);
    if (!catalogue) return;
    const wanted = (this.query.symbol ?? catalogue.default.symbol).toUpperCase();
    const near = catalogue.sessions.filter((entry) => wanted.startsWith(entry.symbol));
    const choices = (near.length > 0 ? near : catalogue.sessions).slice(-8).map((entry) => ({
      label: `${problem.code === "unknown_symbol" || near.length === 0 ? entry.symbol : wanted} ${entry.dt}${problem.code === "bad_start_time" ? " from its start" : ""}`,
      act: () => this.open({
        product_type: entry.product_type, dt: entry.dt, start_time: problem.code === "bad_start_time" ? "" : (this.query.start_time ?? ""),
        symbol: problem.code === "unknown_symbol" || near.length === 0 ? entry.symbol : wanted,
      }),
    }));
    showNotice(problem.message, problem.hint ?? "", choices);
  }

  /** @param {Connection} state @param {string} why */
  connection(state, why) {
    this.state = state;
    const sign = state === "live" || state === "ended" ? "good" : state === "connecting" ? "wait" : "bad";
    showSign("connection", sign, state === "lost" ? `lost: ${why}` : state, why || "The socket to the server");
    if (state === "lost" && !this.feed.ring) {
      showProgress(null);
      showNotice("The server does not answer.", "Is it running? python -m vp.serve starts it. The page tries again by itself.",
        [{ label: "Try now", act: () => this.feed.stream.connect() }]);
    }
  }

  /** Signs of life of engine and tab, and how far behind the picture is. */
  signs() {
    const now = performance.now();
    const { feed } = this;
    const lag = feed.status.lag_seconds ?? 0;
    const stale = now - feed.statusMs;
    if (this.state === "ended") showSign("engine", "good", "engine done", "The session is over");
    else if (this.state !== "live") showSign("engine", "wait", "engine –", "Nothing is known without a socket");
    else if (feed.catchingUp > 0) showSign("engine", "wait", `catching up, ${feed.catchingUp.toLocaleString("en-US")} frames`, "The server sends what it holds, then goes on live");
    else if (stale > 3000) showSign("engine", "bad", `engine silent ${Math.round(Math.min(stale, 9.9e6) / 1000)} s`, "No status for more than three seconds");
    else if (lag > 1) showSign("engine", "bad", `engine ${lag.toFixed(1)} s behind`, "Event time runs behind the speed asked for");
    else showSign("engine", "good", "engine ok", "Status comes, and the session keeps its pace");
    const idle = now - this.painted.endMs;
    if (document.hidden) showSign("tab", "wait", "tab hidden", "Frames are kept; nothing is painted");
    else if (this.picture.map.lost) showSign("tab", "bad", "graphics lost", "The browser took the GPU away; the picture comes back with it");
    else if (this.dirty && idle > 1500 && feed.ring && feed.ring.count > 0) showSign("tab", "bad", "tab stalled", "Nothing was painted for more than a second");
    else showSign("tab", "good", "tab ok", `Painting takes ${this.painted.tookMs.toFixed(1)} ms`);
    const { ring } = feed;
    const badge = element("behind");
    if (!ring || ring.count === 0) return;
    badge.hidden = this.view.following;
    if (!this.view.following) {
      const behind = ring.timeMs(ring.end - 1) - this.view.endMs;
      write("behind", behind >= 0 ? `${spanText(behind)} behind` : `${spanText(-behind)} ahead: not played yet`);
    }
    element("live").setAttribute("aria-pressed", String(this.view.following));
    element("pause").setAttribute("aria-pressed", String(!this.view.following));
    if (!element("trust").hidden) this.paintTrust();
  }

  paintTrust() {
    const { feed } = this;
    const { ring } = feed;
    paintTrust(element("trust"), {
      latency: feed.latency, status: feed.status, config: feed.config, painter: this.picture.map.name,
      counts: {
        "in the ring": `${ring?.count.toLocaleString("en-US") ?? 0} of ${CAPACITY.toLocaleString("en-US")}`,
        received: feed.received.toLocaleString("en-US"), "passed over, held already": String(feed.repeated),
        "from the server's history": feed.filled.toLocaleString("en-US"),
        "missed by this viewer": String(feed.status.frames_missed ?? 0), "holes left": String(feed.holes),
        reconnections: String(feed.stream.retries),
      },
    });
  }

  paint() {
    const now = performance.now();
    const { ring } = this.feed;
    if (!ring || ring.count === 0) return;
    // a picture that takes long leaves as much time to the rest of the page
    const due = this.dirty && now - this.painted.endMs >= this.painted.tookMs;
    if (!due && !this.cursorDirty) return;
    if (due) {
      this.dirty = false;
      if (this.picture.bins.ring === ring && now - this.painted.endMs > STALL_MS && "full" in this.picture.map) this.picture.map.full = true;
      const newest = ring.end - 1;
      this.view.follow(ring.timeMs(ring.first), ring.timeMs(newest), ring.chunk(newest).spot[ring.at(newest)]);
      if (Number.isNaN(this.view.centre)) this.view.centre = 0;
      this.picture.paint(ring, this.view, this.settings, this.decimals, this.feed.exact(), this.thing);
      showProgress(null);
      this.numbers();
      if (this.view.startMs < ring.timeMs(ring.first) && !this.view.following) void this.feed.older(this.view.startMs);
      const end = performance.now();
      this.feed.latency.add("paint", end - now, end);
      if (!Number.isNaN(this.feed.arrivedMs)) this.feed.latency.add("wait", Math.max(0, now - this.feed.arrivedMs), end);
      this.feed.arrivedMs = NaN;
      this.painted = { endMs: end, tookMs: end - now, frames: this.painted.frames + 1 };
    }
    this.cursorDirty = false;
    this.paintCursor();
  }

  numbers() {
    const ring = this.feed.ring;
    if (!ring) return;
    const column = this.picture.column();
    showNumbers(ring, column, this.decimals);
    const sums = totals(ring, column);
    showTotals(sums);
    if (performance.now() - this.summarisedMs > SUMMARY_MS) {
      this.summarisedMs = performance.now();
      showSummary(ring, this.decimals, sums);
    }
  }

  /** Where a point of the chart lies in the picture. @param {Point} at @returns {Spot} */
  spotAt(at) { return { timeMs: this.picture.timeAt(at.x), bucket: this.picture.bucketAt(at.y) }; }

  paintCursor() {
    const { ring } = this.feed;
    const { scene } = this.picture;
    if (!ring || !scene) return;
    const { size, x, y } = scene;
    let rectangle = this.box();
    let text = "";
    if (!rectangle && this.measured) {
      const [a, b] = this.measured;
      rectangle = [{ x: x(a.timeMs), y: y(a.bucket) }, { x: x(b.timeMs), y: y(b.bucket) }];
      text = measureText(ring, a, b, this.decimals, this.thing);
    }
    this.picture.paintCursor(this.cursor, rectangle, text);
    const card = element("readout");
    const inside = this.cursor && this.cursor.x < size.width && this.cursor.y < size.height && !rectangle;
    card.hidden = !inside;
    if (!inside || !this.cursor) return;
    const spot = this.spotAt(this.cursor);
    const column = columnBefore(ring, spot.timeMs);
    const held = this.full && column >= 0 && this.full.eventId === ring.eventId(column) ? this.full.block : null;
    const field = ring.fields.includes(this.settings.mode) ? this.settings.mode : "pressure";
    describeCell(card, ring, spot, { decimals: this.decimals, exact: this.exactTime, field, thing: this.thing, full: held });
    placeCard(card, this.cursor, size);
    const wanted = column >= 0 && !held ? ring.eventId(column) : -1;
    if (wanted === this.fullWanted) return;
    this.fullWanted = wanted;
    clearTimeout(this.fullDue); // the cursor has to rest on a frame before all of it is fetched
    if (wanted >= 0) this.fullDue = setTimeout(() => void this.fetchFull(wanted), FULL_FRAME_MS);
  }

  /** Every column of a frame, exact. @param {number} eventId */
  async fetchFull(eventId) {
    const fields = this.allFields();
    try {
      const block = await fetchHistory(this.base, { session: this.feed.config.session_id, after: eventId - 1, before: eventId + 1, fields, exact: true });
      if (block.frames === 1) this.full = { column: 0, eventId, block };
      this.change("cursor");
    } catch { /* the rounded values stay */ }
  }

  /** @returns {string[]} every float column that frames have */
  allFields() {
    const chains = ["add", "pull", "fill", "rest_depth"];
    return ["pressure", "vacuum", "rest_depth", "add_mass", "pull_mass", "fill_mass", ...["v", "a", "j"].flatMap((d) => chains.map((c) => `${d}_${c}`))];
  }

  /** @param {Point} at */
  pin(at) {
    const { ring } = this.feed;
    if (!ring || !this.picture.scene) return;
    const card = document.createElement("div");
    card.className = "card pinned";
    const field = ring.fields.includes(this.settings.mode) ? this.settings.mode : "pressure";
    const spot = this.spotAt(at);
    const column = columnBefore(ring, spot.timeMs);
    if (column < 0) return;
    const full = this.full && this.full.eventId === ring.eventId(column) ? this.full.block : null;
    describeCell(card, ring, spot, { decimals: this.decimals, exact: true, field, thing: this.thing, full });
    const close = document.createElement("button");
    close.textContent = "×";
    close.setAttribute("aria-label", "Remove this read-out");
    close.addEventListener("click", () => card.remove());
    card.prepend(close);
    element("pins").append(card);
    placeCard(card, at, this.picture.scene.size);
    say("Read-out pinned");
  }

  pause() {
    if (this.view.following) { this.view.remember(); this.view.following = false; } else this.view.live();
    say(this.view.following ? "Live" : "Paused; data keep arriving");
    this.signs();
    this.change("all");
  }

  /** @param {number} speed */
  setSpeed(speed) {
    const { ring } = this.feed;
    if (!ring || ring.count === 0) return;
    const start = dateAndTime(ring.timeMs(ring.end - 1), "ET").time;
    const early = Number(BigInt(this.feed.config.emit_from_ns) / 1_000_000n) > ring.timeMs(ring.end - 1) - 2000;
    this.open({ speed: String(speed), ...(early ? {} : { start_time: start }) }, true);
    say(`Speed ${speed}`);
  }

  store() {
    const { scale } = this.picture;
    this.settings.transfer = scale.transfer;
    this.settings.cutoffs = scale.frozen ? { lower: scale.lower, upper: scale.upper } : null;
    if (this.feed.config.contract) save(this.instrument, this.settings);
  }

  link() { return link(this.location, { ...this.feed.config, symbol: this.feed.config.contract }, this.view, this.settings, this.picture.scale); }

  async screenshot() {
    const { config, ring } = this.feed;
    const { scene } = this.picture;
    if (!ring || !scene) return;
    const { date } = dateAndTime(this.view.endMs);
    const lines = [
      `${config.contract}  ${date}  ${clockText(this.view.startMs)} to ${clockText(this.view.endMs)} ${zoneName()}  ·  ${element("legend-text").textContent}`,
      `${config.raw_file}${config.source === "generated" ? " (generated data)" : ""}  ·  throttle ${config.throttle_ms} ms  ·  Vacuum Pressure ${config.version}`,
    ];
    const theme = THEMES[this.settings.theme];
    const blob = await makePicture(this.picture.layers(), lines, { ratio: scene.size.ratio, ground: theme.ground, text: theme.text });
    download(blob, `${config.contract}-${date}-${clockText(this.view.endMs).replaceAll(":", "")}.png`);
    say("Screenshot saved");
  }

  /** @param {"csv" | "arrow"} form */
  export(form) {
    const ns = (/** @type {number} */ ms) => String(BigInt(Math.floor(ms * 1000)) * 1000n);
    const name = `${this.feed.config.contract}-${dateAndTime(this.view.endMs).date}-${clockText(this.view.endMs).replaceAll(":", "")}`;
    download(framesAddress(this.base, {
      session_id: this.feed.config.session_id, from_ns: ns(this.view.startMs), until_ns: ns(this.view.endMs + 0.001), format: form,
      ...(form === "csv" ? { fields: this.feed.fields.join(",") } : {}),
    }), `${name}.${form === "csv" ? "csv" : "arrows"}`);
    say("Export begins");
  }
}
