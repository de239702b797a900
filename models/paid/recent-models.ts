/** Of the models that were used last, as many as fit; at least the last one. Before one is loaded there is room for the largest so far. */
export class RecentModels<Model> {
  readonly #mostBytes: number;
  readonly #load: (modelId: number) => Promise<{ value: Model; bytes: number }>;
  /** The least recently used first. */
  readonly #held = new Map<number, { readonly value: Model; readonly bytes: number }>();
  #bytes = 0;
  #largestBytes = 0;

  constructor(mostBytes: number, load: (modelId: number) => Promise<{ value: Model; bytes: number }>) {
    this.#mostBytes = mostBytes;
    this.#load = load;
  }

  /** Not to be called again before the last call has ended. @throws what loading throws */
  async get(modelId: number): Promise<Model> {
    const known = this.#held.get(modelId);
    if (known === undefined) this.#makeRoom(this.#largestBytes);
    const entry = known ?? (await this.#load(modelId));
    this.#largestBytes = Math.max(this.#largestBytes, entry.bytes);
    this.#held.delete(modelId);
    this.#held.set(modelId, entry);
    if (known === undefined) this.#bytes += entry.bytes;
    this.#makeRoom(0, modelId);
    return entry.value;
  }

  #makeRoom(bytes: number, kept?: number): void {
    for (const [oldest, held] of this.#held) {
      if (this.#bytes + bytes <= this.#mostBytes || oldest === kept) break;
      this.#held.delete(oldest);
      this.#bytes -= held.bytes;
    }
  }
}
