/**
 * Native back end: proofs by the C++ addon, as a `Prover` with queue, key cache, witness and verification
 * around it.
 */
import { randomFillSync } from "node:crypto";
import { type Groth16Proof, realFirst } from "@openledger/circuits/wire/groth16-proof";
import { fieldBytes, fromBytesLe, scalarModulus, toBytesLe } from "../formats/bn254-numbers.ts";
import type { ZkeyHeader } from "../formats/zkey-header.ts";
import { type ProverErrorCode, proverError, proverErrors } from "../prover-errors.ts";
import { JobQueue, type QueuedJob, StageClock } from "../proving/job-queue.ts";
import { KeyCache } from "../proving/key-cache.ts";
import { ProofHelper } from "../proving/proof-helper.ts";
import type { KeyMemory, ProofJob, ProofResult, ProveOptions, Prover } from "../proving/prover.ts";
import { ProvingKeyChecker } from "../proving/proving-key.ts";
import { proofThreadCount } from "../proving/thread-count.ts";
import { blindJob, isBlindable } from "../proving/witness-blinding.ts";
import { readPublicSignals } from "../proving/witness-check.ts";
import { chooseKeyMemory, memoryBytes, PIECE_POINTS } from "./key-memory.ts";
import {
  loadNativeAddon,
  type NativeAddon,
  type NativeKey,
  type NativePath,
  type NativeTimes,
} from "./native-addon.ts";

/** Name in results and settings. */
const backend = "native";

interface NativeProverOptions {
  /** Instruction set; "auto" chooses the fastest that the processor has, the others fail without it. */
  path?: NativePath | "auto";
  /** Defaults to PROVER_THREADS of the environment, and that to the number of cores. */
  threadCount?: number;
  /**
   * Maximum open keys; the least recently used is closed first. A resident one takes twice its file's size.
   */
  maxKeyCount?: number;
  /** Defaults to "auto". */
  keyMemory?: KeyMemory;
}

interface NativeProofResult extends ProofResult {
  path: NativePath;
  phaseMs: NativeTimes;
  /** Actual location of the key's points during the proof, not the requested one. */
  keyMemory: Exclude<KeyMemory, "auto">;
}

export interface NativeProver extends Prover {
  prove(job: ProofJob, options?: ProveOptions): Promise<NativeProofResult>;
  /** The part of the running proof that is done, 0 to 1; 0 while none is in the native code. */
  readonly progress: number;
}

/**
 * Creates the native back end. Jobs run one after another, each on all threads, and the next one's witness is made beside
 * a proof. From its first proof on a key stays
 * in memory in the addon's own form; with `keyMemory` "mapped" its matrices alone do, and its points are read from
 * its file.
 *
 * @throws RollupError PRV_NATIVE_UNAVAILABLE if the addon is not built, or the processor lacks the path
 */
export function createNativeProver(options: NativeProverOptions = {}): NativeProver {
  const addon = loadNativeAddon();
  const path = options.path ?? "auto";
  if (path !== "auto" && !addon.paths().includes(path)) {
    throw proverError(
      "PRV_NATIVE_UNAVAILABLE",
      addon.processorKernels().includes(path)
        ? `the native prover was built without ${path}: run \`node prover/native/build.js --all\``
        : `this processor does not have the native prover's path ${path}`,
      {
        data: { path, paths: addon.paths() },
      },
    );
  }
  return new AddonProver(addon, {
    path,
    threadCount: options.threadCount ?? proofThreadCount(),
    maxKeyCount: options.maxKeyCount ?? 4,
    keyMemory: options.keyMemory ?? "auto",
  });
}

interface LoadedKey {
  /** Header of the key. The checker returns the same object as long as the file does not change. */
  header: ZkeyHeader;
  key: NativeKey;
  path: NativePath;
  memory: Exclude<KeyMemory, "auto">;
}

/** Witness that is made, of a job that runs or is the next. */
interface WitnessTask {
  readonly made: Promise<{ readonly bytes: Uint8Array; readonly elapsedMs: number }>;
  /** Value that blinds A; 0 if none does. */
  readonly ofWitness: bigint;
  readonly stop: AbortController;
}

class AddonProver implements NativeProver {
  readonly backend = backend;
  readonly #addon: NativeAddon;
  readonly #options: Required<NativeProverOptions>;
  readonly #checker = new ProvingKeyChecker();
  readonly #keys: KeyCache<LoadedKey>;
  readonly #helper = new ProofHelper();
  readonly #queue = new JobQueue<NativeProofResult>({
    run: (queued) => this.#runJob(queued).finally(() => this.#forgetRunning()),
    stop: () => this.#stop(),
    // Neither a witness nor the end of a proof's steps keeps all cores busy: together they do.
    ahead: (queued) => void this.#witnessOf(queued),
  });
  readonly #witnesses = new WeakMap<QueuedJob, WitnessTask>();
  /** Control words of the running job: see NativeAddon.prove. null while none runs. */
  #control: Int32Array<ArrayBuffer> | null = null;
  /** Witness of the running job. */
  #witness: WitnessTask | null = null;

  constructor(addon: NativeAddon, options: Required<NativeProverOptions>) {
    this.#addon = addon;
    this.#options = options;
    this.#keys = new KeyCache(options.maxKeyCount, ({ key }) => addon.releaseKey(key));
  }

  get progress(): number {
    return this.#control === null ? 0 : Atomics.load(this.#control, 1) / 1000;
  }

  prove(job: ProofJob, options: ProveOptions = {}): Promise<NativeProofResult> {
    return this.#queue.add(job, options);
  }

  async close(): Promise<void> {
    await this.#queue.close();
    await this.#helper.close();
    await this.#keys.forgetAll();
  }

  /** The running job's native code ends within milliseconds. */
  #stop(): void {
    if (this.#control !== null) Atomics.store(this.#control, 0, 1);
    this.#witness?.stop.abort(new Error("the job was cancelled"));
  }

  #forgetRunning(): void {
    this.#control = null;
    this.#witness = null;
  }

  /** Begins a job's witness, if it has not begun. */
  #witnessOf(queued: QueuedJob): WitnessTask {
    const known = this.#witnesses.get(queued);
    if (known !== undefined) return known;
    // The key decides whether the witness blinds A; then r, and with it the sum of B in G1, are left out.
    const { job, ofWitness } = blindJob(queued.job);
    const stop = new AbortController();
    const { signal } = queued.options;
    const startedAtMs = performance.now();
    const made = this.#helper
      .witnessOf(job, signal === undefined ? stop.signal : AbortSignal.any([signal, stop.signal]))
      .then((bytes) => ({ bytes, elapsedMs: performance.now() - startedAtMs }));
    // The job may end for another reason before it asks.
    made.catch(() => {});
    const task = { made, ofWitness, stop };
    this.#witnesses.set(queued, task);
    return task;
  }

  async #runJob(queued: QueuedJob): Promise<NativeProofResult> {
    const { job } = queued;
    const { circuit } = job;
    const clock = new StageClock(queued);
    const control = new Int32Array(2);
    this.#control = control;
    const { key, path, memory, header } = await this.#loadKey(queued);
    clock.begin("witness");
    this.#witness = this.#witnessOf(queued);
    const { made: making, ofWitness } = this.#witness;
    const { bytes: witness, elapsedMs: witnessMs } = await making;
    clock.begin("prove");
    const made = await this.#addon
      .prove(
        key,
        witness,
        randomScalar(),
        randomScalar(),
        toBytesLe(ofWitness),
        new Uint8Array(control.buffer),
      )
      .catch((cause: unknown) => {
        const isOwn = job.witness === undefined;
        throw jobError(circuit.name, cause, isOwn ? "PRV_KEY_INVALID" : "PRV_NO_WITNESS");
      });
    const proveMs = clock.begin("verify");
    const proof = decodeProof(made.proof);
    const publicSignals = readPublicSignals(witness, header.publicCount);
    await this.#helper.requireValid(job, proof, publicSignals);
    const timings = { witnessMs, proveMs, verifyMs: clock.lapMs() };
    return { proof, publicSignals, timings, backend, path, keyMemory: memory, phaseMs: made.times };
  }

  async #loadKey(queued: QueuedJob): Promise<LoadedKey> {
    const { circuit } = queued.job;
    const header = await this.#checker.check(circuit);
    return this.#keys.take(queued, header, async () => {
      const { path, threadCount, keyMemory } = this.#options;
      const size = { ...header, hasB1: !isBlindable(queued.job) };
      const memory = chooseKeyMemory(keyMemory, size, memoryBytes());
      const loaded = await this.#addon
        .loadKey(circuit.zkeyPath, path, threadCount, memory === "mapped" ? PIECE_POINTS : 0)
        .catch((cause: unknown) => {
          throw jobError(circuit.name, cause, "PRV_KEY_INVALID");
        });
      return { header, key: loaded.key, path: loaded.path, memory };
    });
  }
}

/** Random scalar below r, uniform: 254 random bits, drawn again until they are below r. Three in four are. */
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
    b: realFirst([at(2), at(3)], [at(4), at(5)]),
    c: [at(6), at(7)],
  };
}

/** The addon's own code where it has one; `fallback` for all others and for its PRV_NO_WITNESS. */
function jobError(circuit: string, cause: unknown, fallback: ProverErrorCode) {
  const { code, message } = cause as { code?: string; message: string };
  const isOurs = code !== undefined && proverErrors.statusOf(code) !== undefined && code !== "PRV_NO_WITNESS";
  return proverError(isOurs ? (code as ProverErrorCode) : fallback, `${circuit}: ${message}`, {
    data: { circuit, reason: message },
    cause,
  });
}
