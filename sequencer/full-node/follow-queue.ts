/**
 * Follows L1's queue for a full node: its entries from the last final batch's head on, final or not. Where L1 takes some of
 * them back, their execution is undone, too.
 */
import type { RollupContract } from "@openledger/bridge/l1/rollup-contract";
import { sameQueueEntry } from "../batches/from-l1/queue-entry.ts";
import type { StoredQueueEntry } from "../store/log-entry.ts";
import { storeKeys } from "../store/store-keys.ts";
import type { FollowedLedger } from "./followed-ledger.ts";

interface FollowQueueModules {
  readonly rollup: RollupContract;
  readonly followed: FollowedLedger;
  /** Called after entries that the sequencer had shown were undone, so its log has to be read again. */
  readonly onRewind: () => void;
}

export class FollowQueue {
  readonly #modules: FollowQueueModules;
  readonly #entries = new Map<number, StoredQueueEntry>();
  /** No entry is missing between the last final batch's head and this index. */
  #nextEntry = 0;

  constructor(modules: FollowQueueModules) {
    this.#modules = modules;
  }

  readonly queued = (queueIndex: number): StoredQueueEntry | undefined => this.#entries.get(queueIndex);

  /** Index of the entry that L1's queue gets next. */
  get seenIndex(): number {
    return countOf(this.#modules.followed.head.position.queueHead, this.#entries);
  }

  /** Index of the first entry behind the last final batch that is not here. */
  get nextEntry(): number {
    this.#nextEntry = Math.max(this.#nextEntry, this.#finalHead);
    while (this.#entries.has(this.#nextEntry)) this.#nextEntry += 1;
    return this.#nextEntry;
  }

  /** Loads the entries that a restart needs. */
  async load(): Promise<void> {
    const { log } = this.#modules.followed;
    for (const record of await log.queueEntriesFrom(this.#finalHead))
      this.#entries.set(record.queueIndex, record);
  }

  get #finalHead(): number {
    const { registry } = this.#modules.followed;
    return registry.positionAfter(registry.finalNumber).queueHead;
  }

  /** Forgets entries that the last final batch has taken. */
  forgetTaken(): void {
    const finalHead = this.#finalHead;
    for (const index of this.#entries.keys()) if (index < finalHead) this.#entries.delete(index);
  }

  /** @param queueHead L1's, final or not. @returns whether its entry waits for longer than the soft deadline */
  async isOverdue(queueHead: number): Promise<boolean> {
    return this.#entries.has(queueHead) && (await this.#modules.rollup.isOverdue(queueHead));
  }

  /** Takes an entry of L1; one that the last final batch has taken changes nothing. Durable with the next awaited write. */
  async note(record: StoredQueueEntry): Promise<void> {
    const { log } = this.#modules.followed;
    const { queueIndex } = record;
    if (queueIndex < this.#finalHead) return;
    const stored = this.#entries.has(queueIndex) ? await log.queueEntry(queueIndex) : undefined;
    this.#entries.set(queueIndex, record);
    if (stored === undefined || stored.status === "queued")
      void log.write([{ key: storeKeys.queueEntry(queueIndex), value: record }]);
  }

  /** @param seen all entries of the blocks from `fromBlock` on; known ones of these blocks that are not among them are gone */
  async noteNewest(
    fromBlock: bigint,
    toBlock: bigint,
    seen: ReadonlyMap<number, StoredQueueEntry>,
  ): Promise<void> {
    const { rollup } = this.#modules;
    const older = [...this.#entries].filter(([, { l1BlockNumber }]) => l1BlockNumber < fromBlock);
    const known = new Map([...older, ...seen]);
    const isSame = (record: StoredQueueEntry) => {
      const now = known.get(record.queueIndex);
      return now !== undefined && sameQueueEntry(record, now);
    };
    if (![...this.#entries.values()].every(isSame)) {
      // Logs of a node that is behind lack entries, too.
      const count = BigInt(countOf(this.#finalHead, known));
      if (count !== (await rollup.queueTail({ blockNumber: toBlock }))) return;
      for (const index of this.#entries.keys()) if (!known.has(index)) this.#entries.delete(index);
      this.#nextEntry = 0;
      await this.#forgetEntries(isSame);
    }
    for (const record of seen.values()) await this.note(record);
    await this.#modules.followed.log.flushed();
  }

  /** Forgets entries that a reorganisation took back, and undoes their execution and what came behind it. */
  async #forgetEntries(isSame: (record: StoredQueueEntry) => boolean): Promise<void> {
    const { followed, onRewind } = this.#modules;
    const { registry, log } = followed;
    const stored = await log.queueEntriesFrom(this.#finalHead);
    const gone = stored.filter((record) => !isSame(record));
    const executed = gone.find(({ status }) => status !== "queued");
    if (executed !== undefined) {
      let base = registry.closedNumber;
      while (base > registry.finalNumber && registry.positionAfter(base).queueHead > executed.queueIndex)
        base -= 1;
      await followed.rewind(base);
      onRewind();
    }
    await log.write(gone.map(({ queueIndex }) => ({ key: storeKeys.queueEntry(queueIndex) })));
  }
}

const countOf = (head: number, entries: ReadonlyMap<number, StoredQueueEntry>): number =>
  Math.max(head, ...[...entries.keys()].map((index) => index + 1));
