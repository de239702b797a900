/**
 * Prepares a settlement that can be proven, from what the ledger, L1 and the model's owner publish. The daemon, the factory and
 * `openledger models settle` prepare, then prove (prove-settlement.ts); amounts are in wei.
 */

import { isDirect, type RegisteredMatrix } from "@openledger/attribution/features/direct-rows";
import type { PublishedModel } from "@openledger/attribution/model/model-files";
import { directMatrix } from "@openledger/attribution/model/registration";
import { operationError } from "@openledger/circuits/circuit-errors";
import { isDirectQuery } from "@openledger/circuits/ledger/model-query";
import type { ClosedEpoch } from "@openledger/circuits/ledger/rewards";
import type { SettlingCircuits } from "@openledger/circuits/registry/circuit-sizes";
import type {
  AnswerOpening,
  ModelFeatures,
  SampledSettlement,
} from "@openledger/circuits/settlement/divide-epoch";
import {
  activationOf,
  defaultSplit,
  type PreparedActivation,
} from "@openledger/circuits/settlement/payee-table-rules";
import { isAnswer } from "@openledger/circuits/settlement/scores/direct-matrix";
import type { PreparedSettlement, SettledModel } from "@openledger/circuits/settlement/settled-model";
import { settleEpoch } from "@openledger/circuits/settlement/settlement-rules";
import { drawSeed } from "@openledger/circuits/settlement/settlement-split";
import { clientError } from "@openledger/client/client-errors";
import type { LedgerClient } from "@openledger/client/ledger-client";
import type { GetModelErrorCode } from "@openledger/client/sequencer/model-reads";
import { getModel, getPayments, staticsOf } from "@openledger/client/sequencer/model-reads";
import type { LedgerModelLeaf, LedgerPayment } from "@openledger/client/sequencer/model-schemas";
import type { RollupCircuit } from "@openledger/verifier/circuits/rollup-circuits";
import type { Openings } from "./model-openings.ts";

/**
 * A model as a settlement finds it.
 * @param accruedWei of its payees, before the settlement; default: the ledger's
 * @internal
 */
export function settledModelOf(
  leaf: LedgerModelLeaf,
  accruedWei = leaf.payees.map((payee) => payee.accruedWei),
): SettledModel {
  const { hash: _hash, ...statics } = staticsOf(leaf);
  const payees = leaf.payees.map(({ contributorId, validatorId, rowCount }) => ({
    contributorId,
    validatorId,
    rowCount,
  }));
  return { modelId: leaf.id, statics, payees, accruedWei };
}

export interface EpochFacts {
  readonly leaf: LedgerModelLeaf;
  readonly closed: ClosedEpoch;
  readonly payments: readonly LedgerPayment[];
  /** Randomness as L1 recorded it; null until then. */
  readonly prevRandao: bigint | null;
}

export type ReadClosedEpochErrorCode = "OP_NOTHING_CLOSED" | GetModelErrorCode;

/**
 * The model's closed epoch with its payments.
 * @throws OP_NOTHING_CLOSED
 * @example
 * ```ts
 * const { payments, prevRandao } = await readClosedEpoch(client, 11);
 * ```
 */
export async function readClosedEpoch(
  client: LedgerClient,
  modelId: number,
  expectedEpoch?: number,
): Promise<EpochFacts> {
  const leaf = await getModel(client, modelId);
  const epoch = leaf.closedEpoch;
  if (epoch === null || (expectedEpoch !== undefined && expectedEpoch !== epoch.epoch)) {
    const which = expectedEpoch === undefined ? "no epoch" : `no epoch ${expectedEpoch}`;
    throw operationError("OP_NOTHING_CLOSED", `model ${modelId} has ${which} that waits for its settlement`, {
      data: { modelId, openEpoch: leaf.counters.epoch, closedEpoch: epoch?.epoch ?? null },
    });
  }
  const { payments } = await getPayments(client, modelId, epoch.epoch);
  return {
    leaf,
    payments,
    prevRandao: epoch.prevRandao,
    closed: {
      epoch: BigInt(epoch.epoch),
      closingBatch: BigInt(epoch.closingBatch),
      amountWei: epoch.amountWei,
      chain: epoch.chain,
    },
  };
}

export type PrepareSampledErrorCode = "CLI_TOO_EARLY" | "CIR_SETTLEMENT_SIZE" | "CIR_SETTLEMENT_DIFFERS";

/** A settlement, and the circuit of each of its proofs. */
export interface ProvableSettlement<Prepared = PreparedSettlement> {
  readonly prepared: Prepared;
  readonly circuits: readonly RollupCircuit[];
}

/** The circuits of a settlement's proofs, in their order. */
function provableBy<Prepared extends Pick<PreparedSettlement, "proofs">>(
  prepared: Prepared,
  circuit: RollupCircuit,
  shard: RollupCircuit | null,
): ProvableSettlement<Prepared> {
  return { prepared, circuits: prepared.proofs.map((_, i) => (i === 0 ? circuit : (shard ?? circuit))) };
}

/**
 * The sampled settlement. The seed is computed here from what L1 recorded.
 * @throws CLI_TOO_EARLY while there is no randomness, CIR_SETTLEMENT_SIZE, CIR_SETTLEMENT_DIFFERS
 * @example
 * ```ts
 * const facts = await readClosedEpoch(client, 11);
 * const openings = await fetchOpenings(serverUrl, Number(facts.closed.epoch));
 * const { prepared, circuits } = prepareSampled(facts, { model: published, openings, settling });
 * ```
 */
export function prepareSampled(
  { leaf, payments, prevRandao, closed }: EpochFacts,
  inputs: {
    readonly model: Pick<PublishedModel, "features" | "columns" | "answeringHash">;
    readonly openings: Openings;
    readonly settling: SettlingCircuits<RollupCircuit>;
    /** Payees' accrued amounts before this settlement; default: the ledger's present ones. */
    readonly accruedWei?: readonly bigint[];
  },
): ProvableSettlement<SampledSettlement> {
  if (prevRandao === null) {
    throw clientError(
      "CLI_TOO_EARLY",
      `the randomness for epoch ${closed.epoch} is not on L1 yet: it comes from the block 128 after the close's`,
      { data: { modelId: leaf.id, closingBatch: closed.closingBatch.toString() } },
    );
  }
  const { model, openings, settling, accruedWei } = inputs;
  const prepared = settleEpoch({
    size: settling.size,
    model: settledModelOf(leaf, accruedWei?.slice()),
    closed,
    payments,
    openingOf: (i) => provable(openings.get(payments[i]!.receipt), model.features),
    features: settledFeatures(model),
    seed: drawSeed({ ...closed, prevRandao, modelId: leaf.id }),
  });
  return provableBy(prepared, settling.circuit, settling.shard);
}

/**
 * An opening that a proof can be made of. Attack: anyone who serves a direct model may give a class that is not the model's
 * answer to a customer who does not look. No proof of such a draw exists, so it is void, as if nobody could open it.
 * @internal
 */
export function provable<Opening extends AnswerOpening>(
  opening: Opening | undefined,
  features: RegisteredMatrix,
): Opening | undefined {
  if (opening === undefined || !isDirect(features) || !isDirectQuery(opening.query)) return opening;
  return isAnswer(directMatrix(features), opening.query) ? opening : undefined;
}

/**
 * Features of a published model in the form that a settlement takes.
 * @internal
 */
export function settledFeatures({
  answeringHash,
  columns,
  features,
}: Pick<PublishedModel, "features" | "columns" | "answeringHash">): ModelFeatures {
  return { matrix: isDirect(features) ? directMatrix(features) : features.values, columns, answeringHash };
}

/**
 * Prepares a settlement by row counts, which needs no openings and no model.
 * @example
 * ```ts
 * const facts = await readClosedEpoch(client, 11);
 * const { prepared } = prepareDefaultSplit(facts, payeeTableFor(circuits, facts.leaf.payees));
 * ```
 */
export function prepareDefaultSplit(
  { leaf, closed }: EpochFacts,
  circuit: RollupCircuit,
): ProvableSettlement {
  return provableBy(defaultSplit(settledModelOf(leaf), closed, circuit.size1), circuit, null);
}

/**
 * A model's activation.
 * @param settling the circuit that its epochs will be settled by, or that of their draws: it gives the cap of payments
 * @example
 * ```ts
 * const table = payeeTableFor(circuits, published.payees);
 * const { prepared } = prepareActivation(await getModel(client, 11), published, { table, settling: circuit });
 * ```
 */
export function prepareActivation(
  leaf: LedgerModelLeaf,
  model: Pick<PublishedModel, "payees">,
  circuits: { readonly table: RollupCircuit; readonly settling: RollupCircuit },
): ProvableSettlement<PreparedActivation> {
  const { hash: _hash, ...statics } = staticsOf(leaf);
  const cap = { circuit: circuits.settling.index, payments: circuits.settling.size0 };
  const { table } = circuits;
  const prepared = activationOf({ modelId: leaf.id, statics, payees: model.payees }, cap, table.size1);
  return provableBy(prepared, table, null);
}
