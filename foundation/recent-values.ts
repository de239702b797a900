import { LRUCache } from "lru-cache";

interface Held {
  readonly value: unknown;
  readonly bytes: number;
}

/**
 * Cache of the values used last, as many as fit; at least the last one. Before one is loaded there is room for the largest so far: a cache
 * makes room after it, when both are in memory.
 */
export class RecentValues<Key extends NonNullable<unknown>, Value> {
  readonly #maxBytes: number;
  readonly #held: LRUCache<Key, Held>;
  #largestBytes = 0;

  /** @param onDrop told a value that is not held any more */
  constructor(maxBytes: number, onDrop: (value: Value) => void = () => {}) {
    this.#maxBytes = maxBytes;
    // One value may be larger than the limit: it then takes all of it.
    this.#held = new LRUCache({
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
    const known = this.#held.get(key);
    if (known !== undefined) return known.value as Value;
    while (this.#held.size > 0 && this.#held.calculatedSize + this.#largestBytes > this.#maxBytes)
      this.#held.pop();
    const loaded = await load();
    this.#largestBytes = Math.max(this.#largestBytes, loaded.bytes);
    this.#held.set(key, loaded);
    return loaded.value;
  }

  /** Returns a cached value without marking it as used; undefined if it is not cached. */
  peek(key: Key): Value | undefined {
    return this.#held.peek(key)?.value as Value | undefined;
  }
}
