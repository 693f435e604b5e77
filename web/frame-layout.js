/** Columns of a frame: as runtime_config describes them, viewed where they lie (docs/protocol.md). */

/**
 * @typedef {{name: string, type: string, offset: number, length_bytes: number, validity_offset: number | null}} Column
 * @typedef {{message_bytes: number, rows: number, columns: Column[]}} FrameDescription
 * @typedef {Float64Array | Float32Array | Int8Array | Uint8Array} ScalarArray
 */

/** How a scalar of each type is kept and read; 64-bit integers lose digits beyond 2^53. */
const SCALAR_TYPES = /** @type {Record<string, {array: new (length: number) => ScalarArray, read: (message: DataView, at: number) => number}>} */ ({
  int64: { array: Float64Array, read: (message, at) => Number(message.getBigInt64(at, true)) },
  float64: { array: Float64Array, read: (message, at) => message.getFloat64(at, true) },
  float32: { array: Float32Array, read: (message, at) => message.getFloat32(at, true) },
  int8: { array: Int8Array, read: (message, at) => message.getInt8(at) },
  uint8: { array: Uint8Array, read: (message, at) => message.getUint8(at) },
  bool: { array: Uint8Array, read: (message, at) => message.getUint8(at) & 1 },
});

export class FrameLayout {
  /** @param {FrameDescription} description `frame` of runtime_config */
  constructor(description) {
    this.messageBytes = description.message_bytes;
    this.rows = description.rows;
    /** @type {Map<string, Column>} */
    this.columns = new Map(description.columns.map((column) => [column.name, column]));
    /** Names of the scalar columns but the clock, and of the grid columns of float32. */
    this.scalars = description.columns.filter(({ type }) => type in SCALAR_TYPES).map(({ name }) => name);
    this.grids = description.columns.filter(({ type }) => type.startsWith("float32[")).map(({ name }) => name);
  }

  /** @param {string} name @returns {Column} */
  column(name) {
    const column = this.columns.get(name);
    if (!column) throw new Error(`the server sends no column ${name}`);
    return column;
  }

  /** Whether a column holds prices in 1e-9 units. @param {string} name */
  isPrice(name) { return name.endsWith("_price") && this.column(name).type === "int64"; }

  /** @param {string} name a scalar column @param {number} length @returns {ScalarArray} room for its values */
  allocate(name, length) { return new SCALAR_TYPES[this.column(name).type].array(length); }

  /**
   * A scalar as a number, NaN where it is null.
   * @param {DataView} message @param {string} name @returns {number}
   */
  scalar(message, name) {
    const { type, offset, validity_offset: validity } = this.column(name);
    if (validity !== null && (message.getUint8(validity) & 1) === 0) return NaN;
    return SCALAR_TYPES[type].read(message, offset);
  }

  /** @param {DataView} message @returns {bigint} the clock, ns UTC */
  clockNs(message) { return message.getBigInt64(this.column("ts_ns").offset, true); }

  /** @param {ArrayBuffer} message @param {string} name a grid column @returns {Float32Array} a view */
  grid(message, name) {
    return new Float32Array(message, this.column(name).offset, this.rows);
  }
}
