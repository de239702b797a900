/**
 * Continuous batching, by which one thread answers many requests at once: requests join and leave between two steps, and each
 * step gives every request that is past its prompt one token. batch-worker.ts calls `step` as long as there are requests; the
 * numbers come from batch-pass.ts.
 */
import { SeededRandom } from "@openledger/attribution/maths/seeded-random";
import type { PageLayout } from "../adapters/adapter-pages.ts";
import type { ResidentAdapter } from "../adapters/adapter-pool.ts";
import { roundUp16 } from "../tensors/arena-plan.ts";
import { type BatchModel, PROMPT_ROWS } from "./batch-model.ts";
import { type BatchRow, groupAdapters, logitsOf, passRows, seatSlot } from "./batch-pass.ts";
import { chooseToken, logprobsOf, type Sampling, type TokenLogprobs } from "./choose-token.ts";
import { JsonGuide } from "./json-guide.ts";
import type { JsonShape } from "./json-text.ts";

/** A request that may join the batch: its adapter is in memory, its pages are its own. */
export interface BatchRequest extends Sampling {
  readonly id: number;
  readonly prompt: readonly number[];
  readonly adapter: ResidentAdapter | null;
  readonly maxTokens: number;
  readonly seed: string;
  /** Pages for prompt and answer. */
  readonly pages: readonly number[];
  /** Each ends the answer and is not part of it. */
  readonly endTokens: readonly number[];
  /** Shape of JSON to which the answer is held; for models whose tokens spell bytes. */
  readonly json?: JsonShape | null;
  /** Number of likeliest tokens reported beside each; null or absent: none, and no probability. */
  readonly topLogprobs?: number | null;
  /** True for a prompt that is read alone: its result is the mean of its rows' normed outputs. */
  readonly isEmbedding?: boolean;
}

/** Result of a step for a request: a token, and why it was the last one; a token of −1 is none. */
export interface BatchToken {
  readonly id: number;
  readonly token: number;
  readonly end: "stop" | "length" | null;
  readonly logprobs?: TokenLogprobs | undefined;
  /** Mean of the normed outputs of the prompt's rows, if that was requested. */
  readonly embedding?: Float64Array;
}

interface Running {
  readonly request: BatchRequest;
  readonly slot: number;
  readonly random: SeededRandom;
  readonly guide: JsonGuide | null;
  /** Tokens whose keys and values are stored. */
  read: number;
  readonly answer: number[];
  /** Sum of the normed outputs so far; null if none is requested. */
  readonly sum: Float64Array | null;
}

/** Requests that join and leave between steps. Prompts are read in parts, so that a long one does not stop the answers. */
export class BatchLoop {
  readonly #model: BatchModel;
  readonly #running = new Map<number, Running>();
  readonly #freeSlots: number[];
  readonly #layouts = new Map<string, PageLayout>();

  constructor(model: BatchModel) {
    this.#model = model;
    this.#freeSlots = Array.from(
      { length: model.buffers.slotCount },
      (_, i) => model.buffers.slotCount - 1 - i,
    );
  }

  get size(): number {
    return this.#running.size;
  }

  join(request: BatchRequest): void {
    const slot = this.#freeSlots.pop();
    if (slot === undefined) throw new RangeError("no slot is free");
    seatSlot(this.#model, slot, request.pages);
    const random = new SeededRandom(`generate ${request.seed}`);
    const { id, json = null } = request;
    const guide = json === null ? null : new JsonGuide(this.#model.spelled!, json);
    const sum = request.isEmbedding === true ? new Float64Array(this.#model.shape.width) : null;
    this.#running.set(id, { request, slot, random, guide, read: 0, answer: [], sum });
  }

  /** Removes a request. Returns true if it was there. */
  leave(id: number): boolean {
    const running = this.#running.get(id);
    if (running === undefined) return false;
    this.#running.delete(id);
    this.#freeSlots.push(running.slot);
    return true;
  }

  /** A token of each answer, and a part of the prompts. */
  step(): BatchToken[] {
    const rows: BatchRow[] = [];
    const asking: { running: Running; row: number }[] = [];
    const summing: { running: Running; first: number; count: number }[] = [];
    let promptRows = PROMPT_ROWS;
    for (const running of this.#running.values()) {
      const { request, slot } = running;
      const { adapter, prompt } = request;
      if (running.read >= prompt.length) {
        rows.push({ token: running.answer.at(-1)!, slot, position: running.read, adapter });
        running.read += 1;
        asking.push({ running, row: rows.length - 1 });
        continue;
      }
      const count = Math.min(promptRows, prompt.length - running.read);
      promptRows -= count;
      if (running.sum !== null) summing.push({ running, first: rows.length, count });
      for (let i = 0; i < count; i++, running.read++)
        rows.push({ token: prompt[running.read]!, slot, position: running.read, adapter });
      if (running.read === prompt.length && running.sum === null)
        asking.push({ running, row: rows.length - 1 });
    }
    if (rows.length === 0) return [];
    const model = this.#model;
    passRows(model, rows, groupAdapters(model, rows, this.#layouts));
    const embedded = summing.flatMap(({ count, first, running }) => this.#sumRows(running, first, count));
    if (asking.length === 0) return embedded;
    const logits = logitsOf(
      model,
      asking.map(({ row }) => row),
    );
    const stride = roundUp16(model.shape.vocabularySize);
    const chosen = asking.map(({ running }, i) =>
      this.#choose(running, logits.subarray(i * stride, i * stride + model.shape.vocabularySize)),
    );
    return [...embedded, ...chosen];
  }

  /** Adds rows of the pass in the order of their positions, so that the sum is the same in any batch. */
  #sumRows({ read, request, sum }: Running, first: number, count: number): BatchToken[] {
    const { buffers, kernels, shape } = this.#model;
    for (let row = first; row < first + count; row++) {
      const at = buffers.normed + row * shape.width;
      for (let i = 0; i < shape.width; i++) sum![i]! += kernels.arena[at + i]!;
    }
    if (read < request.prompt.length) return [];
    this.leave(request.id);
    return [{ id: request.id, token: -1, end: "stop", embedding: sum!.map((value) => value / read) }];
  }

  #choose(running: Running, logits: Float32Array): BatchToken {
    const { guide, random, request } = running;
    const { id, maxTokens, topLogprobs = null } = request;
    const { answer } = running;
    const token =
      guide === null
        ? chooseToken(logits, request, random, answer)
        : guide.choose(maxTokens - answer.length, ({ costs, max }) =>
            chooseToken(logits, request, random, answer, (one) => costs[one]! <= max),
          );
    if (guide === null && request.endTokens.includes(token)) {
      this.leave(id);
      return { id, token: -1, end: "stop" };
    }
    answer.push(token);
    const end = guide === null && answer.length >= maxTokens ? "length" : (guide?.end ?? null);
    if (end !== null) this.leave(id);
    const logprobs = topLogprobs === null ? undefined : logprobsOf(logits, token, topLogprobs);
    return { id, token, end, logprobs };
  }
}
