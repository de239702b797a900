import { Piscina } from "piscina";
import { FairQueue } from "../../fair-queue.ts";
import type { EncodingSeat } from "./prompt-worker.ts";

interface Waiting {
  readonly text: string;
  readonly isWanted: () => boolean;
  settle(tokens: Uint32Array | null): void;
  fail(error: unknown): void;
}

/** Texts that wait for one lane; each is bounded by its lane's bytes. */
const MAX_WAITING = 256;
const MAX_WAITING_OF_ADDRESS = 16;

/** A thread that encodes one text after another; addresses take turns, by bytes. */
export class EncodingLane {
  readonly #pool: Piscina<string, Uint32Array>;
  readonly #queue: FairQueue<Waiting>;
  #isBusy = false;

  /** @param isWarm starts the thread now, not with the first text */
  constructor(seat: EncodingSeat, { isWarm, maxBytes }: { isWarm: boolean; maxBytes: number }) {
    this.#pool = new Piscina({
      filename: new URL("./prompt-worker-entry.js", import.meta.url).href,
      workerData: seat,
      execArgv: [],
      minThreads: isWarm ? 1 : 0,
      maxThreads: 1,
      idleTimeout: Number.POSITIVE_INFINITY,
    });
    // A thread that dies between two texts is replaced; one that dies within a text fails that text.
    this.#pool.on("error", () => {});
    this.#queue = new FairQueue({
      maxQueued: MAX_WAITING,
      maxQueuedPerTenant: MAX_WAITING_OF_ADDRESS,
      quantum: maxBytes,
      onDropped: ({ fail }, overloaded) => fail(overloaded),
    });
  }

  /** null if nobody wants it any more when its turn comes. @throws RollupError SRV_OVERLOADED */
  encode(address: string, text: string, isWanted: () => boolean): Promise<Uint32Array | null> {
    return new Promise((settle, fail) => {
      this.#queue.push({ tenant: address, address }, { text, isWanted, settle, fail }, text.length + 1);
      void this.#pump();
    });
  }

  async close(): Promise<void> {
    for (const { settle } of this.#queue.drain()) settle(null);
    await this.#pool.destroy();
  }

  async #pump(): Promise<void> {
    if (this.#isBusy) return;
    this.#isBusy = true;
    for (let next = this.#queue.next(() => true); next !== null; next = this.#queue.next(() => true)) {
      const { fail, isWanted, settle, text } = next;
      if (isWanted()) await this.#pool.run(text).then(settle, fail);
      else settle(null);
    }
    this.#isBusy = false;
  }
}
