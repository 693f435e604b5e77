/** What is taken away from the page: a picture with a header that says what it is, and files of frames. */

import { element } from "./dom.js";
import { amountText, clockText, dateAndTime, zoneName } from "./format.js";
import { framesAddress } from "./http-api.js";
import { say } from "./notices.js";
import { signalText } from "./score-strip.js";

/** @typedef {import("./feed.js").Feed} Feed @typedef {import("./viewport.js").Viewport} Viewport */

/** @param {Blob | string} what a blob or an address @param {string} [name] left out: as the server names it */
export function download(what, name = "") {
  const anchor = document.createElement("a");
  const address = typeof what === "string" ? what : URL.createObjectURL(what);
  anchor.href = address;
  anchor.download = name;
  anchor.click();
  if (typeof what !== "string") setTimeout(() => URL.revokeObjectURL(address), 10_000);
}

const BAR_PX = 260;
const LINE_PX = 18;

/**
 * The chart as a picture, with lines of text above it, and the colour bar with its cut-offs at their right.
 * @param {HTMLCanvasElement[]} layers from the lowest up @param {string[]} lines
 * @param {import("./legend.js").Legend} legend @param {{ratio: number, ground: string, text: string}} how
 * @returns {Promise<Blob>}
 */
function drawPicture(layers, lines, legend, { ratio, ground, text }) {
  const [{ width, height }] = layers;
  const canvas = document.createElement("canvas");
  const line = Math.round(LINE_PX * ratio);
  canvas.width = width;
  canvas.height = height + line * lines.length + line / 2;
  const context = canvas.getContext("2d");
  if (!context) throw new Error("this browser has no canvas");
  context.fillStyle = ground;
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.fillStyle = text;
  context.font = `${Math.round(12.5 * ratio)}px system-ui, sans-serif`;
  context.textBaseline = "top";
  const bar = Math.min(BAR_PX * ratio, width / 3);
  const left = width - bar - 24 * ratio;
  lines.forEach((words, i) => context.fillText(words, 8 * ratio, i * line + 4 * ratio, left - 32 * ratio));
  context.drawImage(legend.parts.canvas, left, 4 * ratio, bar, line * (lines.length - 1) - 6 * ratio);
  context.textAlign = "center";
  for (const end of /** @type {const} */ (["lower", "upper"])) {
    const at = left + legend.shareOf(legend.scale[end]) * bar;
    context.fillRect(at - ratio, 4 * ratio, 2 * ratio, line * (lines.length - 1) - 4 * ratio);
    context.fillText(amountText(legend.scale[end]), at, line * (lines.length - 1));
  }
  for (const layer of layers) context.drawImage(layer, 0, canvas.height - height);
  return new Promise((resolve, reject) => {
    canvas.toBlob((blob) => (blob ? resolve(blob) : reject(new Error("the picture could not be made"))), "image/png");
  });
}

/** A picture's name, as the server names files of frames. @param {Feed} feed @param {Viewport} viewport @returns {string} without its ending */
function pictureName({ config }, { startMs, endMs }) {
  const [from, until] = [startMs, endMs].map((timeMs) => dateAndTime(timeMs, "ET").time.replaceAll(":", ""));
  return [config.contract, config.dt, `${from}-${until}`].map((part) => part.replaceAll(/[^A-Za-z0-9.+-]+/g, "-")).join("_");
}

/** Save the chart as a picture. @param {Feed} feed @param {import("./chart.js").Chart} chart */
export async function saveScreenshot(feed, chart) {
  const { config } = feed;
  const { scene, viewport } = chart;
  if (!scene) return;
  const stateMs = Math.min(feed.nowMs, viewport.endMs);
  const lines = [
    `${config.contract}  ${dateAndTime(viewport.endMs).date}  ${clockText(viewport.startMs)} to ${clockText(viewport.endMs)} ${zoneName()}  ·  ${element("legend-text").textContent}  ${element("hatched").textContent}`,
    `${feed.files}${config.source === "generated" ? " (generated data)" : ""}  ·  throttle ${config.throttle_ms} ms  ·  Vacuum Pressure ${config.version}`,
    `${clockText(stateMs)} ${zoneName()}  ${signalText(scene, stateMs)}`,
  ];
  const { size: { ratio }, theme: { ground, text } } = scene;
  download(await drawPicture(chart.canvases(), lines, chart.legend, { ratio, ground, text }), `${pictureName(feed, viewport)}.png`);
  say("Screenshot saved");
}

/** Save the frames that are on screen. @param {string} base @param {Feed} feed @param {Viewport} viewport @param {"csv" | "arrow"} form */
export function saveFrames(base, feed, viewport, form) {
  const ns = (/** @type {number} */ ms) => String(BigInt(Math.floor(ms * 1000)) * 1000n);
  download(framesAddress(base, {
    session_id: feed.config.session_id, from_ns: ns(viewport.startMs), until_ns: ns(viewport.endMs + 0.001), format: form,
    ...(form === "csv" ? { fields: feed.fields.join(",") } : {}),
  }));
  say("Export begins");
}
