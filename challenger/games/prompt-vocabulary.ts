/** A vocabulary as a model's statics bind it, and lengths as a claim has them. */

import type { SpelledToken, TokenSpelling } from "@openledger/models/tokens/token-spelling";
import { bytesToHex, type Hex } from "viem";
import { type LeafTree, leafTree } from "../statements/leaf-tree.ts";

const HEAD_BYTES = 12;
const NO_RULE = 2 ** 32 - 1;

export interface PromptVocabulary {
  readonly spelling: TokenSpelling;
  readonly tree: LeafTree;
}

/** Some 10 µs a token. */
export function promptVocabulary(spelling: TokenSpelling): PromptVocabulary {
  return { spelling, tree: leafTree(spelling.tokens.map(vocabularyLeaf)) };
}

/** rank 4 | left 4 | right 4 | what it spells. */
function vocabularyLeaf({ bytes, rule }: SpelledToken): Uint8Array {
  const leaf = new Uint8Array(HEAD_BYTES + bytes.length);
  const view = new DataView(leaf.buffer);
  const numbers = [rule?.rank ?? NO_RULE, rule?.left ?? 0, rule?.right ?? 0];
  for (const [i, number] of numbers.entries()) view.setUint32(4 * i, number);
  leaf.set(bytes, HEAD_BYTES);
  return leaf;
}

/** PromptTokens.Entry: a token's leaf, and its path. */
export const entryOf = ({ spelling, tree }: PromptVocabulary, token: number) => ({
  token: BigInt(token),
  data: bytesToHex(vocabularyLeaf(spelling.tokens[token]!)),
  path: tree.path(token).map((node) => bytesToHex(node)),
});

/** Two bytes each. */
export function packLengths(lengths: readonly number[]): Hex {
  const bytes = new Uint8Array(2 * lengths.length);
  const view = new DataView(bytes.buffer);
  for (const [i, length] of lengths.entries()) view.setUint16(2 * i, length);
  return bytesToHex(bytes);
}
