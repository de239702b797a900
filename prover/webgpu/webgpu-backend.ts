/**
 * WebGPU back end: proofs on a graphics card, as a `Prover` with queue, key cache, witness and verification
 * around it.
 */
import { proverError } from "../prover-errors.ts";
import { randomScalar } from "../proving/blinding.ts";
import { JobQueue, type QueuedJob, StageClock } from "../proving/job-queue.ts";
import { KeyCache } from "../proving/key-cache.ts";
import { ProofHelper } from "../proving/proof-helper.ts";
import type { ProofJob, ProofResult, ProveOptions, Prover } from "../proving/prover.ts";
import { ProvingKeyChecker } from "../proving/proving-key.ts";
import { blindJob } from "../proving/witness-blinding.ts";
import { checkWitness, readPublicSignals, witnessValuesAt } from "../proving/witness-check.ts";
import type { AdapterKind } from "./dawn-library.ts";
import type { ShaderStyle } from "./field-shader.ts";
import { GpuDevice } from "./gpu-device.ts";
import { type GpuKey, loadGpuKey } from "./gpu-key.ts";
import { type GpuPhaseTimes, proveOnGpu } from "./gpu-proof.ts";

interface WebgpuProverOptions {
  /** Defaults to PROVER_WEBGPU_ADAPTER of the environment, and that to "hardware". */
  adapter?: AdapterKind;
  /**
   * Maximum keys on the card, about four times as large as their files; the least recently used goes first.
   */
  maxKeyCount?: number;
}

interface WebgpuProofResult extends ProofResult {
  phaseMs: GpuPhaseTimes;
}

export interface WebgpuProver extends Prover {
  prove(job: ProofJob, options?: ProveOptions): Promise<WebgpuProofResult>;
  /** Device that computes now: another one after the card was lost. */
  readonly gpu: GpuDevice;
}

/**
 * Creates the back end on a graphics card. Jobs run one after another, each on the whole card; keys stay in its memory
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

/** Reads PROVER_WEBGPU_ADAPTER. @throws RollupError SRV_CONFIG_INVALID */
export function adapterOf(env: NodeJS.ProcessEnv): AdapterKind {
  const value = env.PROVER_WEBGPU_ADAPTER ?? "hardware";
  if (value === "hardware" || value === "software") return value;
  throw proverError("SRV_CONFIG_INVALID", `PROVER_WEBGPU_ADAPTER is "${value}": hardware or software`);
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

class GpuProver implements WebgpuProver {
  readonly #kind: AdapterKind;
  readonly #checker = new ProvingKeyChecker();
  readonly #keys: KeyCache<GpuKey>;
  readonly #helper = new ProofHelper();
  readonly #queue = new JobQueue<WebgpuProofResult>({
    run: (queued) => this.#runJob(queued),
    // The card finishes its commands: the next job waits for them.
    stop: () => this.#helper.end(),
  });
  #gpu: GpuDevice;

  constructor(gpu: GpuDevice, kind: AdapterKind, maxKeyCount: number) {
    this.#gpu = gpu;
    this.#kind = kind;
    this.#keys = new KeyCache(maxKeyCount, (key) => this.#gpu.free(key.buffers));
  }

  get gpu(): GpuDevice {
    return this.#gpu;
  }

  get backend(): string {
    // The sequencer stores up to 100 characters.
    return `webgpu on ${this.#gpu.adapterName}`.slice(0, 100);
  }

  prove(job: ProofJob, options: ProveOptions = {}): Promise<WebgpuProofResult> {
    return this.#queue.add(job, options);
  }

  async close(): Promise<void> {
    await this.#queue.close();
    await this.#helper.close();
    this.#keys.clear();
    this.#gpu.close();
  }

  async #runJob(queued: QueuedJob): Promise<WebgpuProofResult> {
    const { job } = queued;
    const clock = new StageClock(queued);
    const key = await this.#loadKey(queued);
    clock.begin("witness");
    const { job: blinded, ofWitness } = blindJob(job);
    const bytes = await this.#helper.witnessOf(blinded);
    checkWitness(job.circuit.name, bytes, key.header.wireCount, job.witness !== undefined);
    const witnessMs = clock.begin("prove");
    const blinding = { r: randomScalar(), s: randomScalar(), ofWitness };
    const { proof, phaseMs } = await proveOnGpu(this.#gpu, key, bytes.subarray(witnessValuesAt), blinding);
    const proveMs = clock.begin("verify");
    const publicSignals = readPublicSignals(bytes, key.header.publicCount);
    await this.#helper.requireValid(job, proof, publicSignals);
    const timings = { witnessMs, proveMs, verifyMs: clock.lapMs() };
    return { proof, publicSignals, timings, backend: this.backend, phaseMs };
  }

  async #loadKey(queued: QueuedJob): Promise<GpuKey> {
    const { zkeyPath } = queued.job.circuit;
    const header = await this.#checker.check(queued.job.circuit);
    if (this.#gpu.lostReason !== null) {
      this.#keys.clear();
      this.#gpu.close();
      this.#gpu = await openLoudly(this.#kind);
    }
    return this.#keys.take(queued, header, () => {
      const style: ShaderStyle = this.#gpu.isSoftware ? "compact" : "unrolled";
      return loadGpuKey(this.#gpu, style, zkeyPath, header);
    });
  }
}
