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
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const decode = { Q8_0: decodeQ8, Q4_K: decodeQ4, Q6_K: decodeQ6 }[type];
  for (let block = 0; block < count; block++) decode(view, block * blockBytes, out, block * numbers);
  const wrong = out.findIndex((value) => !Number.isFinite(value));
  if (wrong < 0) return out;
  throw modelError("MOD_FILE_INVALID", `number ${first + wrong} of ${tensor} is ${out[wrong]}`, {
    data: { reason: "tensor-not-finite", tensor, index: first + wrong },
  });
}

type Decode = (view: DataView, at: number, out: Float32Array, to: number) => void;

const halfAt = (view: DataView, at: number): number => halfToFloat(view.getUint16(at, true));

/** A half as scale, then 32 integers of 8 bits. */
const decodeQ8: Decode = (view, at, out, to) => {
  const scale = halfAt(view, at);
  for (let i = 0; i < 32; i++) out[to + i] = scale * view.getInt8(at + 2 + i);
};

/**
 * Two halves; eight scales and eight offsets of 6 bits in 12 bytes; 256 integers of 4 bits, the low and high halves of 32 bytes
 * one after the other. Both products are exact, their difference is rounded once.
 */
const decodeQ4: Decode = (view, at, out, to) => {
  const scale = halfAt(view, at);
  const offset = halfAt(view, at + 2);
  const packed = (i: number) => view.getUint8(at + 4 + i);
  for (let group = 0; group < 8; group++) {
    const isFirst = group < 4;
    const scaleBits = isFirst
      ? packed(group) & 63
      : (packed(group + 4) & 15) | ((packed(group - 4) >> 6) << 4);
    const offsetBits = isFirst
      ? packed(group + 4) & 63
      : (packed(group + 4) >> 4) | ((packed(group) >> 6) << 4);
    const integers = at + 16 + 32 * (group >> 1);
    for (let i = 0; i < 32; i++) {
      const integer = (view.getUint8(integers + i) >> (4 * (group & 1))) & 15;
      out[to + 32 * group + i] = scale * scaleBits * integer - offset * offsetBits;
    }
  }
};

/**
 * 128 bytes with the low four bits of 256 integers, 64 with their high two, 16 scales of 8 bits, and a half. The product is
 * rounded once: the first one is exact.
 */
const decodeQ6: Decode = (view, at, out, to) => {
  const scale = halfAt(view, at + 208);
  for (let i = 0; i < 256; i++) {
    const [half, rest] = [i >> 7, i & 127];
    const quarter = rest >> 5;
    const low = view.getUint8(at + 64 * half + (rest & 63)) >> (quarter < 2 ? 0 : 4);
    const high = view.getUint8(at + 128 + 32 * half + (rest & 31)) >> (2 * quarter);
    const integer = ((low & 15) | ((high & 3) << 4)) - 32;
    out[to + i] = scale * view.getInt8(at + 192 + (i >> 4)) * integer;
  }
};
