/** What is taken away from the page: a picture with a header that says what it is, and files of frames. */

/** @param {Blob | string} what a blob or an address @param {string} name */
export function download(what, name) {
  const anchor = document.createElement("a");
  const address = typeof what === "string" ? what : URL.createObjectURL(what);
  anchor.href = address;
  anchor.download = name;
  anchor.click();
  if (typeof what !== "string") setTimeout(() => URL.revokeObjectURL(address), 10_000);
}

/**
 * The chart as a picture, with lines of text above it.
 * @param {HTMLCanvasElement[]} layers from the lowest up @param {string[]} lines
 * @param {{ratio: number, ground: string, text: string}} how
 * @returns {Promise<Blob>}
 */
export function picture(layers, lines, { ratio, ground, text }) {
  const [{ width, height }] = layers;
  const canvas = document.createElement("canvas");
  const line = Math.round(18 * ratio);
  canvas.width = width;
  canvas.height = height + line * lines.length + line / 2;
  const context = canvas.getContext("2d");
  if (!context) throw new Error("this browser has no canvas");
  context.fillStyle = ground;
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.fillStyle = text;
  context.font = `${Math.round(12.5 * ratio)}px system-ui, sans-serif`;
  context.textBaseline = "top";
  lines.forEach((words, i) => context.fillText(words, 8 * ratio, i * line + 4 * ratio, width - 16 * ratio));
  for (const layer of layers) context.drawImage(layer, 0, canvas.height - height);
  return new Promise((resolve, reject) => {
    canvas.toBlob((blob) => (blob ? resolve(blob) : reject(new Error("the picture could not be made"))), "image/png");
  });
}
