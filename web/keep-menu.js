/** The part of the menu Keep that is about settings: as a file, and as workspaces by name. */

import { element, fillSelect, input, select } from "./dom.js";
import { download } from "./export.js";
import { keepWorkspaces, MOST_NAME, MOST_WORKSPACES, workspaces } from "./kept.js";
import { say, showRemark } from "./notices.js";
import { MOST_BYTES, settingsFile, SettingsFileError, takeSettingsFile } from "./settings-file.js";

const NAME = "vacuum-pressure-settings.json";

/** @param {string} [chosen] */
function list(chosen = "") {
  const names = Object.keys(workspaces()).sort((a, b) => a.localeCompare(b));
  fillSelect(select("workspace"), names.length > 0 ? names.map((name) => [name, name]) : [["", "none saved"]], chosen);
  for (const id of ["workspace-open", "workspace-delete"]) /** @type {HTMLButtonElement} */ (element(id)).disabled = names.length === 0;
}

/** @param {import("./session.js").Session} session */
function saveWorkspace(session) {
  const name = input("workspace-name").value.trim().slice(0, MOST_NAME);
  if (!name) {
    input("workspace-name").focus();
    say("A workspace needs a name");
    return;
  }
  const { search, hash } = new URL(session.link());
  const all = { ...workspaces(), [name]: `${search || "?"}${hash}` };
  if (Object.keys(all).length > MOST_WORKSPACES) showRemark(`There are ${MOST_WORKSPACES} workspaces, as many as there may be: delete one first.`);
  else if (!keepWorkspaces(all)) showRemark("The browser does not keep the workspace: its storage is full or blocked.");
  else {
    input("workspace-name").value = "";
    say(`Workspace ${name} saved`);
  }
  list(name);
}

/** @param {import("./session.js").Session} session */
async function takeFile(session) {
  const chosen = input("settings-file");
  const file = chosen.files?.[0];
  chosen.value = "";
  if (!file) return;
  try {
    if (file.size > MOST_BYTES) throw new SettingsFileError("too_large", `The file has ${file.size} bytes; expected at most ${MOST_BYTES}.`);
    const passedOver = takeSettingsFile(await file.text());
    session.restore();
    list();
    showRemark(`The settings of ${file.name} hold now.${passedOver.length > 0 ? ` Passed over, as it means nothing here: ${passedOver.slice(0, 5).join(", ")}.` : ""}`);
  } catch (error) {
    if (!(error instanceof SettingsFileError)) throw error;
    showRemark(`${error.message} Nothing was changed.`);
  }
}

/** @param {import("./session.js").Session} session @param {Location} location */
export function connectKeepMenu(session, location) {
  const acts = /** @type {Record<string, () => void>} */ ({
    "settings-export": () => { download(new Blob([settingsFile()], { type: "application/json" }), NAME); say("Settings exported"); },
    "settings-import": () => input("settings-file").click(),
    "workspace-save": () => saveWorkspace(session),
    "workspace-open": () => {
      const address = workspaces()[select("workspace").value];
      if (address) location.assign(`${location.pathname}${address}`);
    },
    "workspace-delete": () => {
      const { [select("workspace").value]: _, ...others } = workspaces();
      keepWorkspaces(others);
      say(`Workspace ${select("workspace").value} deleted`);
      list();
    },
  });
  for (const [id, act] of Object.entries(acts)) element(id).addEventListener("click", act);
  input("settings-file").addEventListener("change", () => void takeFile(session));
  input("workspace-name").addEventListener("keydown", ({ key }) => { if (key === "Enter") saveWorkspace(session); });
  element("keep").addEventListener("toggle", () => list(select("workspace").value));
}
