/** Columns of a frame message, viewed where they lie (docs/protocol.md). */

/**
 * @typedef {{name: string, type: string, offset: number, length_bytes: number, validity_offset: number | null}} Column
 * @typedef {{message_bytes: number, rows: number, columns: Column[]}} FrameDescription
 */

export class FrameLayout {
  /** @param {FrameDescription} description `frame` of runtime_config */
  constructor(description) {
    this.messageBytes = description.message_bytes;
    this.rows = description.rows;
    /** @type {Map<string, Column>} */
    this.columns = new Map(description.columns.map((column) => [column.name, column]));
  }

  /** @param {string} name @returns {Column} */
  column(name) {
    const column = this.columns.get(name);
    if (!column) throw new Error(`the server sends no column ${name}`);
    return column;
  }

  /**
   * A scalar as a number (64-bit integers lose digits beyond 2^53), or null.
   * @param {DataView} message @param {string} name @returns {number | null}
   */
  scalar(message, name) {
    const { type, offset, validity_offset: validity } = this.column(name);
    if (validity !== null && (message.getUint8(validity) & 1) === 0) return null;
    switch (type) {
      case "timestamp_ns":
      case "int64": return Number(message.getBigInt64(offset, true));
      case "float64": return message.getFloat64(offset, true);
      case "float32": return message.getFloat32(offset, true);
      case "int8": return message.getInt8(offset);
      case "bool": return message.getUint8(offset) & 1;
      default: throw new Error(`${name} is no scalar but ${type}`);
    }
  }

  /** @param {ArrayBuffer} message @param {string} name a float32 grid column @returns {Float32Array} a view */
  grid(message, name) {
    return new Float32Array(message, this.column(name).offset, this.rows);
  }
}
