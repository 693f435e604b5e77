/** What the map can show: the balance of the forces, both of them, depth, and each grid column; which columns that takes, and their units. */

/**
 * @typedef {object} Mode
 * @property {string} name @property {string} label in the menu @property {string} legend what the channels are
 * @property {"balance" | "pair" | "depth" | "one" | "signed" | "net"} kind balance: of two forces, smoothed; pair: two forces; depth: a value
 * of either side under the balance; one: a value of at least 0; net: a minus b
 * @property {string} a @property {string} b grid columns
 * @property {[number, number]} [cutoffs] those that it has until a person sets others; else what is on screen decides
 */

const CHAINS = ["add", "pull", "fill", "rest_depth"];
/** Grid columns that every picture takes, whatever the map shows: ladder, trades and measuring read them. */
export const ALWAYS = ["pressure", "vacuum", "rest_depth", "bought", "sold"];

/** @param {string} name of a grid column @param {string} [label] @returns {Mode} */
function ofColumn(name, label) {
  const words = name.replaceAll("_", " ");
  return { name, label: label ?? words, legend: words, kind: /^[aj]_|^v_rest/.test(name) ? "signed" : "one", a: name, b: name };
}

/** Of the balance: less is the ground, more is full colour. */
export const BALANCE_CUTOFFS = /** @type {const} */ ([0.1, 0.7]);

/** In the order of the menu. @type {Mode[]} */
export const MODES = [
  { name: "balance", label: "balance of the forces", legend: "balance", kind: "balance", a: "pressure", b: "vacuum", cutoffs: [...BALANCE_CUTOFFS] },
  { name: "pair", label: "exact cells", legend: "pressure and vacuum", kind: "pair", a: "pressure", b: "vacuum" },
  { name: "depth", label: "depth and balance", legend: "resting depth", kind: "depth", a: "rest_depth", b: "rest_depth" },
  ofColumn("pressure"), ofColumn("vacuum"), ofColumn("rest_depth", "resting depth"),
  { name: "net", label: "net force", legend: "net force (pressure − vacuum)", kind: "net", a: "pressure", b: "vacuum" },
  ...["add_mass", "pull_mass", "fill_mass", ...["v", "a", "j"].flatMap((order) => CHAINS.map((chain) => `${order}_${chain}`))]
    .map((name) => ofColumn(name)),
];
/** Those that a key leads through. */
export const MAIN_MODES = MODES.slice(0, 7);

/** @param {string} name @returns {Mode} the first one for a name that is unknown */
export const modeOf = (name) => MODES.find((mode) => mode.name === name) ?? MODES[0];

/** Whether a view shows the balance. @param {Mode} mode */
export const smoothed = ({ kind }) => kind === "balance" || kind === "depth";

/** @param {Mode} mode @returns {string[]} the grid columns to ask for */
export const gridsOf = ({ a, b }) => [...new Set([...ALWAYS, a, b])];

/** Units of a grid column. @param {string} field @param {string} quantity contracts or shares */
export function unitOf(field, quantity) {
  const order = /^(pressure|vacuum|v_)/.test(field) ? "/s" : field.startsWith("a_") ? "/s²" : field.startsWith("j_") ? "/s³" : "";
  return quantity + order;
}
