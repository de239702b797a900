/** A vocabulary as a model's statics bind it, and lengths as a claim has them. */

import { concatBytes } from "@noble/hashes/utils.js";
import type { SpelledToken, TokenSpelling } from "@openledger/models/tokens/token-spelling";
import { bytesToHex, type Hex } from "viem";
import { type LeafTree, leafTree } from "../../statements/leaf-tree.ts";
import { wordBytes } from "../../trace/word-tree.ts";

const HEAD_BYTES = 12;
const NO_RULE = 2 ** 32 - 1;

/** Bytes that a token spells at most: contracts/disputes/texts/PromptTokens.sol. */
export const MOST_TOKEN_BYTES = 256;
/** A path of 20 words opens any of them: contracts/disputes/ClaimChecks.sol. */
const MOST_VOCABULARY = 2 ** 20;
/** Of the entries that show that two neighbours would have been joined, beside the largest claim in one transaction. */
const MOST_JOIN_BYTES = 24 * 1_024;
const WORD_BYTES = 32;

export interface PromptVocabulary {
  readonly spelling: TokenSpelling;
  readonly tree: LeafTree;
}

/** Some 10 µs a token. */
export function promptVocabulary(spelling: TokenSpelling): PromptVocabulary {
  return { spelling, tree: leafTree(spelling.tokens.map(vocabularyLeaf)) };
}

/** rank 4 | left 4 | right 4 | what it spells. */
export function vocabularyLeaf({ bytes, rule }: SpelledToken): Uint8Array {
  return concatBytes(wordBytes([rule?.rank ?? NO_RULE, rule?.left ?? 0, rule?.right ?? 0]), bytes);
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

/**
 * Why a wrong token of a prompt could be one that no transaction shows: attack of an owner whose vocabulary has entries, or
 * chains of rules, that have no room in one. null where all have room.
 */
export function vocabularyFault({ tokens }: TokenSpelling): string | null {
  if (tokens.length > MOST_VOCABULARY)
    return `its vocabulary has ${tokens.length} tokens, and at most ${MOST_VOCABULARY} can be opened`;
  const longest = tokens.reduce((most, { bytes }) => Math.max(most, bytes.length), 0);
  if (longest > MOST_TOKEN_BYTES)
    return `a token of its vocabulary spells ${longest} bytes, at most ${MOST_TOKEN_BYTES} can be shown`;
  const pathWords = Math.ceil(Math.log2(Math.max(1, tokens.length)));
  const entryBytes = ({ bytes }: SpelledToken) =>
    // Besides bytes and path: where it begins, the token, where both begin, and their lengths.
    WORD_BYTES * (6 + pathWords + Math.ceil((HEAD_BYTES + bytes.length) / WORD_BYTES));
  /** Of the rules from a token down one of its ends. */
  const endBytes = (token: SpelledToken, end: "left" | "right") => {
    let bytes = 0;
    for (let one = token; one.rule !== null && bytes <= MOST_JOIN_BYTES; one = tokens[one.rule[end]]!)
      bytes += entryBytes(one);
    return bytes;
  };
  const most = (of: (token: SpelledToken) => number) =>
    tokens.reduce((all, one) => Math.max(all, of(one)), 0);
  const shown =
    most((one) => endBytes(one, "right")) + most((one) => endBytes(one, "left")) + most(entryBytes);
  if (shown <= MOST_JOIN_BYTES) return null;
  return `the rules of its vocabulary take ${shown} bytes to show, and at most ${MOST_JOIN_BYTES} have room`;
}
