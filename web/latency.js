/** Latency by stage, from the engine to the screen. */

const WINDOW_MS = 10_000;
export const STAGES = /** @type {const} */ ([
  ["engine", "Engine behind its clock"], ["wire", "Server to page"], ["frame", "Frame, from due to come"], ["decode", "Into the ring"], ["wait", "Waiting for the screen"],
  ["paint", "Painting"], ["shown", "Wire to paint"],
]);

/** @typedef {typeof STAGES[number][0]} Stage */

/** Durations of the last ten seconds, in ms. */
export class Latency {
  constructor() {
    /** @type {Record<string, {atMs: number, ms: number}[]>} */
    this.samples = Object.fromEntries(STAGES.map(([name]) => [name, []]));
  }

  /** @param {Stage} stage @param {number} ms @param {number} nowMs */
  add(stage, ms, nowMs) {
    const samples = this.samples[stage];
    samples.push({ atMs: nowMs, ms });
    let old = 0;
    while (old < samples.length && nowMs - samples[old].atMs > WINDOW_MS) old += 1;
    if (old > 256 || samples.length > 4096) samples.splice(0, Math.max(old, samples.length - 4096));
  }

  /** @param {Stage} stage @param {number} nowMs @returns {{p50: number, p99: number, count: number}} */
  summary(stage, nowMs) {
    const recent = this.samples[stage].filter(({ atMs }) => nowMs - atMs <= WINDOW_MS).map(({ ms }) => ms).sort((a, b) => a - b);
    const at = (/** @type {number} */ share) => recent[Math.min(recent.length - 1, Math.floor(recent.length * share))] ?? NaN;
    return { p50: at(0.5), p99: at(0.99), count: recent.length };
  }
}
