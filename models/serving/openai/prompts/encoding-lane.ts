/**
 * A thread that turns texts into tokens, with its queue: prompt-encoder.ts has a lane for short texts and one for long
 * ones, so that long ones keep nobody waiting.
 */
import { TaskPool } from "@openledger/foundation/threads/task-pool";
import { servingError } from "../../../model-errors.ts";
import { FairQueue } from "../../fair-queue.ts";
import type { DatedChat, EncodingSeat } from "./prompt-tasks.ts";

interface Waiting {
  readonly prompt: string | DatedChat;
  readonly isWanted: () => boolean;
  settle(tokens: Uint32Array | null): void;
  fail(error: unknown): void;
}

/** Texts that wait for one lane; each is bounded by its lane's bytes. */
const MAX_WAITING = 256;
const MAX_WAITING_OF_ADDRESS = 16;
/** Heap of the thread: some times what a vocabulary of 256,000 tokens and a text of the longest kind take. Guess. */
const MAX_HEAP_MB = 1_024;

/** A thread that encodes one text after another; addresses take turns, by bytes. */
export class EncodingLane {
  readonly #pool: TaskPool<typeof import("./prompt-tasks.ts")>;
  readonly #queue: FairQueue<Waiting>;
  #isBusy = false;

  /** @param isWarm starts the thread now, not with the first text */
  constructor(seat: EncodingSeat, { isWarm, maxBytes }: { isWarm: boolean; maxBytes: number }) {
    this.#pool = new TaskPool({
      tasks: new URL("./prompt-tasks.ts", import.meta.url),
      seat,
      threadCount: 1,
      maxHeapMb: MAX_HEAP_MB,
      isWarm,
      ended: (cause) =>
        servingError("SRV_STOPPING", `the prompt's thread ended: ${cause.message}`, { cause }),
    });
    this.#queue = new FairQueue({
      maxQueued: MAX_WAITING,
      maxQueuedPerTenant: MAX_WAITING_OF_ADDRESS,
      quantum: maxBytes,
      onDropped: ({ fail }, overloaded) => fail(overloaded),
    });
  }

  /**
   * @param byteCount of the prompt, which its turn costs
   * @returns null if nobody wants it any more when its turn comes
   * @throws RollupError SRV_OVERLOADED, MOD_CHAT_REFUSED
   */
  encode(
    address: string,
    prompt: string | DatedChat,
    byteCount: number,
    isWanted: () => boolean,
  ): Promise<Uint32Array | null> {
    return new Promise((settle, fail) => {
      this.#queue.push({ tenant: address, address }, { prompt, isWanted, settle, fail }, byteCount + 1);
      void this.#pump();
    });
  }

  async close(): Promise<void> {
    for (const { settle } of this.#queue.drain()) settle(null);
    await this.#pool.close();
  }

  async #pump(): Promise<void> {
    if (this.#isBusy) return;
    this.#isBusy = true;
    for (let next = this.#queue.next(() => true); next !== null; next = this.#queue.next(() => true)) {
      const { fail, isWanted, prompt, settle } = next;
      if (isWanted()) await this.#pool.run("encode", prompt).then(settle, fail);
      else settle(null);
    }
    this.#isBusy = false;
  }
}
