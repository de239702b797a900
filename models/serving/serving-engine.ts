/**
 * Schedules the answers of OpenAI's routes: who begins next, with which memory and adapter, in which thread's batch.
 * make-answer.ts asks it; open-language.ts opens one for the base.
 */
import { isRollupError, type RollupError } from "@openledger/foundation/rollup-error";
import type { AdapterLease, AdapterPool } from "../engine/adapters/adapter-pool.ts";
import type { BatchToken } from "../engine/batches/batch-loop.ts";
import { type BatchModel, PAGE_POSITIONS } from "../engine/batches/batch-model.ts";
import { BatchThread } from "../engine/batches/batch-thread.ts";
import type { TokenLogprobs } from "../engine/batches/choose-token.ts";
import type { SharedArena } from "../engine/kernels/create-kernels.ts";
import { servingError } from "../model-errors.ts";
import type { AnswerForm } from "./billing/answer-billing.ts";
import { FairQueue, type QueueLimits, type QueueTenant } from "./fair-queue.ts";
import { RunningShares } from "./running-shares.ts";

/** `tenant` and `address`: whose turn it takes. */
interface EngineQuestion extends AnswerForm, QueueTenant {
  /** Adapter's name; null for the base. */
  readonly adapter: string | null;
  /** True for a prompt that is read alone. */
  readonly isEmbedding?: boolean;
}

interface EngineListener {
  onToken(token: number, logprobs: TokenLogprobs | undefined): void;
  /** @param embedding mean of the prompt's last hidden states, if that was requested */
  onEnd(end: "stop" | "length", embedding?: Float64Array): void;
  onError(error: RollupError): void;
}

export interface EngineTicket {
  /** Ends the answer; the listener is not called any more. */
  cancel(): void;
  /** Hash of the adapter's numbers, once it is in memory. */
  readonly adapterSha256: string | null;
}

interface Job extends EngineTicket {
  readonly id: number;
  readonly question: EngineQuestion;
  readonly listener: EngineListener;
  readonly askedAtMs: number;
  adapterSha256: string | null;
  state: "queued" | "loading" | "running" | "over";
  hasToken: boolean;
  pages: number[];
  lease: AdapterLease | null;
  thread: BatchThread | null;
}

/** Observer of an engine's work. */
interface EngineObserver {
  onFirstToken(seconds: number, isCold: boolean): void;
  onStep(seconds: number, tokens: number): void;
}

interface EngineParts {
  readonly models: readonly BatchModel[];
  readonly shared: SharedArena;
  readonly pool: AdapterPool;
  readonly limits: QueueLimits;
  readonly observer: EngineObserver;
}

/**
 * Gives questions their turn, their pages and their adapter, and then to a thread's batch. All pages of a question are set
 * aside before it begins: what has begun is never put back.
 */
export class ServingEngine {
  readonly #parts: EngineParts;
  readonly #queue: FairQueue<Job>;
  readonly #threads: BatchThread[];
  readonly #jobs = new Map<number, Job>();
  readonly #freePages: number[];
  readonly #shares: RunningShares;
  #nextId = 1;
  #failure: Error | null = null;
  #doneTimesMs: number[] = [];

  constructor(parts: EngineParts) {
    this.#parts = parts;
    this.#queue = new FairQueue({
      ...parts.limits,
      onDropped: (job, overloaded) => {
        job.state = "over";
        job.listener.onError(overloaded);
      },
    });
    const { buffers, kv } = parts.models[0]!;
    const { pageCount } = kv;
    this.#shares = new RunningShares(parts.models.length * buffers.slotCount, pageCount);
    this.#freePages = Array.from({ length: pageCount }, (_, i) => pageCount - 1 - i);
    const listener = {
      onTokens: (tokens: readonly BatchToken[], stepMs: number) => this.#onTokens(tokens, stepMs),
      onLeft: (id: number) => this.#onLeft(id),
      onFailed: (error: Error) => this.#fail(error),
    };
    this.#threads = parts.models.map((model, i) => new BatchThread(parts.shared, i + 1, model, listener));
  }

  get queuedCount(): number {
    return this.#queue.size;
  }

  get activeCount(): number {
    return this.#jobs.size;
  }

  get usedPages(): number {
    return this.#parts.models[0]!.kv.pageCount - this.#freePages.length;
  }

  get isHealthy(): boolean {
    return this.#failure === null;
  }

  /** Tokens of a prompt and its answer together. */
  get maxPositions(): number {
    const { kv, maxPositions } = this.#parts.models[0]!;
    return Math.min(maxPositions, kv.pageCount * PAGE_POSITIONS);
  }

  /** Positions of all answers that are made at once. */
  get allPositions(): number {
    return this.#parts.models[0]!.kv.pageCount * PAGE_POSITIONS;
  }

  /** Seconds until there may be room again, by how fast answers end. */
  get retryAfterSeconds(): number {
    const span = (this.#doneTimesMs.at(-1) ?? 0) - (this.#doneTimesMs[0] ?? 0);
    const perSecond = span > 0 ? (1000 * (this.#doneTimesMs.length - 1)) / span : 1;
    return Math.min(60, Math.max(1, Math.ceil(this.#queue.size / perSecond / 4)));
  }

  /** @throws RollupError MOD_SERVE_PROMPT_TOO_LONG, SRV_OVERLOADED, SRV_STOPPING */
  ask(question: EngineQuestion, listener: EngineListener): EngineTicket {
    if (this.#failure !== null) throw stopping(this.#failure);
    const { maxTokens, prompt } = question;
    const count = prompt.length + maxTokens;
    if (prompt.length === 0 || count > this.maxPositions) {
      throw servingError(
        "MOD_SERVE_PROMPT_TOO_LONG",
        `a prompt of ${prompt.length} tokens and an answer of ${maxTokens}: there is room for ${this.maxPositions}`,
        { data: { param: "messages", promptTokens: prompt.length, maxTokens, max: this.maxPositions } },
      );
    }
    const job: Job = {
      id: this.#nextId++,
      question,
      listener,
      askedAtMs: performance.now(),
      adapterSha256: null,
      state: "queued",
      hasToken: false,
      pages: [],
      lease: null,
      thread: null,
      cancel: () => this.#cancel(job),
    };
    this.#queue.push(question, job, count);
    this.#pump();
    return job;
  }

  async close(): Promise<void> {
    this.#fail(new Error("the server stops"));
    await Promise.all(this.#threads.map((thread) => thread.close()));
  }

  #pump(): void {
    for (;;) {
      const { slotCount } = this.#parts.models[0]!.buffers;
      const thread = this.#threads.reduce((idlest, other) =>
        other.activeCount < idlest.activeCount ? other : idlest,
      );
      if (thread.activeCount >= slotCount) return;
      const job = this.#next();
      if (job === null) return;
      job.pages = this.#freePages.splice(-pagesOf(job.question));
      this.#shares.begin(job.question.address, job.pages.length);
      job.thread = thread;
      thread.activeCount += 1;
      this.#jobs.set(job.id, job);
      this.#start(job, thread);
    }
  }

  /** Takes the next job: of an address with less than its share first; if none waits, of one with more. */
  #next(): Job | null {
    let isShort = false;
    const hasPages = ({ question }: Job) => {
      isShort = pagesOf(question) > this.#freePages.length;
      return !isShort;
    };
    const mayRun = ({ question }: Job) => this.#shares.hasRoom(question.address, pagesOf(question));
    const isBelow = (job: Job) =>
      mayRun(job) && this.#shares.isBelowShare(job.question.address, this.#queue.addresses);
    const next = this.#queue.next(hasPages, isBelow);
    // A job that waits for pages gets the next ones: another's shorter answers do not go by.
    return next !== null || isShort ? next : this.#queue.next(hasPages, mayRun);
  }

  /** An adapter that is not in memory is read while the batch goes on without this question. */
  #start(job: Job, thread: BatchThread): void {
    const { adapter } = job.question;
    if (adapter === null) {
      this.#join(job, thread);
      return;
    }
    job.state = "loading";
    this.#parts.pool.lease(adapter).then(
      (lease) => {
        job.lease = lease;
        if (job.state === "loading") this.#join(job, thread);
        else this.#free(job);
      },
      (error: unknown) => {
        if (job.state === "loading") job.listener.onError(typed(error));
        this.#free(job);
      },
    );
  }

  #join(job: Job, thread: BatchThread): void {
    const { adapter: _, address: __, tenant: ___, ...rest } = job.question;
    job.state = "running";
    job.adapterSha256 = job.lease?.adapter.sha256 ?? null;
    thread.join({ ...rest, id: job.id, pages: job.pages, adapter: job.lease?.adapter ?? null });
  }

  #onTokens(tokens: readonly BatchToken[], stepMs: number): void {
    this.#parts.observer.onStep(stepMs / 1000, tokens.length);
    for (const { embedding, end, id, logprobs, token } of tokens) {
      const job = this.#jobs.get(id);
      if (job === undefined) continue;
      const isHeard = job.state === "running";
      if (isHeard && !job.hasToken) {
        job.hasToken = true;
        this.#parts.observer.onFirstToken(
          (performance.now() - job.askedAtMs) / 1000,
          job.lease?.isCold ?? false,
        );
      }
      if (isHeard && token >= 0) job.listener.onToken(token, logprobs);
      if (end === null) continue;
      if (job.state === "running") job.listener.onEnd(end, embedding);
      this.#free(job);
    }
  }

  #onLeft(id: number): void {
    const job = this.#jobs.get(id);
    if (job !== undefined) this.#free(job);
  }

  #cancel(job: Job): void {
    const before = job.state;
    if (before === "over") return;
    job.state = "over";
    if (before === "queued") this.#queue.remove(job.question.tenant, job);
    // Its pages stay its own until the thread has let it go.
    else if (before === "running") job.thread!.leave(job.id);
  }

  #free(job: Job): void {
    if (!this.#jobs.delete(job.id)) return;
    job.state = "over";
    job.lease?.release();
    this.#freePages.push(...job.pages);
    this.#shares.end(job.question.address, job.pages.length);
    job.thread!.activeCount -= 1;
    this.#doneTimesMs.push(performance.now());
    if (this.#doneTimesMs.length > 64) this.#doneTimesMs.shift();
    this.#pump();
  }

  #fail(error: Error): void {
    if (this.#failure !== null) return;
    this.#failure = error;
    const jobs = [...this.#queue.drain(), ...this.#jobs.values()];
    this.#jobs.clear();
    for (const job of jobs) {
      const isHeard = job.state !== "over";
      job.state = "over";
      if (isHeard) job.listener.onError(stopping(error));
    }
  }
}

const pagesOf = ({ maxTokens, prompt }: EngineQuestion): number =>
  Math.ceil((prompt.length + maxTokens) / PAGE_POSITIONS);

function stopping(cause: Error) {
  return servingError("SRV_STOPPING", `no answers are given: ${cause.message}`, { cause });
}

function typed(error: unknown): RollupError {
  if (isRollupError(error)) return error;
  return servingError("SRV_INTERNAL", "the adapter could not be read", { cause: error });
}
