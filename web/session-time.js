/** Times of day in a session, as a person types them: in New York, with a date before them where there are several days. */

import { dateAndTime } from "./format.js";

const FORM = /^(?:(\d{4}-\d\d-\d\d)[ T])?([01]?\d|2[0-3]):([0-5]\d)(?::([0-5]\d))?(?: ?ET)?$/;
const DAY_MS = 86_400_000;
/** New York is so far behind UTC, in summer and in winter. */
const OFFSETS_MS = [4, 5].map((hours) => hours * 3_600_000);

/**
 * The moment at which clocks in New York show a time: of several the first on the session's own date, or else the first.
 * @param {string} text @param {number} startMs @param {number} endMs the session @param {string} dt its date or dates
 * @returns {number} ms UTC, NaN where it is no time, or none of the session
 */
export function timeInSession(text, startMs, endMs, dt) {
  const [, date, hour, minute, second = "00"] = FORM.exec(text.trim()) ?? [];
  if (hour === undefined) return NaN;
  const wanted = `${hour.padStart(2, "0")}:${minute}:${second}`;
  const ofDay = (Number(hour) * 60 + Number(minute)) * 60_000 + Number(second) * 1000;
  /** @type {number[]} */
  const found = [];
  for (let day = Math.floor(startMs / DAY_MS) - 1; day * DAY_MS < endMs; day += 1) {
    for (const offset of OFFSETS_MS) {
      const timeMs = day * DAY_MS + ofDay + offset;
      const shown = dateAndTime(timeMs, "ET");
      if (timeMs >= startMs && timeMs < endMs && shown.time === wanted && (!date || shown.date === date)) found.push(timeMs);
    }
  }
  return found.find((timeMs) => dt.startsWith(dateAndTime(timeMs, "ET").date)) ?? found[0] ?? NaN;
}
