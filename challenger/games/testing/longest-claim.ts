import { traceGameAbi } from "@openledger/contracts/build/trace-abi";
import {
  concat,
  decodeFunctionData,
  encodeAbiParameters,
  encodeFunctionData,
  type Hex,
  keccak256,
  parseAbiParameters,
  toHex,
  zeroHash,
} from "viem";
import { wordBytes } from "../../trace/word-tree.ts";
import { type ClaimedReceipt, claimReceiptCall, type TracedTuple } from "../claims/ledger-claims.ts";
import {
  claimOf,
  type DescribedModel,
  type TracedQuery,
  type TraceStatement,
} from "../claims/traced-model.ts";

export const MOST_TOKENS = 4_096;
const PROMPT_TOKENS = 2;
const NO_TOKEN = 2n ** 32n;

/**
 * Claims of a text of as many tokens as there may be, with any query: nobody plays about it. `terms` promise a program for
 * it, and an answer of all its tokens but the prompt's.
 */
export function longestClaim(model: DescribedModel, traced: TracedTuple, query: TracedQuery) {
  const { statement } = claimOf(model, query);
  const tokens = Array.from({ length: MOST_TOKENS }, (_, i) => 100_000 + i);
  const { path, ...of } = asLongest(statement);
  const shown = {
    ...{ ...statement, ...of, tokens: toHex(wordBytes(tokens)) },
    promptCount: BigInt(PROMPT_TOKENS),
  };
  const mostTokens = tokens.length - PROMPT_TOKENS;
  const terms: TracedTuple = { ...traced, ...of, mostTokens, endToken: NO_TOKEN };
  return {
    terms,
    answer: JSON.stringify({ text: "So.", tokens: tokens.slice(PROMPT_TOKENS) }),
    callOf(receipt: ClaimedReceipt): Hex {
      const data = claimReceiptCall(model, terms, query, receipt);
      const { functionName, args } = decodeFunctionData({ abi: traceGameAbi, data });
      const changed = [shown, path, ...args!.slice(2)];
      return encodeFunctionData({ abi: traceGameAbi, functionName, args: changed } as never);
    },
  };
}

/** Its program as the last of all: its neighbours are left of it, and their roots anything. */
export function asLongest({ opCount, program }: TraceStatement) {
  const path = Array.from({ length: Math.log2(MOST_TOKENS) }, () => zeroHash);
  const leaf = keccak256(encodeAbiParameters(parseAbiParameters("uint256, bytes32"), [opCount, program]));
  return { path, programs: rootBehind(leaf, path), programCount: BigInt(MOST_TOKENS) };
}

/** Over a tree's last leaf. */
export const rootBehind = (leaf: Hex, path: readonly Hex[]): Hex =>
  path.reduce((node, left) => keccak256(concat([left, node])), leaf);
