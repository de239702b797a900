/**
 * Bounded cache of requests' answers. Whoever may name what is asked for may fill memory, so every cache of what others name has a
 * maximum: the host's view of the ledger, the gateway's models, the pages' rows and names.
 */
import { LRUCache } from "lru-cache";

interface CachedAnswer<T> {
  readonly atMs: number;
  readonly answer: Promise<T>;
  /** Items of the answer; 1 until it is there. */
  readonly size: number;
}

interface RecentAnswersOptions<T> {
  /** Maximum items of all answers; those used last stay. */
  readonly maxItems: number;
  /** Items of an answer: entries of a list, characters of a text. Default: one. */
  readonly sizeOf?: (value: T) => number;
  /** Time for which an answer is used, in milliseconds. Default: for ever. */
  readonly cacheMs?: number;
  readonly nowMs?: () => number;
}

export class RecentAnswers<Key extends NonNullable<unknown>, T> {
  readonly #options: Required<RecentAnswersOptions<T>>;
  readonly #answers: LRUCache<Key, CachedAnswer<T>>;

  constructor({
    cacheMs = Number.POSITIVE_INFINITY,
    maxItems,
    nowMs = Date.now,
    sizeOf = () => 1,
  }: RecentAnswersOptions<T>) {
    this.#options = { cacheMs, maxItems, nowMs, sizeOf };
    // One answer may be larger than the limit: it then takes all of it.
    this.#answers = new LRUCache({
      maxSize: maxItems,
      sizeCalculation: ({ size }) => Math.min(size, maxItems),
    });
  }

  /** Returns the cached answer, or asks for it. A failure is not cached. */
  get(key: Key, ask: () => Promise<T>): Promise<T> {
    const { cacheMs, nowMs, sizeOf } = this.#options;
    const atMs = nowMs();
    const known = this.#answers.get(key);
    // Also where a clock that was ahead was put right.
    if (known !== undefined && Math.abs(atMs - known.atMs) < cacheMs) return known.answer;
    const entry: CachedAnswer<T> = { atMs, answer: ask(), size: 1 };
    this.#answers.set(key, entry);
    const isHere = () => this.#answers.peek(key) === entry;
    entry.answer.then(
      (value) => {
        const size = Math.max(1, sizeOf(value));
        if (size > 1 && isHere()) this.#answers.set(key, { ...entry, size });
      },
      () => {
        if (isHere()) this.#answers.delete(key);
      },
    );
    return entry.answer;
  }

  delete(key: Key): void {
    this.#answers.delete(key);
  }

  /** Items that are cached. */
  get itemCount(): number {
    return this.#answers.calculatedSize;
  }
}
