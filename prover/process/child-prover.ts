/**
 * Prover in a child process: one job at a time, and the next one is sent ahead, so that its witness is made
 * beside a proof. The process is started again, with longer and longer pauses,
 * when it dies, hangs, or takes more memory than it may. Its log goes into this process's; it ends with this
 * process, however that ends. open-prover.ts opens it.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { waitAfterMs } from "@openledger/foundation/retry";
import { RollupError } from "@openledger/foundation/rollup-error";
import { proverError } from "../prover-errors.ts";
import { JobQueue, type QueuedJob, requireWaiting } from "../proving/job-queue.ts";
import type { ProofJob, ProofResult, ProofStage, ProveOptions } from "../proving/prover.ts";
import type { ChildState, OutsideProver, OutsideProverEvents, ProverLogger } from "./outside-prover.ts";
import { BEAT_MS, type ChildFailure, type ChildMessage, type ParentMessage } from "./process-messages.ts";
import type { ProverConfig } from "./prover-config.ts";

export interface ChildProverOptions
  extends Pick<
    ProverConfig,
    "backend" | "keyMemory" | "logLevel" | "memoryLimitMb" | "threads" | "timeoutMs" | "webgpuAdapter"
  > {
  /** File descriptor of this process to which the child's log goes. */
  readonly logTo: 1 | 2;
  /** The child starts with its first job, and ends once it had none for so long; null: it runs all the time. */
  readonly idleMs: number | null;
  /** A child whose event loop is silent for so long hangs. */
  readonly stallMs?: number;
  readonly firstBackoffMs?: number;
}

/** Reading a key's description, or a busy machine, may hold up the child's event loop for seconds. */
const STALL_MS = 120_000;
const FIRST_BACKOFF_MS = 1_000;
const MAX_BACKOFF_MS = 60_000;
/** Time for a process to end by itself, which takes it milliseconds. */
const END_MS = 2_000;
const BYTES_OF_MIB = 1024 * 1024;

const START = fileURLToPath(new URL("../../scripts/start.js", import.meta.url));
const MAIN = fileURLToPath(new URL("main.ts", import.meta.url));

/** A job that the child has. */
interface Pending {
  readonly id: number;
  readonly queued: QueuedJob;
  readonly settle: (result: ProofResult) => void;
  readonly fail: (error: Error) => void;
}

/** Messages of a child about its jobs, and about itself once it is ready. */
type JobMessage = Exclude<ChildMessage, { kind: "ready" | "unusable" }>;

/** The next job, which a child has while another one runs. */
interface Ahead {
  readonly id: number;
  readonly queued: QueuedJob;
  readonly child: Child;
  /** Tells the child that the job is cancelled: listens at the job's signal until the job's end. */
  readonly cancel: () => void;
  /** Its end, if it comes before its turn. */
  end: JobMessage | null;
}

/** A child process, from its start to its end. */
interface Child {
  readonly process: ChildProcess;
  /** Resolves to the back end's name, once it is open. @throws why the process cannot be used */
  readonly ready: Promise<string>;
  readonly ended: Promise<void>;
  /** Why we ended it; null if it ended by itself. */
  endedFor: string | null;
}

export class ChildProver implements OutsideProver {
  readonly concurrency = 2;
  readonly #options: ChildProverOptions;
  readonly #logger: ProverLogger;
  readonly #events: OutsideProverEvents;
  readonly #queue = new JobQueue<ProofResult>({
    run: (queued) => this.#run(queued),
    stop: () => this.#cancelRunning(),
    ahead: (queued) => this.#sendAhead(queued),
  });
  readonly #closing = new AbortController();
  #child: Child | null = null;
  #starting: Promise<Child> | null = null;
  #pending: Pending | null = null;
  #ahead: Ahead | null = null;
  #nextId = 0;
  #startCount = 0;
  /** Ends since the last proof, or the last start that was not followed by one soon. */
  #failureCount = 0;
  #isReady = false;
  #backend: string | null = null;
  #memoryBytes = 0;
  #silentBeats = 0;
  #stage: { readonly name: ProofStage; readonly sinceMs: number } | null = null;
  #failingCode: string | null = null;
  #idleTimer: NodeJS.Timeout | undefined;
  readonly #watch: NodeJS.Timeout;

  constructor(
    options: ChildProverOptions,
    { logger, ...events }: { logger: ProverLogger } & OutsideProverEvents,
  ) {
    this.#options = options;
    this.#logger = logger;
    this.#events = events;
    this.#watch = setInterval(() => this.#lookForStall(), BEAT_MS).unref();
    if (options.idleMs === null) void this.#start().catch(() => {});
  }

  get backend(): string {
    return this.#backend ?? this.#options.backend;
  }

  get state(): ChildState {
    const stage = this.#stage;
    return {
      place: "process",
      isReady: this.#isReady,
      backend: this.#backend,
      processId: this.#child?.process.pid ?? null,
      restartCount: Math.max(0, this.#startCount - 1),
      stage: stage?.name ?? null,
      stageElapsedMs: stage === null ? null : Math.round(performance.now() - stage.sinceMs),
      memoryBytes: this.#memoryBytes,
      failingCode: this.#failingCode,
    };
  }

  /** @throws what `Prover.prove` throws; PRV_WORKER_DIED if the child ended, or hung */
  prove(job: ProofJob, options: ProveOptions = {}): Promise<ProofResult> {
    return this.#queue.add(job, options);
  }

  async close(): Promise<void> {
    this.#closing.abort();
    clearInterval(this.#watch);
    clearTimeout(this.#idleTimer);
    const closed = this.#queue.close();
    await this.#end("closed");
    await closed;
  }

  async #run(queued: QueuedJob): Promise<ProofResult> {
    clearTimeout(this.#idleTimer);
    // Read at once: the job behind this one is sent ahead while this one still waits for the process.
    const sent = this.#ahead?.queued === queued ? this.#ahead : null;
    const child = await this.#start();
    requireWaiting(queued);
    const ahead = sent?.child === child ? sent : null;
    const id = ahead?.id ?? this.#nextId++;
    const { timeoutMs } = this.#options;
    const timer = setTimeout(() => this.#kill(`a proof took more than ${timeoutMs} ms`), timeoutMs).unref();
    try {
      const proven = new Promise<ProofResult>((settle, fail) => {
        this.#pending = { id, queued, settle, fail };
      });
      if (ahead === null) this.#tellJob(child, id, queued);
      else if (ahead.end !== null) this.#hear(ahead.end);
      const result = await proven;
      this.#failureCount = 0;
      this.#failingCode = null;
      return result;
    } finally {
      clearTimeout(timer);
      if (sent !== null) queued.options.signal?.removeEventListener("abort", sent.cancel);
      this.#pending = null;
      this.#stage = null;
      this.#endWhenIdle();
    }
  }

  #sendAhead(queued: QueuedJob): void {
    const child = this.#child;
    if (child === null || !this.#isReady) return;
    const id = this.#nextId++;
    const cancel = () => this.#tell(child, { kind: "cancel", id });
    this.#ahead = { id, queued, child, cancel, end: null };
    this.#tellJob(child, id, queued);
    queued.options.signal?.addEventListener("abort", cancel, { once: true });
  }

  #tellJob(child: Child, id: number, { job: { circuit, inputs, witness } }: QueuedJob): void {
    const job = {
      circuit,
      ...(inputs === undefined ? {} : { inputs }),
      ...(witness === undefined ? {} : { witness }),
    };
    this.#tell(child, { kind: "prove", id, job });
  }

  #cancelRunning(): void {
    const [child, pending] = [this.#child, this.#pending];
    if (child !== null && pending !== null) this.#tell(child, { kind: "cancel", id: pending.id });
  }

  /** A message that cannot be sent needs no answer: the child's end is one. */
  #tell({ process }: Child, message: ParentMessage): void {
    if (process.connected) process.send(message, () => {});
  }

  /** The child that runs, or a new one after its pause. @throws why it cannot be used */
  async #start(): Promise<Child> {
    this.#starting ??= this.#child === null ? this.#spawnAfterPause() : null;
    const child = this.#child ?? (await this.#starting!);
    await child.ready;
    return child;
  }

  async #spawnAfterPause(): Promise<Child> {
    const { firstBackoffMs: firstWaitMs = FIRST_BACKOFF_MS } = this.#options;
    const waitMs = waitAfterMs(this.#failureCount, { firstWaitMs, maxWaitMs: MAX_BACKOFF_MS });
    await delay(waitMs, undefined, { signal: this.#closing.signal }).catch(() => {});
    // From here on the child's end may start the next one.
    this.#starting = null;
    if (this.#closing.signal.aborted) throw proverError("PRV_CLOSED", "the prover was closed");
    this.#child = this.#spawn();
    return this.#child;
  }

  #spawn(): Child {
    const { logTo } = this.#options;
    this.#startCount += 1;
    this.#silentBeats = 0;
    const process = spawn(globalThis.process.execPath, [START, MAIN], {
      env: childEnvironment(this.#options),
      stdio: ["ignore", logTo, 2, "ipc"],
      serialization: "advanced",
    });
    const { promise: ready, reject: fail, resolve: settle } = withResolvers<string>();
    ready.catch(() => {});
    let unusable: ChildFailure | null = null;
    process.on("message", (message: ChildMessage) => {
      this.#silentBeats = 0;
      if (message.kind === "ready") {
        this.#isReady = true;
        // The code stays for a process that ends again and again.
        if (this.#failureCount <= 1) this.#failingCode = null;
        this.#backend = message.backend;
        const facts = {
          processId: process.pid,
          backend: message.backend,
          restartCount: this.#startCount - 1,
        };
        this.#logger.info(facts, "prover process runs");
        settle(message.backend);
      } else if (message.kind === "unusable") unusable = message.failure;
      else this.#hear(message);
    });
    const ended = new Promise<void>((resolve) => {
      const end = (how: string) => {
        const error = unusable === null ? this.#endError(child, how) : errorOf(unusable);
        this.#noteEnd(child, error);
        fail(error);
        resolve();
      };
      process.once("error", (error) => end(error.message));
      process.once("exit", (status, signal) => end(signal ?? `exit status ${status}`));
    });
    const child: Child = { process, ready, ended, endedFor: null };
    return child;
  }

  #hear(message: JobMessage): void {
    const pending = this.#pending;
    const ahead = this.#ahead;
    switch (message.kind) {
      case "beat": {
        this.#memoryBytes = message.memoryBytes;
        const { memoryLimitMb } = this.#options;
        if (memoryLimitMb > 0 && message.memoryBytes > memoryLimitMb * BYTES_OF_MIB)
          this.#kill(`it takes more than ${memoryLimitMb} MiB of memory`);
        return;
      }
      case "cross-check":
        this.#failingCode = message.result === "failed" ? "PRV_CROSS_CHECK_FAILED" : null;
        this.#events.onCrossCheck?.(message.result);
        return;
      case "stage":
        if (message.id !== pending?.id) return;
        this.#stage = { name: message.stage, sinceMs: performance.now() };
        pending.queued.options.onProgress?.({ stage: message.stage, elapsedMs: message.elapsedMs });
        return;
      case "proven":
        if (message.id === pending?.id) pending.settle(message.result);
        else if (message.id === ahead?.id) ahead.end = message;
        return;
      case "failed":
        if (message.id === pending?.id) pending.fail(errorOf(message.failure));
        else if (message.id === ahead?.id) ahead.end = message;
        return;
      default: {
        const unknown: never = message;
        throw new TypeError(`no message ${JSON.stringify(unknown)}`);
      }
    }
  }

  #endError({ endedFor }: Child, how: string): Error {
    const reason = endedFor ?? `it ended with ${how}`;
    return proverError("PRV_WORKER_DIED", `the prover's process: ${reason}`, { data: { reason } });
  }

  #noteEnd(child: Child, error: Error): void {
    if (this.#child !== child) return;
    this.#child = null;
    this.#isReady = false;
    this.#memoryBytes = 0;
    this.#pending?.fail(error);
    if (this.#closing.signal.aborted || child.endedFor === IDLE) return;
    this.#failureCount += 1;
    const code = error instanceof RollupError ? error.code : "OTHER";
    this.#failingCode = code;
    this.#logger.error(
      { code, reason: error.message, failureCount: this.#failureCount },
      "prover process ended",
    );
    if (this.#options.idleMs === null) void this.#start().catch(() => {});
  }

  #kill(reason: string): void {
    const child = this.#child;
    if (child === null) return;
    child.endedFor ??= reason;
    child.process.kill("SIGKILL");
  }

  /** Counts by this process's own turns: one that was paused itself has heard nothing either. */
  #lookForStall(): void {
    if (this.#child === null) return;
    this.#silentBeats += 1;
    const { stallMs = STALL_MS } = this.#options;
    if (this.#silentBeats * BEAT_MS > stallMs) this.#kill(`it was silent for ${stallMs} ms`);
  }

  #endWhenIdle(): void {
    const { idleMs } = this.#options;
    if (idleMs === null) return;
    this.#idleTimer = setTimeout(() => void this.#end(IDLE), idleMs).unref();
  }

  async #end(reason: string): Promise<void> {
    const child = this.#child;
    if (child === null) return;
    child.endedFor ??= reason;
    if (child.process.connected) child.process.disconnect();
    const late = setTimeout(() => child.process.kill("SIGKILL"), END_MS).unref();
    await child.ended;
    clearTimeout(late);
  }
}

const IDLE = "idle";

/** Environment of the child, without this process's secrets. The settings of a proof are in PROVER_…. */
function childEnvironment(options: ChildProverOptions): NodeJS.ProcessEnv {
  const inherited = Object.entries(process.env).filter(
    ([name]) => !/^(SEQUENCER|BRIDGE|OPENLEDGER|PROVER|SERVING|FACTORY|DATANET)_/.test(name),
  );
  const { OPENLEDGER_HOME } = process.env;
  return {
    ...Object.fromEntries(inherited),
    ...(OPENLEDGER_HOME === undefined ? {} : { OPENLEDGER_HOME }),
    PROVER_BACKEND: options.backend,
    PROVER_KEY_MEMORY: options.keyMemory,
    PROVER_LOG_LEVEL: options.logLevel,
    PROVER_THREADS: `${options.threads}`,
    PROVER_WEBGPU_ADAPTER: options.webgpuAdapter,
  };
}

/** Rebuilds an error that the child reported. */
function errorOf({ code, data, isRetryable, message }: ChildFailure): Error {
  if (code === null) return proverError("PRV_PROVE_FAILED", message, { data: { reason: message } });
  return new RollupError(code, message, { data, isRetryable });
}

function withResolvers<T>() {
  let resolve!: (value: T) => void;
  let reject!: (error: Error) => void;
  const promise = new Promise<T>((settle, fail) => {
    resolve = settle;
    reject = fail;
  });
  return { promise, reject, resolve };
}
