/**
 * Prover whose proofs the queue's workers make. A job is named by its circuit and its inputs, and a proof
 * stays in the queue for a week: a caller that returns after a restart finds proofs that were delivered
 * meanwhile.
 */

import { setTimeout as delay } from "node:timers/promises";
import { signalValue } from "@openledger/circuits/compiler/witness-calculator";
import { FIELD_ORDER } from "@openledger/circuits/protocol";
import { isUnreachable } from "@openledger/foundation/database/database-errors";
import { hashOf, type PackedInputs, packInputs } from "@openledger/foundation/database/job-inputs";
import { INPUTS_INVALID, INPUTS_MISSING } from "@openledger/foundation/database/job-lease";
import { type JobCounts, MAX_ATTEMPTS } from "@openledger/foundation/database/job-queue";
import type { DatabaseConfig } from "@openledger/foundation/database/open-database";
import { whileAway } from "@openledger/foundation/database/while-away";
import { verifyProof } from "../formats/verification-key.ts";
import type {
  OutsideProver,
  OutsideProverEvents,
  ProverLogger,
  QueueState,
} from "../process/outside-prover.ts";
import { proverError } from "../prover-errors.ts";
import type { CircuitInputs, ProofJob, ProofResult, ProveOptions, SignalValue } from "../proving/prover.ts";
import { openProofQueue, type ProofQueue, type ProveAnswer } from "./prove-queue.ts";

const COUNT_MS = 2_000;
/** Pauses before a job that was taken away is put again: none before the first time, then these, the first one and the longest. */
const [FIRST_PAUSE_MS, MAX_PAUSE_MS] = [1_000, 30_000];
/** Maximum queued jobs: more need not wait there with their inputs. */
const MAX_QUEUED = 64;

interface QueueProverOptions {
  readonly database: DatabaseConfig;
  /**
   * True if a job that its caller aborts is cancelled at its worker. False if several callers may share a
   * job: a settlement's proof is as good for the next settler.
   */
  readonly cancelsAborted: boolean;
}

interface QueueProverModules extends OutsideProverEvents {
  readonly logger: ProverLogger;
}

/** @throws SRV_DATABASE_UNREACHABLE, SRV_DATABASE_SCHEMA */
export async function createQueueProver(
  options: QueueProverOptions,
  modules: QueueProverModules,
): Promise<OutsideProver> {
  const queue = await openProofQueue(options.database, { logger: modules.logger, migrates: true });
  return new QueueProver(queue, options, modules);
}

/** A job as the queue has it. */
interface JobRequest extends Pick<ProofJob, "circuit"> {
  readonly publicSignals: readonly bigint[] | undefined;
  /** Circuit and inputs. */
  readonly key: string;
  readonly inputs: Promise<PackedInputs>;
}

class QueueProver implements OutsideProver {
  readonly backend = "queue";
  readonly concurrency = MAX_QUEUED;
  readonly #queue: ProofQueue;
  readonly #options: QueueProverOptions;
  readonly #modules: QueueProverModules;
  readonly #closing = new AbortController();
  readonly #counting: NodeJS.Timeout;
  /** null while the database does not answer. */
  #counts: JobCounts | null = null;
  #failingCode: string | null = null;

  constructor(queue: ProofQueue, options: QueueProverOptions, modules: QueueProverModules) {
    this.#queue = queue;
    this.#options = options;
    this.#modules = modules;
    this.#counting = setInterval(() => void this.#count(), COUNT_MS).unref();
    void this.#count();
  }

  get state(): QueueState {
    const { workerCount = 0, waitingCount = 0, activeCount = 0 } = this.#counts ?? {};
    return {
      place: "queue",
      isReady: workerCount > 0,
      workerCount,
      waitingCount,
      activeCount,
      failingCode: this.#counts === null ? "SRV_DATABASE_UNREACHABLE" : this.#failingCode,
    };
  }

  /**
   * Proves a job by the queue. Checks a worker's proof by the circuit's key, and by the public signals if
   * they are known.
   * @throws RollupError CIR_INPUT_MISMATCH for an input value outside the field
   */
  async prove(
    { circuit, inputs, publicSignals }: ProofJob,
    options: ProveOptions = {},
  ): Promise<ProofResult> {
    const json = JSON.stringify(plainInputs(inputs!));
    const key = hashOf(`${circuit.contentHash} ${json}`);
    // The inputs of 64 jobs themselves would take a gigabyte.
    return this.#prove({ circuit, publicSignals, key, inputs: packInputs(json) }, options);
  }

  async #prove(request: JobRequest, options: ProveOptions): Promise<ProofResult> {
    const closed = this.#closing.signal;
    const signal = options.signal === undefined ? closed : AbortSignal.any([closed, options.signal]);
    const inputs = await request.inputs;
    try {
      return await this.#proveByQueue({ ...request, inputs }, { ...options, signal });
    } catch (error) {
      if (closed.aborted)
        throw proverError("PRV_CLOSED", "the prover was closed; the job stays in the queue", {
          cause: error,
        });
      if (!signal.aborted) throw error;
      if (this.#options.cancelsAborted) await this.#cancel(request.key, inputs.hash).catch(() => {});
      throw proverError("PRV_CANCELLED", "no one waits for the proof any more", { cause: error });
    }
  }

  async #proveByQueue(
    request: Omit<JobRequest, "inputs"> & { readonly inputs: PackedInputs },
    { onProgress, priority, signal }: ProveOptions & { signal: AbortSignal },
  ): Promise<ProofResult> {
    const { circuit, inputs, key } = request;
    const queue = this.#queue;
    const startedAtMs = performance.now();
    onProgress?.({ stage: "witness", elapsedMs: 0 });
    let pauseMs = 0;
    for (let attempt = 1; ; ) {
      const task = { circuit: circuit.name, contentHash: circuit.contentHash };
      const sent = { inputs, ...(priority === undefined ? {} : { priority }) };
      await whileAway(signal, () => queue.send(key, task, sent));
      const end = await queue.wait(key, { signal, ...(onProgress === undefined ? {} : { onProgress }) });
      let error: Error;
      if (end?.state === "completed" || end?.state === "malformed") {
        try {
          const result = this.#read(request, end.state === "completed" ? end.answer : null);
          onProgress?.({ stage: "verify", elapsedMs: performance.now() - startedAtMs });
          this.#failingCode = null;
          await whileAway(signal, () => queue.dropInputs(inputs.hash));
          return result;
        } catch (raised) {
          error = raised as Error;
        }
      } else error = new Error(end === null || end.state === "cancelled" ? "the job is gone" : end.reason);
      if (signal.aborted) throw error;
      // The inputs may be the fault.
      await whileAway(signal, () => queue.dropInputs(inputs.hash));
      await whileAway(signal, () => queue.remove(key));
      const isNobodysFault =
        end === null ||
        end.state === "cancelled" ||
        (end.state === "refused" && [INPUTS_MISSING, INPUTS_INVALID].includes(end.reason));
      if (!isNobodysFault && attempt++ >= MAX_ATTEMPTS) throw this.#failed(request, error);
      // Attack: a worker that takes jobs away as fast as they come would fill the database's log with their inputs.
      if (isNobodysFault) {
        await delay(pauseMs, undefined, { signal });
        pauseMs = Math.min(2 * pauseMs + FIRST_PAUSE_MS, MAX_PAUSE_MS);
      }
      const facts = { circuit: circuit.name, reason: error.message };
      this.#modules.logger.warn(facts, "the queue has no proof of a job; it is put again");
    }
  }

  async close(): Promise<void> {
    this.#closing.abort();
    clearInterval(this.#counting);
    await this.#queue.close();
  }

  /** Attack: every worker can write what is in the queue. @throws PRV_PROOF_INVALID */
  #read(
    { circuit, publicSignals: expectedSignals }: Omit<JobRequest, "inputs">,
    handed: ProveAnswer | null,
  ): ProofResult {
    const worker = handed?.worker ?? "unknown";
    const isRight =
      handed !== null &&
      (expectedSignals === undefined ||
        (expectedSignals.length === handed.publicSignals.length &&
          expectedSignals.every((value, i) => value === handed.publicSignals[i]))) &&
      verifyProof(circuit.verificationKey, handed.proof, handed.publicSignals);
    if (isRight) {
      const { backend, elapsedMs, proof, publicSignals, timings } = handed;
      this.#modules.logger.info(
        { circuit: circuit.name, worker, backend, elapsedMs },
        "a worker's proof is taken",
      );
      return { backend, proof, publicSignals, timings };
    }
    this.#modules.onFalseProof?.(worker);
    throw proverError(
      "PRV_PROOF_INVALID",
      `the result of ${worker} for ${circuit.name} is not the proof that was asked for`,
      { data: { worker, circuit: circuit.name } },
    );
  }

  #failed({ circuit }: Pick<JobRequest, "circuit">, cause: Error): Error {
    this.#failingCode = "PRV_QUEUE_FAILED";
    return proverError(
      "PRV_QUEUE_FAILED",
      `no worker of the queue proves ${circuit.name}: ${cause.message}`,
      {
        data: { reason: "queue-job-failed", circuit: circuit.name },
        cause,
      },
    );
  }

  /** Cancels a job. A worker that is proving it releases it within seconds. */
  async #cancel(key: string, inputsHash: string): Promise<void> {
    await this.#queue.cancel(key);
    await this.#queue.dropInputs(inputsHash);
  }

  async #count(): Promise<void> {
    try {
      this.#counts = await this.#queue.counts();
    } catch (error) {
      if (this.#closing.signal.aborted) return;
      this.#counts = null;
      if (!isUnreachable(error))
        this.#modules.logger.warn({ err: error }, "the queue's jobs are not counted");
    }
  }
}

const plainInputs = (inputs: CircuitInputs) =>
  Object.fromEntries(Object.entries(inputs).map(([name, value]) => [name, plain(value)]));

/** A value as JSON has it: decimal, below r. @throws RollupError CIR_INPUT_MISMATCH for a value outside the field */
function plain(value: SignalValue): unknown {
  if (Array.isArray(value) || ArrayBuffer.isView(value))
    return Array.from(value as ArrayLike<SignalValue>, plain);
  return signalValue(BigInt(value as bigint), FIELD_ORDER).toString();
}
