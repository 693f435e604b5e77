/** The guide of a first visit: four steps in a bar above the map, so that no price is covered. It is led once, and again from the help. */

import { element, write } from "./dom.js";
import { guided, keepGuided } from "./kept.js";
import { modeOf } from "./modes.js";

/** Each step: its heading, its words, and the part of the page that it tells of. @type {{title: string, words: (legend: string, generated: boolean) => string, about: string}[]} */
export const STEPS = [
  {
    title: "What is shown", about: "chart",
    words: (legend, generated) => `The order book of one market over time, prices on the vertical axis. The colour is ${legend}: pressure is liquidity being built, vacuum is liquidity being drained.`
      + `${generated ? " This market is generated, to show it: Session… lists your own." : ""}`,
  },
  {
    title: "Read it", about: "chart",
    words: () => "Vacuum above the price with pressure below it is an open way up, the reverse an open way down. Rest on a cell to read its numbers, click to pin them. "
      + "The legend at the lower left says what the colours are worth.",
  },
  {
    title: "Move", about: "pause",
    words: () => "The wheel zooms time, with Shift price; drag moves. Space pauses, L goes back to live, Z undoes a move. Speed plays faster or slower.",
  },
  {
    title: "Ask", about: "help-open",
    words: () => "? lists the keys. I tells what made this picture and how late it is; the signs above tell whether it is alive. "
      + "Keep saves pictures, data, settings and workspaces; the address leads back to what you see.",
  },
];

export class Guide {
  /** @param {import("./commands.js").Page} page */
  constructor(page) {
    this.page = page;
    this.bar = element("guide");
    this.step = 0;
    this.led = guided();
    /** @type {Element | null} */
    this.cameFrom = null;
    element("guide-next").addEventListener("click", () => this.go(1));
    element("guide-back").addEventListener("click", () => this.go(-1));
    element("guide-skip").addEventListener("click", () => this.close());
    element("guide-open").addEventListener("click", () => {
      /** @type {HTMLDialogElement} */ (element("help")).close();
      this.open();
    });
  }

  /** Lead a first-time visitor, once there is something to be seen. */
  welcome() {
    if (!this.led && element("notice").hidden) this.open();
  }

  open() {
    this.led = true;
    this.cameFrom = document.activeElement;
    this.bar.hidden = false;
    this.step = 0;
    this.show();
    element("guide-next").focus();
  }

  /** @param {number} by */
  go(by) {
    this.step += by;
    if (this.step >= STEPS.length) this.close();
    else this.show();
  }

  show() {
    const { title, words, about } = STEPS[this.step];
    const { settings, feed } = this.page;
    write("guide-title", `${this.step + 1} of ${STEPS.length}: ${title}`);
    write("guide-words", words(modeOf(settings.mode).legend, feed.config.source === "generated"));
    write("guide-next", this.step === STEPS.length - 1 ? "Done" : "Next");
    /** @type {HTMLButtonElement} */ (element("guide-back")).disabled = this.step === 0;
    this.mark(about);
  }

  /** @param {string} about of what part of the page it is told; none: of no part */
  mark(about) {
    for (const marked of document.querySelectorAll(".guided")) marked.classList.remove("guided");
    if (about) element(about).classList.add("guided");
  }

  /** @returns {boolean} whether it was open */
  close() {
    if (this.bar.hidden) return false;
    const inside = this.bar.contains(document.activeElement);
    this.bar.hidden = true;
    this.mark("");
    keepGuided();
    if (inside) (this.cameFrom instanceof HTMLElement && this.cameFrom !== document.body ? this.cameFrom : element("chart")).focus();
    return true;
  }
}
