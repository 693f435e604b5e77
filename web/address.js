/**
 * The address says what is seen: behind the question mark what is asked of the server, behind the # the view, and each
 * setting that is not as usual. Whoever opens it sees the same.
 */

import { CUTOFFS, defaults, FIELDS, fullName, number, put, SWITCH, valueOf } from "./settings.js";
import { FEWEST_ROWS, LONGEST_MS, MOST_ROWS, SHORTEST_MS } from "./viewport.js";

/**
 * @typedef {import("./viewport.js").Viewport} Viewport @typedef {import("./settings.js").Settings} Settings
 * @typedef {{lower: number, upper: number}} Cutoffs
 * @typedef {object} Linked what an address asks for
 * @property {Record<string, number | boolean>} place of the viewport; empty where the address names none
 * @property {Settings | null} settings null where it says nothing of them
 * @property {Cutoffs | null} scale that the picture had, which goes on by itself
 * @property {boolean} held whether the session itself stood
 * @property {string[]} passedOver what has no meaning, in words
 */

/** Of the query, what is asked of the server. */
export const STREAM_NAMES = ["product_type", "symbol", "dt", "trading_day", "start_time", "speed", "throttle_ms", "bucket", "parameters", "alone"];
/** Of the query, what concerns the page alone. */
const PAGE_NAMES = ["flat"];
export const MOST_CHARACTERS = 4000;
const MOST_NAMED = 4;

/** Of the viewport: each by its name in the address. While rows are fitted to what goes on, they are left out. */
const PLACE = /** @type {const} */ ([
  ["end", "endMs", number(0, 8.64e15)], ["span", "spanMs", number(SHORTEST_MS, LONGEST_MS)], ["centre", "centre", number(-1e15, 1e15)], ["rows", "rows", number(FEWEST_ROWS, MOST_ROWS)],
  ["live", "following", SWITCH],
]);

/** What else stands in it. @type {Map<string, import("./settings.js").Form>} */
const OTHERS = new Map([["scale", CUTOFFS], ["held", SWITCH]]);

const rounded = (/** @type {number} */ value) => Number(value.toFixed(3));
const shortened = (/** @type {string} */ text) => (text.length > 30 ? `${text.slice(0, 30)}…` : text);

/**
 * @param {{origin: string, pathname: string, search: string}} location
 * @param {Record<string, any>} session what was asked for, and what it turned out to be
 * @param {Viewport} viewport @param {Settings} settings @param {Cutoffs & {frozen: boolean}} scale
 * @param {boolean} [held] the session itself stands
 */
export function addressOf(location, session, viewport, settings, scale, held = false) {
  const query = new URLSearchParams();
  for (const name of STREAM_NAMES) if (name in session) query.set(name, String(session[name] ?? ""));
  for (const [name, value] of new URLSearchParams(location.search)) if (PAGE_NAMES.includes(name)) query.set(name, value);
  const at = new URLSearchParams();
  const fitted = viewport.following && viewport.fitting;
  for (const [name, property, form] of PLACE) {
    const value = viewport[property];
    if (fitted && (name === "centre" || name === "rows")) continue;
    if (name === "live" ? value : Number.isFinite(value)) at.set(name, form.write(typeof value === "number" ? rounded(value) : value));
  }
  if (held) at.set("held", SWITCH.write(true));
  const usual = defaults();
  for (const field of FIELDS) {
    const value = valueOf(settings, field);
    const differs = JSON.stringify(value) !== JSON.stringify(valueOf(usual, field));
    if (value !== null && (differs || field.name === "theme")) at.set(fullName(field), field.write(value)); // the usual theme is the system's
  }
  if (!scale.frozen) at.set("scale", CUTOFFS.write({ lower: rounded(scale.lower), upper: rounded(scale.upper) }));
  const base = `${location.origin}${location.pathname}?${query}`;
  return base.length + String(at).length < MOST_CHARACTERS ? `${base}#${at}` : base; // the server bounds the query
}

/** @param {string} search behind the question mark @param {string} hash behind the # @returns {Linked} */
export function readAddress(search, hash) {
  /** @type {Linked} */
  const linked = { place: {}, settings: null, scale: null, held: false, passedOver: [] };
  const { passedOver } = linked;
  for (const name of new Set(new URLSearchParams(search).keys())) {
    if (!STREAM_NAMES.includes(name) && !PAGE_NAMES.includes(name)) passedOver.push(shortened(name));
  }
  if (hash.length > MOST_CHARACTERS) {
    passedOver.push(`${hash.length} characters behind the #`);
    return linked;
  }
  const fields = new Map(FIELDS.map((field) => [fullName(field), field]));
  const places = new Map(PLACE.map(([name, property, form]) => [name, { property, form }]));
  for (const [name, text] of new URLSearchParams(hash)) {
    const field = fields.get(name);
    const place = places.get(/** @type {any} */ (name));
    const form = field ?? place?.form ?? OTHERS.get(name);
    const value = form?.read(text);
    if (!form || !form.fits(value)) passedOver.push(shortened(text ? `${name}=${text}` : name));
    else if (field) put(linked.settings ??= defaults(), field, value);
    else if (place) linked.place[place.property] = /** @type {number | boolean} */ (value);
    else Object.assign(linked, { [name]: value });
  }
  return linked;
}

/** @param {string[]} passedOver @returns {string} one sentence, or nothing */
export function passedOverText(passedOver) {
  if (passedOver.length === 0) return "";
  const more = passedOver.length - MOST_NAMED;
  const named = passedOver.slice(0, MOST_NAMED).map((text) => `“${text}”`).join(", ");
  return `Passed over in the address, as it means nothing here: ${named}${more > 0 ? ` and ${more} more` : ""}.`;
}
