import { datanetError } from "../datanet-errors.ts";
import type { SignedName } from "../records/display-name.ts";
import type { HostStore, UsageWrite } from "./host-store.ts";
import { wordsOf } from "./text-search.ts";

/** Maximum names in memory, about 500 bytes each. */
const MAX_NAMES = 100_000;

/** Display names that the host has, the newest of each leaf. */
export class NameTable {
  readonly #store: HostStore;
  readonly #names = new Map<number, SignedName>();
  /** Words of each name, cut once: a search looks through all of them. */
  readonly #words = new Map<number, readonly string[]>();
  /** Queue of writes: names are stored one after the other, so that each is compared with the newest stored one. */
  #writes: Promise<unknown> = Promise.resolve();

  constructor(store: HostStore) {
    this.#store = store;
  }

  async open(): Promise<void> {
    for await (const name of this.#store.names()) this.#keep(name);
  }

  /** Number of names that a search goes through. */
  get size(): number {
    return this.#names.size;
  }

  #keep(name: SignedName): void {
    this.#names.set(name.body.leafId, name);
    this.#words.set(name.body.leafId, [...wordsOf(name.body.name)]);
  }

  /**
   * @param account counts it against the leaf's quota
   * @throws DNT_RECORD_OUTDATED, SRV_DISK_FULL, and what `account` throws
   */
  take(name: SignedName, account: () => Promise<UsageWrite>): Promise<void> {
    const write = this.#writes.then(() => this.#take(name, account));
    this.#writes = write.catch(() => {});
    return write;
  }

  async #take(name: SignedName, account: () => Promise<UsageWrite>): Promise<void> {
    const { atMs, leafId } = name.body;
    const known = this.#names.get(leafId);
    if (JSON.stringify(known?.body) === JSON.stringify(name.body)) return;
    if (known !== undefined && atMs <= known.body.atMs)
      throw datanetError("DNT_RECORD_OUTDATED", `leaf ${leafId} has chosen a name after this one`, {
        data: { atMs: known.body.atMs },
      });
    if (known === undefined && this.#names.size >= MAX_NAMES)
      throw datanetError("SRV_DISK_FULL", `the host keeps ${MAX_NAMES} names and no more`, {
        data: { maxNames: MAX_NAMES },
      });
    await this.#store.putName(name, await account());
    this.#keep(name);
  }

  ofLeaves(leafIds: readonly number[]): SignedName[] {
    return leafIds.flatMap((id) => this.#names.get(id) ?? []).filter(({ body }) => body.name !== "");
  }

  /** Names with words that begin as those of `text` do. */
  find(text: string, limit: number): SignedName[] {
    const starts = [...wordsOf(text)];
    const found: SignedName[] = [];
    if (starts.length === 0) return found;
    for (const name of this.#names.values()) {
      const words = this.#words.get(name.body.leafId)!;
      if (!starts.every((start) => words.some((word) => word.startsWith(start)))) continue;
      found.push(name);
      if (found.length === limit) break;
    }
    return found;
  }
}
