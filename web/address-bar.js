/** The address bar follows what is seen, so that loading the page again, or sending the address, brings it back. */

/** @typedef {import("./session.js").Session} Session */

/** A picture that runs on changes all the time. */
const RUNNING_MS = 1000;
/** Browsers refuse more than some 100 changes in ten seconds: one each so long, */
const LEAST_MS = 125;
/** but so many by a person at once, as whoever loads the page again gets what the bar says. */
const MOST_AT_ONCE = 20;

export class AddressBar {
  /** @param {Session} session @param {Location} location */
  constructor(session, location) {
    this.session = session;
    this.location = location;
    this.writtenMs = -RUNNING_MS;
    this.left = MOST_AT_ONCE;
    /** What the bar says as far as the page knows; another address was put there by someone, and is followed first. */
    this.known = location.href;
    window.addEventListener("hashchange", () => {
      this.known = location.href;
      session.follow();
    });
  }

  /** Write what is seen, if it is due. @param {boolean} [soon] it was changed by a person */
  write(soon = false) {
    const { feed, linked, wanted, viewport } = this.session;
    const settled = !linked && !wanted && feed.ring !== null && feed.ring.count > 0 && ["live", "ended"].includes(feed.connection);
    const agoMs = performance.now() - this.writtenMs;
    const left = Math.min(MOST_AT_ONCE, this.left + agoMs / LEAST_MS);
    if (!settled || this.location.href !== this.known || (soon ? left < 1 : agoMs < (viewport.following ? RUNNING_MS : LEAST_MS))) return;
    const address = this.session.link();
    if (address === this.known) return;
    this.writtenMs = performance.now();
    this.left = left - 1;
    history.replaceState(history.state, "", address);
    this.known = this.location.href;
  }
}
