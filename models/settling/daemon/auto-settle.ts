/**
 * Closes and settles a model's epochs without anybody's help: an epoch (the payments between two closes) that is full
 * or over is closed with the model's key; once L1 has the randomness, the settlement (proof and data that divide its
 * money) is prepared, proven and handed to the sequencer. start-settling.ts runs it.
 *
 * Nothing is remembered between turns. Every turn asks the ledger where the epoch is and does what comes next, so a
 * kill at any moment costs at most the step that ran, and anyone else who closes or settles meanwhile is in nobody's
 * way.
 */
import type { PublishedModel } from "@openledger/attribution/model/model-files";
import type { SampledSettlement } from "@openledger/circuits/settlement/divide-epoch";
import type { PreparedSettlement } from "@openledger/circuits/settlement/settled-model";
import { modelShape } from "@openledger/circuits/settlement/settlement-size";
import {
  encodeSettlementBody,
  type SettlementBody,
  sendSettlement,
} from "@openledger/client/actions/l1/send-settlement";
import { closeEpoch } from "@openledger/client/actions/ledger/reward-operations";
import type { LedgerClient } from "@openledger/client/ledger-client";
import { getStatus } from "@openledger/client/sequencer/ledger-reads";
import { getModel, getSettlement } from "@openledger/client/sequencer/model-reads";
import type { ClosedEpochView, LedgerModelLeaf } from "@openledger/client/sequencer/model-schemas";
import { formatOpen } from "@openledger/client/sequencer/open-amount";
import { isRollupError } from "@openledger/foundation/rollup-error";
import {
  payeeTableFor,
  type RollupCircuit,
  settlementCircuitFor,
} from "@openledger/verifier/circuits/rollup-circuits";
import { settlerError } from "../../model-errors.ts";
import type { Openings } from "../model-openings.ts";
import {
  type EpochFacts,
  type ProvableSettlement,
  prepareDefaultSplit,
  prepareSampled,
  readClosedEpoch,
} from "../prepare-settlement.ts";
import type { ProvedSettlement } from "../prove-settlement.ts";
import { signSettlement } from "../sign-settlement.ts";
import { dropProof, keepProof, readProof } from "./proof-file.ts";
import type { HelperLog } from "./turn-report.ts";
import { SettlingReport } from "./turn-report.ts";

export interface AutoSettleOptions {
  readonly modelId: number;
  /** An epoch with payments is closed this long after its beginning by L1's clock; null: only when it is full. */
  readonly epochSeconds: number | null;
  /** true: settles draws that cannot be opened as void, which burns their part. */
  readonly consentsToVoids: boolean;
  /** Folder in which proofs are stored until L1 has them. */
  readonly folder: string;
}

export interface AutoSettleModules {
  /** Reads only. */
  readonly client: LedgerClient;
  /**
   * The client with the key that the model has now; null if the owner keeps it: then the owner closes epochs, and draws
   * that cannot be opened are not settled. @throws CMD_ACCOUNT_INVALID
   */
  readonly signer: ((leaf: LedgerModelLeaf) => Promise<LedgerClient>) | null;
  readonly model: Pick<PublishedModel, "features" | "columns" | "answeringHash" | "payees" | "statics">;
  readonly circuits: readonly RollupCircuit[];
  /** Fetches the openings of an epoch's receipts. @throws ATT_SERVER_UNREACHABLE */
  readonly openings: (epoch: number) => Promise<Openings>;
  readonly prove: (
    prepared: PreparedSettlement,
    /** Circuits of its proofs. */
    circuits: readonly RollupCircuit[],
    onPercent: (percent: number) => void,
  ) => Promise<ProvedSettlement>;
  readonly log: HelperLog;
  readonly report?: SettlingReport;
}

/**
 * Codes that are no failures. Others close and settle too, and the next turn sees what they did first. An epoch that
 * has just begun is closed once L1 has its beginning.
 */
const NEXT_TURN = [
  "OP_NOTHING_TO_CLOSE",
  "OP_EPOCH_UNSETTLED",
  "SEQ_SETTLEMENT_STALE",
  "SEQ_TOO_EARLY",
] as const;
/** Codes of the sequencer for a stored proof that is of no use. */
const USELESS_PROOF = ["SEQ_SETTLEMENT_INVALID"] as const;

export class AutoSettler {
  readonly report: SettlingReport;
  readonly #options: AutoSettleOptions;
  readonly #modules: AutoSettleModules;
  /** Newest settlement seen on L1, so that each is reported once. */
  #reportedEpoch = 0;
  #reportedRandomnessOf = 0;

  constructor(options: AutoSettleOptions, modules: AutoSettleModules) {
    this.#options = options;
    this.#modules = modules;
    this.report = modules.report ?? new SettlingReport(options.modelId);
  }

  /**
   * Looks where the epoch is and does the next step, which may take as long as a proof.
   * @throws what the ledger, the openings and the prover throw; CMD_VOID_DRAWS
   */
  async turn(): Promise<void> {
    try {
      const leaf = await getModel(this.#modules.client, this.#options.modelId);
      if (!leaf.counters.isReady) this.report.set({ stage: "not-ready", epoch: null });
      else if (leaf.closedEpoch !== null) await this.#settle(leaf, leaf.closedEpoch);
      else await this.#closeIfDue(leaf);
      this.report.noteSuccess();
    } catch (error) {
      if (!NEXT_TURN.some((code) => isRollupError(error, code))) throw error;
      this.report.noteSuccess();
    }
  }

  async #closeIfDue(leaf: LedgerModelLeaf): Promise<void> {
    const { client, log, signer } = this.#modules;
    const { epochSeconds, modelId } = this.#options;
    const { cap, epoch, paymentCount } = leaf.counters;
    const isPosting = await this.#watchLast(epoch - 1);
    const overAtSeconds = epochSeconds === null ? null : leaf.model.epochStart + epochSeconds;
    const open = { epoch, paymentCount, cap, overAtSeconds };
    const isFull = paymentCount >= cap;
    const isOver =
      paymentCount > 0 && overAtSeconds !== null && (await getStatus(client)).l1.timestamp >= overAtSeconds;
    if (signer === null || (!isFull && !isOver)) {
      this.report.set({ stage: isPosting ? "posting" : "open", ...open });
      return;
    }
    this.report.set({ stage: "closing", ...open });
    const sent = await closeEpoch(await signer(leaf), { modelId });
    this.report.noteClose();
    log.info(
      { modelId, epoch, paymentCount, amountWei: `${leaf.openAmountWei}`, hash: sent.hash },
      `epoch ${epoch} is ${isFull ? "full" : "over"}: closed with ${paymentCount} payments of ${formatOpen(leaf.openAmountWei)} OPEN`,
    );
  }

  /** @returns whether the epoch's settlement is on its way to L1 */
  async #watchLast(epoch: number): Promise<boolean> {
    if (epoch < 1 || epoch <= this.#reportedEpoch) return false;
    const { client, log } = this.#modules;
    const { folder, modelId } = this.#options;
    const settlement = await getSettlement(client, modelId, epoch);
    if (settlement?.l1TransactionHash == null) return true;
    const { batchNumber, l1TransactionHash } = settlement;
    await dropProof(folder, { modelId, epoch });
    this.#reportedEpoch = epoch;
    this.report.set({ settled: { epoch, l1TransactionHash } });
    log.info(
      { modelId, epoch, batchNumber, l1TransactionHash },
      `epoch ${epoch} is settled on L1 by batch ${batchNumber}`,
    );
    return false;
  }

  async #settle(leaf: LedgerModelLeaf, closed: ClosedEpochView): Promise<void> {
    const { client, log } = this.#modules;
    const { modelId } = this.#options;
    const { epoch } = closed;
    this.report.set({ epoch, overAtSeconds: null, cap: leaf.counters.cap });
    if (closed.isRandomnessMissed) {
      if (!(await this.#isDefaultDue(closed))) {
        this.report.set({ stage: "awaiting-default-split" });
        return;
      }
    } else if (closed.prevRandao === null) {
      this.report.set({ stage: "awaiting-randomness" });
      return;
    }
    if (this.#reportedRandomnessOf !== epoch) {
      this.#reportedRandomnessOf = epoch;
      log.info({ modelId, epoch }, `epoch ${epoch}: preparing its settlement`);
    }
    this.report.set({ stage: "preparing" });
    const facts = await readClosedEpoch(client, modelId, epoch);
    this.report.set({ paymentCount: facts.payments.length });
    const { prepared, circuits } = await this.#prepare(facts, closed.isRandomnessMissed);
    const storedProof = await readProof(this.#options.folder, prepared.data, circuits[0]!.name);
    const body = storedProof ?? (await this.#prove(facts, { prepared, circuits }));
    this.report.set({ stage: "sending" });
    await this.#send(body, epoch, storedProof !== null);
  }

  /** Returns true if anyone may settle by row counts. */
  async #isDefaultDue({ defaultSplitFromSeconds }: ClosedEpochView): Promise<boolean> {
    const { timestamp } = (await getStatus(this.#modules.client)).l1;
    return defaultSplitFromSeconds !== null && timestamp >= defaultSplitFromSeconds;
  }

  async #prepare(
    facts: EpochFacts,
    isMissed: boolean,
  ): Promise<ProvableSettlement<PreparedSettlement | SampledSettlement>> {
    const { circuits, model, openings } = this.#modules;
    if (isMissed) return prepareDefaultSplit(facts, payeeTableFor(circuits, model.payees));
    const settling = settlementCircuitFor(circuits, modelShape(model.statics, model.payees));
    const opened = await openings(Number(facts.closed.epoch));
    const provable = prepareSampled(facts, { model, openings: opened, settling });
    const { prepared } = provable;
    const places = prepared.draws.filter(({ isValid }) => !isValid).map(({ paymentIndex }) => paymentIndex);
    if (places.length > 0 && !this.#options.consentsToVoids) {
      const { burnedWei } = prepared.data;
      throw settlerError(
        "CMD_VOID_DRAWS",
        `epoch ${facts.closed.epoch}: the drawn payments ${places.join(", ")} pay for receipts that the server cannot open; settled so, ${formatOpen(burnedWei)} OPEN would be burned`,
        { data: { modelId: facts.leaf.id, epoch: Number(facts.closed.epoch), payments: places, burnedWei } },
      );
    }
    return provable;
  }

  async #prove(facts: EpochFacts, { prepared, circuits }: ProvableSettlement): Promise<SettlementBody> {
    const { log, prove, signer } = this.#modules;
    const { folder, modelId } = this.#options;
    const epoch = Number(facts.closed.epoch);
    this.report.set({ stage: "proving", provedPercent: 0 });
    const proved = await prove(prepared, circuits, (provedPercent) =>
      this.report.set({ stage: "proving", provedPercent }),
    );
    const tookMs = proved.witnessMs + proved.proveMs;
    this.report.noteProof(tookMs);
    const settlement =
      prepared.data.voidCount === 0
        ? proved.settlement
        : signSettlement(await signer!(facts.leaf), facts.leaf, proved.settlement);
    const body = encodeSettlementBody(settlement);
    await keepProof(folder, prepared.data, body);
    const { voidCount } = prepared.data;
    log.info(
      {
        modelId,
        epoch,
        circuit: circuits[0]!.name,
        proofCount: circuits.length,
        proveMs: Math.round(tookMs),
        voidCount,
      },
      `epoch ${epoch}: settlement proven with ${circuits[0]!.name} in ${(tookMs / 1000).toFixed(1)} s`,
    );
    return body;
  }

  async #send(body: SettlementBody, epoch: number, isKept: boolean): Promise<void> {
    const { client, log } = this.#modules;
    const { folder, modelId } = this.#options;
    try {
      const { batchNumber, status } = await sendSettlement(client, body);
      this.report.noteSettlement();
      this.report.set({ stage: "posting" });
      log.info({ modelId, epoch, batchNumber, status }, `epoch ${epoch} is settled in batch ${batchNumber}`);
    } catch (error) {
      // The file is at fault, not the epoch: the next turn proves again.
      if (isKept && USELESS_PROOF.some((code) => isRollupError(error, code)))
        await dropProof(folder, { modelId, epoch });
      throw error;
    }
  }
}
