/**
 * Proves closed batches: gives them to the prover in their order, and takes its proofs. L1 takes batches in
 * their order alone, so the oldest goes first. Every pass compares both sides again, so a restart needs no
 * record of running jobs. sequencer-process.ts runs it.
 */
import type { Logger } from "@openledger/foundation/logger";
import { waitAfterMs } from "@openledger/foundation/retry";
import { isRollupError } from "@openledger/foundation/rollup-error";
import { verifyProof } from "@openledger/prover/formats/verification-key";
import type { OutsideProver } from "@openledger/prover/process/outside-prover";
import { proverError } from "@openledger/prover/prover-errors";
import type { CircuitInputs, ProvingCircuit } from "@openledger/prover/proving/prover";
import type { Metrics } from "../../metrics.ts";
import { sequencerError } from "../../sequencer-errors.ts";
import type { StoredBatch } from "../../store/stored-batch.ts";
import type { BatchPipeline } from "../batch-pipeline.ts";

interface BatchProverModules {
  readonly pipeline: Pick<BatchPipeline, "addProof" | "proofInputs">;
  /** Closed batches that L1 may still take, without a proof, in order. */
  readonly unproven: () => Promise<readonly StoredBatch[]>;
  readonly prover: OutsideProver;
  /** Batch circuits of the deployment, by name. */
  readonly circuits: ReadonlyMap<string, ProvingCircuit>;
  /** Called while a prover is there. @param name of its back end */
  readonly onHeard: (name: string) => void;
  readonly metrics: Metrics;
  readonly logger: Logger;
}

/** Between two looks that nothing else gave rise to: retries that are due, and guards against what was missed. */
const LOOK_MS = 250;
const WAITS = { firstWaitMs: 1_000, maxWaitMs: 30_000 };
/** Priorities of a queue (ProveOptions): batch numbers go round behind it. */
const PRIORITIES = 2 ** 31;

/** A batch that is with the prover, or waits after a failure. */
interface Task {
  readonly superseded: AbortController;
  failureCount: number;
  /** Infinity while the prover has it. */
  dueAtMs: number;
}

export class BatchProver {
  readonly #modules: BatchProverModules;
  /** Tasks by batch hash, which names one closing of a batch. */
  readonly #tasks = new Map<string, Task>();
  #running = 0;
  #timer: NodeJS.Timeout | undefined;
  #isLooking = false;
  /** true: something has changed since the look that is under way began. */
  #isStale = false;
  #isStopped = false;
  #proving: { readonly batchNumber: number; readonly stage: string } | null = null;

  constructor(modules: BatchProverModules) {
    this.#modules = modules;
  }

  start(): void {
    this.#timer = setInterval(() => void this.look(), LOOK_MS);
  }

  /** Facts in /health. */
  get facts(): object {
    const { prover } = this.#modules;
    return { ...prover.state, proving: this.#proving };
  }

  /** Compares both sides: call it when a batch was closed. Never throws: failures are logged, counted and tried again. */
  async look(): Promise<void> {
    this.#isStale = true;
    if (this.#isLooking) return;
    this.#isLooking = true;
    while (this.#isStale && !this.#isStopped) {
      this.#isStale = false;
      await this.#compare();
    }
    this.#isLooking = false;
  }

  async #compare(): Promise<void> {
    const { logger, prover } = this.#modules;
    try {
      this.#report();
      const unproven = await this.#modules.unproven();
      const unprovenHashes = new Set<string>(unproven.map(({ batchHash }) => batchHash));
      for (const [batchHash, task] of this.#tasks) {
        if (unprovenHashes.has(batchHash)) continue;
        task.superseded.abort();
        this.#tasks.delete(batchHash);
      }
      for (const batch of unproven) {
        if (this.#running >= prover.concurrency) break;
        const task = this.#taskOf(batch.batchHash);
        if (task.dueAtMs > performance.now()) continue;
        // One after the other: inputs take much memory, and the oldest batch's job comes first.
        const inputs = await this.#modules.pipeline.proofInputs(batch.batchHash);
        if (inputs !== null) void this.#prove(batch, inputs, task);
      }
    } catch (error) {
      logger.error({ err: error }, "cannot look for batches to prove; will try again");
    }
  }

  /** Ends running jobs. A queue goes on with its jobs, and gives their proofs to the next start. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    clearInterval(this.#timer);
    await this.#modules.prover.close();
  }

  #taskOf(batchHash: string): Task {
    const known = this.#tasks.get(batchHash);
    if (known !== undefined) return known;
    const task: Task = { superseded: new AbortController(), failureCount: 0, dueAtMs: 0 };
    this.#tasks.set(batchHash, task);
    return task;
  }

  async #prove(batch: StoredBatch, inputs: CircuitInputs, task: Task): Promise<void> {
    this.#running += 1;
    task.dueAtMs = Number.POSITIVE_INFINITY;
    let isProven = false;
    try {
      await this.#makeProof(batch, inputs, task.superseded.signal);
      this.#tasks.delete(batch.batchHash);
      isProven = true;
    } catch (error) {
      this.#noteFailure(batch, task, error);
    } finally {
      this.#running -= 1;
      if (this.#proving?.batchNumber === batch.number) this.#proving = null;
    }
    // The next one need not wait for the timer; after a failure it may.
    if (isProven) await this.look();
  }

  async #makeProof(batch: StoredBatch, inputs: CircuitInputs, signal: AbortSignal): Promise<void> {
    const { pipeline, logger, prover } = this.#modules;
    const { batchHash, number: batchNumber } = batch;
    const circuit = this.#circuitOf(batch);
    const startedAtMs = performance.now();
    const job = { circuit, inputs, publicSignals: batch.publicSignals };
    const { backend, proof, publicSignals, timings } = await prover.prove(job, {
      signal,
      priority: batchNumber % PRIORITIES,
      onProgress: ({ stage }) => {
        this.#proving = { batchNumber, stage };
      },
    });
    // Attack: a worker of a queue may hand in anything. L1 would refuse a false proof, and the batch would wait. This process's
    // own child has verified its proof.
    const isForeign = prover.state.place === "queue";
    if (isForeign && !verifyProof(circuit.verificationKey, proof, publicSignals))
      throw sequencerError("SEQ_PROOF_INVALID", `the proof of batch ${batchNumber} does not verify`, {
        data: { batchNumber, backend },
      });
    await pipeline.addProof(batchNumber, batchHash, publicSignals, { proof, timings, backend });
    const elapsedMs = Math.round(performance.now() - startedAtMs);
    logger.info({ batchNumber, circuit: circuit.name, backend, elapsedMs, timings }, "batch proven");
  }

  #circuitOf({ circuit, number: batchNumber }: StoredBatch): ProvingCircuit {
    const { circuits } = this.#modules;
    const known = circuits.get(circuit);
    if (known !== undefined) return known;
    const data = { reason: "circuit-unknown", batchNumber, circuit, known: [...circuits.keys()] };
    const message = `batch ${batchNumber} is for ${circuit}, which the deployment does not have`;
    throw proverError("PRV_CIRCUIT_UNSUPPORTED", message, { data });
  }

  /**
   * Notes a failed proof and its next attempt. An error that is not retryable (a key that does not fit, inputs
   * without a witness) needs a human. It is still tried again, since the batch may be closed again or the prover be
   * mended. Later batches are proven meanwhile.
   */
  #noteFailure({ batchHash, number: batchNumber }: StoredBatch, task: Task, error: unknown): void {
    const { logger, metrics } = this.#modules;
    const code = isRollupError(error) ? error.code : "OTHER";
    if (task.superseded.signal.aborted || USELESS.has(code)) {
      logger.info({ batchNumber, code }, "there is no use for the proof any more");
      this.#tasks.delete(batchHash);
      return;
    }
    if (code === "PRV_CLOSED") return;
    task.failureCount += 1;
    const waitMs = waitAfterMs(task.failureCount, WAITS);
    task.dueAtMs = performance.now() + waitMs;
    metrics.errors.inc({ code });
    metrics.prover.failures.inc({ code });
    const facts = { batchNumber, code, failureCount: task.failureCount, waitMs };
    if (isRollupError(error) && error.isRetryable)
      logger.warn({ ...facts, reason: error.message }, "a proof failed; will try again");
    else logger.error({ ...facts, err: error }, "a proof failed, and a human has to look; will try again");
  }

  #report(): void {
    const { metrics, onHeard, prover } = this.#modules;
    const { state } = prover;
    metrics.prover.up.set(state.isReady ? 1 : 0);
    if (state.isReady) onHeard(state.place === "queue" ? "queue" : `${state.backend}`);
    if (state.place === "process") {
      metrics.prover.restarts.set(state.restartCount);
      metrics.prover.memoryBytes.set(state.memoryBytes);
      metrics.prover.busy.set(state.stage === null ? 0 : 1);
      metrics.prover.stageSeconds.set((state.stageElapsedMs ?? 0) / 1_000);
      return;
    }
    metrics.prover.workers.set(state.workerCount);
    metrics.prover.jobs.set({ state: "waiting" }, state.waitingCount);
    metrics.prover.jobs.set({ state: "active" }, state.activeCount);
  }
}

/** Error codes after which the proof is of no use: the batch was rebuilt, or is final. */
const USELESS: ReadonlySet<string> = new Set(["SEQ_BATCH_CONFLICT", "SEQ_UNKNOWN"]);
