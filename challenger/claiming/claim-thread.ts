/** Traces of claims and games, beside the thread that serves HTTP: a server answers while they are made. */
import { errorOf } from "@openledger/foundation/threads/task-outcome";
import { TaskThread } from "@openledger/foundation/threads/task-thread";
import { challengerError } from "../challenger-errors.ts";
import type { ClaimingJudge, ClaimTracer } from "./auto-claim.ts";
import type { ClaimQuestion, ClaimResults, ClaimSeat, ClaimTask } from "./claim-worker.ts";

type Thread = TaskThread<ClaimTask, ClaimResults>;

/** For all models of a process: they are traced one after another. It starts with the first task; one that died starts again. */
export class ClaimThread {
  readonly #seat: ClaimSeat;
  readonly #onProgress: (modelId: number, line: string) => void;
  readonly #judges = new Map<number, ClaimingJudge>();
  #thread: Promise<Thread> | null = null;
  #isClosed = false;

  constructor(seat: ClaimSeat, onProgress: (modelId: number, line: string) => void) {
    this.#seat = seat;
    this.#onProgress = onProgress;
  }

  /** @throws CMD_CLAIM_THREAD_ENDED, and what opening the model throws: from every method */
  tracerOf(modelId: number): ClaimTracer {
    return {
      claim: async (receipt) => (await this.#open()).run({ kind: "claim", modelId, receipt }),
      play: async (judge) => {
        this.#judges.set(modelId, judge);
        const { address, game } = judge;
        const { failures, moves } = await (await this.#open()).run({ kind: "play", modelId, game, address });
        return { moves, failures: failures.map((one) => errorOf(one as never)) };
      },
    };
  }

  /** Ends the thread, and what it does. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await (await this.#thread?.catch(() => null))?.close();
  }

  #open(): Promise<Thread> {
    if (this.#isClosed) return Promise.reject(ended(new Error("the server stops")));
    this.#thread ??= this.#start().catch((error: unknown) => {
      this.#thread = null;
      throw error;
    });
    return this.#thread;
  }

  #start(): Promise<Thread> {
    return TaskThread.start({
      entry: new URL("./claim-worker-entry.js", import.meta.url),
      seat: this.#seat,
      ended,
      onEnd: () => {
        this.#thread = null;
      },
      onAsk: async (question: ClaimQuestion) => {
        const { modelId } = question;
        if (question.kind === "progress") return this.#onProgress(modelId, question.line);
        const { gasUsed } = await this.#judges.get(modelId)!.send(question.call, "a move");
        return { gasUsed };
      },
    });
  }
}

const ended = (cause: Error) =>
  challengerError("CMD_CLAIM_THREAD_ENDED", `nothing is traced any more: ${cause.message}`, { cause });
