/**
 * Takes proven settlements from the one who made them. A batch that L1 refuses would hold up all later ones, so everything
 * that L1 checks is checked here first: the statement is computed again from what L1 holds, and the proof is verified.
 */

import { DEFAULT_SPLIT_DELAY_SECONDS } from "@openledger/bridge/l1/settlement-times";
import { settlementOperationOf } from "@openledger/circuits/batch/settlement-operation";
import type { Signature } from "@openledger/circuits/field/curve/eddsa";
import type { LeafState } from "@openledger/circuits/ledger/leaf";
import { requireKind } from "@openledger/circuits/ledger/leaf-rules";
import type { Payee } from "@openledger/circuits/ledger/payee-shards";
import { KIND, LEAF_KIND } from "@openledger/circuits/protocol";
import type { DeployedCircuit } from "@openledger/circuits/registry/deployment";
import {
  activationPayees,
  CIRCUIT_SORT,
  decodeSettlement,
  type PostedSettlement,
} from "@openledger/circuits/settlement/settlement-data";
import { misfitOf, modelShape, parseSettlementName } from "@openledger/circuits/settlement/settlement-size";
import type { Groth16Proof } from "@openledger/circuits/wire/groth16-proof";
import { hex32 } from "@openledger/foundation/hex";
import { isRollupError } from "@openledger/foundation/rollup-error";
import { type VerificationKey, verifyProof } from "@openledger/prover/formats/verification-key";
import {
  capOf,
  fitsPayees,
  provesKind,
  settlementOnL1,
  settlementSignals,
} from "@openledger/verifier/replay/settlement-statement";
import { sequencerError } from "../../sequencer-errors.ts";
import type { LedgerLog } from "../../store/ledger-log.ts";
import type { SettlementEntry } from "../../store/log-entry.ts";
import { storeKeys, underPrefix } from "../../store/store-keys.ts";
import type { StoredBatch } from "../../store/stored-batch.ts";
import type { BatchPipeline } from "../batch-pipeline.ts";
import type { FeedPublisher } from "../feed.ts";
import { Admissions } from "../from-l1/admissions.ts";
import { readCloseOnL1 } from "../from-l1/epoch-close-on-l1.ts";

/** A circuit of the deployment that proves settlements. */
interface SettlementCircuit extends DeployedCircuit {
  readonly key: VerificationKey;
}

export interface SettlementServiceModules {
  readonly line: BatchPipeline;
  readonly log: LedgerLog;
  readonly feed: FeedPublisher;
  readonly clock: () => number;
  /** All circuits of the deployment, by their index on L1; those that prove settlements with their keys. */
  readonly circuits: readonly (DeployedCircuit | SettlementCircuit)[];
}

/** A settlement as it was sent. */
export interface SettlementRequest {
  readonly kind: "settle" | "activation";
  readonly modelId: number;
  /** J. */
  readonly settlementHash: bigint;
  /** Name of the circuit. */
  readonly circuit: string;
  /** What L1 gets (docs/reference/settlement.md, "On L1"). */
  readonly data: Uint8Array;
  /** C, y, z. */
  readonly publicSignals: readonly [bigint, bigint, bigint];
  readonly proof: Groth16Proof;
  /** The model's; needed for an activation, and with voids. */
  readonly signature?: Signature | undefined;
}

/** A settlement as somebody pre-verified it on L1, which has checked its proof. */
export interface PreVerifiedOnL1 {
  readonly modelId: number;
  /** J. */
  readonly word: bigint;
  /** On L1. */
  readonly circuitIndex: number;
  /** C. */
  readonly commitment: bigint;
  readonly data: Uint8Array;
  readonly proof: Groth16Proof;
}

/** One that waits on L1, as the bridge offered it last. */
export interface WaitingSettlement {
  readonly modelId: number;
  readonly epoch: number;
  /** J. */
  readonly word: bigint;
  /** Name of the circuit. */
  readonly circuit: string;
  /** What the epoch was settled by here, this one or another; null where nothing was. */
  readonly settlement: KnownSettlement | null;
  /** Code of what kept it out when it was offered; null where it was executed. */
  readonly reason: string | null;
}

export interface KnownSettlement {
  readonly entry: SettlementEntry;
  /** null while its batch is open. */
  readonly batch: StoredBatch | null;
}

const keyOf = (modelId: number, epoch: number) => storeKeys.settlement(modelId, epoch);

export class SettlementService {
  readonly #modules: SettlementServiceModules;
  readonly #inFlight = new Map<string, { entry: SettlementEntry; durable: Promise<void> }>();
  /** By model and J. The bridge offers them with every block, so a restart knows them again soon. */
  readonly #preVerified = new Map<string, Omit<WaitingSettlement, "settlement">>();
  readonly admissions = new Admissions();

  constructor(modules: SettlementServiceModules) {
    this.#modules = modules;
  }

  /**
   * Executes a settlement and resolves when it is durable. The same one again gets its present status.
   * @throws SEQ_SETTLEMENT_INVALID, SEQ_SETTLEMENT_STALE, SEQ_SETTLEMENT_INVALID, SEQ_TOO_EARLY,
   * SEQ_RANDOMNESS_MISSED, SEQ_TOO_EARLY, SEQ_NOT_ADMITTED, OP_*, SEQ_L1_HEAD_UNKNOWN,
   * SEQ_BACKLOG_FULL; changes nothing
   */
  async submit(request: SettlementRequest): Promise<KnownSettlement> {
    const posted = decode(request.data);
    const epoch = epochOf(request, posted);
    const circuit = this.#circuitOf(request, posted);
    const prevRandao = await this.#requireL1Takes(request, posted, circuit);
    await this.#modules.line.idle();
    let entry: SettlementEntry;
    try {
      entry = this.#execute(request, { posted, epoch, circuit, prevRandao });
    } catch (error) {
      // Sent twice: the one that came first made it stale.
      const known = isRollupError(error, "SEQ_SETTLEMENT_STALE")
        ? await this.#find(request.modelId, epoch)
        : undefined;
      if (known?.hash !== hex32(request.settlementHash)) throw error;
      return this.#known(known);
    }
    return this.#makeDurable(entry);
  }

  /**
   * Executes a settlement that somebody pre-verified on L1, where the ledger has its epoch. It may be offered again and again.
   * Attack: L1 does not know the ledger's epochs, so anybody can pre-verify settlements of epochs that never were.
   * @returns whether nothing more comes of it: the last final batch's ledger does not have its epoch closed, so it was
   * settled or never was
   */
  async takePreVerified(preVerified: PreVerifiedOnL1): Promise<boolean> {
    const { circuits, line } = this.#modules;
    const { circuitIndex, data, modelId, word } = preVerified;
    const key = `${modelId}/${word}`;
    await line.idle();
    if (this.#isOver(preVerified)) {
      this.#preVerified.delete(key);
      return true;
    }
    const circuit = circuits[circuitIndex]!;
    const posted = decode(data);
    const reason = await this.#tryPreVerified(preVerified, posted, circuit);
    this.#preVerified.set(key, { modelId, word, epoch: Number(posted.epoch), circuit: circuit.name, reason });
    return false;
  }

  /** @returns the code of what keeps it out, or null */
  async #tryPreVerified(
    preVerified: PreVerifiedOnL1,
    posted: PostedSettlement,
    circuit: Pick<DeployedCircuit, "name" | "sort" | "circuitId">,
  ): Promise<string | null> {
    const { commitment, data, modelId, proof, word } = preVerified;
    const { log } = this.#modules;
    const close = await readCloseOnL1(log, Number(posted.closingBatch));
    const prevRandao = circuit.sort === CIRCUIT_SORT.settlement ? close?.prevRandao : 0n;
    // L1 has it already, and the bridge passes it on once it is final.
    if (prevRandao == null) return "SEQ_TOO_EARLY";
    const record = { kind: KIND.settle, b: modelId, words: [word] };
    const statement = settlementOnL1(record, posted, { sort: circuit.sort, cap: 0, prevRandao });
    const publicSignals = settlementSignals(statement, circuit.circuitId, commitment);
    const request = { kind: "settle", modelId, settlementHash: word, data, publicSignals, proof } as const;
    try {
      await this.submit({ ...request, circuit: circuit.name });
      return null;
    } catch (error) {
      // No room, or settled otherwise by a batch that is not final: it is offered again.
      if (!isRollupError(error)) throw error;
      return error.code;
    }
  }

  /** What waits on L1, by model; null: of all models. Of a batch that takes one L1 may know before the bridge says so. */
  async preVerifiedSettlements(modelId: number | null): Promise<WaitingSettlement[]> {
    const offered = [...this.#preVerified.values()].filter(
      (one) => modelId === null || one.modelId === modelId,
    );
    const waiting = await Promise.all(
      offered.map(async (one) => {
        const entry = await this.#find(one.modelId, one.epoch);
        return { ...one, settlement: entry === undefined ? null : await this.#known(entry) };
      }),
    );
    return waiting.filter(({ settlement }) => settlement?.batch?.status !== "final");
  }

  #isOver({ circuitIndex, data, modelId, word }: PreVerifiedOnL1): boolean {
    const { circuits, line } = this.#modules;
    const { book } = line;
    const circuit = circuits[circuitIndex];
    const posted = decode(data);
    if (Number(posted.closingBatch) > book.finalNumber) return false;
    const model = book.leafAfter(book.finalNumber, modelId);
    if (model?.rewards?.closed == null || circuit === undefined) return true;
    try {
      const record = { kind: KIND.settle, b: modelId, words: [word] };
      settlementOperationOf(record, { ...posted, cap: 0 }, model);
      return posted.voidCount > 0 || !provesKind(circuit.sort, KIND.settle) || !fitsPayees(posted, circuit);
    } catch (error) {
      if (!isRollupError(error)) throw error;
      return true;
    }
  }

  /** Without any await: what is checked must hold when the ledger changes. */
  #execute(
    request: SettlementRequest,
    facts: { posted: PostedSettlement; epoch: number; circuit: SettlementCircuit; prevRandao: bigint },
  ): SettlementEntry {
    const { line } = this.#modules;
    const { circuit, epoch, posted, prevRandao } = facts;
    const model = line.head.ledger.requireLeaf(request.modelId);
    requireKind(model, LEAF_KIND.model, request.modelId);
    requireCurrent(request, posted, model);
    const record = {
      kind: request.kind === "activation" ? KIND.activation : KIND.settle,
      b: request.modelId,
      words: [request.settlementHash],
    };
    const cap = capOf(record.kind, posted, this.#modules.circuits);
    if (cap === null) throw invalid("data", "it names no settlement circuit that its payees fit", request);
    if (request.kind === "activation") {
      const named = this.#modules.circuits[posted.capCircuit]!;
      this.#requireFits(request, named, model, activationPayees(posted.items));
    } else if (circuit.sort === CIRCUIT_SORT.settlement) {
      this.#requireFits(request, circuit, model, model.rewards!.payees);
    }
    const statement = settlementOnL1(record, posted, { sort: circuit.sort, cap, prevRandao });
    const signals = settlementSignals(statement, circuit.circuitId, request.publicSignals[0]);
    if (signals.some((signal, i) => signal !== request.publicSignals[i]))
      throw invalid("publicSignals", "they are not those of what L1 would read", request);
    const derived = settlementOperationOf(record, { ...posted, cap }, model);
    if (!verifyProof(circuit.key, request.proof, signals)) {
      throw sequencerError("SEQ_SETTLEMENT_INVALID", "the settlement's proof does not verify", {
        data: { reason: "settlement-proof-invalid", modelId: request.modelId, epoch, circuit: circuit.name },
      });
    }
    const operation = { ...derived, signature: request.signature ?? null };
    const posting = {
      circuit: circuit.name,
      wire: request.data,
      publicSignals: request.publicSignals,
      proof: request.proof,
    };
    const { slot } = line.execute(operation, posting);
    return {
      type: "settlement",
      hash: hex32(request.settlementHash),
      epoch,
      operation,
      posting,
      batchNumber: line.head.openBatch!.number,
      slot,
      acknowledgedAtMs: this.#modules.clock(),
    };
  }

  async #makeDurable(entry: SettlementEntry): Promise<KnownSettlement> {
    const { feed, line } = this.#modules;
    const { modelId } = entry.operation;
    const key = keyOf(modelId, entry.epoch);
    const durable = line.note(entry);
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

  /** @throws SEQ_UNKNOWN */
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
    const entries = sequences.map((sequence) => log.require<SettlementEntry>(storeKeys.log(sequence)));
    return Promise.all((await Promise.all(entries)).map((entry) => this.#known(entry)));
  }

  /** Resolves when all that was accepted is durable, or has failed. */
  async settled(): Promise<void> {
    await Promise.allSettled([...this.#inFlight.values()].map(({ durable }) => durable));
  }

  async #find(modelId: number, epoch: number): Promise<SettlementEntry | undefined> {
    const key = keyOf(modelId, epoch);
    const running = this.#inFlight.get(key);
    if (running !== undefined) {
      await running.durable;
      return running.entry;
    }
    const { log } = this.#modules;
    const sequence = await log.get<number>(key);
    return sequence === undefined ? undefined : log.require<SettlementEntry>(storeKeys.log(sequence));
  }

  async #known(entry: SettlementEntry): Promise<KnownSettlement> {
    return { entry, batch: (await this.#modules.line.batch(entry.batchNumber)) ?? null };
  }

  #circuitOf(request: SettlementRequest, posted: PostedSettlement): SettlementCircuit {
    const circuit = this.#modules.circuits.find(({ name }) => name === request.circuit);
    const kind = request.kind === "activation" ? KIND.activation : KIND.settle;
    if (circuit === undefined || !("key" in circuit) || !provesKind(circuit.sort, kind))
      throw invalid("circuit", `the rollup has no ${request.circuit} that proves it`, request);
    if (!fitsPayees(posted, circuit)) throw invalid("data", "it has more payees than its circuit", request);
    return circuit;
  }

  /**
   * The circuit that settles the model, or that its activation names, is one for its rows, payees, features and draws. A model
   * that fits no such circuit could be settled by the default split only.
   */
  #requireFits(
    request: SettlementRequest,
    { name }: DeployedCircuit,
    { model }: LeafState,
    payees: readonly Payee[],
  ): void {
    const size = parseSettlementName(name);
    if (size === null) throw invalid("circuit", `${name} does not tell its sizes`, request);
    const misfit = misfitOf(size, modelShape(model!.statics, payees));
    if (misfit === null) return;
    const { what, given, has } = misfit;
    throw sequencerError(
      "SEQ_SETTLEMENT_INVALID",
      `${name} is for ${has} ${what}, model ${request.modelId} has ${given}`,
      { data: { reason: "circuit-misfit", modelId: request.modelId, circuit: name, what, given, has } },
    );
  }

  /** @returns prevRandao of the CloseEpoch's batch; 0 where none is needed */
  async #requireL1Takes(
    request: SettlementRequest,
    posted: PostedSettlement,
    circuit: SettlementCircuit,
  ): Promise<bigint> {
    if (request.kind === "activation") {
      this.admissions.require(request, this.#modules.line.l1Head !== null);
      return 0n;
    }
    const closingBatch = Number(posted.closingBatch);
    const close = await readCloseOnL1(this.#modules.log, closingBatch);
    const data = { modelId: request.modelId, closingBatch };
    if (circuit.sort === CIRCUIT_SORT.settlement) {
      if (close?.isMissed)
        throw sequencerError("SEQ_RANDOMNESS_MISSED", `batch ${closingBatch}'s randomness was missed`, {
          data,
        });
      if (close?.prevRandao == null)
        throw sequencerError("SEQ_TOO_EARLY", `batch ${closingBatch}'s randomness is not on L1`, {
          data: { reason: "randomness-unknown", ...data },
        });
      this.admissions.requireSettlement(request.modelId, request.publicSignals[0]);
      return close.prevRandao;
    }
    const allowedAtSeconds = close === undefined ? null : close.timestamp + DEFAULT_SPLIT_DELAY_SECONDS;
    const nowSeconds = this.#modules.line.l1Head?.timestamp ?? 0;
    if (allowedAtSeconds === null || nowSeconds < allowedAtSeconds) {
      throw sequencerError("SEQ_TOO_EARLY", "the default split is not allowed yet", {
        data: { reason: "default-split-too-early", ...data, allowedAtSeconds, nowSeconds },
      });
    }
    return 0n;
  }
}

function decode(data: Uint8Array): PostedSettlement {
  try {
    return decodeSettlement(data);
  } catch (cause) {
    if (!isRollupError(cause)) throw cause;
    throw sequencerError("SEQ_SETTLEMENT_INVALID", cause.message, { data: { field: "data" }, cause });
  }
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

function invalid(field: string, why: string, { modelId }: SettlementRequest) {
  return sequencerError("SEQ_SETTLEMENT_INVALID", `the settlement of model ${modelId}: ${why}`, {
    data: { field, modelId },
  });
}

function stale({ modelId }: SettlementRequest, epoch: number, why: string) {
  return sequencerError("SEQ_SETTLEMENT_STALE", `epoch ${epoch} of model ${modelId}: ${why}`, {
    data: { modelId, epoch },
  });
}
