/** The full node's answers to the API's requests (api/api.ts): the same reads as the sequencer's, and none of its writes. */

import type { Preconfirmation } from "@openledger/circuits/wire/sequencer-preconfirmation";
import type { LedgerHost } from "../api/api-options.ts";
import type { L1Head } from "../batches/batch-pipeline-options.ts";
import type { BatchRegistry } from "../batches/batch-registry.ts";
import { StageEstimates } from "../batches/proving/stage-estimates.ts";
import type { KnownSettlement } from "../batches/settling/settlement-service.ts";
import { sequencerError } from "../sequencer-errors.ts";
import type { LeafOperations, LedgerLog } from "../store/ledger-log.ts";
import type { OperationEntry, SettlementEntry } from "../store/log-entry.ts";
import {
  type KnownOperation,
  type KnownQueueEntry,
  knownQueueEntry,
  operationStatusOf,
  remembered,
} from "../store/operation-status.ts";
import { storeKeys, underPrefix } from "../store/store-keys.ts";
import type { StoredBatch } from "../store/stored-batch.ts";
import { preconfirmationsAt } from "./follow-preconfirmations.ts";
import type { FollowedLedger } from "./followed-ledger.ts";
import type { LeaderTerms } from "./leader-info.ts";

/** State of the full node's two halves, beside the ledger. */
interface FollowState {
  readonly l1Head: () => L1Head | null;
  readonly queueSeenIndex: () => number;
  readonly isQuiet: () => boolean;
  readonly isFrozen: () => boolean;
  readonly healthFacts: () => object;
}

export class FollowHost implements LedgerHost {
  readonly options: LedgerHost["options"];
  readonly log: LedgerLog;
  readonly pipeline: LedgerHost["pipeline"];
  /** Empty: only the sequencer knows the operations behind a nonce gap. */
  readonly mempool = { size: 0, nextNonce: (_leafId: number, leafNonce: bigint) => leafNonce };
  readonly settlements: LedgerHost["settlements"];
  readonly #state: FollowState;
  readonly #sequencerUrl: string | null;

  constructor(
    followed: FollowedLedger,
    state: FollowState,
    leader: LeaderTerms,
    sequencerUrl: string | null,
  ) {
    this.#state = state;
    this.#sequencerUrl = sequencerUrl;
    this.log = followed.log;
    const { feePerUnitWei, ...terms } = leader;
    this.options = { ...terms, pendingPerLeaf: 0, pendingTotal: 0, pendingTtlMs: 0 };
    const { registry, head, log } = followed;
    const batch = (batchNumber: number) => batchOf(registry, log, batchNumber);
    this.pipeline = {
      head,
      registry,
      estimates: new StageEstimates(leader),
      get feePerUnitWei() {
        return head.openBatch?.terms.feePerUnitWei ?? lastFeeWei(registry) ?? feePerUnitWei;
      },
      get l1Head() {
        return state.l1Head();
      },
      get queueSeenIndex() {
        return state.queueSeenIndex();
      },
      get openedAtMs() {
        return followed.openedAtMs;
      },
      batch,
      idle: async () => {},
    };
    this.settlements = {
      settlement: (modelId, epoch) => this.#settlement(modelId, epoch),
      settlementsOf: (modelId, limit) => this.#settlementsOf(modelId, limit),
      preVerifiedSettlements: async () => {
        throw this.#readOnly("the settlements that wait on L1 are known to the sequencer: ask it");
      },
    };
  }

  get isHealthy(): boolean {
    return this.#state.isQuiet();
  }

  /** Admission mode as far as L1 shows it. Only the sequencer knows whether it ends its rollup. */
  get mode(): "frozen" | undefined {
    return this.#state.isFrozen() ? "frozen" : undefined;
  }

  get healthFacts(): object {
    const calm = this.#state.isFrozen() ? "frozen" : "ok";
    return { status: this.isHealthy ? calm : "alarm", ...this.#state.healthFacts() };
  }

  #readOnly(why = "this is a full node: send it to the sequencer"): Error {
    const sequencerUrl = this.#sequencerUrl;
    const where = sequencerUrl === null ? "" : ` at ${sequencerUrl}`;
    return sequencerError("SEQ_READ_ONLY", `${why}${where}`, { data: { sequencerUrl } });
  }

  async submit(): Promise<never> {
    throw this.#readOnly();
  }

  async submitSettlement(): Promise<never> {
    throw this.#readOnly();
  }

  /** @throws SEQ_UNKNOWN also for operations that were posted while this full node had no feed: L1 holds no hashes */
  async operation(hash: string): Promise<KnownOperation> {
    const entry = await this.log.operation(hash);
    if (entry !== undefined) return this.#known(entry);
    throw sequencerError("SEQ_UNKNOWN", `no operation ${hash} was seen here`, {
      data: { reason: "operation", hash },
    });
  }

  async operationsOf(
    leafId: number,
    limit: number,
    before?: string | number,
  ): Promise<LeafOperations<KnownOperation | KnownQueueEntry>> {
    const { operations, ...rest } = await this.log.operationsOf(leafId, limit, before);
    const batch = remembered((number: number) => this.pipeline.batch(number));
    const known = operations.map((entry) =>
      entry.type === "queue" ? knownQueueEntry(entry, { batch }) : this.#known(entry, batch),
    );
    return { ...rest, operations: await Promise.all<KnownOperation | KnownQueueEntry>(known) };
  }

  async #known(
    entry: OperationEntry,
    batchOf: (number: number) => Promise<StoredBatch | undefined> = this.pipeline.batch,
  ): Promise<KnownOperation> {
    const batch = (await batchOf(entry.batchNumber)) ?? null;
    const { hash, operation } = entry;
    const preconfirmation = await this.preconfirmationOf(entry);
    return { hash, operation, status: operationStatusOf(batch), entry, batch, preconfirmation, reason: null };
  }

  /** The sequencer's own preconfirmation, as it was seen; null if it signed none for this place. */
  async preconfirmationOf({ hash, opIndex }: OperationEntry): Promise<Preconfirmation | null> {
    const found = (await preconfirmationsAt(this.log, opIndex)).find(
      ({ preconfirmation }) => preconfirmation.operationHash === hash,
    );
    return found?.preconfirmation ?? null;
  }

  async #settlement(modelId: number, epoch: number): Promise<KnownSettlement> {
    const sequence = await this.log.get<number>(storeKeys.settlement(modelId, epoch));
    if (sequence !== undefined) return this.#knownSettlement(sequence);
    throw sequencerError("SEQ_UNKNOWN", `epoch ${epoch} of model ${modelId} was not seen here`, {
      data: { reason: "settlement", modelId, epoch },
    });
  }

  async #settlementsOf(modelId: number, limit: number): Promise<KnownSettlement[]> {
    const { gt, lt } = underPrefix(storeKeys.settlement(modelId, 0).slice(0, -"!000000".length));
    const sequences = await this.log.range<number>({ gte: gt, lt, limit, reverse: true });
    return Promise.all(sequences.map((sequence) => this.#knownSettlement(sequence)));
  }

  async #knownSettlement(sequence: number): Promise<KnownSettlement> {
    const entry = await this.log.entry<SettlementEntry>(sequence);
    return { entry, batch: (await this.pipeline.batch(entry.batchNumber)) ?? null };
  }
}

/**
 * Fee per unit of the last batch of the sequencer's own that is in a record, in wei; null for others' batches, which
 * charge nothing.
 */
function lastFeeWei(registry: BatchRegistry): bigint | null {
  const last = registry.record(registry.closedNumber);
  return last === undefined || last.isForeign === true ? null : last.feePerUnitWei;
}

async function batchOf(
  registry: BatchRegistry,
  log: LedgerLog,
  batchNumber: number,
): Promise<StoredBatch | undefined> {
  const record = registry.record(batchNumber);
  if (record !== undefined || batchNumber > registry.finalNumber) return record;
  return log.batch(batchNumber);
}
