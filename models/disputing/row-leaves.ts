/** Leaves of a posting of a language model's rows: tokens, and real features (contracts/disputes/TextTrees.sol). */
import type { SpelledRow } from "../registered/text-tokens.ts";
import { wordsOf } from "../trace/word-tree.ts";

const HEAD_BYTES = 4;
const TOKEN_BYTES = 6;

/** promptCount 4 ‖ of each token 4, and 2 of how many bytes it spells. */
export function tokenLeaf({ lengths, promptCount, tokens }: SpelledRow): Uint8Array {
  const bytes = new Uint8Array(HEAD_BYTES + TOKEN_BYTES * tokens.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, promptCount);
  for (const [i, token] of tokens.entries()) {
    view.setUint32(HEAD_BYTES + TOKEN_BYTES * i, token);
    view.setUint16(HEAD_BYTES + TOKEN_BYTES * i + 4, lengths[i]!);
  }
  return bytes;
}

/** null where the bytes are no such list. What the numbers are is not asked. */
export function readTokenLeaf(bytes: Uint8Array): SpelledRow | null {
  const count = (bytes.length - HEAD_BYTES) / TOKEN_BYTES;
  if (!Number.isInteger(count) || count < 0) return null;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const places = Array.from({ length: count }, (_, i) => HEAD_BYTES + TOKEN_BYTES * i);
  return {
    promptCount: view.getUint32(0),
    tokens: places.map((at) => view.getUint32(at)),
    lengths: places.map((at) => view.getUint16(at + 4)),
  };
}

/** Four bytes each, a multiple of eight of them. Every NaN is the same. */
export const featureLeaf = (numbers: ArrayLike<number>): Uint8Array => wordsOf(Float32Array.from(numbers));
