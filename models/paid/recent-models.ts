/** Of the models that were used last, as many as fit; at least the last one. */
export class RecentModels<Model> {
  readonly #mostBytes: number;
  readonly #load: (modelId: number) => Promise<{ value: Model; bytes: number }>;
  /** The least recently used first. */
  readonly #held = new Map<number, { readonly value: Model; readonly bytes: number }>();
  #bytes = 0;

  constructor(mostBytes: number, load: (modelId: number) => Promise<{ value: Model; bytes: number }>) {
    this.#mostBytes = mostBytes;
    this.#load = load;
  }

  get size(): number {
    return this.#held.size;
  }

  /** Not to be called again before the last call has ended. @throws what loading throws */
  async get(modelId: number): Promise<Model> {
    const known = this.#held.get(modelId);
    const entry = known ?? (await this.#load(modelId));
    this.#held.delete(modelId);
    this.#held.set(modelId, entry);
    if (known === undefined) this.#bytes += entry.bytes;
    for (const [oldest, { bytes }] of this.#held) {
      if (this.#bytes <= this.#mostBytes || oldest === modelId) break;
      this.#held.delete(oldest);
      this.#bytes -= bytes;
    }
    return entry.value;
  }
}
