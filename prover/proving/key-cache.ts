/** Cache of loaded proving keys in a back end, bounded by their number. */
import { LRUCache } from "lru-cache";
import type { ZkeyHeader } from "../formats/zkey-header.ts";
import { type QueuedJob, requireWaiting } from "./job-queue.ts";

/** Cache of keys in a back end's own form; the least recently used goes first. */
export class KeyCache<Key extends { readonly header: ZkeyHeader }> {
  readonly #forget: (key: Key) => void | Promise<void>;
  readonly #keys: LRUCache<string, Key>;

  constructor(maxCount: number, forget: (key: Key) => void | Promise<void>) {
    this.#keys = new LRUCache({ max: maxCount });
    this.#forget = forget;
  }

  /**
   * Returns the job's key, loaded if it is not here.
   * @param header as the checker gives it: the same object as long as the file does not change
   * @throws RollupError PRV_CANCELLED if the job was cancelled before it is loaded, and what `load` throws
   */
  async take(queued: QueuedJob, header: ZkeyHeader, load: () => Promise<Key>): Promise<Key> {
    const { zkeyPath } = queued.job.circuit;
    const known = this.#keys.get(zkeyPath);
    if (known?.header === header) return known;
    this.#keys.delete(zkeyPath);
    if (known !== undefined) await this.#forget(known);
    // Before the next one is loaded: a device has memory for `max` of them.
    while (this.#keys.size >= this.#keys.max) await this.#forget(this.#keys.pop()!);
    requireWaiting(queued);
    const loaded = await load();
    this.#keys.set(zkeyPath, loaded);
    return loaded;
  }

  /** Drops all keys without freeing each: their memory is gone already. */
  clear(): void {
    this.#keys.clear();
  }

  async forgetAll(): Promise<void> {
    for (const key of this.#keys.values()) await this.#forget(key);
    this.#keys.clear();
  }
}
