/** The panel of a session's bookmarks: go to one, note something to it, take it away and have it back. */

import * as bookmarks from "./bookmarks.js";
import { element, write } from "./dom.js";
import { clockText } from "./format.js";
import { say } from "./notices.js";

/** @typedef {import("./bookmarks.js").Bookmark} Bookmark */

export class BookmarksPanel {
  /** @param {import("./player.js").Player} player */
  constructor(player) {
    this.player = player;
    this.panel = element("bookmarks");
    this.button = element("bookmarks-open");
    /** @type {readonly Bookmark[]} what was taken away last */
    this.removed = [];
    this.shown = "";
    /** Those that the picture marks. */
    this.marked = "";
    this.button.addEventListener("click", () => this.toggle());
  }

  toggle() {
    this.panel.hidden = !this.panel.hidden;
    this.button.setAttribute("aria-expanded", String(!this.panel.hidden));
    this.shown = "";
    this.refresh();
    if (!this.panel.hidden) this.panel.querySelector("button")?.focus();
  }

  /** For Escape. @returns {boolean} whether it was open */
  close() {
    const open = !this.panel.hidden;
    if (open) { this.toggle(); this.button.focus(); }
    return open;
  }

  /** Bring it in line with what is kept; what is being written in it is left alone. */
  refresh() {
    const held = bookmarks.ofSession(this.player.sessionName);
    const others = bookmarks.ofOthers(this.player.sessionName);
    write("bookmarks-open", `Bookmarks ${held.length}`);
    const marked = JSON.stringify(held);
    if (marked !== this.marked) this.player.page.painting.request("all");
    this.marked = marked;
    const state = JSON.stringify([held, this.removed, others.length]);
    if (this.panel.hidden || state === this.shown || this.panel.contains(document.activeElement) && document.activeElement?.matches("input")) return;
    this.shown = state;
    const heading = document.createElement("h2");
    heading.textContent = "Bookmarks of this session";
    const list = document.createElement("ul");
    list.append(...held.map((bookmark) => this.line(bookmark)));
    const empty = document.createElement("p");
    empty.className = "quiet";
    empty.textContent = held.length === 0 ? "None yet: B keeps the moment under the crosshair, or the one that is shown. They are part of the settings file (menu Keep)." : "";
    /** @type {HTMLElement[]} */
    const parts = [heading, list, empty];
    if (others.length > 0) parts.push(button(`Take away ${others.length} of other sessions`, "", () => {
      bookmarks.replace(held);
      this.taken(others, `${others.length} bookmarks of other sessions`);
    }));
    const { removed } = this;
    if (removed.length > 0) parts.push(button(`Undo: ${removed.length === 1 ? `${clockText(removed[0].timeMs)} is` : `${removed.length} are`} taken away`, "", () => {
      this.removed = [];
      if (!bookmarks.putBack(removed)) say("The browser does not keep them");
      this.refresh();
    }));
    this.panel.replaceChildren(...parts);
  }

  /** @param {Bookmark} bookmark */
  line(bookmark) {
    const when = clockText(bookmark.timeMs);
    const note = Object.assign(document.createElement("input"), { value: bookmark.note, maxLength: bookmarks.MOST_NOTE, placeholder: "note" });
    note.setAttribute("aria-label", `Note of ${when}`);
    note.addEventListener("change", () => {
      bookmarks.put({ ...bookmark, note: note.value });
      say("Note kept");
    });
    const item = document.createElement("li");
    item.append(button(when, `Go to ${when}`, () => this.player.seek(bookmark.timeMs)), note, button("×", `Take ${when} away`, () => {
      bookmarks.remove(bookmark);
      this.taken([bookmark], `Bookmark ${when}`);
    }));
    return item;
  }

  /** @param {readonly Bookmark[]} removed @param {string} what */
  taken(removed, what) {
    this.removed = removed;
    say(`${what} taken away`);
    this.refresh();
  }
}

/** @param {string} text @param {string} label @param {() => void} act */
function button(text, label, act) {
  const made = Object.assign(document.createElement("button"), { type: "button", textContent: text });
  if (label) made.setAttribute("aria-label", label);
  made.addEventListener("click", act);
  return made;
}
