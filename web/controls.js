/** Buttons and menus: what they show follows the settings, and what they do are commands. */

import { MOST_SMOOTHING, usualSmoothing } from "./balance.js";
import { coloursOf, themeOf } from "./colour.js";
import { SPEEDS } from "./commands.js";
import { element, fillSelect, input, select } from "./dom.js";
import { setZone, zoneNames } from "./format.js";
import { SWITCHED_LAYERS } from "./layers.js";
import { MODES } from "./modes.js";
import { say } from "./notices.js";

/** @typedef {import("./commands.js").Page} Page @typedef {import("./commands.js").Commands} Commands */

const SMOOTHING = /** @type {const} */ (["rows", "seconds", "floor"]);

/** Bring the controls in line with the settings. @param {Page} page */
export function settle({ settings, feed, chart }) {
  const { scale } = chart.heatmap;
  document.documentElement.dataset.theme = settings.theme;
  const { up, down } = themeOf("dark", settings.palette); // the badge is written on them in dark
  document.documentElement.style.setProperty("--up", up);
  document.documentElement.style.setProperty("--down", down);
  fillSelect(select("mode"), MODES.map(({ name, label }) => [name, label]), settings.mode);
  const { now, choices } = coloursOf(settings);
  fillSelect(select("palette"), Object.entries(choices).map(([key, { name }]) => [key, name]), now);
  select("palette").title = choices[now]?.note ?? "";
  for (const name of SMOOTHING) input(`smoothing-${name}`).value = String(settings.smoothing[name] ?? "");
  fillSelect(select("zone"), zoneNames().map((name) => [name, name]), settings.zone);
  const speed = Number(feed.config.speed ?? 1);
  const speeds = [...new Set([...SPEEDS, speed])].sort((a, b) => a - b);
  fillSelect(select("speed"), speeds.map((each) => [String(each), `${each}×`]), String(speed));
  select("transfer").value = settings.transfer;
  select("theme").value = settings.theme;
  element("freeze").setAttribute("aria-pressed", String(scale.frozen));
  for (const { name, option } of SWITCHED_LAYERS) {
    input(`layer-${name}`).checked = settings.layers[name];
    if (option) input(`layer-${option.name}`).value = String(settings.layers[option.name]);
  }
  scale.transfer = settings.transfer;
  setZone(settings.zone);
}

/** The menu of layers, made of their table. @param {Commands} commands */
function fillLayerMenu(commands) {
  const control = (/** @type {string} */ name, /** @type {string} */ type) => Object.assign(document.createElement("input"), { id: `layer-${name}`, type });
  const labelled = (/** @type {(Node | string)[]} */ ...parts) => {
    const label = document.createElement("label");
    label.append(...parts);
    return label;
  };
  element("layer-menu").prepend(...SWITCHED_LAYERS.flatMap(({ name, label = "", help = "", option }) => {
    const box = control(name, "checkbox");
    box.addEventListener("change", () => commands.setLayer(name, box.checked));
    const lines = [labelled(box, ` ${label}`)];
    lines[0].title = help;
    if (option) {
      const number = Object.assign(control(option.name, "number"), { min: "0", max: String(option.most), step: "1" });
      number.addEventListener("change", () => commands.setLayer(option.name, Number(number.value) || 0));
      lines.push(labelled(`${option.label} `, number));
    }
    return lines;
  }));
}

/** What a small screen has no room for among the controls stands in the menu of layers there. */
function makeRoom() {
  const small = window.matchMedia("(max-width: 900px), (max-height: 500px)");
  const roomy = /** @type {HTMLElement[]} */ ([...document.querySelectorAll("nav > .roomy")]);
  const after = element("mode").closest("label");
  const place = () => (small.matches ? element("layer-menu").append(...roomy) : after?.after(...roomy));
  small.addEventListener("change", place);
  place();
}

/** @param {Page} page @param {Commands} commands */
export function connectControls({ session, settings, undo }, commands) {
  fillLayerMenu(commands);
  makeRoom();
  const buttons = /** @type {Record<string, () => void>} */ ({
    choose: () => commands.toggleChooser(), pause: () => commands.pause(), live: () => commands.live(), freeze: () => commands.freeze(),
    "trust-open": () => commands.toggleProvenance(), "help-open": () => commands.help(),
    "help-close": () => /** @type {HTMLDialogElement} */ (element("help")).close(),
    screenshot: () => commands.screenshot(), "export-csv": () => commands.export("csv"), "export-arrow": () => commands.export("arrow"),
    "copy-link": () => void commands.copyLink(),
    forget: () => { session.forget(); say("Settings forgotten: these are the usual ones"); },
  });
  for (const [id, act] of Object.entries(buttons)) element(id).addEventListener("click", act);
  const choices = /** @type {Record<string, (value: any) => void>} */ ({
    speed: (value) => session.setSpeed(Number(value)), mode: (mode) => commands.showMode(mode), palette: (chosen) => commands.set({ [coloursOf(settings).name]: chosen }),
    transfer: (transfer) => commands.set({ transfer }), theme: (theme) => commands.set({ theme }), zone: (zone) => commands.set({ zone }),
  });
  for (const [id, choose] of Object.entries(choices)) select(id).addEventListener("change", () => choose(select(id).value));
  for (const name of SMOOTHING) {
    const field = input(`smoothing-${name}`);
    Object.assign(field, { type: "number", min: "0", max: String(MOST_SMOOTHING[name]), step: "any" });
    field.addEventListener("change", () => {
      const value = field.value === "" ? usualSmoothing()[name] : Math.min(Math.max(Number(field.value), 0), MOST_SMOOTHING[name]);
      commands.set({ smoothing: { ...settings.smoothing, [name]: value } });
    });
  }
  for (const field of ["lower-typed", "upper-typed"]) {
    element(field).addEventListener("change", () => undo.remember(), { capture: true });
    element(field).addEventListener("change", () => session.settingsChanged());
  }
  for (const handle of ["lower", "upper"]) {
    for (const begun of ["pointerdown", "keydown"]) element(handle).addEventListener(begun, () => undo.remember(begun), { capture: true });
    for (const done of ["pointerup", "keyup"]) element(handle).addEventListener(done, () => session.settingsChanged());
  }
}
