/**
 * Reference back end: snarkjs in a child process, as a `Prover`. Slow, but independent of our own kernels: the
 * oracle of the others.
 */
import { type ChildProcess, fork } from "node:child_process";
import { toSnarkjsKey } from "../formats/verification-key.ts";
import { proverError } from "../prover-errors.ts";
import { JobQueue, type QueuedJob, requireWaiting } from "../proving/job-queue.ts";
import type { ProofJob, ProofResult, ProveOptions, Prover } from "../proving/prover.ts";
import { ProvingKeyChecker } from "../proving/proving-key.ts";
import type { ProveAnswer, ProveRequest } from "./prove-worker.ts";

/** Name in results and settings. */
const backend = "snarkjs";
/** Characters of the process's last output in an error: enough for Node's words on a crash, and bounded. */
const maxStderrChars = 4000;
/** Time for one stage: the largest circuit's proof takes snarkjs minutes on two cores. */
const STAGE_TIMEOUT_MS = 3_600_000;

interface SnarkjsProverOptions {
  /** A process that takes longer for a stage of a proof is killed, and another one is started for the next. */
  readonly stageTimeoutMs?: number;
}

/**
 * Creates the reference back end: circom's witness calculator and snarkjs' prover in a process of their own, which
 * starts with the first job and stays for the next. Jobs run one after another, each on all cores. An idle
 * prover does not keep the caller's process alive. workerPid is null while no process runs.
 */
export function createSnarkjsProver({
  stageTimeoutMs = STAGE_TIMEOUT_MS,
}: SnarkjsProverOptions = {}): Prover & { readonly workerPid: number | null } {
  return new SnarkjsProver(stageTimeoutMs);
}

class SnarkjsProver implements Prover {
  readonly backend = backend;
  readonly #keys = new ProvingKeyChecker();
  readonly #jobs = new JobQueue<ProofResult>({
    run: (queued) => this.#runJob(queued),
    stop: () => void this.#killWorker(),
  });
  readonly #stageTimeoutMs: number;
  #worker: ChildProcess | null = null;

  constructor(stageTimeoutMs: number) {
    this.#stageTimeoutMs = stageTimeoutMs;
  }

  get workerPid(): number | null {
    return this.#worker?.pid ?? null;
  }

  prove(job: ProofJob, options: ProveOptions = {}): Promise<ProofResult> {
    return this.#jobs.add(job, options);
  }

  async close(): Promise<void> {
    await this.#jobs.close();
    await this.#killWorker();
  }

  async #runJob(queued: QueuedJob): Promise<ProofResult> {
    const { circuit, inputs, witness } = queued.job;
    const { wireCount } = await this.#keys.check(circuit);
    requireWaiting(queued); // aborted while the key was read
    const request: ProveRequest = {
      wasmPath: circuit.wasmPath,
      zkeyPath: circuit.zkeyPath,
      wireCount,
      verificationKey: toSnarkjsKey(circuit.verificationKey),
      inputs: witness === undefined ? (inputs ?? {}) : null,
      witness: witness ?? null,
    };
    const worker = this.#worker ?? this.#startWorker();
    setReferenced(worker, true);
    try {
      return await exchange(worker, request, queued, this.#stageTimeoutMs);
    } finally {
      setReferenced(worker, false);
    }
  }

  #startWorker(): ChildProcess {
    const worker = fork(new URL("./prove-worker-entry.js", import.meta.url), {
      execArgv: [],
      serialization: "advanced", // bigints and bytes
      stdio: ["ignore", "ignore", "pipe", "ipc"],
    });
    worker.once("exit", () => {
      if (this.#worker === worker) this.#worker = null;
    });
    this.#worker = worker;
    return worker;
  }

  async #killWorker(): Promise<void> {
    const worker = this.#worker;
    if (worker === null) return;
    this.#worker = null;
    const exited = new Promise<void>((settle) => worker.once("exit", () => settle()));
    if (worker.exitCode !== null || worker.signalCode !== null) return;
    worker.ref();
    worker.kill("SIGKILL");
    await exited;
  }
}

/** Sends the request and waits for the result, or for the worker's end. */
function exchange(
  worker: ChildProcess,
  request: ProveRequest,
  queued: QueuedJob,
  stageTimeoutMs: number,
): Promise<ProofResult> {
  const { circuit } = queued.job;
  let stderr = "";
  let killedFor: string | null = null;
  return new Promise<ProofResult>((settle, fail) => {
    const timer = setTimeout(() => {
      killedFor = `a stage took more than ${stageTimeoutMs} ms`;
      worker.kill("SIGKILL");
    }, stageTimeoutMs).unref();
    const onStderr = (chunk: Buffer) => {
      stderr = (stderr + chunk.toString()).slice(-maxStderrChars);
    };
    const onExit = (status: number | null, signal: string | null) =>
      finish(() => fail(diedError(queued.job, killedFor ?? signal ?? `exit status ${status}`, stderr)));
    const onError = (cause: Error) => finish(() => fail(diedError(queued.job, cause.message, stderr)));
    const onMessage = (answer: ProveAnswer) => {
      timer.refresh();
      if (answer.kind === "stage") {
        const { stage, elapsedMs } = answer;
        if (!queued.isSettled) queued.options.onProgress?.({ stage, elapsedMs });
      } else if (answer.kind === "failed") {
        finish(() =>
          fail(
            proverError(answer.code, `${circuit.name}: ${answer.message}`, {
              data: { circuit: circuit.name, reason: answer.message },
            }),
          ),
        );
      } else {
        const { proof, publicSignals, timings } = answer;
        finish(() => settle({ proof, publicSignals, timings, backend }));
      }
    };
    const finish = (report: () => void) => {
      clearTimeout(timer);
      worker.off("message", onMessage).off("exit", onExit).off("error", onError);
      worker.stderr?.off("data", onStderr);
      report();
    };
    worker.on("message", onMessage).on("exit", onExit).on("error", onError);
    worker.stderr?.on("data", onStderr);
    if (worker.exitCode !== null || worker.signalCode !== null) onExit(worker.exitCode, worker.signalCode);
    else worker.send(request);
  });
}

/** Sets whether the worker keeps this process alive. */
function setReferenced(worker: ChildProcess, isReferenced: boolean): void {
  const handles = [worker, worker.channel, worker.stderr as { ref?(): void; unref?(): void } | null];
  for (const handle of handles) isReferenced ? handle?.ref?.() : handle?.unref?.();
}

function diedError(job: ProofJob, reason: string, stderr: string) {
  return proverError("PRV_WORKER_DIED", `the process that proved ${job.circuit.name} ended: ${reason}`, {
    data: { circuit: job.circuit.name, reason, stderr },
  });
}
