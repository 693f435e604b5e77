/** The session being watched: what was asked for, what the server answers to it, and the settings that go with it. */

import { Feed } from "./feed.js";
import { dateAndTime, setZone } from "./format.js";
import { fetchSessions } from "./http-api.js";
import { ALWAYS, gridsOf, modeOf } from "./modes.js";
import { say, showNotice, showProgress, showSession, showSign, showStatus } from "./notices.js";
import { link, load, readLink, save, STREAM_NAMES } from "./settings.js";

/**
 * @typedef {import("./stream.js").Message} Message @typedef {import("./stream.js").Connection} Connection
 * @typedef {import("./settings.js").Settings} Settings @typedef {import("./viewport.js").Viewport} Viewport
 * @typedef {import("./colour.js").Scale} Scale @typedef {import("./painting.js").Painting} Painting
 */

const PROTOCOL = 1;
/** Errors that another choice of session may mend. */
const WRONG_CHOICES = ["no_raw_file", "bad_date", "unknown_symbol", "unknown_root", "bad_start_time", "empty_session"];

/** What is asked of one session alone, and makes no sense for the next. */
const OF_ONE_SESSION = ["bucket", "trading_day"];

export class Session {
  /**
   * @param {string} base where the server is @param {Location} location
   * @param {{viewport: Viewport, settings: Settings, scale: Scale, painting: Painting, settled: () => void}} shown
   * `settled`: the settings are those of this session now
   */
  constructor(base, location, { viewport, settings, scale, painting, settled }) {
    this.base = base;
    this.location = location;
    this.viewport = viewport;
    this.settings = settings;
    this.scale = scale;
    this.painting = painting;
    this.settled = settled;
    /** @type {Record<string, string>} what was asked for */
    this.query = Object.fromEntries([...new URLSearchParams(location.search)].filter(([name]) => STREAM_NAMES.includes(name)));
    /** The view that the address asks for, until it is shown. */
    this.linked = readLink(location);
    /** Whose prices and which day the picture shows. */
    this.shown = "";
    /** Version of the server that the page came from. */
    this.pageVersion = "";
    this.feed = new Feed(base, {
      changed: (untilMs) => { if (!(untilMs < viewport.startMs)) painting.request("all"); },
      configured: (config, fresh) => this.configured(config, fresh),
      message: (message) => this.message(message),
      connection: (state, why) => this.connection(state, why),
    });
  }

  get instrument() { return `${this.feed.config.product_type}.${this.feed.config.contract}`; }

  /** Watch what the query says, with changes. @param {Record<string, string>} changes @param {boolean} [keep] what is held */
  open(changes, keep = false) {
    this.query = { ...this.query, ...changes };
    if (!keep) showProgress({ phase: "decode", records_done: 0, records_total: null });
    showNotice("");
    this.feed.open(this.query, gridsOf(modeOf(this.settings.mode)), keep);
  }

  /** Another session than the one that the address names. @param {Record<string, string>} wanted */
  choose(wanted) {
    this.linked = null;
    this.shown = "";
    for (const name of OF_ONE_SESSION) delete this.query[name];
    this.open(wanted);
  }

  /** Ask for the columns that the map shows, if they are not sent. */
  needColumns() {
    if (!gridsOf(modeOf(this.settings.mode)).every((name) => this.feed.fields.includes(name))) this.open({});
  }

  /** Go on with the same session at another speed. @param {number} speed */
  setSpeed(speed) {
    const { ring, config } = this.feed;
    if (!ring || ring.count === 0) return;
    const newestMs = this.feed.nowMs;
    const early = Number(BigInt(config.emit_from_ns) / 1_000_000n) > newestMs - 2000;
    const { date, time } = dateAndTime(newestMs, "ET");
    const manyDays = String(config.dt).includes("..") || this.query.trading_day;
    this.open({ speed: String(speed), ...(early ? {} : { start_time: manyDays ? `${date} ${time}` : time }) }, true);
    say(`Speed ${speed}`);
  }

  /** A setting was changed: keep it and show it. */
  settingsChanged() {
    const { scale, settings } = this;
    settings.cutoffs = scale.cutoffs;
    if (this.feed.config.contract) save(this.instrument, settings);
    this.settled();
    this.painting.request("all");
  }

  /** @returns {string} an address that shows the same picture */
  link() {
    const { product_type, contract: symbol, dt, start_time, speed, throttle_ms, version } = this.feed.config;
    const session = { ...this.query, product_type, symbol, dt, start_time, speed, throttle_ms };
    return link(this.location, session, version, this.viewport, this.settings, this.scale);
  }

  /** @param {Message} config @param {boolean} fresh */
  configured(config, fresh) {
    const { feed, pageVersion } = this;
    if (config.protocol !== PROTOCOL || (pageVersion && pageVersion !== config.version)) {
      showNotice(`The server speaks protocol ${config.protocol}, version ${config.version}; this page was made for protocol ${PROTOCOL}${pageVersion && `, version ${pageVersion}`}.`,
        "The server was changed while the page was open: load the page again.", [{ label: "Reload", act: () => this.location.reload() }]);
      if (config.protocol !== PROTOCOL) return;
    } else showNotice("");
    this.pageVersion = config.version;
    showSession(config, feed.restarted);
    if (feed.restarted) say("The server began a new run; what was shown before belonged to the one before");
    if (fresh) this.begin();
    setZone(this.settings.zone);
    this.settled();
    this.painting.request("all");
  }

  /** A picture begins: with the settings of the instrument, and the view that a link asks for. */
  begin() {
    const { settings, linked, viewport, scale, feed: { config } } = this;
    const shown = JSON.stringify([config.contract, config.dt, config.bucket_int]);
    const stays = shown === this.shown && !viewport.following; // what is paused stays where it is
    this.shown = shown;
    const { mode } = settings;
    Object.assign(settings, load(this.instrument));
    if (this.feed.fields.length > ALWAYS.length) settings.mode = mode; // its column was asked for
    if (!linked && !stays) viewport.live();
    else if (linked) {
      Object.assign(viewport, { endMs: linked.end, spanMs: linked.span, centre: linked.centre, rows: linked.rows, following: false, fitting: false });
      for (const name of ["palette", "transfer", "theme", "mode"]) if (linked[name]) Object.assign(settings, { [name]: linked[name] });
      if (linked.upper > 0) settings.cutoffs = { lower: linked.lower, upper: linked.upper };
      this.linked = null;
    }
    scale.begin(settings.cutoffs);
    this.needColumns();
  }

  /** @param {Message} message */
  message(message) {
    if (message.type === "progress") showProgress(message);
    else if (message.type === "status") showStatus(message, this.feed.backfill.holes);
    else if (message.type === "history" || message.type === "end") showProgress(null);
    else if (message.type === "error") {
      showProgress(null);
      void this.explain(message);
    }
  }

  /** An error in place, with what there is instead. @param {Message} problem */
  async explain({ message, hint = "", code }) {
    showNotice(message, hint);
    if (!WRONG_CHOICES.includes(code)) return;
    const catalogue = await fetchSessions(this.base).catch(() => null);
    if (!catalogue) return;
    const wanted = (this.query.symbol ?? catalogue.default.symbol).toUpperCase();
    const others = catalogue.sessions.filter((entry) => code !== "empty_session" || entry.dt !== (this.query.dt ?? catalogue.default.dt));
    const near = others.filter((entry) => wanted.startsWith(entry.symbol));
    const choices = (near.length > 0 ? near : others).slice(-8).map((entry) => {
      const symbol = code === "unknown_symbol" || near.length === 0 ? entry.symbol : wanted;
      const fromStart = code === "bad_start_time";
      return {
        label: `${symbol} ${entry.dt}${fromStart ? " from its start" : ""}`,
        act: () => this.choose({
          product_type: entry.product_type, dt: entry.dt, symbol, start_time: fromStart ? "" : (this.query.start_time ?? ""),
        }),
      };
    });
    showNotice(message, hint, choices);
  }

  /** @param {Connection} state @param {string} why */
  connection(state, why) {
    const sign = state === "live" || state === "ended" ? "good" : state === "connecting" ? "wait" : "bad";
    showSign("connection", sign, state === "lost" ? `lost: ${why}` : state, why || "The socket to the server");
    if (state === "lost" && !this.feed.ring) {
      showProgress(null);
      showNotice("The server does not answer.", "Is it running? python -m vp.serve starts it. The page tries again by itself.",
        [{ label: "Try now", act: () => this.feed.stream.connect() }]);
    }
  }
}
