/**
 * Closes and settles a model's epochs without anybody's help: an epoch (the payments between two closes) that is full
 * or over is closed with the model's key; once L1 has the randomness, the settlement (proof and data that divide its
 * money) is prepared, proven and handed to the sequencer. start-settling.ts runs it.
 *
 * Nothing is remembered between turns. Every turn asks the ledger where the epoch is and does what comes next, as the
 * epoch's job (settling-queue.ts): of several servers on one database one does it, and another takes over where that one
 * is killed. A kill at any moment costs at most the step that ran. Whoever closes or settles without the queue is in
 * nobody's way: the ledger and L1 take each epoch once.
 */
import type { PublishedModel } from "@openledger/attribution/model/model-files";
import type { PreparedSettlement } from "@openledger/circuits/settlement/settled-model";
import type { LedgerClient } from "@openledger/client/ledger-client";
import { getStatus } from "@openledger/client/sequencer/ledger-reads";
import { getModel, getSettlement } from "@openledger/client/sequencer/model-reads";
import type { ClosedEpochView, LedgerModelLeaf } from "@openledger/client/sequencer/model-schemas";
import { formatOpen } from "@openledger/client/sequencer/open-amount";
import { closeModelEpoch } from "@openledger/client/tasks/close-epoch";
import type { JobState } from "@openledger/foundation/database/job-queue";
import { isRollupError } from "@openledger/foundation/rollup-error";
import type { StoreRollup } from "@openledger/foundation/store/store-identity";
import type { RollupCircuit } from "@openledger/verifier/circuits/rollup-circuits";
import type { Openings } from "../model-openings.ts";
import type { ProvedSettlement } from "../prove-settlement.ts";
import { type PreparedEpoch, settleEpoch } from "../settle-epoch.ts";
import { type SettlingJob, type SettlingQueue, savedProof, settlingTask } from "./settling-queue.ts";
import { type HelperLog, SettlingReport, type SettlingStage } from "./turn-report.ts";

export interface AutoSettleOptions {
  readonly modelId: number;
  /** An epoch with payments is closed this long after its beginning by L1's clock; null: only when it is full. */
  readonly epochSeconds: number | null;
  /** true: settles draws that cannot be opened as void, which burns their part. */
  readonly consentsToVoids: boolean;
  readonly rollup: StoreRollup;
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
    options: { readonly signal: AbortSignal; readonly onPercent: (percent: number) => void },
  ) => Promise<ProvedSettlement>;
  readonly queue: SettlingQueue;
  /** Aborted when the settler stops. */
  readonly signal: AbortSignal;
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
/** Codes of the sequencer for a saved proof that is of no use. */
const USELESS_PROOF = ["SEQ_SETTLEMENT_INVALID", "SRV_BAD_REQUEST"] as const;

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
    const close = async (job: SettlingJob): Promise<null> => {
      const now = await getModel(client, modelId);
      // Another server was faster.
      if (now.closedEpoch !== null || now.counters.epoch !== epoch) return null;
      this.#tell(job, "closing");
      this.report.set(open);
      const { amountWei, paymentCount: count, sent } = await closeModelEpoch(await signer(now), { modelId });
      this.report.noteClose();
      log.info(
        { modelId, epoch, paymentCount: count, amountWei: `${amountWei}`, hash: sent.hash },
        `epoch ${epoch} is ${isFull ? "full" : "over"}: closed with ${count} payments of ${formatOpen(amountWei)} OPEN`,
      );
      // The job ends with the settlement.
      return null;
    };
    // Also where it was settled before, and the sequencer has lost that.
    await this.#attempt(epoch, close, { again: true });
  }

  /** Does a step of the epoch's job, or shows how far another server is. @returns the state of a job that is another's */
  async #attempt(
    epoch: number,
    run: (job: SettlingJob) => Promise<{ readonly batchNumber: number } | null>,
    options: { readonly again?: boolean } = {},
  ): Promise<JobState<unknown, unknown> | null> {
    const { queue, signal } = this.#modules;
    const { modelId, rollup } = this.#options;
    const { key, task } = settlingTask(rollup, { modelId, epoch });
    const attempt = await queue.attempt(key, task, { run, signal, ...options });
    if (attempt.isOurs) return null;
    if (attempt.state.state === "active" && attempt.state.progress !== null)
      this.report.set(attempt.state.progress);
    return attempt.state;
  }

  /** Shows a step of a job, here and at the servers that wait for it. */
  #tell(job: SettlingJob, stage: SettlingStage, provedPercent: number | null = null): void {
    this.report.set({ stage, provedPercent });
    job.progress({ stage, provedPercent });
  }

  /** @returns whether the epoch's settlement is on its way to L1 */
  async #watchLast(epoch: number): Promise<boolean> {
    if (epoch < 1 || epoch <= this.#reportedEpoch) return false;
    const { client, log, queue } = this.#modules;
    const { modelId, rollup } = this.#options;
    const settlement = await getSettlement(client, modelId, epoch);
    if (settlement?.l1TransactionHash == null) return true;
    const { batchNumber, l1TransactionHash } = settlement;
    await queue.remove(settlingTask(rollup, { modelId, epoch }).key);
    this.#reportedEpoch = epoch;
    this.report.set({ settled: { epoch, l1TransactionHash } });
    log.info(
      { modelId, epoch, batchNumber, l1TransactionHash },
      `epoch ${epoch} is settled on L1 by batch ${batchNumber}`,
    );
    return false;
  }

  async #settle(leaf: LedgerModelLeaf, closed: ClosedEpochView): Promise<void> {
    const { client } = this.#modules;
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
    const step = (job: SettlingJob) => this.#settleAlone(closed, job);
    const others = await this.#attempt(epoch, step);
    if (others?.state !== "completed") return;
    // Another server has settled it since the ledger was read, or the sequencer has lost what it took.
    const now = await getModel(client, modelId);
    if (now.closedEpoch?.epoch === epoch) await this.#attempt(epoch, step, { again: true });
  }

  async #settleAlone(
    { epoch, isRandomnessMissed }: ClosedEpochView,
    job: SettlingJob,
  ): Promise<{ readonly batchNumber: number }> {
    const { client, log } = this.#modules;
    const { modelId } = this.#options;
    if (this.#reportedRandomnessOf !== epoch) {
      this.#reportedRandomnessOf = epoch;
      log.info({ modelId, epoch }, `epoch ${epoch}: preparing its settlement`);
    }
    const { circuits, model, openings, prove, signer } = this.#modules;
    const onPercent = (provedPercent: number) => this.#tell(job, "proving", provedPercent);
    let isSaved = false;
    try {
      const { settlement } = await settleEpoch(client, {
        ...{ modelId, epoch, circuits, signer },
        consentsToVoids: this.#options.consentsToVoids,
        division: isRandomnessMissed
          ? { by: "rows" }
          : { by: "draws", published: async (of) => ({ model, openings: await openings(of) }) },
        saved: ({ circuits: proofs, facts, prepared }) => {
          this.report.set({ paymentCount: facts.payments.length });
          const body = savedProof(job.saved, prepared.data, proofs[0]!.name);
          isSaved = body !== null;
          return body;
        },
        prove: ({ circuits: proofs, prepared }) => {
          onPercent(0);
          return prove(prepared, proofs, { signal: job.signal, onPercent });
        },
        onProven: async (body, proved, prepared) => {
          await job.save(body);
          this.#noteProof(epoch, proved, prepared);
        },
        onProgress: ({ step }) => {
          if (step !== "proving") this.#tell(job, step);
        },
      });
      const { batchNumber, status } = settlement;
      this.report.noteSettlement();
      this.report.set({ stage: "posting" });
      log.info({ modelId, epoch, batchNumber, status }, `epoch ${epoch} is settled in batch ${batchNumber}`);
      return { batchNumber };
    } catch (error) {
      // The proof is at fault, not the epoch: the next turn proves again.
      if (isSaved && USELESS_PROOF.some((code) => isRollupError(error, code))) await job.save(null);
      throw error;
    }
  }

  #noteProof(
    epoch: number,
    { proveMs, witnessMs }: ProvedSettlement,
    { circuits, prepared }: PreparedEpoch,
  ): void {
    const { log } = this.#modules;
    const { modelId } = this.#options;
    const [{ name: circuit }] = circuits as [RollupCircuit];
    const { voidCount } = prepared.data;
    const tookMs = witnessMs + proveMs;
    this.report.noteProof(tookMs);
    log.info(
      {
        ...{ modelId, epoch, circuit, proofCount: circuits.length },
        ...{ proveMs: Math.round(tookMs), voidCount },
      },
      `epoch ${epoch}: settlement proven with ${circuit} in ${(tookMs / 1000).toFixed(1)} s`,
    );
  }

  /** Returns true if anyone may settle by row counts. */
  async #isDefaultDue({ defaultSplitFromSeconds }: ClosedEpochView): Promise<boolean> {
    const { timestamp } = (await getStatus(this.#modules.client)).l1;
    return defaultSplitFromSeconds !== null && timestamp >= defaultSplitFromSeconds;
  }
}
