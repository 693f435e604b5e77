/**
 * Colour of a cell by pressure and vacuum: blue and orange, a pair that people with any common form of colour
 * blindness tell apart; both together are grey.
 */

const LEVELS = 64;
const GROUND = [11, 14, 20];
const PRESSURE = [64, 156, 255];
const VACUUM = [255, 150, 20];
const BALANCED = [112, 116, 124];

/**
 * RGBA of (pressure, vacuum), each in LEVELS steps, as one little-endian word. The stronger of the two gives the
 * brightness, their balance the hue: an even pair is grey and half as bright, so that an imbalance stands out.
 */
const TABLE = (() => {
  const table = new Uint32Array(LEVELS * LEVELS);
  for (let p = 0; p < LEVELS; p += 1) {
    for (let v = 0; v < LEVELS; v += 1) {
      const strength = Math.max(p, v) / (LEVELS - 1);
      const balance = p + v === 0 ? 0 : (p * p - v * v) / (p * p + v * v);
      const lean = Math.min(1, Math.abs(balance) * 1.25);
      const hue = balance > 0 ? PRESSURE : VACUUM;
      const rgb = GROUND.map((ground, i) => {
        const full = BALANCED[i] + (hue[i] - BALANCED[i]) * lean;
        return Math.round(ground + (full - ground) * strength);
      });
      table[p * LEVELS + v] = (255 << 24) | (rgb[2] << 16) | (rgb[1] << 8) | rgb[0];
    }
  }
  return table;
})();

/** @param {number} pressure @param {number} vacuum @param {number} upper value of full colour @returns {number} RGBA word */
export function cellColour(pressure, vacuum, upper) {
  const p = Math.min(LEVELS - 1, Math.sqrt(pressure / upper) * (LEVELS - 1)) | 0;
  const v = Math.min(LEVELS - 1, Math.sqrt(vacuum / upper) * (LEVELS - 1)) | 0;
  return TABLE[p * LEVELS + v];
}

/** The upper cut-off of the colour scale: follows what is on screen, but does not flicker. */
export class Scale {
  constructor() {
    this.upper = 1;
    this.judgedMs = -Infinity;
  }

  /**
   * @param {Float32Array} values all cells on screen @param {number} nowMs
   * @returns {number} the 99.5th percentile of cells with any force, changed only when off by a quarter
   */
  judge(values, nowMs) {
    if (nowMs - this.judgedMs < 500) return this.upper;
    this.judgedMs = nowMs;
    const step = Math.max(1, Math.floor(values.length / 20_000));
    const sample = [];
    for (let i = 0; i < values.length; i += step) if (values[i] > 1e-3) sample.push(values[i]);
    if (sample.length < 20) return this.upper;
    sample.sort((a, b) => a - b);
    const wanted = Math.max(sample[Math.floor(sample.length * 0.995)], 0.1);
    if (wanted > this.upper * 1.25 || wanted < this.upper * 0.75) this.upper = wanted;
    return this.upper;
  }
}

/** @param {HTMLCanvasElement} canvas pressure grows to the right, vacuum upwards */
export function drawLegend(canvas) {
  const context = canvas.getContext("2d");
  if (!context) return;
  const image = context.createImageData(canvas.width, canvas.height);
  const words = new Uint32Array(image.data.buffer);
  for (let y = 0; y < canvas.height; y += 1) {
    for (let x = 0; x < canvas.width; x += 1) {
      const pressure = (x / (canvas.width - 1)) ** 2;
      const vacuum = (1 - y / (canvas.height - 1)) ** 2;
      words[y * canvas.width + x] = cellColour(pressure, vacuum, 1);
    }
  }
  context.putImageData(image, 0, 0);
}
