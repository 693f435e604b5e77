/** The bar that chooses product, symbol, date and start among what the lake holds. */

import { element, fillSelect, input, select } from "./dom.js";
import { fetchSessions } from "./http-api.js";

/** @typedef {import("./http-api.js").Catalogue} Catalogue @typedef {import("./http-api.js").SessionEntry} SessionEntry */

const LABELS = /** @type {Record<string, string>} */ ({ future_mbo: "Futures", equity_mbo: "Equities" });

export class SessionChooser {
  /** @param {string} base @param {(wanted: Record<string, string>) => void} chosen */
  constructor(base, chosen) {
    this.base = base;
    this.form = /** @type {HTMLFormElement} */ (element("sessions"));
    this.product = select("choose-product");
    this.symbol = input("choose-symbol");
    this.date = select("choose-date");
    this.start = input("choose-start");
    /** @type {Catalogue | null} */
    this.catalogue = null;
    /** The start of the session that is watched: of another one it says nothing. */
    this.prefilled = { start: "", session: "", taken: false };
    /** Chosen by a person, also while what is typed for a symbol has no such date. */
    this.wantedDate = "";
    this.product.addEventListener("change", () => { this.symbol.value = ""; this.fill(); });
    this.symbol.addEventListener("input", () => this.fill());
    this.date.addEventListener("change", () => { this.wantedDate = this.date.value; this.settle(); });
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      const start = this.start.disabled ? "" : this.start.value.trim();
      chosen({
        product_type: this.product.value, symbol: this.symbol.value.trim(), dt: this.date.value,
        start_time: /^\d:/.test(start) ? `0${start}` : start,
      });
    });
  }

  /** @param {Record<string, any>} now what is being watched */
  async open(now) {
    this.form.hidden = false;
    const focused = document.activeElement;
    element("choose-note").textContent = "looking into the lake…";
    try {
      this.catalogue = await fetchSessions(this.base);
    } catch (error) {
      element("choose-note").textContent = error instanceof Error ? error.message : String(error);
      return;
    }
    const kinds = [...new Set(this.catalogue.sessions.map((entry) => entry.product_type))];
    const product = String(now.product_type ?? this.catalogue.default.product_type);
    fillSelect(this.product, kinds.map((kind) => [kind, LABELS[kind] ?? kind]), product);
    this.symbol.value = String(now.symbol ?? this.catalogue.default.symbol);
    this.prefilled = { start: String(now.start_time ?? ""), session: "", taken: false };
    this.start.value = this.prefilled.start;
    this.wantedDate = String(now.dt ?? "");
    this.fill();
    this.prefilled.session = this.session;
    if (document.activeElement === focused) this.symbol.focus(); // who went elsewhere meanwhile stays there
  }

  /** The entries of the symbol: it names a root, a ticker, or a contract of a root. @returns {SessionEntry[]} */
  entries() {
    const wanted = this.symbol.value.trim().toUpperCase();
    const held = (this.catalogue?.sessions ?? []).filter((entry) => entry.product_type === this.product.value);
    const exact = held.filter((entry) => entry.symbol === wanted);
    if (exact.length > 0 || this.product.value !== "future_mbo") return exact;
    return held.filter((entry) => wanted.startsWith(entry.symbol));
  }

  /** Offer the symbols and dates that there are. */
  fill() {
    const symbols = (this.catalogue?.sessions ?? []).filter((entry) => entry.product_type === this.product.value);
    element("choose-symbols").replaceChildren(...[...new Set(symbols.flatMap(({ symbol, contracts }) => [symbol, ...(contracts ?? [])]))].map((name) => new Option(name, name)));
    if (!this.symbol.value && symbols.length > 0) this.symbol.value = symbols[0].symbol;
    const dates = this.entries().map(({ dt, source, live }) => /** @type {[string, string]} */ ([dt, live ? `${dt} (live)` : source === "generated" ? `${dt} (generated)` : dt]));
    fillSelect(this.date, dates, dates.some(([name]) => name === this.wantedDate) ? this.wantedDate : (dates.at(-1)?.[0] ?? ""));
    this.settle();
  }

  get session() { return [this.product.value, this.symbol.value.trim().toUpperCase(), this.date.value].join(" "); }

  /** Say of the chosen session when it is; a start that nobody typed goes with the session that it is of. */
  settle() {
    const { prefilled: { start, session, taken }, start: field } = this;
    const own = session === "" || this.session === session;
    if (field.value === (taken ? "" : start) && own === taken) {
      field.value = taken ? start : "";
      this.prefilled.taken = !taken;
    }
    const entries = this.entries();
    const entry = entries.find(({ dt }) => dt === this.date.value);
    this.start.disabled = entry?.live === true;
    const text = entry ? `${entry.live ? "live, being recorded now; " : ""}${entry.hours_et}` : `the lake holds no session of ${this.symbol.value || "this product"}`;
    element("choose-note").textContent = text;
  }
}
