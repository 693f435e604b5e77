/** Replay as a player: the session's clock held and stepped, any moment of it sought, a range played over and over. */

import * as bookmarks from "./bookmarks.js";
import { element, input, write } from "./dom.js";
import { clockText, dateAndTime } from "./format.js";
import { keepReturn } from "./kept.js";
import { say, showNotice } from "./notices.js";
import { timeInSession } from "./session-time.js";
import { msOf } from "./stream.js";

/** @typedef {import("./commands.js").Page} Page @typedef {import("./stream.js").Message} Message */

const SHORTEST_LOOP_MS = 500;
const HOLD_WORDS = /** @type {Record<string, string>} */ ({ true: "Session held: its clock stands", false: "The session goes on" });

export class Player {
  /** @param {Page} page @param {import("./commands.js").Commands} commands */
  constructor(page, commands) {
    this.page = page;
    this.commands = commands;
    /** The range that is played over and over; without an end as long as that is to be chosen. @type {{fromMs: number, untilMs: number, of: string} | null} `of`: the session's name */
    this.loop = null;
    this.loopedMs = NaN;
    /** It was the loop that held the session. */
    this.heldByLoop = false;
    /** A session that is being opened is to be held from its beginning; so until it is known to be. */
    this.holdDue = false;
    /** The session has been told to hold. */
    this.holdSaid = false;
    this.told = false;
    /** The session's time when it was last known to be held. */
    this.heldMs = NaN;
    page.session.player = this;
  }

  get held() { return this.page.feed.status.paused === true; }
  /** By a person, and not by the loop. */
  get heldByHand() { return this.held && !this.heldByLoop; }
  /** Of bookmarks and the overview. */
  get sessionName() { return this.page.feed.sessionName; }
  /** The session's first moment, and that behind its last. @returns {[number, number]} ms UTC */
  get span() {
    const { session_start_ns: start, end_ns: end } = this.page.feed.config;
    return start ? [msOf(start), msOf(end)] : [NaN, NaN];
  }
  /** The moment that the picture shows. */
  get shownMs() {
    const { feed, viewport } = this.page;
    return viewport.following ? feed.nowMs : Math.min(viewport.endMs, feed.nowMs);
  }

  /** @param {Message} command */
  command(command) {
    if (!this.page.feed.stream.send(command)) say("There is no stream to be commanded");
  }

  /** Hold the session itself, or let it go on. */
  toggleHold() {
    this.command({ type: this.held ? "resume" : "pause" });
    this.forgetHold();
  }

  /** The next event end, with a frame of its own. */
  event() {
    this.follow();
    this.command({ type: "step", by: "event" });
  }

  /** A frame back or on: in the picture as far as it holds them, then of the session itself. @param {1 | -1} by */
  frame(by) {
    const { feed: { ring }, viewport } = this.page;
    if (!ring?.count) return;
    const newest = ring.end - 1;
    const at = viewport.following ? newest : ring.columnUntil(viewport.endMs);
    if (by > 0 && at >= newest) {
      this.follow();
      this.command({ type: "step", by: "frame" });
      return;
    }
    this.show(ring.timeMs(Math.max(at + by, ring.first)));
  }

  /** Show the newest without moving prices. */
  follow() {
    this.leaveLoop();
    this.commands.move((viewport) => { viewport.following = true; });
  }

  /** Let the picture end at a time. @param {number} timeMs */
  show(timeMs) {
    const { ring } = this.page.feed;
    this.commands.move((viewport) => viewport.showTime(timeMs, ring?.spot(ring.columnUntil(timeMs))), "seek");
    say(clockText(timeMs, true));
  }

  /** Go to a time: in the picture where it holds it, or else the session is played from there. @param {number} timeMs */
  seek(timeMs) {
    const { feed: { ring, nowMs }, session, viewport } = this.page;
    const held = this.heldByHand;
    this.leaveLoop();
    if (ring?.count && timeMs >= ring.timeMs(ring.first) && timeMs <= nowMs) {
      this.show(timeMs);
      return;
    }
    const [startMs, endMs] = this.span;
    if (!(timeMs >= startMs && timeMs < endMs)) return;
    this.holdDue = held;
    session.linked = session.wanted = null;
    viewport.live();
    session.open({ start_time: session.startTime(timeMs) });
    say(`From ${clockText(timeMs)}`);
  }

  /** @param {string} text as a person typed it @returns {string} what is wrong with it */
  seekText(text) {
    const [startMs, endMs] = this.span;
    const timeMs = timeInSession(text, startMs, endMs, String(this.page.feed.config.dt));
    if (!Number.isNaN(timeMs)) {
      this.seek(timeMs);
      return "";
    }
    const [from, until] = [startMs, endMs].map((ms) => { const { date, time } = dateAndTime(ms, "ET"); return `${date} ${time.slice(0, 5)}`; });
    return `“${text.slice(0, 40)}” is no time of this session, which runs from ${from} to ${until} ET: HH:MM or HH:MM:SS, a date before it if there are several days.`;
  }

  /** Play what is measured over and over; without a measure, a first call begins the range, a second ends it, a third leaves off. */
  toggleLoop() {
    const { crosshair: { measured } } = this.page;
    if (this.loop && Number.isFinite(this.loop.untilMs)) {
      this.leaveLoop();
      say("The range is left");
    } else if (measured && !this.loop) this.repeat(measured[0].timeMs, measured[1].timeMs);
    else if (this.loop) this.repeat(this.loop.fromMs, this.pointMs);
    else {
      this.loop = { fromMs: this.pointMs, untilMs: Infinity, of: this.sessionName };
      say(`A range begins at ${clockText(this.pointMs)}: once more where it ends`);
    }
    this.refresh();
  }

  /** The moment that is pointed at, or else that of the picture. */
  get pointMs() {
    const { crosshair, chart } = this.page;
    const timeMs = crosshair.at ? chart.spotAt(crosshair.at).timeMs : NaN;
    return Number.isNaN(timeMs) ? this.shownMs : timeMs;
  }

  /** @param {number} a @param {number} b two times, of which the earlier begins the range */
  repeat(a, b) {
    const { ring } = this.page.feed;
    const range = { fromMs: Math.min(a, b), untilMs: Math.max(a, b, Math.min(a, b) + SHORTEST_LOOP_MS), of: this.sessionName };
    if (!ring?.count || range.fromMs < ring.timeMs(ring.first)) this.seek(range.fromMs);
    this.page.undo.remember();
    this.loop = range;
    this.loopedMs = NaN;
    say(`Over and over: ${clockText(range.fromMs)} to ${clockText(range.untilMs)}`);
    const play = (/** @type {number} */ nowMs) => {
      if (this.loop !== range) return;
      this.playLoop(nowMs);
      requestAnimationFrame(play);
    };
    requestAnimationFrame(play);
  }

  /** Show the moment of the loop that is due, once all of it is held; what is live ends it. @param {number} nowMs of any steady clock */
  playLoop(nowMs) {
    const { loop, page: { feed: { ring, config, status, nowMs: sessionMs }, viewport, painting } } = this;
    if (!loop || !ring?.count || ring.timeMs(ring.first) > loop.fromMs || sessionMs < loop.untilMs) return;
    if (Number.isNaN(this.loopedMs)) {
      this.loopedMs = nowMs;
      viewport.following = false;
      this.heldByLoop = status.viewers === 1 && !this.held;
      if (this.heldByLoop) this.toggleHold();
    } else if (viewport.following) {
      this.leaveLoop();
      return;
    }
    viewport.endMs = loop.fromMs + (((nowMs - this.loopedMs) * config.speed) % (loop.untilMs - loop.fromMs));
    painting.request("all");
  }

  /** Play on; what the loop has held goes on too. */
  leaveLoop() {
    this.loop = null;
    if (this.heldByLoop && this.held) this.toggleHold();
    this.heldByLoop = false;
  }

  /** What is held stays so when the same session is opened anew. */
  holdOn() {
    if (this.held) this.heldMs = this.page.feed.nowMs;
    this.holdDue ||= this.held;
  }

  /** The page goes: what is held is come back to. */
  leave() {
    const { feed: { ring, config }, viewport } = this.page;
    if (this.heldByHand && ring?.count) keepReturn(config.session_id, ring.eventId(Math.max(ring.columnUntil(viewport.startMs), ring.first)));
  }

  /** Let go of a range that has a beginning alone. @returns {boolean} whether there was one */
  dropBegun() {
    const begun = this.loop !== null && !Number.isFinite(this.loop.untilMs);
    if (begun) this.leaveLoop();
    return begun;
  }

  /** A session has begun. */
  configured() {
    if (this.loop && this.loop.of !== this.sessionName) {
      this.heldByLoop = false;
      this.loop = null;
    }
    if (this.holdDue) this.command({ type: "pause" }); // one that it has come back to may run
    this.holdSaid = this.holdDue;
  }

  /** Nothing is to be held any more, or it is. */
  forgetHold() { this.holdDue = this.holdSaid = false; }

  /** The server does not do what it was told to. @param {Message} message */
  refused({ code, message, hint }) {
    const { session, feed } = this.page;
    this.forgetHold();
    const own = { label: "Watch it alone from here", act: () => {
      this.holdDue = true;
      session.open({ alone: "yes", start_time: session.startTime(feed.nowMs) }, true);
    } };
    showNotice(message, code === "not_alone" ? "" : hint, [...(code === "not_alone" ? [own] : []), { label: "Close", act: () => showNotice("") }]);
  }

  /** Keep the moment that is pointed at, with a note to come. */
  mark() {
    const session = this.sessionName;
    const timeMs = Math.round(this.pointMs * 1000) / 1000;
    if (!session || Number.isNaN(timeMs)) return;
    const kept = bookmarks.put({ session, timeMs, note: "" });
    const full = bookmarks.all().length >= bookmarks.MOST_BOOKMARKS;
    say(kept ? `Bookmark at ${clockText(timeMs)}` : full ? `There are ${bookmarks.MOST_BOOKMARKS} bookmarks, as many as there may be: take some away first` : "The browser keeps no bookmarks");
    this.refresh();
  }

  /** Bring the bar in line with what is. */
  refresh() {
    const { held, loop } = this;
    if (held && this.holdSaid) this.forgetHold();
    if (held !== this.told) {
      say(HOLD_WORDS[String(held)]);
      this.page.session.changed();
    }
    this.told = held;
    element("hold").setAttribute("aria-pressed", String(held));
    element("loop").setAttribute("aria-pressed", String(loop !== null));
    write("loop", loop && !Number.isFinite(loop.untilMs) ? "Loop to…" : "Loop");
    const field = input("seek");
    if (document.activeElement !== field && !Number.isNaN(this.shownMs)) field.value = dateAndTime(this.shownMs, "ET").time;
  }
}

/** @param {Player} player */
export function connectPlayer(player) {
  const buttons = /** @type {Record<string, () => void>} */ ({
    hold: () => player.toggleHold(), "frame-back": () => player.frame(-1), "frame-on": () => player.frame(1), "event-on": () => player.event(),
    loop: () => player.toggleLoop(), mark: () => player.mark(),
  });
  for (const [id, act] of Object.entries(buttons)) element(id).addEventListener("click", act);
  const field = input("seek");
  window.addEventListener("pagehide", () => player.leave());
  element("player").addEventListener("submit", (event) => {
    event.preventDefault();
    const wrong = player.seekText(field.value);
    field.setCustomValidity(wrong);
    field.reportValidity();
    if (wrong) say(wrong);
    else element("chart").focus({ preventScroll: true });
  });
  field.addEventListener("input", () => field.setCustomValidity(""));
  field.addEventListener("focus", () => field.select());
}
