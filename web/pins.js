/** Pinned read-outs: each stays beside its cell, wherever the picture is moved. */

import { element } from "./dom.js";

/** @typedef {import("./readout.js").Spot} Spot @typedef {import("./scene.js").Scene} Scene */
/**
 * @typedef {{card: HTMLElement, spot: Spot, right: number, down: number, of: string}} Pin where the card lies from the
 * cell, in chart px, and whose prices it tells of
 */

const MOST = 12;
const CELL_PX = 7;

export class Pins {
  /** @param {() => void} remember what there is, before it is changed */
  constructor(remember) {
    this.remember = remember;
    /** @type {Pin[]} */
    this.pins = [];
  }

  /** @param {Pin} pin whose card is on the page already */
  add(pin) {
    const close = document.createElement("button");
    close.textContent = "×";
    close.setAttribute("aria-label", "Remove this read-out");
    close.addEventListener("click", () => this.remove(pin));
    pin.card.prepend(close);
    this.put([...this.pins, pin].slice(-MOST));
  }

  /** @param {Pin[]} pins all that there are from now on */
  put(pins) {
    this.pins = pins;
    element("pins").replaceChildren(...pins.map(({ card }) => card));
  }

  /** @param {Pin} pin */
  remove(pin) {
    this.remember();
    this.put(this.pins.filter((each) => each !== pin));
    element("chart").focus({ preventScroll: true });
  }

  /** Mark the cells, and bring the cards to them. @param {CanvasRenderingContext2D} context @param {Scene} scene @param {string} instrument that it shows */
  paint(context, { x, y, size, theme }, instrument) {
    for (const { card, spot, right, down, of } of this.pins) {
      const [left, top] = [x(spot.timeMs), y(spot.bucket)];
      card.hidden = of !== instrument || !(left >= 0 && left <= size.width && top >= 0 && top <= size.height);
      if (card.hidden) continue;
      moveCard(card, left + right, top + down, size.unit);
      context.strokeStyle = theme.text;
      context.strokeRect(left - CELL_PX / 2, top - CELL_PX / 2, CELL_PX, CELL_PX);
    }
  }
}

/** @param {HTMLElement} card @param {number} left @param {number} top chart px @param {number} unit CSS px that one is */
export function moveCard(card, left, top, unit) {
  card.style.left = `${left * unit}px`;
  card.style.top = `${top * unit}px`;
}
