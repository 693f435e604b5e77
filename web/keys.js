/** The keyboard: one table of keys, which both does and explains. */

/** @typedef {{keys: string[], shown: string, what: string, act: (event: KeyboardEvent) => void}} Key */

/** @param {Key[]} table @param {HTMLElement} list where they are explained */
export function listenToKeys(table, list) {
  list.replaceChildren(...table.map(({ shown, what }) => {
    const line = document.createElement("div");
    for (const name of shown.split(" ")) {
      const key = document.createElement("kbd");
      key.textContent = name;
      line.append(key, " ");
    }
    line.append(what);
    return line;
  }));
  const byKey = new Map(table.flatMap((entry) => entry.keys.map((key) => [key, entry])));
  window.addEventListener("keydown", (event) => {
    if (event.ctrlKey && event.key !== "z") return;
    if (event.metaKey || event.altKey || event.defaultPrevented) return;
    const target = /** @type {HTMLElement} */ (event.target);
    if (event.key !== "Escape" && target.closest("input, select, textarea, [role=slider], dialog")) return;
    if ((event.key === " " || event.key === "Enter") && target.closest("button, summary")) return;
    const entry = byKey.get(event.key.length === 1 ? event.key.toLowerCase() : event.key);
    if (!entry) return;
    event.preventDefault();
    entry.act(event);
  });
}
