/**
 * Journal of questions: heads in memory, whole records on disk. The asker writes each step here before it takes the next. A question
 * has one record, however often it is asked until it is answered. Texts that nobody needs any more are cut, so that memory and disk
 * are bounded however large the questions are.
 */
import { createHash } from "node:crypto";
import type { ChatTool } from "@openledger/attribution/model/model-chat";
import type { DurableMap } from "../account/gateway-store.ts";
import {
  headOf,
  type Idempotency,
  type QuestionHead,
  type QuestionRecord,
  questionSchema,
} from "./question-record.ts";
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
/**
 * Questions that their server may have answered, and whose texts stay so that they can be asked again: the newest of each model, and of
 * all models.
 */
const LOST_LIMITS = { ofModel: 32, ofAll: 256, characters: 2 ** 26 };
/** Answers that stay whole for their `Idempotency-Key`. */
const KEY_LIMITS = { count: 512, characters: 2 ** 26, ageMs: 24 * 3_600_000 };

const keyOf = (id: number) => String(id).padStart(12, "0");
const isEnded = ({ hasPrompt, idempotency, isDelivered, state }: QuestionHead) =>
  idempotency === null && ((state === "dropped" && !hasPrompt) || (state === "paid" && isDelivered));
const isUndelivered = ({ isDelivered, state }: QuestionHead) => state === "paid" && !isDelivered;
/** True for a question without an answer whose server may have one. */
export const isLost = ({ hasAnswer, hasPrompt, state }: QuestionHead) =>
  state === "dropped" && hasPrompt && !hasAnswer;
const isKeyExpired = ({ askedAtMs }: QuestionHead) => askedAtMs < Date.now() - KEY_LIMITS.ageMs;
const byTime = (a: QuestionHead, b: QuestionHead) => a.askedAtMs - b.askedAtMs;

export interface SentQuestion {
  readonly modelId: number;
  readonly serverUrl: string;
  readonly prompt: string;
  readonly tools: readonly ChatTool[];
  readonly idempotency?: Idempotency | null | undefined;
}

/** A question whose asking has begun. */
export interface BegunQuestion {
  readonly record: QuestionRecord;
  /** Its record before, from an asking that had no answer; null for a new one. */
  readonly earlier: QuestionHead | null;
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

  /** Begins to ask a question. One that was asked before, and has no answer, has the same record. */
  begin({ tools, idempotency = null, ...question }: SentQuestion): Promise<BegunQuestion> {
    const questionHash = hashOfQuestion({ ...question, tools });
    return this.#writes.run(async () => {
      const earlier = this.#unanswered({ ...question, questionHash, idempotency }) ?? null;
      const record: QuestionRecord = {
        id: earlier?.id ?? this.#nextId++,
        ...question,
        tools: [...tools],
        questionHash,
        askedAtMs: Date.now(),
        state: "asked",
        answer: null,
        sealed: null,
        payment: null,
        code: null,
        isDelivered: false,
        isFinal: false,
        idempotency,
      };
      await this.#write(record);
      await this.#prune();
      return { record, earlier };
    });
  }

  /** Takes the beginning of a question back that was never sent: nobody has an answer for it. */
  withdraw({ record, earlier }: BegunQuestion): Promise<void> {
    return this.#writes.run(async () => {
      const { id } = record;
      if (earlier === null) {
        await this.#maps.questions.delete([keyOf(id)]);
        this.#heads.delete(id);
        return;
      }
      const { askedAtMs, code, hasPrompt, idempotency, state } = earlier;
      const cut = hasPrompt ? {} : { prompt: null, tools: [] };
      await this.#write({ ...record, askedAtMs, code, idempotency, state, ...cut });
    });
  }

  /** Record of an unexpired `Idempotency-Key`. */
  withKey({ keyHash }: Pick<Idempotency, "keyHash">): QuestionHead | undefined {
    return this.heads.findLast((head) => head.idempotency?.keyHash === keyHash && !isKeyExpired(head));
  }

  /** Cuts the texts of a model's lost questions: its server has answers for none of them any more. */
  forgetLost({ modelId, serverUrl }: Pick<SentQuestion, "modelId" | "serverUrl">): Promise<void> {
    return this.#writes.run(async () => {
      const isTheirs = (head: QuestionHead) =>
        isLost(head) && head.modelId === modelId && head.serverUrl === serverUrl;
      for (const { id } of this.heads.filter(isTheirs)) await this.#cutQuestion(id);
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

  /** A question without answer and payment that is the same, of the same request or of one without a key. */
  #unanswered({
    idempotency,
    modelId,
    questionHash,
    serverUrl,
  }: Pick<QuestionRecord, "modelId" | "serverUrl" | "questionHash" | "idempotency">):
    | QuestionHead
    | undefined {
    return this.heads.findLast(
      (head) =>
        head.state === "dropped" &&
        head.receipt === null &&
        head.payment === null &&
        head.modelId === modelId &&
        head.serverUrl === serverUrl &&
        head.questionHash === questionHash &&
        (head.idempotency === null || head.idempotency.keyHash === idempotency?.keyHash),
    );
  }

  async #cutQuestion(id: number): Promise<void> {
    await this.#write({ ...(await this.read(id)), prompt: null, tools: [] });
  }

  async #cutOldQuestions(): Promise<void> {
    const counts = new Map<number, number>();
    const all = { count: 0, characters: 0 };
    for (const { id, modelId, questionCharacters } of this.heads.filter(isLost).sort(byTime).reverse()) {
      const count = (counts.get(modelId) ?? 0) + 1;
      counts.set(modelId, count);
      all.count++;
      all.characters += questionCharacters;
      const { characters, ofAll, ofModel } = LOST_LIMITS;
      if (count > ofModel || all.count > ofAll || all.characters > characters) await this.#cutQuestion(id);
    }
  }

  async #expireKeys(): Promise<void> {
    const keyed = this.heads.filter(
      ({ idempotency, state }) => idempotency !== null && (state === "paid" || state === "dropped"),
    );
    let count = 0;
    let characters = 0;
    for (const head of keyed.sort(byTime).reverse()) {
      count++;
      characters += head.answerCharacters;
      if (count > KEY_LIMITS.count || characters > KEY_LIMITS.characters || isKeyExpired(head))
        await this.#write(withoutNeedless({ ...(await this.read(head.id)), idempotency: null }));
    }
  }

  async #prune(): Promise<void> {
    const undelivered = this.heads.filter(isUndelivered);
    for (const { id } of undelivered.slice(0, Math.max(0, undelivered.length - MAX_UNDELIVERED)))
      await this.#write(withoutNeedless({ ...(await this.read(id)), isDelivered: true }));
    await this.#cutOldQuestions();
    await this.#expireKeys();
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

/** Cuts the texts that a record needs no more: only a question without an answer is asked again, or opened. */
function withoutNeedless(record: QuestionRecord): QuestionRecord {
  const { answer, idempotency, isDelivered, sealed, state } = record;
  const isOver = state === "paid" && isDelivered;
  if (answer === null && !isOver) return record;
  const isCut = isOver && idempotency === null && answer !== null;
  const given = isCut ? { ...answer, text: answer.text.slice(0, MAX_DELIVERED_TEXT), toolCalls: [] } : answer;
  const terms = sealed === null ? null : { ...sealed, sealed: "" };
  return { ...record, prompt: null, tools: [], answer: given, sealed: terms };
}
