/**
 * WebAssembly back end: proofs by our own kernels on threads, as a `Prover`. It needs nothing but Node and a processor
 * with a fused multiply-add.
 */
import type { Worker } from "node:worker_threads";
import type { ZkeyHeader } from "../formats/zkey-header.ts";
import { zkeySection } from "../formats/zkey-layout.ts";
import { proverError } from "../prover-errors.ts";
import { randomScalar } from "../proving/blinding.ts";
import { BlindingWires } from "../proving/blinding-wires.ts";
import { JobQueue, type QueuedJob, StageClock } from "../proving/job-queue.ts";
import { KeyCache } from "../proving/key-cache.ts";
import { ProofHelper } from "../proving/proof-helper.ts";
import type { ProofJob, ProofResult, ProveOptions, Prover } from "../proving/prover.ts";
import { ProvingKeyChecker } from "../proving/proving-key.ts";
import { proofThreadCount } from "../proving/thread-count.ts";
import { blindJob } from "../proving/witness-blinding.ts";
import { checkWitness, readPublicSignals, witnessValuesAt } from "../proving/witness-check.ts";
import { createKernelMemory, type KernelImage, type WasmMemory } from "./kernels/kernel-module.ts";
import { KeyFile } from "./key-file.ts";
import { type LoadStep, loadSteps } from "./key-loader.ts";
import { type MemoryPlan, planMemory, type SumName } from "./memory-plan.ts";
import type { PointCounts, StageTimes } from "./prove-steps.ts";
import type { ThreadAnswer, ThreadTask } from "./prover-thread.ts";
import { ThreadGroup } from "./thread-group.ts";
import { ThreadTeam } from "./thread-team.ts";
import { readSections, type ZkeySections } from "./zkey-sections.ts";

/** Name in results and settings. */
const backend = "wasm";

interface WasmProverOptions {
  /** Defaults to PROVER_THREADS of the environment, and that to the number of cores. */
  threadCount?: number;
  /** Maximum keys in memory, about a fifth larger than their files; the least recently used goes first. */
  maxKeyCount?: number;
}

interface WasmPhaseTimes extends StageTimes {
  /** Time to assemble and blind the windows' points. */
  assemblyMs: number;
  /** Time of each sum, over all threads together. That of b1 is 0 where the witness blinds A. */
  aMs: number;
  b1Ms: number;
  b2Ms: number;
  /** Time of C with H, in the same buckets. */
  cMs: number;
}

interface WasmProofResult extends ProofResult {
  phaseMs: WasmPhaseTimes;
}

interface WasmProver extends Prover {
  prove(job: ProofJob, options?: ProveOptions): Promise<WasmProofResult>;
  /** Computing threads; none before the first proof. */
  readonly threads: readonly Worker[];
}

/**
 * Creates the WebAssembly back end: kernels that are generated as WebAssembly, run by threads on one shared
 * memory a key. Jobs run one after another, each on all threads; keys stay in memory in the kernels' own
 * form from their first proof on.
 */
export function createWasmProver(options: WasmProverOptions = {}): WasmProver {
  return new KernelProver({
    threadCount: options.threadCount ?? proofThreadCount(),
    maxKeyCount: options.maxKeyCount ?? 2,
  });
}

interface LoadedKey {
  id: number;
  /** Header of the key. The checker returns the same object as long as the file does not change. */
  header: ZkeyHeader;
  headerSection: Uint8Array;
  path: string;
  sections: ZkeySections;
  memory: WasmMemory;
  plan: MemoryPlan;
  pointCounts: PointCounts;
  blindsA: BlindingWires;
  /** Whether B's points in G1 are in memory: the first proof that needs them reads them. */
  hasB1: boolean;
  /** Thread group whose threads know the key. */
  openIn: ThreadGroup;
}

class KernelProver implements WasmProver {
  readonly backend = backend;
  readonly #options: Required<WasmProverOptions>;
  readonly #checker = new ProvingKeyChecker();
  readonly #keys: KeyCache<LoadedKey>;
  readonly #helper = new ProofHelper();
  readonly #queue = new JobQueue<WasmProofResult>({
    run: (queued) => this.#runJob(queued),
    // The running job takes the threads with it, the keys stay.
    stop: () => {
      this.#helper.end();
      void this.#group?.end();
    },
  });
  #group: ThreadGroup | null = null;
  #image: KernelImage | null = null;
  #nextId = 0;

  constructor(options: Required<WasmProverOptions>) {
    this.#options = options;
    this.#keys = new KeyCache(options.maxKeyCount, (key) => this.#forget(key));
  }

  get threads(): readonly Worker[] {
    return this.#group?.workers ?? [];
  }

  prove(job: ProofJob, options: ProveOptions = {}): Promise<WasmProofResult> {
    return this.#queue.add(job, options);
  }

  async close(): Promise<void> {
    await this.#queue.close();
    await Promise.all([this.#helper.close(), this.#group?.end()]);
    this.#group = null;
    this.#keys.clear();
  }

  async #runJob(queued: QueuedJob): Promise<WasmProofResult> {
    const { job } = queued;
    const clock = new StageClock(queued);
    const key = await this.#loadKey(queued);
    clock.begin("witness");
    const { job: blinded, ofWitness } = blindJob(job);
    const bytes = await this.#helper.witnessOf(blinded);
    checkWitness(job.circuit.name, bytes, key.header.wireCount, job.witness !== undefined);
    const witnessMs = clock.begin("prove");
    const { proof, phaseMs } = await this.#makeProof(key, bytes.subarray(witnessValuesAt), ofWitness);
    const proveMs = clock.begin("verify");
    const publicSignals = readPublicSignals(bytes, key.header.publicCount);
    await this.#helper.requireValid(job, proof, publicSignals);
    const timings = { witnessMs, proveMs, verifyMs: clock.lapMs() };
    return { proof, publicSignals, timings, backend, phaseMs };
  }

  async #makeProof(key: LoadedKey, values: Uint8Array, ofWitness: bigint) {
    const { memory, plan } = key;
    const r = key.blindsA.isBlindedBy(values, ofWitness) ? 0n : randomScalar();
    if (r !== 0n && !key.hasB1) {
      await this.#load(key, ["b1"]);
      key.hasB1 = true;
    }
    // A cancelled job's threads write where the witness goes, until they have ended.
    await this.#threads();
    new Uint8Array(memory.buffer).set(values, plan.witness);
    const task: ThreadTask = {
      kind: "prove",
      key: key.id,
      pointCounts: key.pointCounts,
      header: key.headerSection,
      blinding: { r, s: randomScalar() },
    };
    const answers = (await this.#runInAll(key, () => task)).filter((answer) => answer.kind === "proved");
    const parts = answers.flatMap((answer) => answer.parts);
    const g1 = parts.find((part) => part.group === "g1");
    const g2 = parts.find((part) => part.group === "g2");
    if (g1 === undefined || g2 === undefined) throw new TypeError("the threads made no whole proof");
    const assemblyMs = Math.max(...answers.map((answer) => answer.assemblyMs));
    const { sumMs: _, ...stages } = answers[0]!.phases;
    const total = (sum: SumName) => answers.reduce((ms, { phases }) => ms + phases.sumMs[sum], 0);
    const aMs = total("a");
    const b1Ms = total("b1");
    const b2Ms = total("b2");
    const cMs = total("c");
    const phaseMs: WasmPhaseTimes = { ...stages, assemblyMs, aMs, b1Ms, b2Ms, cMs };
    return { proof: { a: g1.a, b: g2.b, c: g1.c }, phaseMs };
  }

  async #loadKey(queued: QueuedJob): Promise<LoadedKey> {
    const { circuit } = queued.job;
    const header = await this.#checker.check(circuit);
    return this.#keys.take(queued, header, () => this.#readKey(circuit.zkeyPath, header));
  }

  async #readKey(path: string, header: ZkeyHeader): Promise<LoadedKey> {
    const { threadCount } = this.#options;
    const plan = planMemory(header, threadCount);
    const group = await this.#threads();
    this.#image ??= await buildImage();
    const memory = createKernelMemory(plan.byteCount);
    new Uint8Array(memory.buffer).set(this.#image.start);
    const { sections, headerSection } = readFrame(path);
    const pointCounts = { a: 0, b1: 0, b2: 0, c: 0, h: 0 };
    const key: LoadedKey = {
      id: this.#nextId++,
      header,
      headerSection,
      path,
      sections,
      blindsA: new BlindingWires(header.wireCount, header.publicCount),
      hasB1: false,
      memory,
      plan,
      pointCounts,
      openIn: group,
    };
    await group.run(this.#openTasks(key));
    await this.#load(key, loadSteps);
    return key;
  }

  async #load(key: LoadedKey, steps: readonly LoadStep[]): Promise<void> {
    const { header, id, memory, path, plan, sections } = key;
    const answers = await this.#runInAll(key, () => ({ kind: "load", key: id, path, sections, steps }));
    const loaded = answers.filter((answer) => answer.kind === "loaded");
    for (const { pointCounts } of loaded) Object.assign(key.pointCounts, pointCounts);
    const entries = loaded.find(({ blindingEntries }) => blindingEntries !== null)?.blindingEntries ?? null;
    if (entries === null) return;
    key.blindsA = new BlindingWires(header.wireCount, header.publicCount, entries);
    key.blindsA.keepFinite(new Uint32Array(memory.buffer, plan.points.a.indices, key.pointCounts.a));
  }

  #openTasks({ id, memory, plan }: LoadedKey): ThreadTask[] {
    const image = this.#image!;
    return Array.from({ length: plan.workerCount }, (_, thread) => ({
      kind: "open",
      key: id,
      image,
      memory,
      plan,
      thread,
    }));
  }

  async #forget(key: LoadedKey): Promise<void> {
    if (key.openIn !== this.#group || key.openIn.isEnded) return;
    await key.openIn.run(key.openIn.workers.map(() => ({ kind: "close", key: key.id })));
  }

  /**
   * Runs tasks on all threads at once, from a clean start: threads that were ended may have left others
   * waiting.
   */
  async #runInAll(key: LoadedKey, makeTask: (thread: number) => ThreadTask): Promise<ThreadAnswer[]> {
    const group = await this.#threads();
    if (key.openIn !== group) {
      await group.run(this.#openTasks(key));
      key.openIn = group;
    }
    const { memory, plan } = key;
    new ThreadTeam(memory.buffer, plan.control, plan.workerCount).reset();
    return group.run(group.workers.map((_, thread) => makeTask(thread)));
  }

  /** The threads, others where they were ended: only then, as the old ones share the keys' memory. */
  async #threads(): Promise<ThreadGroup> {
    if (this.#group?.isEnded === true) {
      await this.#group.end();
      this.#group = null;
    }
    if (this.#queue.isClosed) throw proverError("PRV_CLOSED", "the prover was closed");
    this.#group ??= new ThreadGroup(this.#options.threadCount);
    return this.#group;
  }
}

/** Builds the kernels on a thread that then ends: their assembly leaves it tens of megabytes larger. */
async function buildImage(): Promise<KernelImage> {
  const group = new ThreadGroup(1);
  try {
    const [built] = await group.run([{ kind: "build" }]);
    if (built?.kind !== "built") throw new TypeError("a thread answered otherwise");
    return built.image;
  } finally {
    await group.end();
  }
}

function readFrame(path: string): { sections: ZkeySections; headerSection: Uint8Array } {
  const file = new KeyFile(path);
  try {
    const sections = readSections(file);
    const { position, byteCount } = sections[zkeySection.header]!;
    const headerSection = new Uint8Array(byteCount);
    file.read(headerSection, position);
    return { sections, headerSection };
  } finally {
    file.close();
  }
}
