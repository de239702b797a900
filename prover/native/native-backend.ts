import { randomFillSync } from "node:crypto";
import { availableParallelism } from "node:os";
import { fieldBytes, fromBytesLe, scalarModulus } from "../bn254-wasm.ts";
import type { Groth16Proof } from "../groth16-proof.ts";
import { HelperThread } from "../helper-thread.ts";
import type { WorkerAnswer, WorkerTask } from "../helper-worker.ts";
import type { ProofJob, ProofResult, ProofStage, ProveOptions, Prover } from "../prover.ts";
import { type ProverErrorCode, proverError, proverErrors } from "../prover-errors.ts";
import { ProvingKeyChecker } from "../proving-key.ts";
import type { ZkeyHeader } from "../zkey-file.ts";
import {
  loadNativeAddon,
  type NativeAddon,
  type NativeKey,
  type NativePath,
  type NativeTimes,
} from "./native-addon.ts";

const backend = "native";
const witnessValuesAt = 76;

export interface NativeProverOptions {
  /** "auto" takes the fastest path that the processor has; the others insist. */
  path?: NativePath | "auto";
  /** Defaults to the number of cores. */
  threadCount?: number;
  /** Keys kept in memory, about as large as their files; the one unused for longest goes first. */
  maxKeyCount?: number;
}

export interface NativeProofResult extends ProofResult {
  path: NativePath;
  phaseMs: NativeTimes;
}

export interface NativeProver extends Prover {
  prove(job: ProofJob, options?: ProveOptions): Promise<NativeProofResult>;
  /** The part of the running proof that is done, 0 to 1; 0 while none is in the native code. */
  readonly progress: number;
}

/**
 * The native back end. Jobs run one after another, each on all threads; keys stay in memory in the addon's
 * own form from their first proof on.
 *
 * @throws RollupError PRV_NATIVE_UNAVAILABLE where the addon is not built, or the processor lacks the path
 */
export function createNativeProver(options: NativeProverOptions = {}): NativeProver {
  const addon = loadNativeAddon();
  const path = options.path ?? "auto";
  if (path !== "auto" && !addon.paths().includes(path)) {
    throw proverError(
      "PRV_NATIVE_UNAVAILABLE",
      `this processor does not have the native prover's path ${path}`,
      {
        data: { path, paths: addon.paths() },
      },
    );
  }
  return new AddonProver(addon, {
    path,
    threadCount: options.threadCount ?? availableParallelism(),
    maxKeyCount: options.maxKeyCount ?? 4,
  });
}

interface Queued {
  job: ProofJob;
  options: ProveOptions;
  /** See NativeAddon.prove. */
  control: Int32Array<ArrayBuffer>;
  settle: (result: NativeProofResult) => void;
  fail: (error: unknown) => void;
  isSettled: boolean;
}

interface LoadedKey {
  /** The checker gives the same object as long as the file does not change. */
  header: ZkeyHeader;
  key: NativeKey;
  path: NativePath;
}

class AddonProver implements NativeProver {
  readonly backend = backend;
  readonly #addon: NativeAddon;
  readonly #options: Required<NativeProverOptions>;
  readonly #checker = new ProvingKeyChecker();
  readonly #keys = new Map<string, LoadedKey>();
  readonly #thread = new HelperThread();
  readonly #queue: Queued[] = [];
  #running: Queued | null = null;
  #idle: Promise<void> = Promise.resolve();
  #isClosed = false;

  constructor(addon: NativeAddon, options: Required<NativeProverOptions>) {
    this.#addon = addon;
    this.#options = options;
  }

  get progress(): number {
    return this.#running === null ? 0 : Atomics.load(this.#running.control, 1) / 1000;
  }

  prove(job: ProofJob, options: ProveOptions = {}): Promise<NativeProofResult> {
    return new Promise((settle, fail) => {
      const { signal } = options;
      if (this.#isClosed) return fail(endedError("PRV_CLOSED", job));
      if (signal?.aborted) return fail(endedError("PRV_CANCELLED", job));
      const onAbort = () => this.#end(queued, "PRV_CANCELLED");
      const finish = () => {
        queued.isSettled = true;
        signal?.removeEventListener("abort", onAbort);
      };
      const queued: Queued = {
        job,
        options,
        control: new Int32Array(2),
        isSettled: false,
        settle: (result) => {
          if (queued.isSettled) return;
          finish();
          settle(result);
        },
        fail: (error) => {
          if (queued.isSettled) return;
          finish();
          fail(error);
        },
      };
      signal?.addEventListener("abort", onAbort, { once: true });
      this.#queue.push(queued);
      if (this.#running === null) this.#idle = this.#runAll();
    });
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    for (const queued of [...this.#queue]) this.#end(queued, "PRV_CLOSED");
    if (this.#running !== null) this.#end(this.#running, "PRV_CLOSED");
    await this.#idle;
    await this.#thread.end();
    for (const { key } of this.#keys.values()) this.#addon.releaseKey(key);
    this.#keys.clear();
  }

  /** Fails a job that waits or runs; the native code of the running one stops within milliseconds. */
  #end(queued: Queued, code: "PRV_CANCELLED" | "PRV_CLOSED"): void {
    if (queued.isSettled) return;
    const position = this.#queue.indexOf(queued);
    if (position >= 0) this.#queue.splice(position, 1);
    queued.fail(endedError(code, queued.job));
    Atomics.store(queued.control, 0, 1);
    if (this.#running === queued) void this.#thread.end();
  }

  async #runAll(): Promise<void> {
    for (let queued = this.#queue.shift(); queued !== undefined; queued = this.#queue.shift()) {
      this.#running = queued;
      try {
        queued.settle(await this.#runJob(queued));
      } catch (error) {
        queued.fail(error);
      }
      this.#running = null;
    }
  }

  async #runJob(queued: Queued): Promise<NativeProofResult> {
    const { circuit, inputs, witness } = queued.job;
    let lap = performance.now();
    const start = lap;
    const begin = (stage: ProofStage) => {
      if (queued.isSettled) throw endedError("PRV_CANCELLED", queued.job); // nobody waits: stop here
      const now = performance.now();
      const lapMs = now - lap;
      lap = now;
      queued.options.onProgress?.({ stage, elapsedMs: now - start });
      return lapMs;
    };

    const { key, path, header } = await this.#loadKey(queued);
    begin("witness");
    const witnessBytes =
      witness ?? (await this.#calculateWitness(circuit.name, circuit.wasmPath, inputs ?? {}));
    const witnessMs = begin("prove");
    const control = new Uint8Array(queued.control.buffer);
    const made = await this.#addon
      .prove(key, witnessBytes, randomScalar(), randomScalar(), control)
      .catch((cause: unknown) => {
        throw jobError(circuit.name, cause, witness === undefined ? "PRV_KEY_MISMATCH" : "PRV_NO_WITNESS");
      });
    const proveMs = begin("verify");
    const proof = decodeProof(made.proof);
    const publicSignals = Array.from({ length: header.publicCount }, (_, i) => {
      const at = witnessValuesAt + fieldBytes * (i + 1);
      return fromBytesLe(witnessBytes.subarray(at, at + fieldBytes));
    });
    const answer = await this.#runInThread(circuit.name, {
      kind: "verify",
      key: circuit.verificationKey,
      proof,
      publicSignals,
    });
    if (answer.kind !== "verify") throw jobError(circuit.name, answer, "PRV_PROVE_FAILED");
    if (!answer.isValid) {
      throw proverError(
        "PRV_PROOF_INVALID",
        `${circuit.name}: the proof does not verify; does the witness meet all constraints?`,
        { data: { circuit: circuit.name } },
      );
    }
    const timings = { witnessMs, proveMs, verifyMs: performance.now() - lap };
    return { proof, publicSignals, timings, backend, path, phaseMs: made.times };
  }

  async #loadKey(queued: Queued): Promise<LoadedKey> {
    const { circuit } = queued.job;
    const header = await this.#checker.check(circuit);
    const known = this.#keys.get(circuit.zkeyPath);
    this.#keys.delete(circuit.zkeyPath); // to the end, as the last used
    if (known?.header === header) {
      this.#keys.set(circuit.zkeyPath, known);
      return known;
    }
    if (known !== undefined) this.#addon.releaseKey(known.key);
    for (const [path, { key }] of this.#keys) {
      if (this.#keys.size < this.#options.maxKeyCount) break;
      this.#addon.releaseKey(key);
      this.#keys.delete(path);
    }
    if (queued.isSettled) throw endedError("PRV_CANCELLED", queued.job);
    const { path, threadCount } = this.#options;
    const loaded = await this.#addon.loadKey(circuit.zkeyPath, path, threadCount).catch((cause: unknown) => {
      throw jobError(circuit.name, cause, "PRV_KEY_UNREADABLE");
    });
    const entry = { header, key: loaded.key, path: loaded.path };
    this.#keys.set(circuit.zkeyPath, entry);
    return entry;
  }

  async #calculateWitness(name: string, wasmPath: string, inputs: NonNullable<ProofJob["inputs"]>) {
    const answer = await this.#runInThread(name, { kind: "witness", wasmPath, inputs });
    if (answer.kind === "witness") return answer.witness;
    const isRefused = answer.kind === "failed" && answer.isRefused;
    throw jobError(name, answer, isRefused ? "PRV_NO_WITNESS" : "PRV_PROVE_FAILED");
  }

  #runInThread(name: string, task: WorkerTask): Promise<WorkerAnswer> {
    return this.#thread.run(task).catch((cause: Error) => {
      throw proverError("PRV_WORKER_DIED", `the thread that worked on ${name} ended: ${cause.message}`, {
        data: { circuit: name, reason: cause.message },
        cause,
      });
    });
  }
}

/** Below r and uniform: of 254 random bits those that reach r are thrown away, three in four stay. */
export function randomScalar(): Uint8Array {
  const bytes = new Uint8Array(fieldBytes);
  do {
    randomFillSync(bytes);
    bytes[fieldBytes - 1]! &= 0x3f;
  } while (fromBytesLe(bytes) >= scalarModulus);
  return bytes;
}

function decodeProof(bytes: Uint8Array): Groth16Proof {
  const at = (i: number) => fromBytesLe(bytes.subarray(fieldBytes * i, fieldBytes * (i + 1)));
  return {
    a: [at(0), at(1)],
    b: [
      [at(2), at(3)],
      [at(4), at(5)],
    ],
    c: [at(6), at(7)],
  };
}

/** The addon's own code where it has one; `fallback` for all others and for its PRV_NO_WITNESS. */
function jobError(circuit: string, cause: unknown, fallback: ProverErrorCode) {
  const { code, message } = cause as { code?: string; message: string };
  const isOurs = code !== undefined && code in proverErrors && code !== "PRV_NO_WITNESS";
  return proverError(isOurs ? (code as ProverErrorCode) : fallback, `${circuit}: ${message}`, {
    data: { circuit, reason: message },
    cause,
  });
}

function endedError(code: "PRV_CANCELLED" | "PRV_CLOSED", { circuit }: ProofJob) {
  const reason = code === "PRV_CANCELLED" ? "was cancelled" : "ended, as the prover was closed";
  return proverError(code, `the proof of ${circuit.name} ${reason}`, { data: { circuit: circuit.name } });
}
