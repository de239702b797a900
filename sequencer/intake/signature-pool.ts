/**
 * Checks users' signatures and signs preconfirmations in worker threads, many to a message; without threads, in the main one.
 *
 * Tasks are taken in the order in which they come. Verdicts on one leaf's operations arrive in that order too, however
 * many threads there are; so a user who sends nonces in order finds them executed in order.
 */
import { Worker } from "node:worker_threads";
import { rememberPublicKey, rememberVerdict } from "@openledger/circuits/field/curve/eddsa";
import type {
  Preconfirmation,
  PreconfirmationFacts,
} from "@openledger/circuits/wire/sequencer-preconfirmation";
import { LRUCache } from "lru-cache";
import type { Hex } from "viem";
import { privateKeyToAddress } from "viem/accounts";
import { sequencerError } from "../sequencer-errors.ts";
import type { PreconfirmationSigner } from "../store/preconfirmations.ts";
import type { PreconfirmationBatchSigner } from "./signature-preconfirmations.ts";
import {
  type PackedTasks,
  type PlainCheck,
  type PreconfirmationIdentity,
  packBatch,
  preconfirmationSignerOf,
  runTasks,
  type TaskAnswers,
  type TaskBatch,
  unpackAnswers,
} from "./signature-tasks.ts";

/** Tasks in a message. More would make the first of them wait for the last. */
const MAX_BATCH_TASKS = 64;
/** Messages that a thread has at a time: one it works on, one that is ready. */
const MAX_BATCHES_PER_THREAD = 2;
/** Tasks that are worth a message to a thread that has one: fewer wait for its answer, which wakes this thread anyhow. */
const FEWEST_AHEAD = 32;

export interface SignaturePoolOptions {
  /** 0 = in the calling thread. */
  readonly threadCount: number;
  /** Signatures that may wait to be checked; beyond, operations are refused. */
  readonly maxWaiting: number;
}

interface Waiting<Task, Result> {
  readonly task: Task;
  readonly resolve: (result: Result) => void;
}
type WaitingCheck = Waiting<PlainCheck, boolean>;
type WaitingPreconfirmation = Waiting<PreconfirmationFacts, Hex>;

interface Running {
  readonly checks: readonly WaitingCheck[];
  readonly preconfirmations: readonly WaitingPreconfirmation[];
}

interface Thread {
  readonly worker: Worker | null;
  batchCount: number;
}

/** About 25 MB: the pages that full nodes and explorers ask for again and again. */
const MAX_CACHED_PRECONFIRMATIONS = 65_536;
/** Maximum repeated preconfirmations in a message to a thread: half a millisecond of work. */
const MAX_REPEATED = 16;

export class SignaturePool implements PreconfirmationSigner {
  readonly address: PreconfirmationSigner["address"];
  readonly #options: SignaturePoolOptions;
  readonly #identity: PreconfirmationIdentity;
  /** Signer of the calling thread; null where there are threads. */
  #signer: PreconfirmationBatchSigner | null = null;
  readonly #onFatal: (error: unknown) => void;
  readonly #threads: Thread[];
  readonly #checks: WaitingCheck[] = [];
  readonly #preconfirmations: WaitingPreconfirmation[] = [];
  /** Preconfirmations that were promised before: signed when nothing else waits. */
  readonly #repeated: WaitingPreconfirmation[] = [];
  readonly #known = new LRUCache<string, Preconfirmation>({ max: MAX_CACHED_PRECONFIRMATIONS });
  readonly #running = new Map<number, Running>();
  /** The last verdict that a leaf waits for. */
  readonly #lastOfLeaf = new Map<number, Promise<boolean>>();
  #nextId = 0;
  #isDue = false;
  #isClosed = false;

  /** @param onFatal called when a thread dies: its tasks are lost, and only a restart answers for them */
  constructor(
    options: SignaturePoolOptions,
    identity: PreconfirmationIdentity,
    onFatal: (error: unknown) => void,
  ) {
    this.#options = options;
    this.#identity = identity;
    this.address = privateKeyToAddress(identity.privateKey);
    this.#onFatal = onFatal;
    this.#threads = Array.from({ length: options.threadCount }, () => this.#start(identity));
    if (options.threadCount === 0) this.#threads.push({ worker: null, batchCount: 0 });
  }

  #start(identity: PreconfirmationIdentity): Thread {
    const entry = new URL("./signature-worker-entry.js", import.meta.url);
    const worker = new Worker(entry, { workerData: identity, execArgv: [] });
    const thread: Thread = { worker, batchCount: 0 };
    worker.unref();
    worker.on("message", (answers: PackedTasks) => {
      this.#take(thread, unpackAnswers(answers));
      this.#dispatch();
    });
    worker.on("error", (error) => this.#fail(error));
    worker.on("exit", (status) => this.#fail(new Error(`a signature thread ended with status ${status}`)));
    return thread;
  }

  #fail(cause: unknown): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#onFatal(sequencerError("SRV_INTERNAL", "a signature thread died", { cause }));
  }

  /**
   * Checks a user's signature. The verdict is remembered with the signature: `verifySignature` knows it from then on.
   * @param leafId whose operation it is said to be
   * @throws SRV_OVERLOADED
   */
  verify(check: PlainCheck, leafId: number): Promise<boolean> {
    if (this.#checks.length >= this.#options.maxWaiting) {
      throw sequencerError("SRV_OVERLOADED", `${this.#checks.length} signatures wait to be checked`, {
        data: { reason: "signatures-waiting", waitingCount: this.#checks.length },
      });
    }
    const mine = new Promise<boolean>((resolve) => {
      this.#checks.push({ task: check, resolve });
    });
    const before = this.#lastOfLeaf.get(leafId);
    const verdict = before === undefined ? mine : before.then(() => mine);
    this.#lastOfLeaf.set(leafId, verdict);
    verdict.then(() => {
      if (this.#lastOfLeaf.get(leafId) === verdict) this.#lastOfLeaf.delete(leafId);
    });
    this.#schedule();
    return verdict;
  }

  sign(facts: PreconfirmationFacts): Promise<Preconfirmation> {
    return this.#sign(facts, this.#preconfirmations);
  }

  async signAgain(facts: PreconfirmationFacts): Promise<Preconfirmation> {
    const { deadlineSeconds, operationHash, opIndex } = facts;
    const key = `${operationHash} ${opIndex} ${deadlineSeconds}`;
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const signed = await this.#sign(facts, this.#repeated);
    this.#known.set(key, signed);
    return signed;
  }

  async #sign(facts: PreconfirmationFacts, waiting: WaitingPreconfirmation[]): Promise<Preconfirmation> {
    const signature = await new Promise<Hex>((resolve) => {
      waiting.push({ task: facts, resolve });
      this.#schedule();
    });
    return { ...facts, signature };
  }

  /** Schedules one dispatch for all tasks that arrive in one turn of the event loop. */
  #schedule(): void {
    if (this.#isDue) return;
    this.#isDue = true;
    setImmediate(() => {
      this.#isDue = false;
      this.#dispatch();
    });
  }

  get #waitingCount(): number {
    return this.#checks.length + this.#preconfirmations.length + this.#repeated.length;
  }

  #dispatch(): void {
    while (this.#waitingCount > 0) {
      const thread = this.#threads.reduce((min, one) => (one.batchCount < min.batchCount ? one : min));
      if (thread.batchCount >= MAX_BATCHES_PER_THREAD) return;
      if (thread.batchCount > 0 && this.#waitingCount < FEWEST_AHEAD) return;
      // Preconfirmations first: their operations are executed, and somebody waits for the answer.
      const preconfirmations = this.#preconfirmations.splice(0, MAX_BATCH_TASKS);
      const checks = this.#checks.splice(0, MAX_BATCH_TASKS - preconfirmations.length);
      // Few at a time: the next task waits for no more than these.
      const repeatedCount = Math.min(MAX_REPEATED, MAX_BATCH_TASKS - preconfirmations.length - checks.length);
      preconfirmations.push(...this.#repeated.splice(0, repeatedCount));
      const id = this.#nextId++;
      this.#running.set(id, { checks, preconfirmations });
      thread.batchCount += 1;
      const batch: TaskBatch = {
        id,
        checks: checks.map(({ task }) => task),
        preconfirmations: preconfirmations.map(({ task }) => task),
      };
      if (thread.worker === null) {
        this.#runHere(thread, batch);
        continue;
      }
      const packed = packBatch(batch);
      thread.worker.postMessage(packed, [packed.bytes.buffer]);
    }
  }

  #runHere(thread: Thread, batch: TaskBatch): void {
    try {
      this.#signer ??= preconfirmationSignerOf(this.#identity);
      this.#take(thread, runTasks(batch, this.#signer));
    } catch (error) {
      this.#fail(error);
    }
  }

  #take(thread: Thread, { id, signatures, verdicts }: TaskAnswers): void {
    const { checks, preconfirmations } = this.#running.get(id)!;
    this.#running.delete(id);
    thread.batchCount -= 1;
    for (const [i, { resolve, task }] of checks.entries()) {
      const { challenge, isValid, keyY } = verdicts[i]!;
      rememberPublicKey(task.keyX, keyY === null ? null : { x: task.keyX, y: keyY });
      rememberVerdict(task, isValid, challenge);
      resolve(isValid);
    }
    for (const [i, { resolve }] of preconfirmations.entries()) resolve(signatures[i]!);
  }

  /** Ends the threads; nothing may wait any more. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await Promise.all(this.#threads.map(({ worker }) => worker?.terminate()));
  }
}
