/**
 * Journal of questions: heads in memory, whole records on disk. The asker writes each step here before it takes the next. Texts
 * that nobody needs any more are cut, so that memory and disk are bounded however large the questions are.
 */
import { createHash } from "node:crypto";
import type { ChatTool } from "@openledger/attribution/model/model-chat";
import type { DurableMap } from "../account/gateway-store.ts";
import { headOf, type QuestionHead, type QuestionRecord, questionSchema } from "./question-record.ts";
import { TurnQueue } from "./turn-queue.ts";

export interface JournalBounds {
  /** Records of ended questions that stay for lists and explanations. */
  readonly maxEnded: number;
  /** Ended records above the maximum that go together. */
  readonly pruneCount: number;
}
const BOUNDS: JournalBounds = { maxEnded: 1_000, pruneCount: 100 };
/** Paid answers that nobody has fetched: the oldest beyond them count as ended. */
const MAX_UNDELIVERED = 64;
/** Characters of a delivered answer that stay. */
const MAX_DELIVERED_TEXT = 16_384;
/** Questions without an answer whose texts stay, so that they can be asked again: the newest of each model. */
const MAX_REPEATABLE = 4;

const keyOf = (id: number) => String(id).padStart(12, "0");
const isEnded = ({ isDelivered, state }: QuestionHead) =>
  state === "dropped" || (state === "paid" && isDelivered);
const isUndelivered = ({ isDelivered, state }: QuestionHead) => state === "paid" && !isDelivered;

export interface SentQuestion {
  readonly modelId: number;
  readonly serverUrl: string;
  readonly prompt: string;
  readonly tools: readonly ChatTool[];
}

/** Hash of a question: its text may be large. */
export const hashOfQuestion = ({ prompt, tools }: Pick<SentQuestion, "prompt" | "tools">): string =>
  createHash("sha256")
    .update(JSON.stringify([prompt, tools]))
    .digest("hex");

export interface JournalMaps {
  readonly questions: DurableMap;
  /** Receipts of payments whose records are pruned. */
  readonly receipts: DurableMap;
}

export class QuestionJournal {
  readonly #maps: JournalMaps;
  readonly #bounds: JournalBounds;
  readonly #heads = new Map<number, QuestionHead>();
  readonly #writes = new TurnQueue();
  #nextId: number;

  private constructor(maps: JournalMaps, bounds: JournalBounds, heads: readonly QuestionHead[]) {
    this.#maps = maps;
    this.#bounds = bounds;
    for (const head of heads) this.#heads.set(head.id, head);
    this.#nextId = (heads.at(-1)?.id ?? -1) + 1;
  }

  static async open(maps: JournalMaps, bounds: JournalBounds = BOUNDS): Promise<QuestionJournal> {
    const entries = await maps.questions.entries();
    return new QuestionJournal(
      maps,
      bounds,
      entries.map(([, value]) => headOf(questionSchema.parse(value))),
    );
  }

  /** Heads of the records, oldest first. */
  get heads(): readonly QuestionHead[] {
    return [...this.#heads.values()];
  }

  head(id: number): QuestionHead | undefined {
    return this.#heads.get(id);
  }

  /** Reads a whole record. */
  async read(id: number): Promise<QuestionRecord> {
    return questionSchema.parse(await this.#maps.questions.get(keyOf(id)));
  }

  async begin({ tools, ...question }: SentQuestion): Promise<QuestionRecord> {
    const record: QuestionRecord = {
      id: this.#nextId++,
      ...question,
      tools: [...tools],
      questionHash: hashOfQuestion({ ...question, tools }),
      askedAtMs: Date.now(),
      state: "asked",
      answer: null,
      payment: null,
      code: null,
      isDelivered: false,
      isFinal: false,
    };
    return this.#writes.run(async () => {
      await this.#write(record);
      await this.#prune();
      return record;
    });
  }

  /** Changes a record, on disk when it resolves. */
  change(id: number, changes: Partial<QuestionRecord>): Promise<QuestionRecord> {
    return this.#writes.run(async () => {
      const record = withoutNeedless({ ...(await this.read(id)), ...changes });
      await this.#write(record);
      return record;
    });
  }

  /** Returns true if the gateway has signed a payment for the receipt that the ledger has or may have. */
  async hasPaid(receipt: string): Promise<boolean> {
    const isOwn = (head: QuestionHead) =>
      head.receipt === receipt && (head.state === "signed" || head.state === "paid");
    return this.heads.some(isOwn) || (await this.#maps.receipts.get(receipt)) !== undefined;
  }

  /** Payments and fees that are signed, and that the sequencer has not taken yet. */
  owedWei(): bigint {
    return this.heads
      .filter(({ state }) => state === "signed")
      .reduce((sum, { payment }) => sum + BigInt(payment!.priceWei) + BigInt(payment!.feeWei), 0n);
  }

  async #write(record: QuestionRecord): Promise<void> {
    await this.#maps.questions.put(keyOf(record.id), record);
    this.#heads.set(record.id, headOf(record));
  }

  async #cutOldQuestions(): Promise<void> {
    const counts = new Map<number, number>();
    for (const { hasPrompt, id, modelId, state } of [...this.#heads.values()].reverse()) {
      if (!hasPrompt || state !== "dropped") continue;
      const count = (counts.get(modelId) ?? 0) + 1;
      counts.set(modelId, count);
      if (count > MAX_REPEATABLE) await this.#write({ ...(await this.read(id)), prompt: null, tools: [] });
    }
  }

  async #prune(): Promise<void> {
    const undelivered = this.heads.filter(isUndelivered);
    for (const { id } of undelivered.slice(0, Math.max(0, undelivered.length - MAX_UNDELIVERED)))
      await this.#write(withoutNeedless({ ...(await this.read(id)), isDelivered: true }));
    await this.#cutOldQuestions();
    const ended = this.heads.filter(isEnded);
    const { maxEnded, pruneCount } = this.#bounds;
    if (ended.length < maxEnded + pruneCount) return;
    const old = ended.slice(0, ended.length - maxEnded);
    // Before the records go: no receipt is paid again.
    for (const { id, modelId, receipt, state } of old)
      if (state === "paid") await this.#maps.receipts.put(receipt!, { id, modelId });
    await this.#maps.questions.delete(old.map(({ id }) => keyOf(id)));
    for (const { id } of old) this.#heads.delete(id);
  }
}

/** Cuts the texts that a record needs no more: only a question without an answer is asked again. */
function withoutNeedless(record: QuestionRecord): QuestionRecord {
  const { answer, isDelivered, state } = record;
  if (answer === null) return record;
  const isOver = state === "paid" && isDelivered;
  const kept = isOver ? { ...answer, text: answer.text.slice(0, MAX_DELIVERED_TEXT), toolCalls: [] } : answer;
  return { ...record, prompt: null, tools: [], answer: kept };
}
