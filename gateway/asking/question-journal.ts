/** Journal of questions: memory and disk. The asker writes each step here before it takes the next. */
import type { DurableMap } from "../account/gateway-store.ts";
import { type QuestionRecord, questionSchema } from "./question-record.ts";

/** Records of ended questions that stay for lists and explanations. */
const MAX_ENDED = 1_000;
/** Ended records above the maximum that go together. */
const PRUNE_COUNT = 100;

const keyOf = (id: number) => String(id).padStart(12, "0");
const hasEnded = ({ isDelivered, state }: QuestionRecord) =>
  state === "dropped" || (state === "paid" && isDelivered);

export class QuestionJournal {
  readonly #map: DurableMap;
  readonly #records = new Map<number, QuestionRecord>();
  #nextId: number;

  private constructor(map: DurableMap, records: readonly QuestionRecord[]) {
    this.#map = map;
    for (const record of records) this.#records.set(record.id, record);
    this.#nextId = (records.at(-1)?.id ?? -1) + 1;
  }

  static async open(map: DurableMap): Promise<QuestionJournal> {
    const entries = await map.entries();
    return new QuestionJournal(
      map,
      entries.map(([, value]) => questionSchema.parse(value)),
    );
  }

  /** Records, oldest first. */
  get records(): readonly QuestionRecord[] {
    return [...this.#records.values()];
  }

  get(id: number): QuestionRecord | undefined {
    return this.#records.get(id);
  }

  async begin(
    question: Pick<QuestionRecord, "modelId" | "serverUrl" | "prompt" | "tools">,
  ): Promise<QuestionRecord> {
    const record: QuestionRecord = {
      id: this.#nextId++,
      ...question,
      askedAtMs: Date.now(),
      state: "asked",
      answer: null,
      payment: null,
      code: null,
      isDelivered: false,
    };
    await this.#write(record);
    await this.#prune();
    return record;
  }

  /** Changes a record, on disk when it resolves. */
  async change(id: number, changes: Partial<QuestionRecord>): Promise<QuestionRecord> {
    const record = { ...this.#records.get(id)!, ...changes };
    await this.#write(record);
    return record;
  }

  async #write(record: QuestionRecord): Promise<void> {
    await this.#map.put(keyOf(record.id), record);
    this.#records.set(record.id, record);
  }

  async #prune(): Promise<void> {
    const ended = this.records.filter(hasEnded);
    if (ended.length < MAX_ENDED + PRUNE_COUNT) return;
    const old = ended.slice(0, ended.length - MAX_ENDED).map(({ id }) => id);
    await this.#map.delete(old.map(keyOf));
    for (const id of old) this.#records.delete(id);
  }
}
