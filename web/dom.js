/** Elements of the page by their ids. */

/** @param {string} id @returns {HTMLElement} */
export function element(id) {
  const found = document.getElementById(id);
  if (!found) throw new Error(`the page has no #${id}`);
  return found;
}
export const canvas = (/** @type {string} */ id) => /** @type {HTMLCanvasElement} */ (element(id));
export const input = (/** @type {string} */ id) => /** @type {HTMLInputElement} */ (element(id));
export const select = (/** @type {string} */ id) => /** @type {HTMLSelectElement} */ (element(id));

/** @param {string} id @param {string} text */
export function write(id, text) {
  const target = element(id);
  if (target.textContent !== text) target.textContent = text;
}

/** @param {HTMLSelectElement} list @param {[string, string][]} options value and label @param {string} chosen */
export function fillSelect(list, options, chosen) {
  list.replaceChildren(...options.map(([value, label]) => new Option(label, value, false, value === chosen)));
}
