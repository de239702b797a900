/** A prompt's tokens as LedgerTraces compares them: what shows a wrong one. */
import { bytesToHex, encodeFunctionData, type Hex, hexToBytes } from "viem";
import { traceGameAbi } from "../../contracts/build/trace-abi.ts";
import { findPromptFault, type PromptFault } from "../tokens/token-spelling.ts";
import type { TracedTuple } from "./ledger-claims.ts";
import { type PromptVocabulary, vocabularyLeaf } from "./prompt-vocabulary.ts";
import { type TraceStatement, textOf } from "./traced-model.ts";

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
  if (fault.kind !== "join") {
    const args = [...claim, entryOf(textOf(statement).tokens[fault.place]!)] as const;
    return encodeFunctionData({ abi: traceGameAbi, functionName: "challengeSpelling", args });
  }
  const { joined, left, right } = fault;
  const args = [...claim, entryOf(joined), left.map(entryOf), right.map(entryOf)] as const;
  return encodeFunctionData({ abi: traceGameAbi, functionName: "challengeJoin", args });
}
