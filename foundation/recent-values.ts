/** Cache of large values (loaded models) bounded in bytes, for the threads of the answer server. */
import { LRUCache } from "lru-cache";

/** A cached value and its size. */
interface CachedValue {
  readonly value: unknown;
  readonly bytes: number;
}

/**
 * Cache of the values used last, as many as fit `maxBytes`; at least the last one. Room for the largest value so far is
 * made before a load: an ordinary cache drops old values after it, when both are in memory.
 */
export class RecentValues<Key extends NonNullable<unknown>, Value> {
  readonly #maxBytes: number;
  readonly #values: LRUCache<Key, CachedValue>;
  #largestBytes = 0;

  /** @param onDrop called with each value that leaves the cache */
  constructor(maxBytes: number, onDrop: (value: Value) => void = () => {}) {
    this.#maxBytes = maxBytes;
    // One value may be larger than the limit: it then takes all of it.
    this.#values = new LRUCache({
      maxSize: maxBytes,
      sizeCalculation: ({ bytes }) => Math.max(1, Math.min(bytes, maxBytes)),
      dispose: ({ value }) => onDrop(value as Value),
    });
  }

  /**
   * Gets a value from the cache, or loads it. Wait for the last call before the next. @throws what loading
   * throws
   */
  async get(key: Key, load: () => Promise<{ value: Value; bytes: number }>): Promise<Value> {
    const known = this.#values.get(key);
    if (known !== undefined) return known.value as Value;
    while (this.#values.size > 0 && this.#values.calculatedSize + this.#largestBytes > this.#maxBytes)
      this.#values.pop();
    const loaded = await load();
    this.#largestBytes = Math.max(this.#largestBytes, loaded.bytes);
    this.#values.set(key, loaded);
    return loaded.value;
  }

  /** Returns a cached value without marking it as used; undefined if it is not cached. */
  peek(key: Key): Value | undefined {
    return this.#values.peek(key)?.value as Value | undefined;
  }
}
