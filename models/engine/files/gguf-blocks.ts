/**
 * Numbers of GGUF files as 32-bit floats: F32, F16, BF16, and the blocks Q8_0, Q4_K and Q6_K with the roundings of llama.cpp's
 * `dequantize_row_…` (ggml/src/ggml-quants.c), so every machine has the same floats. gguf-file.ts reads tensors by it.
 */
import { modelError } from "../../model-errors.ts";
import { decodeFloats, halfToFloat } from "./float-formats.ts";

/** Numbers and bytes of a block. */
export const GGUF_BLOCKS = {
  F32: { numbers: 1, bytes: 4 },
  F16: { numbers: 1, bytes: 2 },
  BF16: { numbers: 1, bytes: 2 },
  Q8_0: { numbers: 32, bytes: 34 },
  Q4_K: { numbers: 256, bytes: 144 },
  Q6_K: { numbers: 256, bytes: 210 },
} as const;
export type GgufType = keyof typeof GGUF_BLOCKS;

/**
 * Whole blocks of a tensor as floats.
 *
 * @param first index of their first number in the tensor, for the error
 * @throws RollupError MOD_FILE_INVALID naming the tensor and the number that is none
 */
export function decodeBlocks(bytes: Uint8Array, type: GgufType, tensor: string, first: number): Float32Array {
  if (type === "F32" || type === "F16" || type === "BF16") return decodeFloats(bytes, type, tensor, first);
  const { bytes: blockBytes, numbers } = GGUF_BLOCKS[type];
  const count = bytes.length / blockBytes;
  const out = new Float32Array(count * numbers);
  const signed = new Int8Array(bytes.buffer, bytes.byteOffset, bytes.length);
  const decode = { Q8_0: decodeQ8, Q4_K: decodeQ4, Q6_K: decodeQ6 }[type];
  for (let block = 0; block < count; block++) decode(bytes, signed, block * blockBytes, out, block * numbers);
  let wrong = 0;
  while (wrong < out.length && Number.isFinite(out[wrong]!)) wrong++;
  if (wrong === out.length) return out;
  throw modelError("MOD_FILE_INVALID", `number ${first + wrong} of ${tensor} is ${out[wrong]}`, {
    data: { reason: "tensor-not-finite", tensor, index: first + wrong },
  });
}

type Decode = (bytes: Uint8Array, signed: Int8Array, at: number, out: Float32Array, to: number) => void;

const halfAt = (bytes: Uint8Array, at: number): number => halfToFloat(bytes[at]! | (bytes[at + 1]! << 8));

/** A half as scale, then 32 integers of 8 bits. */
const decodeQ8: Decode = (bytes, signed, at, out, to) => {
  const scale = halfAt(bytes, at);
  for (let i = 0; i < 32; i++) out[to + i] = scale * signed[at + 2 + i]!;
};

/**
 * Two halves; eight scales and eight offsets of 6 bits in 12 bytes; 256 integers of 4 bits, the low and high halves of 32 bytes
 * one after the other. Both products are exact, their difference is rounded once.
 */
const decodeQ4: Decode = (bytes, _, at, out, to) => {
  const scale = halfAt(bytes, at);
  const offset = halfAt(bytes, at + 2);
  for (let group = 0; group < 8; group++) {
    const own = bytes[at + 4 + group]!;
    const next = bytes[at + 8 + group]!;
    // Of the last four the high two bits lie in the bytes of the first four.
    const isFirst = group < 4;
    const scaleBits = isFirst ? own & 63 : (next & 15) | ((bytes[at + group]! >> 6) << 4);
    const offsetBits = isFirst ? next & 63 : (next >> 4) | ((own >> 6) << 4);
    const [step, start] = [scale * scaleBits, offset * offsetBits];
    const integers = at + 16 + 32 * (group >> 1);
    const shift = 4 * (group & 1);
    for (let i = 0; i < 32; i++)
      out[to + 32 * group + i] = step * ((bytes[integers + i]! >> shift) & 15) - start;
  }
};

/**
 * 128 bytes with the low four bits of 256 integers, 64 with their high two, 16 scales of 8 bits, and a half. The product is
 * rounded once: the first one is exact.
 */
const decodeQ6: Decode = (bytes, signed, at, out, to) => {
  const scale = halfAt(bytes, at + 208);
  for (let group = 0; group < 16; group++) {
    const step = scale * signed[at + 192 + group]!;
    const first = 16 * group;
    const quarter = (first >> 5) & 3;
    const low = at + 64 * (first >> 7) + (first & 63);
    const high = at + 128 + 32 * (first >> 7) + (first & 31);
    const lowShift = quarter < 2 ? 0 : 4;
    for (let i = 0; i < 16; i++) {
      const bits = ((bytes[low + i]! >> lowShift) & 15) | (((bytes[high + i]! >> (2 * quarter)) & 3) << 4);
      out[to + first + i] = step * (bits - 32);
    }
  }
};
