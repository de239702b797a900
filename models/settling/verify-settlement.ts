/**
 * Checks a settlement (the proof and the data that divide a closed epoch's money) from L1 and from what is published:
 * proof, payments, draws, scores and every wei. `openledger verify settlement`, watchers and the devnet's checks call
 * it.
 */

import { isDirect } from "@openledger/attribution/features/direct-rows";
import type { ReadVectors } from "@openledger/attribution/inputs/open-inputs";
import { vectorsFileName } from "@openledger/attribution/model/direct/direct-family";
import type { DirectRecipe } from "@openledger/attribution/model/direct/direct-recipe";
import type { PublishedModel } from "@openledger/attribution/model/model-files";
import { judgePrompt, type PromptVerdict } from "@openledger/attribution/scores/drawn-prompts";
import { createPatientL1Client } from "@openledger/bridge/l1/l1-client";
import { RollupContract } from "@openledger/bridge/l1/rollup-contract";
import { findPostedSettlement } from "@openledger/bridge/l1/submission/posted-settlement";
import { isDirectQuery, modelQueryCommitment, receiptHash } from "@openledger/circuits/ledger/model-query";
import { settlingCircuits } from "@openledger/circuits/registry/circuit-sizes";
import { entrySignals } from "@openledger/circuits/registry/settlement-statement";
import type { SampledSettlement } from "@openledger/circuits/settlement/divide-epoch";
import { encodeEntries } from "@openledger/circuits/settlement/settlement-data";
import { misfitOf, modelShape } from "@openledger/circuits/settlement/settlement-size";
import { drawnPositions, drawSeed } from "@openledger/circuits/settlement/settlement-split";
import { clientError } from "@openledger/client/client-errors";
import type { LedgerClient } from "@openledger/client/ledger-client";
import {
  accruedBefore,
  getModel,
  getPayments,
  getSettlement,
  staticsOf,
} from "@openledger/client/sequencer/model-reads";
import type {
  LedgerModelLeaf,
  LedgerPayment,
  LedgerSettlement,
} from "@openledger/client/sequencer/model-schemas";
import type { SequencerErrorCode } from "@openledger/client/sequencer/sequencer-request";
import { hex32 } from "@openledger/foundation/hex";
import { isRollupError } from "@openledger/foundation/rollup-error";
import { type VerificationKey, verifyProof } from "@openledger/prover/formats/verification-key";
import type { RollupCircuit } from "@openledger/verifier/circuits/rollup-circuits";
import { toHex } from "viem";
import type { Openings } from "./model-openings.ts";
import { type EpochFacts, prepareSampled, provable } from "./prepare-settlement.ts";

/** Posted settlement with its inputs. */
export interface VerifiedSettlement {
  readonly settlement: LedgerSettlement;
  readonly leaf: LedgerModelLeaf;
  readonly payments: readonly LedgerPayment[];
  /** Computed here. */
  readonly sampled: SampledSettlement;
}

export type VerifySettlementErrorCode =
  | "CLI_UNKNOWN"
  | "CLI_SETTLEMENT_DIFFERS"
  | "CIR_SETTLEMENT_DIFFERS"
  | `BRG_${string}`
  | SequencerErrorCode;

/**
 * The settlement of an epoch with everything in it computed again. The sequencer is asked where it is; what it says is
 * then compared with L1's transaction, L1's randomness, and the openings.
 * @param keyOf the verification key of a circuit: derived from its source, or L1's
 * @throws CLI_UNKNOWN, CLI_SETTLEMENT_DIFFERS naming the first difference, CIR_SETTLEMENT_DIFFERS
 * @example
 * ```ts
 * const { sampled } = await verifySettlement(client, { modelId: 11, epoch: 1 }, { model: published, openings, circuits, keyOf: null });
 * console.log(sampled.draws.map(({ paymentIndex }) => paymentIndex));
 * ```
 */
export async function verifySettlement(
  client: LedgerClient,
  expected: { readonly modelId: number; readonly epoch: number },
  published: {
    readonly model: Pick<PublishedModel, "features" | "columns" | "answeringHash" | "staticsHash">;
    readonly openings: Openings;
    readonly circuits: readonly RollupCircuit[];
    /** null: the proof is left to L1, which has verified it. */
    readonly keyOf: ((circuit: RollupCircuit) => Promise<VerificationKey>) | null;
  },
): Promise<VerifiedSettlement> {
  const { modelId, epoch } = expected;
  const settlement = await getSettlement(client, modelId, epoch);
  if (settlement === null || settlement.kind !== "settle" || settlement.l1TransactionHash === null)
    throw clientError(
      "CLI_UNKNOWN",
      `epoch ${epoch} of model ${modelId} has no settlement on L1: it is not settled, or its batch is not posted yet`,
      {
        data: { reason: "not-settled", modelId, epoch },
      },
    );
  const entries = entriesOf(settlement, published.circuits);
  const { circuit } = entries[0]!;
  const choices = settlingCircuits(published.circuits).filter((choice) => choice.circuit === circuit);
  if (choices.length === 0)
    throw differs("circuit", "a sampled settlement's", `${circuit.name}: the default split, by row counts`);

  const rollup = new RollupContract({
    client: createPatientL1Client({ rpcUrl: client.chain.rpcUrls.default.http[0]! }),
    address: client.rollupAddress,
  });
  const facts = await readRandomEpoch(client, rollup, expected);
  await requireOnL1(rollup, settlement, { entries, closingBatch: Number(facts.closed.closingBatch) });
  const before = await accruedBefore(client, facts.leaf, epoch);
  if (before === null)
    throw clientError("CLI_UNKNOWN", `the sequencer lists too few settlements before epoch ${epoch}`, {
      data: { reason: "settlements-missing", modelId, epoch },
    });
  // Each shard may have a circuit of its own: this one has room for all.
  const shape = modelShape(facts.leaf.model, facts.leaf.payees);
  const settling = choices.find(({ size }) => misfitOf(size, shape) === null) ?? choices.at(-1)!;
  const { prepared: sampled } = prepareSampled(facts, { ...published, settling, accruedWei: before });
  requireOpened(sampled, settlement);
  const wires = encodeEntries(sampled.data);
  requireSame("entries", `${wires.length}`, `${entries.length}`);
  for (const [i, { data }] of entries.entries()) requireSame("data", toHex(wires[i]!), data);
  requireSame("J", hex32(sampled.data.settlementHash), hex32(settlement.settlementHash));
  const signals = entrySignals(
    sampled.data,
    entries.map((entry) => ({ circuitId: entry.circuit.circuitId, commitment: entry.publicSignals[0] })),
  );
  const { keyOf } = published;
  for (const [i, entry] of entries.entries()) {
    for (const [position, name] of (["C", "y", "z"] as const).entries())
      requireSame(name, hex32(signals[i]![position]!), hex32(entry.publicSignals[position]!));
    if (keyOf !== null && !verifyProof(await keyOf(entry.circuit), entry.proof, signals[i]!))
      throw differs("proof", "one that verifies", `that of entry ${i} does not`);
  }
  return { settlement, leaf: facts.leaf, payments: facts.payments, sampled };
}

type Entry = Omit<NonNullable<LedgerSettlement["further"]>[number], "circuit"> & {
  readonly circuit: RollupCircuit;
};

/** All entries in L1's order, with their circuits. @throws CLI_SETTLEMENT_DIFFERS */
function entriesOf(settlement: LedgerSettlement, circuits: readonly RollupCircuit[]): Entry[] {
  return [settlement, ...(settlement.further ?? [])].map(({ data, proof, publicSignals, ...entry }) => {
    const circuit = circuits.find(({ name }) => name === entry.circuit);
    if (circuit === undefined) throw differs("circuit", "one of the rollup's", entry.circuit);
    return { circuit, data, proof, publicSignals };
  });
}

/** L1 took these very bytes: they stand in the transaction that the rollup's contract has executed. */
async function requireOnL1(
  rollup: RollupContract,
  settlement: LedgerSettlement,
  { closingBatch, entries }: { readonly closingBatch: number; readonly entries: readonly Entry[] },
): Promise<void> {
  const { batchNumber, epoch, modelId } = settlement;
  const posted = await findPostedSettlement(rollup, { modelId, epoch, batchNumber, closingBatch });
  if (posted === null)
    throw differs("transaction", `a settlement of epoch ${epoch} in batch ${batchNumber} on L1`, "none");
  requireSame("transaction", posted.transactionHash, settlement.l1TransactionHash!);
  const submitted = [posted.submitted, ...posted.submitted.further];
  const isPosted = entries.every(({ circuit, data, publicSignals }, i) => {
    const one = submitted[i];
    return one?.data === data && one.circuitIndex === circuit.index && one.commitment === publicSignals[0];
  });
  if (!isPosted || submitted.length !== entries.length)
    throw differs("transaction", "the settlement's data and C among its settlements", posted.transactionHash);
}

/**
 * A closed epoch, settled or not, with the randomness as the contract has it.
 * @internal
 */
async function readRandomEpoch(
  client: LedgerClient,
  rollup: RollupContract,
  { epoch, modelId }: { modelId: number; epoch: number },
): Promise<EpochFacts> {
  const [leaf, epochPayments] = await Promise.all([
    getModel(client, modelId),
    getPayments(client, modelId, epoch),
  ]);
  const { amountWei, chain, payments, closingBatch } = epochPayments;
  const prevRandao = closingBatch === null ? 0n : await rollup.randomness(closingBatch);
  const closed = { epoch: BigInt(epoch), closingBatch: BigInt(closingBatch ?? 0), amountWei, chain };
  return { leaf, payments, closed, prevRandao: prevRandao === 0n ? null : prevRandao };
}

/** A server that has lost openings makes another division, and says nothing against the one on L1. */
function requireOpened({ draws }: SampledSettlement, { voidCount }: LedgerSettlement): void {
  const unopened = draws.filter(({ isValid }) => !isValid).length;
  if (unopened > (voidCount ?? draws.length))
    throw differs("openings", `${unopened} draws unopened by what is published`, `${voidCount} draws void`);
}

/** Returns true if the epoch was divided by row counts, not by draws: whoever replays L1 has checked that division. */
export const isDefaultSplit = (error: unknown): boolean =>
  isRollupError(error, "CLI_SETTLEMENT_DIFFERS") && (error.data as { what?: unknown }).what === "circuit";

/**
 * Place at which a settlement differs from what is published.
 * @returns null if the error says something else: that openings are gone, or that no draws have divided the epoch
 * @internal
 */
export function settlementDifference(error: unknown): { file: string; row: number | null } | null {
  if (!isRollupError(error, "CLI_SETTLEMENT_DIFFERS")) return null;
  const { row, what } = error.data as { what?: unknown; row?: unknown };
  if (what === "openings" || what === "circuit") return null;
  return { file: `settlement ${what}`, row: typeof row === "number" ? row : null };
}

function requireSame(what: string, computed: string, posted: string): void {
  if (computed !== posted) throw differs(what, computed, posted);
}

function differs(what: string, computed: string, posted: string) {
  return clientError(
    "CLI_SETTLEMENT_DIFFERS",
    `${what}: ${posted.slice(0, 100)} was posted, ${computed.slice(0, 100)} is right`,
    { data: { what, posted, computed } },
  );
}

// Direct models' drawn payments and their prompts: everybody can compare those whose prompts are published.

/**
 * Verdict on a draw: `judgePrompt`'s, or its receipt is opened to nothing (unopened), to something that it does not
 * hash (false-opening), or to a class that is not the model's answer (false-answer). No settlement pays by the last
 * three.
 */
export type DrawVerdict = PromptVerdict | "unopened" | "false-opening" | "false-answer";

export interface JudgedDraw {
  readonly draw: number;
  readonly paymentIndex: number;
  readonly payerId: number;
  readonly receipt: bigint;
  readonly verdict: DrawVerdict;
}

export type JudgeDrawsErrorCode = "CLI_WRONG_MODEL" | "CLI_TOO_EARLY";

/**
 * The draws of a closed epoch, settled or not, by the randomness that L1 has. Needs `initPoseidon`.
 * @throws CLI_WRONG_MODEL, CLI_TOO_EARLY while there is no randomness
 * @example
 * ```ts
 * const judged = await judgeDraws(client, { modelId: 11, epoch: 1 }, { model: published, openings });
 * console.log(judged.filter(({ verdict }) => verdict === "dictated"));
 * ```
 */
export async function judgeDraws(
  client: LedgerClient,
  { epoch, modelId }: { readonly modelId: number; readonly epoch: number },
  published: {
    /** Its family reads the word vectors that the recipe may name (`readShared`). */
    readonly model: Pick<PublishedModel, "family" | "features" | "recipe">;
    readonly openings: Openings;
  },
): Promise<JudgedDraw[]> {
  const { model, openings } = published;
  const readVectors: ReadVectors = async (file) =>
    (await model.family.readShared?.(model, vectorsFileName(file))) ?? null;
  if (!isDirect(model.features))
    throw clientError("CLI_WRONG_MODEL", `model ${modelId} is not direct: its queries need its files`, {
      data: { reason: "not-direct", modelId },
    });
  const rollup = new RollupContract({
    client: createPatientL1Client({ rpcUrl: client.chain.rpcUrls.default.http[0]! }),
    address: client.rollupAddress,
  });
  const { leaf, payments, prevRandao, closed } = await readRandomEpoch(client, rollup, { epoch, modelId });
  if (prevRandao === null)
    throw clientError("CLI_TOO_EARLY", `nothing of epoch ${epoch} of model ${modelId} is drawn yet`, {
      data: { modelId, epoch },
    });
  const { drawCount } = leaf.model;
  const statics = staticsOf(leaf).hash;
  const seed = drawSeed({ ...closed, prevRandao, modelId });
  const cumulativeWei = payments.map((payment) => payment.cumulativeWei);
  const drawn = drawnPositions(seed, drawCount, closed.amountWei, cumulativeWei);
  const judged = drawn.map(async (paymentIndex, draw): Promise<JudgedDraw> => {
    const { payerId, receipt } = payments[paymentIndex]!;
    const judge = async (): Promise<DrawVerdict> => {
      const opening = openings.get(receipt);
      if (opening === undefined) return "unopened";
      const { answerHash, prompt, query, salt } = opening;
      if (!isDirectQuery(query)) return "false-opening";
      const queryCommitment = modelQueryCommitment(query);
      if (receiptHash({ statics, payerId, answerHash, queryCommitment, salt }) !== receipt)
        return "false-opening";
      if (provable(opening, model.features) === undefined) return "false-answer";
      return judgePrompt(model.recipe as DirectRecipe, { answerHash, prompt, query }, readVectors);
    };
    return { draw, paymentIndex, payerId, receipt, verdict: await judge() };
  });
  return Promise.all(judged);
}
