/** What a user may trust: signs of life, latency by stage, what is missing, and what made the picture. */

const WINDOW_MS = 10_000;
export const STAGES = /** @type {const} */ ([
  ["engine", "Engine behind its clock"], ["wire", "Server to page"], ["decode", "Into the ring"], ["wait", "Waiting for the screen"],
  ["paint", "Painting"],
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

/**
 * @param {HTMLElement} panel
 * @param {{latency: Latency, status: Record<string, any>, config: Record<string, any>, counts: Record<string, string>, painter: string}} facts
 */
export function paintTrust(panel, { latency, status, config, counts, painter }) {
  const now = performance.now();
  const ms = (/** @type {number} */ value) => (Number.isNaN(value) ? "–" : value < 10 ? value.toFixed(1) : value.toFixed(0));
  /** @type {[string, [string, string][]][]} */
  const parts = [
    ["Feed to paint, ms: p50 / p99 over 10 s", STAGES.map(([name, label]) => {
      const { p50, p99 } = latency.summary(name, now);
      return [label, `${ms(p50)} / ${ms(p99)}`];
    })],
    ["Frames", Object.entries(counts)],
    ["Anomalies in the feed", Object.entries(/** @type {Record<string, number>} */ (status.anomalies ?? {}))
      .map(([name, count]) => [name.replaceAll("_", " "), count.toLocaleString("en-US")])],
    ["What made this picture", [
      ["File", String(config.raw_file ?? "–")], ["Source", String(config.source ?? "–")],
      ["Contract", String(config.contract ?? "–")], ["Session", String(config.session_id ?? "–")],
      ["Date, start", `${config.dt ?? "–"} ${config.start_time ?? "from its start"}`],
      ["Tick, bucket", `${Number(config.tick_int) / 1e9}, ${Number(config.bucket_int) / 1e9}`],
      ["Throttle, speed", `${config.throttle_ms} ms, ${config.speed}×`], ["Book cache", String(config.book_cache ?? "–")],
      ["Version, protocol", `${config.version ?? "–"}, ${config.protocol ?? "–"}`], ["Painted with", painter],
    ]],
    ["Model parameters", Object.entries(/** @type {Record<string, unknown>} */ (config.parameters ?? {}))
      .map(([name, value]) => [name.replaceAll("_", " "), String(value)])],
  ];
  const made = parts.map(([title, rows]) => {
    const heading = document.createElement("h2");
    heading.textContent = title;
    const table = document.createElement("table");
    for (const [name, value] of rows) {
      const row = table.insertRow();
      const head = document.createElement("th");
      head.scope = "row";
      head.textContent = name;
      row.append(head);
      row.insertCell().textContent = value;
    }
    return [heading, table];
  });
  panel.replaceChildren(...made.flat());
}
