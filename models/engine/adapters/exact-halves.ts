/**
 * Lossless conversion of adapters to 16 bits: flat-adapter.ts stores halves where this returns them, and 32-bit floats
 * otherwise.
 */

const number = new Float32Array(1);
const bits = new Uint32Array(number.buffer);

/** Numbers as IEEE halves, or null if one of them is none exactly. */
export function exactHalves(values: Float32Array): Uint16Array | null {
  const halves = new Uint16Array(values.length);
  for (const [i, value] of values.entries()) {
    number[0] = value;
    const sign = (bits[0]! >>> 16) & 0x8000;
    const exponent = ((bits[0]! >>> 23) & 255) - 127;
    const fraction = bits[0]! & 0x7fffff;
    if (value === 0) halves[i] = sign;
    else if (exponent >= -14 && exponent <= 15 && (fraction & 0x1fff) === 0)
      halves[i] = sign | ((exponent + 15) << 10) | (fraction >> 13);
    else {
      const steps = Math.abs(value) * 2 ** 24;
      if (steps >= 1_024 || !Number.isInteger(steps)) return null;
      halves[i] = sign | steps;
    }
  }
  return halves;
}
