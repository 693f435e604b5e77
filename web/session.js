/** The session being watched: what was asked for, what the server answers to it, and the settings that go with it. */

import { addressOf, passedOverText, readAddress, STREAM_NAMES } from "./address.js";
import { alternatives, diagnose } from "./diagnosis.js";
import { Feed } from "./feed.js";
import { clockText, dateAndTime, setZone } from "./format.js";
import { fetchSessions } from "./http-api.js";
import { forget, load, save, takeReturn } from "./kept.js";
import { ALWAYS, gridsOf, modeOf } from "./modes.js";
import { say, showNotice, showProgress, showRemark, showServerNotices, showSession } from "./notices.js";
import { defaults } from "./settings.js";
import { showSocket } from "./signs.js";
import { msOf } from "./stream.js";

/**
 * @typedef {import("./stream.js").Message} Message @typedef {import("./stream.js").Connection} Connection
 * @typedef {import("./settings.js").Settings} Settings @typedef {import("./viewport.js").Viewport} Viewport
 * @typedef {import("./colour.js").Scale} Scale @typedef {import("./painting.js").Painting} Painting
 * @typedef {import("./address.js").Linked} Linked
 */

const PROTOCOL = 1;
/** Errors that another choice of session may mend. */
const WRONG_CHOICES = ["unknown_product_type", "no_raw_file", "bad_date", "unknown_symbol", "unknown_root", "bad_start_time", "empty_session"];

/** What the server will hold so soon is waited for. */
const SOON_MS = 10_000;

/** A session that begins anew where it was held begins at a second. */
const HELD_APART_MS = 1000;

/** What is asked of one session alone, and makes no sense for the next. */
const OF_ONE_SESSION = ["bucket", "trading_day"];

export class Session {
  /**
   * @param {string} base where the server is @param {Location} location
   * @param {{viewport: Viewport, settings: Settings, scale: Scale, painting: Painting, settled: () => void, changed: () => void}} shown
   * `settled`: the settings are those of this session now; `changed`: a person changed one
   */
  constructor(base, location, { viewport, settings, scale, painting, settled, changed }) {
    this.base = base;
    this.location = location;
    this.viewport = viewport;
    this.settings = settings;
    this.scale = scale;
    this.painting = painting;
    this.settled = settled;
    this.changed = changed;
    /** @type {Record<string, string>} what was asked for */
    this.query = Object.fromEntries([...new URLSearchParams(location.search)].filter(([name]) => STREAM_NAMES.includes(name)));
    /** Whose prices and which day the picture shows. */
    this.shown = "";
    /** @type {Linked | null} what the address asks for, until it is shown */
    this.linked = this.readAddress();
    /** @type {{endMs: number, startMs: number, following: boolean, held: boolean, tries: number} | null} what is to be seen, until it is known to be held */
    this.wanted = null;
    /** The instrument whose settings hold. */
    this.settingsOf = "";
    /** @type {import("./player.js").Player | null} */
    this.player = null;
    this.why = "";
    /** @type {import("./diagnosis.js").Diagnosis | null} why there is no stream */
    this.diagnosis = null;
    this.diagnosing = false;
    /** What the server said of a part of the address, which was passed over. */
    this.remark = "";
    /** Version of the server that the page came from. */
    this.pageVersion = "";
    this.feed = new Feed(base, {
      changed: (untilMs, fromMs = -Infinity) => {
        const { ring } = this.feed;
        const beyond = !viewport.following && fromMs > viewport.endMs && ring && ring.timeMs(ring.first) <= viewport.startMs;
        if (beyond) this.feed.arrivedMs = NaN; // it is not to be seen, and late for nobody
        else if (!(untilMs < viewport.startMs)) painting.request("all");
      },
      configured: (config, fresh) => this.configured(config, fresh),
      message: (message) => this.message(message),
      connection: (state, why) => this.connection(state, why),
      held: () => this.player?.holdDue === true,
    });
    const returnTo = takeReturn();
    if (this.linked.held) this.feed.returnTo = returnTo;
  }

  get instrument() { return `${this.feed.config.product_type}.${this.feed.config.contract}`; }

  /** Whether there is a picture, and not only one of another time than the address names, which is on its way. */
  get paintable() {
    const { wanted, viewport, feed: { ring, connection, config, nowMs } } = this;
    if (!ring?.count) return false;
    if (!wanted || !["connecting", "live"].includes(connection) || viewport.following !== wanted.following || viewport.endMs !== wanted.endMs) return true;
    const { endMs, startMs, following, held } = wanted;
    return ring.timeMs(ring.first) <= endMs && nowMs + (following ? SOON_MS * config.speed : 0) >= (following || held ? endMs : startMs);
  }

  /** Watch what the query says, with changes. @param {Record<string, string>} changes @param {boolean} [keep] what is held */
  open(changes, keep = false) {
    this.query = { ...this.query, ...changes };
    if (!keep) showProgress({ phase: "decode", records_done: 0, records_total: null });
    showNotice("");
    this.feed.open(this.query, gridsOf(modeOf(this.settings.mode)), keep);
  }

  /** Another session than the one that the address names. @param {Record<string, string>} wanted */
  choose(wanted) {
    this.shown = "";
    this.linked = this.wanted = null;
    showRemark("");
    for (const name of OF_ONE_SESSION) delete this.query[name];
    this.open(wanted);
  }

  /** Ask for the columns that the map shows, if they are not sent. */
  needColumns() {
    if (gridsOf(modeOf(this.settings.mode)).every((name) => this.feed.fields.includes(name))) return;
    this.player?.holdOn();
    this.open({});
  }

  /** Go on with the same session at another speed. @param {number} speed */
  setSpeed(speed) {
    const { ring, config } = this.feed;
    if (!ring?.count || this.feed.live) return; // the market has its own
    const newestMs = this.feed.nowMs;
    const early = msOf(config.emit_from_ns) > newestMs - 2000;
    this.player?.holdOn();
    this.open({ speed: String(speed), ...(early ? {} : { start_time: this.startTime(newestMs) }) }, true);
    say(`Speed ${speed}`);
  }

  /** A setting was changed: keep it and show it. */
  settingsChanged() {
    const { scale, settings } = this;
    settings.cutoffs[settings.mode] = scale.cutoffs;
    if (this.feed.config.contract) save(this.instrument, settings);
    this.settled();
    this.changed();
    this.painting.request("all");
  }

  /** The settings that are kept, as if the page was opened anew. */
  restore() {
    this.apply(load(this.instrument));
  }

  /** The usual settings again, here and for the next time. */
  forget() {
    forget(this.instrument);
    this.apply(defaults());
  }

  /** @param {Settings} settings that hold from now on, and are not kept by that */
  apply(settings) {
    Object.assign(this.settings, settings);
    this.scale.begin(settings.cutoffs[settings.mode]);
    this.settled();
    this.changed();
    if (this.feed.config.contract) this.needColumns();
    this.painting.request("all");
  }

  /** @returns {string} an address that shows the same picture */
  link() {
    const { product_type, symbol, dt, start_time, speed, throttle_ms } = this.feed.config;
    return addressOf(this.location, { product_type, symbol, dt, start_time, speed, throttle_ms, ...this.query }, this.viewport, this.settings, this.scale, this.player?.heldByHand);
  }

  /** What the address asks for; its settings hold from now on. @returns {Linked} */
  readAddress() {
    const linked = readAddress(this.location.search, this.location.hash.slice(1));
    if (linked.settings) Object.assign(this.settings, linked.settings);
    return linked;
  }

  /** The part behind the # was changed by hand, by a link or by going back: show what it says. */
  follow() {
    this.linked = this.readAddress();
    if (this.feed.config.contract) {
      this.showLinked();
      this.needColumns();
    }
    this.settled();
    this.painting.request("all");
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
    this.player?.configured();
    setZone(this.settings.zone);
    this.settled();
    this.painting.request("all");
  }

  /** A picture begins: with the settings of the instrument, or what the address asks for. */
  begin() {
    const { settings, viewport, scale, feed } = this;
    const { config } = feed;
    const shown = JSON.stringify([config.contract, config.dt, config.bucket_int]);
    const stays = shown === this.shown && !viewport.following; // what is paused stays where it is
    this.shown = shown;
    const { mode } = settings;
    if (this.settingsOf !== this.instrument && !this.linked?.settings) Object.assign(settings, load(this.instrument));
    this.settingsOf = this.instrument;
    if (feed.fields.length > ALWAYS.length) settings.mode = mode; // its column was asked for
    if (feed.restarted && this.player?.holdDue) { // it stood, and is to stand there again
      const { heldMs: endMs } = this.player;
      this.wanted = { endMs, startMs: endMs, following: viewport.following, held: true, tries: 0 };
    }
    if (this.linked) this.showLinked();
    else {
      if (!this.wanted && !stays) viewport.live();
      scale.begin(settings.cutoffs[settings.mode]);
    }
    if (feed.returned) this.wanted = null; // it stands where it stood
    this.needColumns();
  }

  /** Show what the address asks for. */
  showLinked() {
    const { linked, viewport, scale } = this;
    this.linked = null;
    if (!linked) return;
    const { place } = linked;
    const { endMs } = /** @type {Record<string, number>} */ (place);
    const following = place.following === true || endMs === undefined;
    if (Object.keys(place).length > 0) Object.assign(viewport, place, { following, fitting: place.rows === undefined, recentre: following });
    if (following) viewport.live();
    if (endMs !== undefined) this.wanted = { endMs, startMs: endMs - viewport.spanMs, following, held: linked.held, tries: 0 };
    scale.begin(this.settings.cutoffs[this.settings.mode], linked.scale);
    showRemark([passedOverText(linked.passedOver), this.remark].filter(Boolean).join(" "));
    this.remark = "";
  }

  /** Where the server does not hold what is to be seen, and would not soon, begin there: at its end if the context reaches back far enough. */
  reach() {
    const { feed: { config, ring, nowMs, catchingUp, status }, wanted } = this;
    if (!wanted || !ring?.count || catchingUp > 0 || !status.time_ns) return;
    const heldFromMs = msOf(config.context_from_ns);
    const soonMs = nowMs + SOON_MS * config.speed;
    const { endMs, startMs, following, held } = wanted;
    if (endMs < msOf(config.session_start_ns) || startMs > msOf(config.end_ns)) {
      this.wanted = null;
      this.viewport.live();
      showRemark("The address asks for a time that is none of this session: it is shown live.");
      return;
    }
    const outside = held ? Math.abs(nowMs - endMs) > HELD_APART_MS : following ? endMs > soonMs : endMs < heldFromMs || startMs > soonMs;
    const coarse = wanted.tries === 1 && !following && !held && startMs < heldFromMs - 1000;
    if (wanted.tries > 1 || !(outside || coarse)) {
      if (!outside && nowMs < startMs && !status.paused && !this.paintable) {
        showProgress({ phase: `On the way to ${clockText(startMs)}`, records_done: status.records_done, records_total: null });
        return;
      }
      this.wanted = null;
      if (held && wanted.tries === 0 && !status.paused) this.player?.command({ type: "pause" });
      return;
    }
    wanted.tries += 1;
    const fromMs = following || held || (wanted.tries === 1 && endMs - startMs > SOON_MS * config.speed) ? endMs : startMs;
    if (held && this.player) this.player.holdDue = true;
    this.open({ start_time: this.startTime(fromMs) });
  }

  /** A time as the server takes it for a start. @param {number} timeMs */
  startTime(timeMs) {
    const { date, time } = dateAndTime(timeMs, "ET");
    const manyDays = String(this.feed.config.dt).includes("..") || this.query.trading_day;
    return manyDays ? `${date} ${time}` : time;
  }

  /** @param {Message} message */
  message(message) {
    if (message.type === "progress" && this.feed.followDue) return; // the picture stays while the next session loads
    if (message.type === "progress") showProgress(message);
    else if (message.type === "status") {
      showServerNotices(message.notices ?? []);
      this.reach();
    }
    else if (message.type === "end" || (message.type === "history" && !this.wanted)) showProgress(null);
    else if (message.type === "gap") this.gapTold(message);
    else if (message.type === "next_session") {
      if (this.query.dt) this.query.dt = message.dt;
      say(`The session of ${message.dt} begins`);
    } else if (message.type === "refused") this.player?.refused(message);
    else if (message.type === "error") {
      showProgress(null);
      void this.explain(message);
    }
  }

  /** @param {Message} gap */
  gapTold({ reason, end_ns: end, bridged }) {
    this.painting.request("all");
    if (!this.feed.live) return; // those of before are in the picture
    if (!end) say(`The feed broke: ${reason}`);
    else say(bridged ? "The feed is whole again: what was missing has come" : `A gap of the feed, never recorded: ${reason}`);
  }

  /** An error in place, with what there is instead. @param {Message} problem */
  async explain({ message, hint = "", code }) {
    const named = code === "bad_parameter" && this.linked ? Object.keys(this.query).find((name) => message.startsWith(`${name} `)) : undefined;
    if (named) {
      delete this.query[named];
      this.remark = `Passed over in the address: ${message}`;
      this.open({});
      return;
    }
    showNotice(message, hint);
    if (!WRONG_CHOICES.includes(code)) return;
    const catalogue = await fetchSessions(this.base).catch(() => null);
    if (!catalogue) return;
    const choices = alternatives(catalogue, this.query, code).map(({ label, wanted }) => ({ label, act: () => this.choose(wanted) }));
    if (Object.keys(this.query).length > 0) choices.push({ label: "What the server was started with", act: () => { this.query = {}; this.choose({}); } });
    const empty = catalogue.sessions.length === 0 ? " The lake holds no session yet: vp lake import lays files into it, vp download gets them." : "";
    showNotice(message, hint + empty, choices);
  }

  /** @param {Connection} state @param {string} why */
  connection(state, why) {
    this.why = why;
    if (state === "live" || state === "failed") this.diagnosis = null;
    showSocket(this);
    if (state !== "lost") return;
    this.player?.holdOn();
    void this.diagnose();
  }

  /** Find out why the stream is lost, and say it where there is nothing else to be seen. */
  async diagnose() {
    if (this.diagnosing) return;
    this.diagnosing = true;
    const found = await diagnose(this.base, this.feed.stream.refused);
    this.diagnosing = false;
    if (!["lost", "connecting"].includes(this.feed.connection)) return;
    const known = this.diagnosis?.title === found?.title;
    this.diagnosis = found;
    showSocket(this);
    if (!found || known || this.feed.ring) return; // a notice that is there keeps the focus
    showProgress(null);
    showNotice(found.title, found.hint, [{ label: "Try now", act: () => this.feed.stream.connect() }]);
  }
}
