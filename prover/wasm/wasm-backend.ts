import { randomBytes } from "node:crypto";
import { availableParallelism } from "node:os";
import type { Worker } from "node:worker_threads";
import { fromBytesLe, scalarModulus } from "../bn254-wasm.ts";
import type { Groth16Proof } from "../groth16-proof.ts";
import { HelperThread } from "../helper-thread.ts";
import type { WorkerAnswer, WorkerTask } from "../helper-worker.ts";
import type { ProofJob, ProofResult, ProofStage, ProveOptions, Prover } from "../prover.ts";
import { proverError } from "../prover-errors.ts";
import { ProvingKeyChecker } from "../proving-key.ts";
import { checkWitness, readPublicSignals, witnessValuesAt } from "../witness-check.ts";
import type { ZkeyHeader } from "../zkey-file.ts";
import { zkeySection } from "../zkey-layout.ts";
import { createKernelMemory, type KernelImage, type WasmMemory } from "./kernel-module.ts";
import { type MemoryPlan, planMemory, type SumName } from "./memory-plan.ts";
import type { StageTimes } from "./prove-steps.ts";
import type { PointCounts, ThreadAnswer, ThreadTask } from "./prover-thread.ts";
import { ThreadGroup } from "./thread-group.ts";
import { ThreadTeam } from "./thread-team.ts";
import { KeyFile, type ZkeySections } from "./zkey-sections.ts";

const backend = "wasm";

export interface WasmProverOptions {
  /** Defaults to the number of cores. */
  threadCount?: number;
  /** Keys kept in memory, about twice as large as their files; the one unused for longest goes first. */
  maxKeyCount?: number;
}

export interface WasmPhaseTimes extends StageTimes {
  /** The windows' points put together and blinded. */
  assemblyMs: number;
  /** Of each sum, all threads together. */
  aMs: number;
  b1Ms: number;
  b2Ms: number;
  cMs: number;
  hMs: number;
}

export interface WasmProofResult extends ProofResult {
  phaseMs: WasmPhaseTimes;
}

export interface WasmProver extends Prover {
  prove(job: ProofJob, options?: ProveOptions): Promise<WasmProofResult>;
  /** Those that compute; none before the first proof. */
  readonly threads: readonly Worker[];
}

/**
 * The project's own CPU back end: kernels that are generated as WebAssembly, run by threads on one shared
 * memory a key. Jobs run one after another, each on all threads; keys stay in memory in the kernels' own
 * form from their first proof on.
 */
export function createWasmProver(options: WasmProverOptions = {}): WasmProver {
  return new KernelProver({
    threadCount: options.threadCount ?? availableParallelism(),
    maxKeyCount: options.maxKeyCount ?? 2,
  });
}

interface Queued {
  job: ProofJob;
  options: ProveOptions;
  settle: (result: WasmProofResult) => void;
  fail: (error: unknown) => void;
  isSettled: boolean;
}

interface LoadedKey {
  id: number;
  /** The checker gives the same object as long as the file does not change. */
  header: ZkeyHeader;
  headerSection: Uint8Array;
  memory: WasmMemory;
  plan: MemoryPlan;
  pointCounts: PointCounts;
  /** Whose threads know the key. */
  openIn: ThreadGroup;
}

class KernelProver implements WasmProver {
  readonly backend = backend;
  readonly #options: Required<WasmProverOptions>;
  readonly #checker = new ProvingKeyChecker();
  readonly #keys = new Map<string, LoadedKey>();
  readonly #queue: Queued[] = [];
  readonly #helper = new HelperThread();
  #group: ThreadGroup | null = null;
  #image: KernelImage | null = null;
  #nextId = 0;
  #running: Queued | null = null;
  #idle: Promise<void> = Promise.resolve();
  #isClosed = false;

  constructor(options: Required<WasmProverOptions>) {
    this.#options = options;
  }

  get threads(): readonly Worker[] {
    return this.#group?.workers ?? [];
  }

  prove(job: ProofJob, options: ProveOptions = {}): Promise<WasmProofResult> {
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
    await Promise.all([this.#helper.end(), this.#group?.end()]);
    this.#group = null;
    this.#keys.clear();
  }

  /** Fails a job that waits or runs; the running one takes the threads with it, the keys stay. */
  #end(queued: Queued, code: "PRV_CANCELLED" | "PRV_CLOSED"): void {
    if (queued.isSettled) return;
    const position = this.#queue.indexOf(queued);
    if (position >= 0) this.#queue.splice(position, 1);
    queued.fail(endedError(code, queued.job));
    if (this.#running === queued) void Promise.all([this.#helper.end(), this.#group?.end()]);
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

  async #runJob(queued: Queued): Promise<WasmProofResult> {
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
    const { proof, phaseMs } = await this.#makeProof(key, bytes);
    const proveMs = begin("verify");
    const publicSignals = readPublicSignals(bytes, key.header.publicCount);
    await this.#verify(queued.job, proof, publicSignals);
    const timings = { witnessMs, proveMs, verifyMs: performance.now() - lap };
    return { proof, publicSignals, timings, backend, phaseMs };
  }

  async #makeProof(key: LoadedKey, witness: Uint8Array) {
    const { memory, plan } = key;
    new Uint8Array(memory.buffer).set(witness.subarray(witnessValuesAt), plan.witness);
    const task: ThreadTask = {
      kind: "prove",
      key: key.id,
      pointCounts: key.pointCounts,
      header: key.headerSection,
      blinding: { r: randomScalar(), s: randomScalar() },
    };
    const answers = (await this.#runInAll(key, () => task)).filter((answer) => answer.kind === "proved");
    const parts = answers.flatMap((answer) => answer.parts);
    const g1 = parts.find((part) => part.group === "g1");
    const g2 = parts.find((part) => part.group === "g2");
    if (g1 === undefined || g2 === undefined) throw new TypeError("the threads made no whole proof");
    const assemblyMs = Math.max(...answers.map((answer) => answer.assemblyMs));
    const { sumMs: _, ...stages } = answers[0]!.phases;
    const total = (sum: SumName) => answers.reduce((ms, { phases }) => ms + phases.sumMs[sum], 0);
    const [aMs, b1Ms, b2Ms, cMs, hMs] = [total("a"), total("b1"), total("b2"), total("c"), total("h")];
    const phaseMs: WasmPhaseTimes = { ...stages, assemblyMs, aMs, b1Ms, b2Ms, cMs, hMs };
    return { proof: { a: g1.a, b: g2.b, c: g1.c }, phaseMs };
  }

  async #verify({ circuit }: ProofJob, proof: Groth16Proof, publicSignals: bigint[]): Promise<void> {
    const answer = await this.#runInHelper(circuit.name, {
      kind: "verify",
      key: circuit.verificationKey,
      proof,
      publicSignals,
    });
    if (answer.kind === "verify" && answer.isValid) return;
    throw proverError(
      "PRV_PROOF_INVALID",
      `${circuit.name}: the proof does not verify; does the witness meet all constraints?`,
      { data: { circuit: circuit.name } },
    );
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
    if (known !== undefined) await this.#forget(known);
    for (const [path, other] of this.#keys) {
      if (this.#keys.size < this.#options.maxKeyCount) break;
      this.#keys.delete(path);
      await this.#forget(other);
    }
    if (queued.isSettled) throw endedError("PRV_CANCELLED", queued.job);
    const loaded = await this.#readKey(circuit.zkeyPath, header);
    this.#keys.set(circuit.zkeyPath, loaded);
    return loaded;
  }

  async #readKey(path: string, header: ZkeyHeader): Promise<LoadedKey> {
    const { threadCount } = this.#options;
    const plan = planMemory(header, threadCount);
    const group = await this.#threads();
    if (this.#image === null) {
      const [built] = await group.run([{ kind: "build" }]);
      if (built?.kind !== "built") throw new TypeError("a thread answered otherwise");
      this.#image = built.image;
    }
    const memory = createKernelMemory(plan.byteCount);
    new Uint8Array(memory.buffer).set(this.#image.start);
    const { sections, headerSection } = readFrame(path);
    const pointCounts = { a: 0, b1: 0, b2: 0, c: 0, h: 0 };
    const key: LoadedKey = {
      id: this.#nextId++,
      header,
      headerSection,
      memory,
      plan,
      pointCounts,
      openIn: group,
    };
    await group.run(this.#openTasks(key));
    const answers = await this.#runInAll(key, () => ({ kind: "load", key: key.id, path, sections }));
    for (const answer of answers)
      if (answer.kind === "loaded") Object.assign(pointCounts, answer.pointCounts);
    return key;
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

  /** All threads at once, from a clean start: those that were ended may have left others waiting. */
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
    if (this.#isClosed) throw proverError("PRV_CLOSED", "the prover was closed");
    this.#group ??= new ThreadGroup(this.#options.threadCount);
    return this.#group;
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

  #runInHelper(name: string, task: WorkerTask): Promise<WorkerAnswer> {
    return this.#helper.run(task).catch((cause: Error) => {
      throw proverError("PRV_WORKER_DIED", `the thread that worked on ${name} ended: ${cause.message}`, {
        data: { circuit: name, reason: cause.message },
        cause,
      });
    });
  }
}

function readFrame(path: string): { sections: ZkeySections; headerSection: Uint8Array } {
  const file = new KeyFile(path);
  try {
    const sections = file.readSections();
    const { position, byteCount } = sections[zkeySection.header]!;
    const headerSection = new Uint8Array(byteCount);
    file.read(headerSection, position);
    return { sections, headerSection };
  } finally {
    file.close();
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
