/** A prompt's tokens as LedgerTraces compares them: the vocabulary's tree, and what shows a wrong token. */
import { bytesToHex, encodeFunctionData, type Hex, hexToBytes } from "viem";
import { type LeafTree, leafTree } from "../../attribution/disputes/leaf-tree.ts";
import { traceGameAbi } from "../../contracts/build/trace-abi.ts";
import {
  findPromptFault,
  type PromptFault,
  type SpelledToken,
  type TokenSpelling,
} from "../tokens/token-spelling.ts";
import type { TracedTuple } from "./ledger-claims.ts";
import { type TraceStatement, textOf } from "./traced-model.ts";

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

/** Two bytes each. */
export function packLengths(lengths: readonly number[]): Hex {
  const bytes = new Uint8Array(2 * lengths.length);
  const view = new DataView(bytes.buffer);
  for (const [i, length] of lengths.entries()) view.setUint16(2 * i, length);
  return bytesToHex(bytes);
}

/** What a claim says of its prompt, as the contract has taken it. */
export interface ClaimedPrompt {
  readonly claimId: bigint;
  readonly statement: TraceStatement;
  readonly prompt: Hex;
  /** Two bytes a token. */
  readonly lengths: Hex;
}

/** What L1 can be shown to be wrong of the prompt's tokens; null for nothing. */
export function faultOfPrompt({ spelling }: PromptVocabulary, claim: ClaimedPrompt): PromptFault | null {
  const { promptCount, tokens } = textOf(claim.statement);
  const lengths = claim.lengths.slice(2).match(/.{4}/g) ?? [];
  return findPromptFault(
    spelling,
    hexToBytes(claim.prompt),
    lengths.map((length) => Number.parseInt(length, 16)),
    tokens.slice(0, promptCount),
  );
}

/** The transaction that shows it. */
export function refutePromptCall(
  { spelling, tree }: PromptVocabulary,
  traced: TracedTuple,
  { claimId, lengths, prompt, statement }: ClaimedPrompt,
  fault: PromptFault,
): Hex {
  const entryOf = (token: number) => ({
    token: BigInt(token),
    data: bytesToHex(vocabularyLeaf(spelling.tokens[token]!)),
    path: tree.path(token).map((node) => bytesToHex(node)),
  });
  const claim = [claimId, statement, traced, prompt, lengths, BigInt(fault.place)] as const;
  if (fault.kind === "spelling") {
    const args = [...claim, entryOf(textOf(statement).tokens[fault.place]!)] as const;
    return encodeFunctionData({ abi: traceGameAbi, functionName: "challengeSpelling", args });
  }
  const { joined, left, right } = fault;
  const args = [...claim, entryOf(joined), left.map(entryOf), right.map(entryOf)] as const;
  return encodeFunctionData({ abi: traceGameAbi, functionName: "challengeJoin", args });
}
