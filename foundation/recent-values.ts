/** Of the values that were used last, as many as fit; at least the last one. Before one is loaded there is room for the largest so far. */
export class RecentValues<Key, Value> {
  readonly #mostBytes: number;
  /** The least recently used first. */
  readonly #held = new Map<Key, { readonly value: Value; readonly bytes: number }>();
  #bytes = 0;
  #largestBytes = 0;

  constructor(mostBytes: number) {
    this.#mostBytes = mostBytes;
  }

  /** Not to be called again before the last call has ended. @throws what loading throws */
  async get(key: Key, load: () => Promise<{ value: Value; bytes: number }>): Promise<Value> {
    const known = this.#held.get(key);
    if (known === undefined) this.#makeRoom(this.#largestBytes);
    const entry = known ?? (await load());
    this.#largestBytes = Math.max(this.#largestBytes, entry.bytes);
    this.#held.delete(key);
    this.#held.set(key, entry);
    if (known === undefined) this.#bytes += entry.bytes;
    this.#makeRoom(0, key);
    return entry.value;
  }

  /** undefined where it is not held. */
  peek(key: Key): Value | undefined {
    return this.#held.get(key)?.value;
  }

  #makeRoom(bytes: number, kept?: Key): void {
    for (const [oldest, held] of this.#held) {
      if (this.#bytes + bytes <= this.#mostBytes || oldest === kept) break;
      this.#held.delete(oldest);
      this.#bytes -= held.bytes;
    }
  }
}
