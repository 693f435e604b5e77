/** Settings as a file that a person owns: everything that the browser keeps, written as JSON and read back. */

import { MOST_CHARACTERS, readAddress } from "./address.js";
import { allSettings, ANY, keepWorkspaces, MOST_INSTRUMENTS, MOST_NAME, MOST_WORKSPACES, save, workspaces } from "./kept.js";
import { isObject, judged, quoted } from "./settings.js";

const FORMAT = "vacuum-pressure-settings";
const VERSION = 1;
export const MOST_BYTES = 1_000_000;

/** A file that is not taken; nothing was changed. `code` is stable. */
export class SettingsFileError extends Error {
  /** @param {"not_json" | "not_settings" | "newer_version" | "bad_value" | "too_large" | "not_kept"} code @param {string} message */
  constructor(code, message) {
    super(message);
    this.code = code;
  }
}

/**
 * What else the file holds.
 * @typedef {object} Part
 * @property {string} name in the file @property {() => unknown} all as JSON
 * @property {(value: unknown, passOver: (name: string) => void) => () => boolean} judge gives what takes a value in and tells whether
 * it is kept; raises SettingsFileError, and changes nothing by itself
 */
/** @type {Part[]} */
export const PARTS = [
  { name: "settings", all: allSettings, judge: judgeSettings },
  { name: "workspaces", all: workspaces, judge: judgeWorkspaces },
];

/** @returns {string} */
export function settingsFile() {
  return `${JSON.stringify({ format: FORMAT, version: VERSION, ...Object.fromEntries(PARTS.map(({ name, all }) => [name, all()])) }, null, 2)}\n`;
}

/**
 * Take a file in, all of it or nothing.
 * @param {string} text @returns {string[]} names in it that mean nothing here, and were passed over
 */
export function takeSettingsFile(text) {
  if (text.length > MOST_BYTES) throw new SettingsFileError("too_large", `The file has ${text.length} characters; expected at most ${MOST_BYTES}.`);
  let file;
  try {
    file = JSON.parse(text);
  } catch (error) {
    throw new SettingsFileError("not_json", `The file is no JSON: ${error instanceof Error ? error.message : error}.`);
  }
  if (file?.format !== FORMAT) throw new SettingsFileError("not_settings", `The file is no settings file: its "format" is not "${FORMAT}".`);
  if (!Number.isInteger(file.version) || file.version < 1) throw new SettingsFileError("bad_value", `The file's "version" is no whole number from 1 on.`);
  if (file.version > VERSION) throw new SettingsFileError("newer_version", `The file has version ${file.version}; this page reads versions up to ${VERSION}.`);
  const parts = PARTS.filter(({ name }) => file[name] !== undefined);
  const known = ["format", "version", ...PARTS.map(({ name }) => name)];
  const passedOver = new Set(Object.keys(file).filter((name) => !known.includes(name)));
  const steps = parts.map(({ name, judge }) => judge(file[name], (unknown) => passedOver.add(unknown)));
  if (!steps.every((take) => take())) throw new SettingsFileError("not_kept", "The browser does not keep it: its storage is full or blocked.");
  return [...passedOver];
}

/** @param {unknown} value @param {string} where @returns {Record<string, unknown>} */
function object(value, where) {
  if (isObject(value)) return /** @type {Record<string, unknown>} */ (value);
  throw new SettingsFileError("bad_value", `In the file, "${where}" is ${quoted(value)}; expected an object.`);
}

/** @param {unknown} value @param {(name: string) => void} passOver @returns {() => boolean} */
function judgeSettings(value, passOver) {
  const all = Object.entries(object(value, "settings"));
  if (all.length > MOST_INSTRUMENTS + 1) throw new SettingsFileError("too_large", `The file has settings of ${all.length} instruments; expected at most ${MOST_INSTRUMENTS}.`);
  const taken = all.map(([instrument, raw]) => {
    const { settings, wrong, unknown } = judged(raw);
    if (wrong.length > 0) throw new SettingsFileError("bad_value", `In the file, the settings of "${instrument.slice(0, MOST_NAME)}" cannot be: ${wrong[0]}.`);
    unknown.forEach(passOver);
    return /** @type {const} */ ([instrument.slice(0, MOST_NAME), settings]);
  });
  taken.sort(([a], [b]) => Number(a === ANY) - Number(b === ANY)); // saving any other changes those too
  return () => taken.every(([instrument, settings]) => save(instrument, settings));
}

/** @param {unknown} value @returns {() => boolean} */
function judgeWorkspaces(value) {
  const all = { ...workspaces(), ...object(value, "workspaces") };
  const wrong = Object.entries(all).find(([name, address]) => badWorkspace(name, address));
  if (wrong) throw new SettingsFileError("bad_value", `In the file, ${badWorkspace(...wrong)}`);
  if (Object.keys(all).length > MOST_WORKSPACES) throw new SettingsFileError("too_large", `There would be ${Object.keys(all).length} workspaces; expected at most ${MOST_WORKSPACES}.`);
  return () => keepWorkspaces(/** @type {Record<string, string>} */ (all));
}

/** What is wrong with a workspace, or nothing. @param {string} name @param {unknown} address */
function badWorkspace(name, address) {
  if (!name.trim() || name.length > MOST_NAME) return `a workspace has a name of ${name.length} characters; expected 1 to ${MOST_NAME}.`;
  const parts = typeof address === "string" ? /^\?([^#]*)#?(.*)$/s.exec(address) : null;
  if (!parts) return `the workspace "${name}" is no address that begins with a question mark.`;
  if (String(address).length > MOST_CHARACTERS) return `the workspace "${name}" has ${String(address).length} characters; expected at most ${MOST_CHARACTERS}.`;
  const { passedOver: meaningless } = readAddress(parts[1], parts[2]);
  return meaningless.length > 0 ? `the workspace "${name}" says “${meaningless[0]}”, which means nothing here.` : "";
}
