/**
 * Takes proven settlements. A batch that L1 refuses would hold up all later ones, so everything that L1 checks
 * is checked here first: the statement is computed again from L1's data, and the proof is verified. Settlers
 * post to it through the API.
 */

import { setImmediate as nextTurn } from "node:timers/promises";
import { DEFAULT_SPLIT_DELAY_SECONDS } from "@openledger/bridge/l1/settlement-times";
import {
  type SettlementOperation,
  settlementOperationOf,
} from "@openledger/circuits/batch/settlement-operation";
import { type LeafState, requireKind } from "@openledger/circuits/ledger/leaf";
import { payeeShards } from "@openledger/circuits/ledger/payee-shards";
import { KIND, LEAF_KIND } from "@openledger/circuits/protocol";
import type { DeployedCircuit } from "@openledger/circuits/registry/deployment";
import {
  capOf,
  entrySignals,
  fitsShard,
  provesEntries,
  settlementOnL1,
} from "@openledger/circuits/registry/settlement-statement";
import {
  activationPayees,
  CIRCUIT_SORT,
  type PostedSettlement,
} from "@openledger/circuits/settlement/settlement-data";
import { hex32 } from "@openledger/foundation/hex";
import { isRollupError } from "@openledger/foundation/rollup-error";
import { type VerificationKey, verifyProof } from "@openledger/prover/formats/verification-key";
import { sequencerError } from "../../sequencer-errors.ts";
import type { LedgerLog } from "../../store/ledger-log.ts";
import type { SettlementEntry } from "../../store/log-entry.ts";
import { entriesOf, postingOf } from "../../store/settlement-posting.ts";
import { storeKeys, underPrefix } from "../../store/store-keys.ts";
import type { StoredBatch } from "../../store/stored-batch.ts";
import type { BatchPipeline } from "../batch-pipeline.ts";
import type { FeedPublisher } from "../feed.ts";
import { readCloseOnL1 } from "../from-l1/epoch-close-on-l1.ts";
import { requireSettledBy, requireSettling } from "./circuit-fit.ts";
import {
  decodeRequest,
  type EntryRequest,
  invalid,
  type PreVerifiedEntry,
  type PreVerifiedOnL1,
  type SettlementRequest,
} from "./settlement-request.ts";

/** A circuit of the deployment that proves settlements. */
interface SettlementCircuit extends DeployedCircuit {
  readonly key: VerificationKey;
}

export interface SettlementServiceModules {
  readonly pipeline: BatchPipeline;
  readonly log: LedgerLog;
  readonly feed: FeedPublisher;
  readonly clock: () => number;
  /** All circuits of the deployment, by their index on L1; those that prove settlements with their keys. */
  readonly circuits: readonly (DeployedCircuit | SettlementCircuit)[];
}

/** Settlement that waits on L1, as the bridge offered it last. */
export interface WaitingSettlement {
  readonly modelId: number;
  readonly epoch: number;
  /** J. */
  readonly word: bigint;
  /** Name of the circuit of its first entry. */
  readonly circuit: string;
  /** The epoch's settlement in this ledger, this one or another; null while it is not settled. */
  readonly settlement: KnownSettlement | null;
  /** Error code that refused it when it was offered; null where it was executed. */
  readonly reason: string | null;
}

export interface KnownSettlement {
  readonly entry: SettlementEntry;
  /** null while its batch is open. */
  readonly batch: StoredBatch | null;
}

/** Facts of a request that are known before the ledger is read. */
interface SettlementFacts {
  readonly posted: PostedSettlement;
  readonly epoch: number;
  /** Circuits of its entries. */
  readonly circuits: readonly SettlementCircuit[];
  readonly prevRandao: bigint;
}

type Signals = ReturnType<typeof entrySignals>;

const keyOf = (modelId: number, epoch: number) => storeKeys.settlement(modelId, epoch);

export class SettlementService {
  readonly #modules: SettlementServiceModules;
  readonly #inFlight = new Map<string, { entry: SettlementEntry; durable: Promise<void> }>();
  /**
   * Settlements that wait, by model and J. The bridge offers them with every block, so a restart knows them again soon.
   */
  readonly #preVerified = new Map<string, Omit<WaitingSettlement, "settlement">>();

  constructor(modules: SettlementServiceModules) {
    this.#modules = modules;
  }

  /**
   * Executes a settlement and resolves when it is durable. The same one again gets its present status.
   * @throws SEQ_SETTLEMENT_INVALID, SEQ_SETTLEMENT_STALE, SEQ_TOO_EARLY, SEQ_RANDOMNESS_MISSED, SEQ_L1_HEAD_UNKNOWN,
   * SEQ_BACKLOG_FULL, OP_*; changes nothing
   */
  async submit(request: SettlementRequest): Promise<KnownSettlement> {
    const posted = decodeRequest(request);
    const epoch = epochOf(request, posted);
    const circuits = this.#circuitsOf(request, posted);
    const prevRandao = await this.#requireL1Takes(request, posted, circuits);
    await this.#modules.pipeline.idle();
    const facts = { posted, epoch, circuits, prevRandao };
    let entry: SettlementEntry;
    try {
      await this.#requireProofs(request, this.#check(request, facts).signals, facts);
      await this.#modules.pipeline.idle();
      entry = this.#execute(request, facts);
    } catch (error) {
      // Sent twice: the one that came first made it stale.
      const known = isRollupError(error, "SEQ_SETTLEMENT_STALE")
        ? await this.#findUnpruned(request.modelId, epoch)
        : undefined;
      if (known?.hash !== hex32(request.settlementHash)) throw error;
      return this.#known(known);
    }
    return this.#makeDurable(entry);
  }

  /**
   * Executes a settlement that somebody pre-verified on L1, where the ledger has its epoch. It may be offered again
   * and again. Attack: L1 does not know the ledger's epochs, so anybody can pre-verify settlements of epochs that
   * never were.
   * @returns true if the offer needs no repeating: the last final batch's ledger does not have its epoch closed, so the
   * epoch was settled or never was
   */
  async takePreVerified(preVerified: PreVerifiedOnL1): Promise<boolean> {
    const { modelId, word } = preVerified;
    const key = `${modelId}/${word}`;
    await this.#modules.pipeline.idle();
    const waiting = await this.#waitingOf(preVerified);
    if (waiting === null) {
      this.#preVerified.delete(key);
      return true;
    }
    const { circuits, isTaken, posted } = waiting;
    const reason = isTaken ? null : await this.#tryPreVerified(preVerified, posted, circuits);
    const circuit = circuits[0]!.name;
    this.#preVerified.set(key, { modelId, word, epoch: Number(posted.epoch), circuit, reason });
    return false;
  }

  /** @returns the code that refuses it, or null */
  async #tryPreVerified(
    preVerified: PreVerifiedOnL1,
    posted: PostedSettlement,
    circuits: readonly DeployedCircuit[],
  ): Promise<string | null> {
    const { modelId, word } = preVerified;
    const close = await readCloseOnL1(this.#modules.log, Number(posted.closingBatch));
    const { sort } = circuits[0]!;
    const prevRandao = sort === CIRCUIT_SORT.payeeTable ? 0n : close?.prevRandao;
    // L1 has it already, and the bridge passes it on once it is final.
    if (prevRandao == null) return "SEQ_TOO_EARLY";
    const record = { kind: KIND.settle, b: modelId, words: [word] };
    const proven = entriesOf<PreVerifiedEntry>(preVerified).map(({ commitment, data, proof }, i) => {
      const { circuitId, name: circuit } = circuits[i]!;
      return { circuit, circuitId, commitment, data, proof };
    });
    try {
      const signals = entrySignals(settlementOnL1(record, posted, { sort, cap: 0, prevRandao }), proven);
      const [first, ...further] = proven.map((entry, i) => ({ ...entry, publicSignals: signals[i]! }));
      await this.submit({ kind: "settle", modelId, settlementHash: word, ...first!, further });
      return null;
    } catch (error) {
      // No room, or settled otherwise by a batch that is not final: it is offered again.
      if (!isRollupError(error)) throw error;
      return error.code;
    }
  }

  /**
   * Settlements that wait on L1, of one model or of all (null). L1 may already have a batch that takes one before the
   * bridge reports it.
   */
  async preVerifiedSettlements(modelId: number | null): Promise<WaitingSettlement[]> {
    const offered = [...this.#preVerified.values()].filter(
      (one) => modelId === null || one.modelId === modelId,
    );
    const waiting = await Promise.all(
      offered.map(async (one) => {
        const entry = await this.#findUnpruned(one.modelId, one.epoch);
        return { ...one, settlement: entry === undefined ? null : await this.#known(entry) };
      }),
    );
    return waiting.filter(({ settlement }) => settlement?.batch?.status !== "final");
  }

  /**
   * Decodes an offer: its content, the circuits of its entries, and whether a batch that is not final has it; null
   * where it can never be executed.
   */
  async #waitingOf(
    preVerified: PreVerifiedOnL1,
  ): Promise<{ posted: PostedSettlement; circuits: readonly DeployedCircuit[]; isTaken: boolean } | null> {
    const { registry } = this.#modules.pipeline;
    const { modelId, word } = preVerified;
    try {
      const posted = decodeRequest(preVerified);
      const found = entriesOf<PreVerifiedEntry>(preVerified).map(
        (e) => this.#modules.circuits[e.circuitIndex],
      );
      const circuits = found.filter((circuit) => circuit !== undefined);
      if (posted.voidCount > 0 || !proves(circuits, KIND.settle, posted)) return null;
      // The bridge offers it with every block: with 4,096 payees its check takes a twentieth of a second.
      const known = await this.#find(modelId, Number(posted.epoch));
      const isTaken = known?.hash === hex32(word) && known.batchNumber > registry.finalNumber;
      if (isTaken || Number(posted.closingBatch) > registry.finalNumber) return { posted, circuits, isTaken };
      const model = registry.leafAfter(registry.finalNumber, modelId);
      if (model?.rewards?.closed == null) return null;
      settlementOperationOf({ kind: KIND.settle, b: modelId, words: [word] }, { ...posted, cap: 0 }, model);
      return { posted, circuits, isTaken };
    } catch (error) {
      // Attack: an entry that L1 takes must not hold up the others.
      if (!isRollupError(error)) throw error;
      return null;
    }
  }

  /** Checks all but the proofs: the signals against L1's data, and that the ledger would execute it now. */
  #check(
    request: SettlementRequest,
    { circuits, posted, prevRandao }: SettlementFacts,
  ): { operation: SettlementOperation; signals: Signals } {
    const model = this.#modules.pipeline.head.ledger.requireLeaf(request.modelId);
    requireKind(model, LEAF_KIND.model, request.modelId);
    requireCurrent(request, posted, model);
    const record = {
      kind: request.kind === "activation" ? KIND.activation : KIND.settle,
      b: request.modelId,
      words: [request.settlementHash],
    };
    const cap = capOf(record.kind, posted, this.#modules.circuits);
    if (cap === null) throw invalid("data", "it names no settlement circuit that its payees fit", request);
    this.#requireFit(request, posted, circuits, model);
    const entries = entriesOf<EntryRequest>(request);
    const { sort } = circuits[0]!;
    const signals = entrySignals(
      settlementOnL1(record, posted, { sort, cap, prevRandao }),
      entries.map(({ publicSignals }, i) => ({ ...circuits[i]!, commitment: publicSignals[0] })),
    );
    if (signals.some((own, i) => own.some((signal, j) => signal !== entries[i]!.publicSignals[j])))
      throw invalid("publicSignals", "they are not those of what L1 would read", request);
    const derived = settlementOperationOf(record, { ...posted, cap }, model);
    return { operation: { ...derived, signature: request.signature ?? null }, signals };
  }

  /** Verifies one after the other, up to the first that is false: other requests wait for one pairing, not for nine. */
  async #requireProofs(
    request: SettlementRequest,
    signals: Signals,
    { circuits, epoch }: SettlementFacts,
  ): Promise<void> {
    const { modelId } = request;
    for (const [entry, { proof }] of entriesOf<EntryRequest>(request).entries()) {
      const { key, name: circuit } = circuits[entry]!;
      if (!verifyProof(key, proof, signals[entry]!)) {
        throw sequencerError("SEQ_SETTLEMENT_INVALID", "a proof of the settlement does not verify", {
          data: { reason: "settlement-proof-invalid", modelId, epoch, circuit, entry },
        });
      }
      await nextTurn();
    }
  }

  /**
   * Executes without any await: the checks must still hold when the ledger changes. The proofs were verified before.
   */
  #execute(request: SettlementRequest, facts: SettlementFacts): SettlementEntry {
    const { pipeline } = this.#modules;
    const { operation } = this.#check(request, facts);
    const posting = postingOf(request);
    const { slot } = pipeline.execute(operation, posting);
    return {
      type: "settlement",
      hash: hex32(request.settlementHash),
      epoch: facts.epoch,
      operation,
      posting,
      batchNumber: pipeline.head.openBatch!.number,
      slot,
      acknowledgedAtMs: this.#modules.clock(),
    };
  }

  async #makeDurable(entry: SettlementEntry): Promise<KnownSettlement> {
    const { feed, pipeline } = this.#modules;
    const { modelId } = entry.operation;
    const key = keyOf(modelId, entry.epoch);
    const durable = pipeline.note(entry);
    this.#inFlight.set(key, { entry, durable });
    try {
      await durable;
    } finally {
      this.#inFlight.delete(key);
    }
    const data = { modelId, epoch: entry.epoch, hash: entry.hash, batchNumber: entry.batchNumber };
    feed.publish("operations", "settled", data);
    feed.publish(`leaf:${modelId}`, "settled", data);
    return this.#known(entry);
  }

  /** @throws SEQ_UNKNOWN, SEQ_HISTORY_PRUNED */
  async settlement(modelId: number, epoch: number): Promise<KnownSettlement> {
    const entry = await this.#find(modelId, epoch);
    if (entry !== undefined) return this.#known(entry);
    throw sequencerError("SEQ_UNKNOWN", `epoch ${epoch} of model ${modelId} was not settled here`, {
      data: { reason: "settlement", modelId, epoch },
    });
  }

  /** The model's settlements, its activation included, newest first. */
  async settlementsOf(modelId: number, limit: number): Promise<KnownSettlement[]> {
    const { log } = this.#modules;
    const range = underPrefix(keyOf(modelId, 0).slice(0, -"!000000".length));
    const sequences = await log.range<number>({ gte: range.gt, lt: range.lt, limit, reverse: true });
    const isUnpruned = (sequence: number) => sequence > (log.prunedTo?.sequence ?? -1);
    const unpruned = sequences.filter(isUnpruned);
    if (unpruned.length === 0 && sequences.length > 0)
      throw log.prunedError(`the settlements of model ${modelId}`, { modelId });
    const entries = await Promise.all(unpruned.map((sequence) => log.entry<SettlementEntry>(sequence)));
    return Promise.all(entries.map((entry) => this.#known(entry)));
  }

  /** Resolves when all that was accepted is durable, or has failed. */
  async settled(): Promise<void> {
    await Promise.allSettled([...this.#inFlight.values()].map(({ durable }) => durable));
  }

  /** @throws SEQ_HISTORY_PRUNED */
  async #find(modelId: number, epoch: number): Promise<SettlementEntry | undefined> {
    const key = keyOf(modelId, epoch);
    const running = this.#inFlight.get(key);
    if (running !== undefined) {
      await running.durable;
      return running.entry;
    }
    const { log } = this.#modules;
    const sequence = await log.get<number>(key);
    return sequence === undefined ? undefined : log.entry<SettlementEntry>(sequence);
  }

  /** Calls `#find`, and returns undefined where the settlement is pruned. */
  #findUnpruned(modelId: number, epoch: number): Promise<SettlementEntry | undefined> {
    return this.#find(modelId, epoch).catch((error: unknown) => {
      if (isRollupError(error, "SEQ_HISTORY_PRUNED")) return undefined;
      throw error;
    });
  }

  async #known(entry: SettlementEntry): Promise<KnownSettlement> {
    return { entry, batch: (await this.#modules.pipeline.batch(entry.batchNumber)) ?? null };
  }

  /** One circuit of each entry. */
  #circuitsOf(request: SettlementRequest, posted: PostedSettlement): SettlementCircuit[] {
    const circuits = entriesOf<EntryRequest>(request).map((entry) => {
      const circuit = this.#modules.circuits.find(({ name }) => name === entry.circuit);
      if (circuit !== undefined && "key" in circuit) return circuit;
      throw invalid("circuit", `the rollup has no ${entry.circuit} that proves it`, request);
    });
    const kind = request.kind === "activation" ? KIND.activation : KIND.settle;
    if (proves(circuits, kind, posted)) return circuits;
    const names = circuits.map(({ name }) => name).join(", ");
    throw invalid(
      "circuit",
      `${names} prove no such ${request.kind} of ${posted.shardCount} shards`,
      request,
    );
  }

  /**
   * The circuits that settle the model's epochs by draws, or will, are ones for its rows, payees, features and draws.
   */
  #requireFit(
    request: SettlementRequest,
    posted: PostedSettlement,
    circuits: readonly DeployedCircuit[],
    { model, rewards }: LeafState,
  ): void {
    const payees = request.kind === "activation" ? activationPayees(posted.items) : rewards!.payees;
    const { modelId } = request;
    const shardCount = payeeShards(payees.map(({ rowCount }) => rowCount)).length;
    if (shardCount !== posted.shardCount)
      throw invalid("data", `it is of ${posted.shardCount} shards, its payees of ${shardCount}`, request);
    const fitted = { modelId, statics: model!.statics, payees };
    const all = this.#modules.circuits;
    if (request.kind === "activation") requireSettling(fitted, all[posted.capCircuit]!, all);
    else if (circuits[0]!.sort !== CIRCUIT_SORT.payeeTable) requireSettledBy(fitted, circuits);
  }

  /** @returns prevRandao of the CloseEpoch's batch; 0 where none is needed */
  async #requireL1Takes(
    request: SettlementRequest,
    posted: PostedSettlement,
    circuits: readonly DeployedCircuit[],
  ): Promise<bigint> {
    if (request.kind === "activation") return 0n;
    const closingBatch = Number(posted.closingBatch);
    const close = await readCloseOnL1(this.#modules.log, closingBatch);
    const data = { modelId: request.modelId, closingBatch };
    if (circuits[0]!.sort !== CIRCUIT_SORT.payeeTable) {
      if (close?.isMissed)
        throw sequencerError("SEQ_RANDOMNESS_MISSED", `batch ${closingBatch}'s randomness was missed`, {
          data,
        });
      if (close?.prevRandao == null)
        throw sequencerError("SEQ_TOO_EARLY", `batch ${closingBatch}'s randomness is not on L1`, {
          data: { reason: "randomness-unknown", ...data },
        });
      return close.prevRandao;
    }
    const allowedAtSeconds = close === undefined ? null : close.timestamp + DEFAULT_SPLIT_DELAY_SECONDS;
    const nowSeconds = this.#modules.pipeline.l1Head?.timestamp ?? 0;
    if (allowedAtSeconds === null || nowSeconds < allowedAtSeconds) {
      throw sequencerError("SEQ_TOO_EARLY", "the default split is not allowed yet", {
        data: { reason: "default-split-too-early", ...data, allowedAtSeconds, nowSeconds },
      });
    }
    return 0n;
  }
}

/**
 * Returns true if these circuits, in the order of the entries, may prove a record of this kind, and take the posted
 * data.
 */
function proves(circuits: readonly DeployedCircuit[], kind: number, posted: PostedSettlement): boolean {
  const { shardCount } = posted;
  const sorts = circuits.map(({ sort }) => sort);
  if (!provesEntries(sorts, kind, shardCount)) return false;
  const isSharded = sorts[0] === CIRCUIT_SORT.shardedSettlement;
  if (isSharded && shardCount > circuits[0]!.size1) return false;
  return circuits.slice(isSharded ? 1 : 0).every((circuit, shard) => fitsShard(posted, shard, circuit));
}

const epochOf = ({ kind }: SettlementRequest, posted: PostedSettlement) =>
  kind === "activation" ? 0 : Number(posted.epoch);

/** The settlement is of the epoch that the model has closed now, or the activation of one that is not ready. */
function requireCurrent(request: SettlementRequest, posted: PostedSettlement, { rewards }: LeafState): void {
  const epoch = epochOf(request, posted);
  if (request.kind === "activation") {
    if (rewards !== undefined) throw stale(request, epoch, "the model has had its activation");
    return;
  }
  const closed = rewards?.closed ?? null;
  const isClosed =
    closed !== null &&
    (["epoch", "closingBatch", "chain"] as const).every((field) => closed[field] === posted[field]);
  if (!isClosed) throw stale(request, epoch, "it is not the model's closed epoch");
}

function stale({ modelId }: SettlementRequest, epoch: number, why: string) {
  return sequencerError("SEQ_SETTLEMENT_STALE", `epoch ${epoch} of model ${modelId}: ${why}`, {
    data: { modelId, epoch },
  });
}
