import { randomBytes } from "node:crypto";
import { fromBytesLe, scalarModulus } from "../bn254-wasm.ts";
import type { Groth16Proof } from "../groth16-proof.ts";
import { HelperThread } from "../helper-thread.ts";
import type { WorkerAnswer, WorkerTask } from "../helper-worker.ts";
import type { ProofJob, ProofResult, ProofStage, ProveOptions, Prover } from "../prover.ts";
import { proverError } from "../prover-errors.ts";
import { ProvingKeyChecker } from "../proving-key.ts";
import { checkWitness, readPublicSignals, witnessValuesAt } from "../witness-check.ts";
import type { AdapterKind } from "./dawn-library.ts";
import type { ShaderStyle } from "./field-shader.ts";
import { GpuDevice } from "./gpu-device.ts";
import { type GpuKey, loadGpuKey } from "./gpu-key.ts";
import { type GpuPhaseTimes, proveOnGpu } from "./gpu-proof.ts";

export interface WebgpuProverOptions {
  /** Defaults to PROVER_WEBGPU_ADAPTER of the environment, and that to "hardware". */
  adapter?: AdapterKind;
  /** Keys kept on the card, about four times as large as their files; the one unused for longest goes first. */
  maxKeyCount?: number;
}

export interface WebgpuProofResult extends ProofResult {
  phaseMs: GpuPhaseTimes;
}

export interface WebgpuProver extends Prover {
  prove(job: ProofJob, options?: ProveOptions): Promise<WebgpuProofResult>;
  /** The one that computes now: another one after the card was lost. */
  readonly gpu: GpuDevice;
}

/**
 * The back end on a graphics card. Jobs run one after another, each on the whole card; keys stay in its memory
 * in the kernels' own form from their first proof on. A job that is cancelled on the card fails at once, and the
 * next one waits until the card is done with it.
 *
 * @throws RollupError PRV_GPU_UNAVAILABLE
 */
export async function createWebgpuProver(options: WebgpuProverOptions = {}): Promise<WebgpuProver> {
  const kind = options.adapter ?? adapterOf(process.env);
  const gpu = await openLoudly(kind);
  return new GpuProver(gpu, kind, options.maxKeyCount ?? 2);
}

/** @throws RollupError PRV_CONFIG_INVALID */
export function adapterOf(env: NodeJS.ProcessEnv): AdapterKind {
  const value = env.PROVER_WEBGPU_ADAPTER ?? "hardware";
  if (value === "hardware" || value === "software") return value;
  throw proverError("PRV_CONFIG_INVALID", `PROVER_WEBGPU_ADAPTER is "${value}": hardware or software`);
}

async function openLoudly(kind: AdapterKind): Promise<GpuDevice> {
  const gpu = await GpuDevice.open(kind);
  if (gpu.isSoftware) {
    process.emitWarning(
      `WebGPU runs on ${gpu.adapterName}: the processor computes, which is for tests alone`,
      {
        code: "PROVER_WEBGPU_SOFTWARE",
      },
    );
  }
  return gpu;
}

interface Queued {
  job: ProofJob;
  options: ProveOptions;
  settle: (result: WebgpuProofResult) => void;
  fail: (error: unknown) => void;
  isSettled: boolean;
}

class GpuProver implements WebgpuProver {
  readonly #kind: AdapterKind;
  readonly #maxKeyCount: number;
  readonly #checker = new ProvingKeyChecker();
  readonly #keys = new Map<string, GpuKey>();
  readonly #helper = new HelperThread();
  readonly #queue: Queued[] = [];
  #gpu: GpuDevice;
  #running: Queued | null = null;
  #idle: Promise<void> = Promise.resolve();
  #isClosed = false;

  constructor(gpu: GpuDevice, kind: AdapterKind, maxKeyCount: number) {
    this.#gpu = gpu;
    this.#kind = kind;
    this.#maxKeyCount = maxKeyCount;
  }

  get gpu(): GpuDevice {
    return this.#gpu;
  }

  get backend(): string {
    // The sequencer keeps up to 100 characters.
    return `webgpu on ${this.#gpu.adapterName}`.slice(0, 100);
  }

  prove(job: ProofJob, options: ProveOptions = {}): Promise<WebgpuProofResult> {
    return new Promise((settle, fail) => {
      const { signal } = options;
      if (this.#isClosed) return fail(endedError("PRV_CLOSED", job));
      if (signal?.aborted) return fail(endedError("PRV_CANCELLED", job));
      const onAbort = () => this.#end(queued, "PRV_CANCELLED");
      const finish = (report: () => void) => {
        if (queued.isSettled) return;
        queued.isSettled = true;
        signal?.removeEventListener("abort", onAbort);
        report();
      };
      const queued: Queued = {
        job,
        options,
        isSettled: false,
        settle: (result) => finish(() => settle(result)),
        fail: (error) => finish(() => fail(error)),
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
    await this.#helper.end();
    this.#keys.clear();
    this.#gpu.close();
  }

  #end(queued: Queued, code: "PRV_CANCELLED" | "PRV_CLOSED"): void {
    if (queued.isSettled) return;
    const position = this.#queue.indexOf(queued);
    if (position >= 0) this.#queue.splice(position, 1);
    queued.fail(endedError(code, queued.job));
    if (this.#running === queued) void this.#helper.end();
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

  async #runJob(queued: Queued): Promise<WebgpuProofResult> {
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

    const key = await this.#loadKey(queued);
    begin("witness");
    const bytes = witness ?? (await this.#calculateWitness(queued.job, inputs ?? {}));
    checkWitness(circuit.name, bytes, key.header.wireCount, witness !== undefined);
    const witnessMs = begin("prove");
    const blinding = { r: randomScalar(), s: randomScalar() };
    const { proof, phaseMs } = await proveOnGpu(this.#gpu, key, bytes.subarray(witnessValuesAt), blinding);
    const proveMs = begin("verify");
    const publicSignals = readPublicSignals(bytes, key.header.publicCount);
    await this.#verify(queued.job, proof, publicSignals);
    const timings = { witnessMs, proveMs, verifyMs: performance.now() - lap };
    return { proof, publicSignals, timings, backend: this.backend, phaseMs };
  }

  async #loadKey(queued: Queued): Promise<GpuKey> {
    const { zkeyPath } = queued.job.circuit;
    const header = await this.#checker.check(queued.job.circuit);
    if (this.#gpu.lostReason !== null) {
      this.#keys.clear();
      this.#gpu.close();
      this.#gpu = await openLoudly(this.#kind);
    }
    const known = this.#keys.get(zkeyPath);
    this.#keys.delete(zkeyPath); // to the end, as the last used
    if (known?.header === header) {
      this.#keys.set(zkeyPath, known);
      return known;
    }
    if (known !== undefined) this.#gpu.free(known.buffers);
    for (const [path, other] of this.#keys) {
      if (this.#keys.size < this.#maxKeyCount) break;
      this.#keys.delete(path);
      this.#gpu.free(other.buffers);
    }
    if (queued.isSettled) throw endedError("PRV_CANCELLED", queued.job);
    const style: ShaderStyle = this.#gpu.isSoftware ? "compact" : "unrolled";
    const loaded = await loadGpuKey(this.#gpu, style, zkeyPath, header);
    this.#keys.set(zkeyPath, loaded);
    return loaded;
  }

  async #calculateWitness(
    { circuit }: ProofJob,
    inputs: NonNullable<ProofJob["inputs"]>,
  ): Promise<Uint8Array> {
    const { name, wasmPath } = circuit;
    const answer = await this.#runInHelper(name, { kind: "witness", wasmPath, inputs });
    if (answer.kind === "witness") return answer.witness;
    const isRefused = answer.kind === "failed" && answer.isRefused;
    const message = answer.kind === "failed" ? answer.message : answer.kind;
    throw proverError(isRefused ? "PRV_NO_WITNESS" : "PRV_PROVE_FAILED", `${name}: ${message}`, {
      data: { circuit: name, reason: message },
    });
  }

  async #verify({ circuit }: ProofJob, proof: Groth16Proof, publicSignals: bigint[]): Promise<void> {
    const key = circuit.verificationKey;
    const answer = await this.#runInHelper(circuit.name, { kind: "verify", key, proof, publicSignals });
    if (answer.kind === "verify" && answer.isValid) return;
    throw proverError(
      "PRV_PROOF_INVALID",
      `${circuit.name}: the proof does not verify; does the witness meet all constraints?`,
      { data: { circuit: circuit.name } },
    );
  }

  #runInHelper(name: string, task: WorkerTask): Promise<WorkerAnswer> {
    return this.#helper.run(task).catch((cause: Error) => {
      throw proverError("PRV_WORKER_DIED", `the thread that worked on ${name} ended: ${cause.message}`, {
        data: { circuit: name, reason: cause.message },
        cause,
      });
    });
  }
}

/** Uniform but for 2^-130: 384 random bits modulo the order. */
function randomScalar(): bigint {
  return fromBytesLe(randomBytes(48)) % scalarModulus;
}

function endedError(code: "PRV_CANCELLED" | "PRV_CLOSED", { circuit }: ProofJob) {
  const reason = code === "PRV_CANCELLED" ? "was cancelled" : "ended, as the prover was closed";
  return proverError(code, `the proof of ${circuit.name} ${reason}`, { data: { circuit: circuit.name } });
}
