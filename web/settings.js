/**
 * What a person can set: one table, made of those of views, colours and layers. The address, the settings file and what
 * the browser keeps are read and written by it.
 */

import { MOST_SMOOTHING, usualSmoothing } from "./balance.js";
import { PALETTES, RAMPS } from "./colour.js";
import { zoneNames } from "./format.js";
import { SWITCHED_LAYERS } from "./layers.js";
import { MODES } from "./modes.js";

/**
 * @typedef {object} Settings
 * @property {string} mode @property {string} palette @property {string} ramp of depth @property {"linear" | "sqrt" | "log"} transfer
 * @property {"dark" | "light"} theme @property {string} zone
 * @property {Record<string, any>} layers which are shown, and their options
 * @property {Record<string, {lower: number, upper: number} | null>} cutoffs frozen ones by view, null where there are none
 * @property {import("./balance.js").Smoothing} smoothing
 */

/**
 * @typedef {object} Form what a value may be
 * @property {string} expected in words @property {(value: unknown) => boolean} fits
 * @property {(text: string) => unknown} read from an address; what does not fit is no value
 * @property {(value: any) => string} write into an address
 * @typedef {Form & {name: string, group: string, usual: () => any}} Field `group`: where the value lies in the settings; "" in themselves
 */

const isAmount = (/** @type {unknown} */ value) => typeof value === "number" && value >= 0 && value < 1e12;
/** A value in an error, whatever it is. @param {unknown} value @returns {string} */
export function quoted(value) {
  let text;
  try { text = JSON.stringify(value) ?? "nothing"; } catch { text = "nested too deep"; }
  return text.length > 40 ? `${text.slice(0, 40)}…` : text;
}
/** @param {unknown} value */
export const isObject = (value) => typeof value === "object" && value !== null && !Array.isArray(value);

/** @param {string[]} values @returns {Form} */
export const choice = (values) => ({
  expected: `one of ${values.join(", ")}`, fits: (value) => values.includes(/** @type {string} */ (value)), read: (text) => text, write: String,
});

/** @param {number} least @param {number} most @returns {Form} */
export const number = (least, most) => ({
  expected: `a number from ${least} to ${most}`, fits: (value) => typeof value === "number" && value >= least && value <= most,
  read: (text) => (text.trim() ? Number(text) : NaN), write: String,
});

/** @type {Form} */
export const SWITCH = {
  expected: "true or false (1 or 0 in an address)", fits: (value) => typeof value === "boolean",
  read: (text) => (text === "1" ? true : text === "0" ? false : text), write: (value) => (value ? "1" : "0"),
};

/** @param {Form} form @returns {Form} that may be null as well */
const orNone = (form) => ({ ...form, expected: `${form.expected}, or null`, fits: (value) => value === null || form.fits(value) });

/** Two amounts, 0..12.5 in an address, or null. @type {Form} */
export const CUTOFFS = {
  expected: "a lower and a greater upper amount, or null",
  fits: (value) => value === null || (typeof value === "object" && "lower" in value && "upper" in value && isAmount(value.lower) && isAmount(value.upper)
    && Number(value.lower) < Number(value.upper)),
  read: (text) => {
    const [lower, upper, more] = text.split("..").map((part) => (part.trim() ? Number(part) : NaN));
    return more === undefined ? { lower, upper } : text;
  },
  write: ({ lower, upper }) => `${lower}..${upper}`,
};

/** @param {string} name @param {Form} form @param {any} usual @param {string} [group] @returns {Field} */
const field = (name, form, usual, group = "") => ({ ...form, name, group, usual: typeof usual === "function" ? usual : () => usual });

const systemTheme = () => (globalThis.matchMedia?.("(prefers-color-scheme: light)").matches ? "light" : "dark");

export const FIELDS = [
  field("mode", choice(MODES.map(({ name }) => name)), MODES[0].name),
  field("palette", choice(Object.keys(PALETTES)), "blue"),
  field("transfer", choice(["linear", "sqrt", "log"]), "sqrt"),
  field("theme", choice(["dark", "light"]), systemTheme),
  field("zone", choice(zoneNames()), "ET"),
  field("ramp", choice(Object.keys(RAMPS)), "green"),
  ...MODES.map(({ name }) => field(name, CUTOFFS, null, "cutoffs")),
  ...Object.entries(usualSmoothing()).map(([name, usual]) => {
    const amount = number(0, MOST_SMOOTHING[/** @type {keyof typeof MOST_SMOOTHING} */ (name)]);
    return field(name, usual === null ? orNone(amount) : amount, usual, "smoothing");
  }),
  ...SWITCHED_LAYERS.flatMap((layer) => [
    field(layer.name, SWITCH, layer.default ?? false, "layers"),
    ...(layer.option ? [field(layer.option.name, number(0, layer.option.most), layer.option.default, "layers")] : []),
  ]),
];

/** @param {Field} of @returns {string} as errors and addresses name it */
export const fullName = ({ group, name }) => (group ? `${group}.${name}` : name);
/** @param {Record<string, any>} settings @param {Field} of */
export const valueOf = (settings, { group, name }) => (group ? settings[group]?.[name] : settings[name]);
/** @param {Record<string, any>} settings @param {Field} of @param {any} value */
export const put = (settings, { group, name }, value) => { if (group) (settings[group] ??= {})[name] = value; else settings[name] = value; };

/** @returns {Settings} */
export function defaults() {
  const settings = { layers: {} };
  for (const each of FIELDS) put(settings, each, each.usual());
  return /** @type {Settings} */ (settings);
}

/**
 * The settings in what came from a file or from storage, those that are left out as usual.
 * @param {unknown} raw
 * @returns {{settings: Settings, wrong: string[], unknown: string[]}} `wrong`: what has another form, each in words;
 * `unknown`: names that are none
 */
export function judged(raw) {
  const settings = defaults();
  if (!isObject(raw)) return { settings, wrong: [`${quoted(raw)}; expected an object`], unknown: [] };
  const given = /** @type {Record<string, any>} */ (raw);
  const known = new Set(FIELDS.map(fullName));
  const groups = [...new Set(FIELDS.map(({ group }) => group).filter(Boolean))];
  const names = Object.keys(given).flatMap((name) => (groups.includes(name) ? Object.keys(Object(given[name])).map((inner) => `${name}.${inner}`) : [name]));
  const wrong = groups.filter((name) => given[name] !== undefined && !isObject(given[name]))
    .map((name) => `${name} is ${quoted(given[name])}; expected an object`);
  for (const each of FIELDS) {
    const value = valueOf(given, each);
    if (value === undefined) continue;
    if (each.fits(value)) put(settings, each, value);
    else wrong.push(`${fullName(each)} is ${quoted(value)}; expected ${each.expected}`);
  }
  return { settings, wrong, unknown: names.filter((name) => !known.has(name)) };
}
