/**
 * Floats of safetensors files: decodes F32, F16 and BF16 to 32-bit floats, and rounds to IEEE halves (to nearest, ties
 * to even). Readers and writers of weights, and the files of tuned models, use it.
 */
import { modelError } from "../../model-errors.ts";

export type FloatType = "F32" | "F16" | "BF16";

export const floatBytes: Readonly<Record<FloatType, number>> = { F32: 4, F16: 2, BF16: 2 };

const word = new Uint32Array(1);
const wordAsFloat = new Float32Array(word.buffer);

/** All 2^16 halves as floats, made when first needed. */
let halves: Float32Array | undefined;

function halfTable(): Float32Array {
  halves ??= Float32Array.from({ length: 65_536 }, (_, half) => {
    const sign = half & 0x8000 ? -1 : 1;
    const exponent = (half >> 10) & 31;
    const fraction = half & 1023;
    if (exponent === 31) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
    if (exponent === 0) return sign * fraction * 2 ** -24;
    return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
  });
  return halves;
}

/** The float that the bits of a half stand for. */
export const halfToFloat = (half: number): number => halfTable()[half]!;

/**
 * Little-endian numbers as 32-bit floats; each of them is exact.
 *
 * @throws RollupError MOD_FILE_INVALID naming the tensor and the number's index from `first` on
 */
export function decodeFloats(bytes: Uint8Array, type: FloatType, tensor: string, first = 0): Float32Array {
  const count = bytes.length / floatBytes[type];
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const out = new Float32Array(count);
  const table = type === "F16" ? halfTable() : undefined;
  for (let i = 0; i < count; i++) {
    if (type === "F32") {
      out[i] = view.getFloat32(4 * i, true);
    } else if (table !== undefined) {
      out[i] = table[view.getUint16(2 * i, true)]!;
    } else {
      word[0] = view.getUint16(2 * i, true) << 16;
      out[i] = wordAsFloat[0]!;
    }
  }
  const wrong = out.findIndex((value) => !Number.isFinite(value));
  if (wrong >= 0) {
    throw modelError("MOD_FILE_INVALID", `number ${first + wrong} of ${tensor} is ${out[wrong]}`, {
      data: { reason: "tensor-not-finite", tensor, index: first + wrong },
    });
  }
  return out;
}

/** Each number becomes the nearest half, in place. @throws RollupError MOD_FILE_INVALID for one that is too large */
export function roundToHalves(values: Float32Array, name: string): void {
  values.set(decodeFloats(new Uint8Array(toHalves(values).buffer), "F16", name));
}

/** The nearest half of each number, of two equally near the even one; too large numbers become infinite. */
export function toHalves(values: Float32Array): Uint16Array {
  const out = new Uint16Array(values.length);
  for (const [i, value] of values.entries()) {
    wordAsFloat[0] = value;
    const bits = word[0]!;
    const sign = (bits >>> 16) & 0x8000;
    const size = Math.abs(value);
    if (size >= 65_520) {
      out[i] = sign | 0x7c00;
    } else if (size < 2 ** -14) {
      // Below that halves are multiples of 2^-24; the sum rounds to one.
      out[i] = sign | (size * 2 ** 24 + 2 ** 52 - 2 ** 52);
    } else {
      const magnitude = bits & 0x7fffffff;
      out[i] = sign | ((magnitude - 0x38000000 + 0xfff + ((magnitude >>> 13) & 1)) >>> 13);
    }
  }
  return out;
}
