/**
 * Grid values in 16 bits: bfloat16, the upper half of a float32, rounded. Half the memory, the whole range, an error
 * of at most 0.4 %; and of two values that are not negative the larger one has the larger bits.
 */

const one = new Float32Array(1);
const bits = new Uint32Array(one.buffer);

/** @param {number} bfloat16 16 bits @returns {number} */
export function fromBfloat16(bfloat16) {
  bits[0] = bfloat16 << 16;
  return one[0];
}

/** @param {number} value not negative @returns {number} 16 bits */
export function toBfloat16(value) {
  one[0] = value;
  return (bits[0] + 0x8000) >>> 16;
}

/**
 * Copy float32 values that may lie at any byte into bfloat16.
 * @param {DataView} from @param {number} offset bytes @param {Uint16Array} to @param {number} at @param {number} count
 */
export function copyAsBfloat16(from, offset, to, at, count) {
  for (let i = 0; i < count; i += 1) to[at + i] = (from.getUint32(offset + 4 * i, true) + 0x8000) >>> 16;
}
