/** Bounded cache of the sequencer's answers, each used for a moment: `HostLedger` has one for each kind. */
import { LRUCache } from "lru-cache";

interface CachedAnswer<T> {
  readonly atMs: number;
  readonly answer: Promise<T>;
  /** Items of the answer; 1 until it is there. */
  readonly size: number;
}

interface FreshAnswersOptions<T> {
  /** Time for which an answer is used, in milliseconds. */
  readonly cacheMs: number;
  readonly nowMs: () => number;
  /** Maximum items of all answers; those used last stay. Anyone may name an id. */
  readonly maxItems: number;
  /** Items of an answer. Default: one. */
  readonly sizeOf?: (value: T) => number;
}

export class FreshAnswers<T> {
  readonly #options: FreshAnswersOptions<T>;
  readonly #answers: LRUCache<number, CachedAnswer<T>>;

  constructor(options: FreshAnswersOptions<T>) {
    const { maxItems } = options;
    this.#options = options;
    this.#answers = new LRUCache({
      maxSize: maxItems,
      sizeCalculation: ({ size }) => Math.min(size, maxItems),
    });
  }

  /** Returns the cached answer, or asks for it. A failure is not cached. */
  get(id: number, ask: () => Promise<T>): Promise<T> {
    const { cacheMs, nowMs, sizeOf } = this.#options;
    const known = this.#answers.get(id);
    if (known !== undefined && nowMs() - known.atMs < cacheMs) return known.answer;
    const entry = { atMs: nowMs(), answer: ask(), size: 1 };
    this.#answers.set(id, entry);
    const isHere = () => this.#answers.peek(id) === entry;
    entry.answer.then(
      (value) => {
        const size = Math.max(1, sizeOf?.(value) ?? 1);
        if (size > 1 && isHere()) this.#answers.set(id, { ...entry, size });
      },
      () => {
        if (isHere()) this.#answers.delete(id);
      },
    );
    return entry.answer;
  }

  delete(id: number): void {
    this.#answers.delete(id);
  }

  /** Items that are cached. */
  get itemCount(): number {
    return this.#answers.calculatedSize;
  }
}
