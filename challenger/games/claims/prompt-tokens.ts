/** A prompt's tokens as LedgerTraces compares them: what shows a wrong one. */

import { traceGameAbi } from "@openledger/contracts/build/trace-abi";
import { findPromptFault, type PromptFault } from "@openledger/models/tokens/token-spelling";
import { encodeFunctionData, type Hex, hexToBytes } from "viem";
import type { TracedTuple } from "./ledger-claims.ts";
import { entryOf, type PromptVocabulary } from "./prompt-vocabulary.ts";
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
  vocabulary: PromptVocabulary,
  traced: TracedTuple,
  { claimId, lengths, prompt, statement }: ClaimedPrompt,
  fault: PromptFault,
): Hex {
  const entry = (token: number) => entryOf(vocabulary, token);
  const claim = [claimId, statement, traced, prompt, lengths, BigInt(fault.place)] as const;
  if (fault.kind !== "join") {
    const args = [...claim, entry(textOf(statement).tokens[fault.place]!)] as const;
    return encodeFunctionData({ abi: traceGameAbi, functionName: "challengeSpelling", args });
  }
  const { joined, left, right } = fault;
  const args = [...claim, entry(joined), left.map(entry), right.map(entry)] as const;
  return encodeFunctionData({ abi: traceGameAbi, functionName: "challengeJoin", args });
}
