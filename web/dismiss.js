/** Escape: what is open over or beside the chart is closed, the topmost first. */

import { element } from "./dom.js";

/** @param {string} selector @returns {HTMLElement | undefined} the last one, which lies above those before it */
const topmost = (selector) => /** @type {HTMLElement[]} */ ([...document.querySelectorAll(selector)]).at(-1);

/**
 * Close one thing: a dialog, a menu, what `closers` close, a notice over a picture, or a panel. A panel is what `aria-controls` of a button names that
 * says `aria-expanded`, so that each new one is closed as well; the one with the focus goes first.
 * @param {(() => boolean)[]} closers each tells whether it was open @param {boolean} painted whether there is a picture, which a notice may lie over
 * @returns {boolean} whether there was something to be closed
 */
export function dismissTopmost(closers, painted) {
  const dialog = /** @type {HTMLDialogElement | undefined} */ (topmost("dialog[open]"));
  if (dialog) {
    dialog.close();
    return true;
  }
  const menu = topmost("details.menu[open]");
  if (menu) {
    const focused = menu.contains(document.activeElement);
    menu.removeAttribute("open");
    if (focused) menu.querySelector("summary")?.focus();
    return true;
  }
  if (closers.some((close) => close())) return true;
  const notice = element("notice");
  if (painted && !notice.hidden) {
    notice.hidden = true;
    return true;
  }
  const open = '[aria-controls][aria-expanded="true"]';
  const buttons = /** @type {HTMLElement[]} */ ([...document.querySelectorAll(open)]);
  const panel = (/** @type {HTMLElement} */ button) => document.getElementById(button.getAttribute("aria-controls") ?? "");
  const button = buttons.find((each) => panel(each)?.contains(document.activeElement)) ?? buttons.at(-1);
  if (!button) return false;
  const focused = panel(button)?.contains(document.activeElement);
  button.click();
  if (focused) button.focus();
  return true;
}

/** Whether keys that scroll belong to where the focus is: a panel with more in it than fits. @param {Element} target */
export function scrollsByKeys(target) {
  for (let each = /** @type {Element | null} */ (target); each && each !== document.body; each = each.parentElement) {
    if (each.scrollHeight > each.clientHeight && ["auto", "scroll"].includes(getComputedStyle(each).overflowY)) return true;
  }
  return false;
}
