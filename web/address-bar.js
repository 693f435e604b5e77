/** The address bar follows what is seen, so that loading the page again, or sending the address, brings it back. */

/** @typedef {import("./session.js").Session} Session */

/** A picture that runs on changes all the time. */
const RUNNING_MS = 1000;
/** Browsers refuse more than some 20 changes a second. */
const LEAST_MS = 100;

export class AddressBar {
  /** @param {Session} session @param {Location} location */
  constructor(session, location) {
    this.session = session;
    this.location = location;
    this.writtenMs = -Infinity;
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
    const now = performance.now();
    if (!settled || this.location.href !== this.known || now - this.writtenMs < (viewport.following && !soon ? RUNNING_MS : LEAST_MS)) return;
    const address = this.session.link();
    if (address === this.known) return;
    this.writtenMs = now;
    history.replaceState(history.state, "", address);
    this.known = this.location.href;
  }
}
