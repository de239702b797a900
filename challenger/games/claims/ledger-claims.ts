/**
 * What ties a traced query to a ledger (docs/explanation/fault-proofs.md): the roots in a model's statics, the receipt in a claim, the
 * claims in a settlement. The calls are those of LedgerTraces. Needs `initPoseidon`.
 */

import { hashTagged } from "@openledger/circuits/field/poseidon";
import type { ModelBody } from "@openledger/circuits/ledger/leaf";
import { DATA_CHUNK, TAG } from "@openledger/circuits/protocol";
import type { PreparedSettlement } from "@openledger/circuits/settlement/settled-model";
import { proofVector } from "@openledger/circuits/settlement/settlement-data";
import { traceGameAbi } from "@openledger/contracts/build/trace-abi";
import {
  type Address,
  bytesToHex,
  encodeAbiParameters,
  encodeFunctionData,
  type Hex,
  keccak256,
  toHex,
  zeroHash,
} from "viem";
import { type PromptVocabulary, packLengths } from "./prompt-vocabulary.ts";
import { claimOf, type DescribedModel, type LedgerModel, type TracedQuery } from "./traced-model.ts";

/** What a recipe says of answers and queries, and who claims. */
export interface TracedTerms {
  /** The one L1 account that claims the model's queries. */
  readonly claimant: Address;
  /** Entries of a receipt's query behind the traced ones: 1 or 255. */
  readonly rest: number;
  /** Of an answer. */
  readonly mostTokens: number;
  readonly endToken: number | null;
  /** Whether each token of an answer is the likeliest one. */
  readonly isLikeliest: boolean;
  /** null where the prompt's tokens cannot be compared with it. */
  readonly vocabulary: PromptVocabulary | null;
  /** Of the rows of G, as `textRules` packs them; 0 where nothing is posted of them. */
  readonly rules: bigint;
}

/** No token is as large. */
const NO_TOKEN = 2n ** 32n;
const DRAW_ELEMENTS = 3;

/** The contract's Traced. */
export function tracedTuple(
  model: DescribedModel,
  { claimant, endToken, isLikeliest, mostTokens, rest, rules, vocabulary }: TracedTerms,
) {
  const { inputRoots: inputs, programs } = model;
  return {
    claimant,
    inputs,
    programs: toHex(programs.tree.root),
    programCount: BigInt(programs.count + 1),
    featureCount: model.featureCount,
    rest,
    mostTokens,
    endToken: endToken === null ? NO_TOKEN : BigInt(endToken),
    vocabulary: vocabulary === null ? zeroHash : bytesToHex(vocabulary.tree.root),
    vocabularySize: vocabulary?.spelling.tokens.length ?? 0,
    joining: (vocabulary?.spelling.joining ?? 0) as number,
    isLikeliest,
    rules,
  };
}

export type TracedTuple = ReturnType<typeof tracedTuple>;

/** keccak256 of what a function of the games takes under this name, as the contract encodes it. */
export function hashAs(functionName: string, name: string, value: unknown): Hex {
  const item = traceGameAbi.find((one) => one.type === "function" && one.name === functionName);
  const { inputs } = item as { readonly inputs: readonly { readonly name: string }[] };
  const type = inputs.find((one) => one.name === name);
  return keccak256(encodeAbiParameters([type] as never, [value] as never));
}

/** keccak256 of the terms: what the statics of such a model bind besides its files' SHA-256. */
export function tracingDigest(traced: TracedTuple): Hex {
  return hashAs("register", "traced", traced);
}

/** Makes a rollup's gate admit the model's activation, and its settlements wait for claims. */
export function registerCall(
  model: LedgerModel,
  traced: TracedTuple,
  proof: {
    /** In the rollup's latest state on L1, with the path there: all children, the leaf's level first. */
    readonly fields: readonly bigint[];
    readonly body: ModelBody;
    readonly path: readonly (readonly bigint[])[];
    readonly columnsCommitment: bigint;
    readonly filesHash: bigint;
    readonly cap: number;
  },
): Hex {
  const { closed, accruedRoot, claimedRoot, epochStart, statics } = proof.body;
  const { binding, payeeRoot, ownersCommitment, split } = statics;
  const shown = {
    fields: proof.fields,
    parts: [proof.columnsCommitment, proof.filesHash, ownersCommitment, payeeRoot, binding, split],
    rest: [closed, accruedRoot, claimedRoot, epochStart],
  };
  const args = [model.rollup, Number(model.modelId), traced, shown, proof.path, BigInt(proof.cap)];
  return encodeFunctionData({ abi: traceGameAbi, functionName: "register", args } as never);
}

/** What a receipt hashes besides the statics. */
export interface ClaimedText {
  readonly payerId: number;
  readonly salt: bigint;
  readonly prompt: string;
  /** As the receipt hashes it: `answerText`. */
  readonly answer: string;
}

export interface ClaimedReceipt extends ClaimedText {
  /** Bytes that each token of the prompt spells; none where the model has no vocabulary. */
  readonly lengths: readonly number[];
}

/** Claims that the receipt's query is that of its prompt and its answer. */
export function claimReceiptCall(
  model: DescribedModel,
  traced: TracedTuple,
  query: TracedQuery,
  { answer, lengths, payerId, prompt, salt }: ClaimedReceipt,
): Hex {
  const { path, statement } = claimOf(model, query);
  const utf8 = (text: string) => toHex(new TextEncoder().encode(text));
  const bytes = Uint8Array.from(query.query, (entry) => (entry + 255) / 2);
  const receipt = {
    ...{ payerId: BigInt(payerId), salt, query: toHex(bytes) },
    ...{ prompt: utf8(prompt), answer: utf8(answer), lengths: packLengths(lengths) },
  };
  return encodeFunctionData({
    abi: traceGameAbi,
    functionName: "claimReceipt",
    args: [statement, path, traced, receipt],
  });
}

/** Shows the end of what a settlement commits to, and the claim of each of its opened draws. */
export function approveCall(
  { modelId, rollup }: LedgerModel,
  { proofs }: Pick<PreparedSettlement, "proofs">,
  commitment: bigint,
  claimIds: readonly bigint[],
): Hex {
  const vector = proofVector(proofs[0]!);
  const chunkCount = Math.ceil(vector.length / DATA_CHUNK);
  const firstChunk = Math.floor((vector.length - DRAW_ELEMENTS * claimIds.length) / DATA_CHUNK);
  let before = BigInt(vector.length);
  const chunkAt = (chunk: number) =>
    Array.from({ length: DATA_CHUNK }, (_, i) => vector[DATA_CHUNK * chunk + i] ?? 0n);
  for (let chunk = 0; chunk < firstChunk; chunk++) before = hashTagged(TAG.data, [before, ...chunkAt(chunk)]);
  const tail = Array.from({ length: chunkCount - firstChunk }, (_, i) => chunkAt(firstChunk + i)).flat();
  return encodeFunctionData({
    abi: traceGameAbi,
    functionName: "approve",
    args: [
      rollup,
      modelId,
      commitment,
      before,
      tail,
      BigInt(vector.length - DATA_CHUNK * firstChunk),
      claimIds,
    ],
  });
}
