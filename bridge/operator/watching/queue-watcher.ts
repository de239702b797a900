/**
 * Hands the L1 queue's entries to the sequencer, in order, once they are deep enough: the sequencer executes every entry
 * that it gets. After a deeper reorganisation it gets L1's present entries in their place.
 */

import type { Logger } from "@openledger/foundation/logger";
import { isRollupError } from "@openledger/foundation/rollup-error";
import { type Hex, keccak256, stringToHex } from "viem";
import { z } from "zod";
import { bridgeError } from "../../bridge-errors.ts";
import { StalledHead } from "../../l1/confirmations.ts";
import type { DataPricesNotice } from "../../l1/data-prices.ts";
import { l1Call } from "../../l1/l1-client.ts";
import { type RollupLog, readRollupLogs } from "../../l1/log-reader.ts";
import { type QueueEntry, toQueueEntry } from "../../l1/queue-entry.ts";
import type { RollupContract } from "../../l1/rollup-contract.ts";
import { type BridgeMetrics, clearAlarm, raiseAlarm } from "../../metrics.ts";
import { type JsonChange, type JsonStore, orderedKey } from "../bridge-store.ts";
import type { OperatorClient } from "../operator-client.ts";
import { FrozenNotice } from "./frozen-notice.ts";

export interface QueueWatcherOptions {
  /** Block of the rollup: no entry is older. */
  readonly deployedAtBlock: number;
  /** Blocks that must hold or follow an entry's block before it is handed over; 1 = as soon as it is mined. */
  readonly confirmations: number;
  /**
   * Milliseconds of an unchanged newest block that raise an alarm; null on a chain that mines only what is sent to it.
   */
  readonly stalledAlarmMs: number | null;
  /** Blocks after which the publisher counts a batch as final; reported to the sequencer. */
  readonly finalityDepthBlocks: number;
  readonly maxChunkBlocks: number;
}

export interface QueueWatcherModules {
  readonly rollup: RollupContract;
  readonly sequencer: OperatorClient;
  readonly store: JsonStore;
  readonly logger: Logger;
  readonly metrics: BridgeMetrics;
  /** Price of a batch's data; absent: no prices are reported. */
  readonly dataPrices?: Pick<DataPricesNotice, "latest">;
  /** Freeze state, shared with the other parts that stop at a freeze. */
  readonly frozen?: FrozenNotice;
  /** Clock in milliseconds; tests pass their own. */
  readonly nowMs?: () => number;
}

// Maximum entries of one request: far below any limit of a request's size.
const MAX_ENTRIES_PER_REQUEST = 200;
/**
 * Blocks after which an entry that a reorganisation took back counts as gone. Most come back within a few blocks, since
 * nodes put their transactions into their pools again. Guess.
 */
const GONE_AFTER_BLOCKS = 8;

interface NewestBlock {
  readonly number: bigint;
  readonly hash: Hex;
  readonly timestamp: bigint;
  readonly baseFeePerGas: bigint | null;
}

/** Position up to which the logs were read. `nextIndex` is the index that the next entry after this block must have. */
const cursorSchema = z.object({ blockNumber: z.int(), blockHash: z.string(), nextIndex: z.int() });
type Cursor = z.infer<typeof cursorSchema>;

export class QueueWatcher {
  readonly #options: QueueWatcherOptions;
  readonly #modules: QueueWatcherModules;
  readonly #frozen: FrozenNotice;
  readonly #newest: StalledHead;
  #reportedBlockHash = "";

  constructor(options: QueueWatcherOptions, modules: QueueWatcherModules) {
    this.#options = options;
    this.#modules = modules;
    this.#newest = new StalledHead(
      (text) => modules.logger.warn({ confirmations: options.confirmations }, text),
      modules.nowMs,
    );
    this.#frozen = modules.frozen ?? new FrozenNotice(modules);
  }

  /**
   * Reports L1's head and hands over new entries that are deep enough. After a kill the next poll does the rest.
   * @throws BRG_QUEUE_REORGANISED where L1 took back an entry that a final batch holds; BRG_QUEUE_GAP, BRG_L1_*,
   * BRG_SEQUENCER_*
   */
  async poll(): Promise<void> {
    const { rollup, sequencer, metrics } = this.#modules;
    const head = await l1Call("read the newest block", () => rollup.client.getBlock());
    const headNumber = Number(head.number);
    metrics.l1BlockNumber.set(headNumber);
    this.#noteStalled(this.#newest.look(head.number), headNumber);
    const isFrozen = await this.#frozen.look();
    // A sequencer that has just started must not take operations that lead nowhere: a freeze is reported again and again.
    if (isFrozen || head.hash !== this.#reportedBlockHash) await this.#report(head, isFrozen);
    // Entries that wait in the queue go back to their senders.
    if (isFrozen) return;
    const deepEnough = headNumber - this.#options.confirmations + 1;
    const { isPlaceKnown, nextIndex: expectedIndex } = await sequencer.addQueueEntries([]);
    // The sequencer has started since, and takes no operation before it has L1's place.
    if (!isPlaceKnown) await this.#report(head, isFrozen);
    let cursor = await this.#resumeFrom(expectedIndex, headNumber);
    if (cursor.blockNumber >= deepEnough) return;
    try {
      cursor = await this.#readOn(cursor, deepEnough);
    } catch (error) {
      // The missing entry may lie anywhere: the next poll begins at the beginning.
      if (isRollupError(error, "BRG_QUEUE_GAP")) await this.#modules.store.write([{ delete: "cursor" }]);
      throw error;
    }
    const deliveredCount = await this.#deliveredCount();
    if (cursor.nextIndex >= deliveredCount) return;
    if (deepEnough < (await this.#deliveredBlock()) + GONE_AFTER_BLOCKS) {
      throw bridgeError(
        "BRG_QUEUE_GAP",
        `L1 has ${cursor.nextIndex} queue entries, ${deliveredCount} were handed over`,
        { data: { l1Count: cursor.nextIndex, deliveredCount } },
      );
    }
    await this.#replace(cursor, []);
    await this.#modules.store.write(await this.#forget(cursor.nextIndex));
  }

  /** Raises an alarm: a node that lags for good looks like a quiet L1. */
  #noteStalled(stalledMs: number, blockNumber: number): void {
    const { logger, metrics } = this.#modules;
    const { stalledAlarmMs } = this.#options;
    const isStalled = stalledAlarmMs !== null && stalledMs >= stalledAlarmMs;
    if (isStalled === metrics.raised.has("BRG_L1_STALLED")) return;
    if (!isStalled) {
      clearAlarm(metrics, "BRG_L1_STALLED");
      return;
    }
    raiseAlarm(metrics, "BRG_L1_STALLED");
    metrics.errorTotal.inc({ code: "BRG_L1_STALLED" });
    logger.error(
      { code: "BRG_L1_STALLED", blockNumber, stalledMs },
      "the node's newest block does not change",
    );
  }

  /** Reports L1's state at a block to the sequencer. */
  async #report({ baseFeePerGas, hash, number, timestamp }: NewestBlock, isFrozen: boolean): Promise<void> {
    const { dataPrices, metrics, rollup, sequencer } = this.#modules;
    const blockNumber = Number(number);
    const { batchNumber, opIndex, queueHead, root } = await rollup.state({ blockNumber: number });
    await sequencer.reportL1Head({
      blockNumber,
      timestamp: Number(timestamp),
      baseFeePerGasWei: baseFeePerGas,
      isFrozen,
      alarms: [...metrics.raised],
      dataPrices: dataPrices?.latest ?? null,
      place: { batchNumber, opIndex, queueHead, root },
      finalityDepthBlocks: this.#options.finalityDepthBlocks,
    });
    this.#reportedBlockHash = hash;
  }

  /** Hands over the entries in the logs up to a block. @throws BRG_QUEUE_GAP where the contract counts other entries */
  async #readOn(from: Cursor, toBlock: number): Promise<Cursor> {
    const { rollup } = this.#modules;
    let cursor = from;
    const chunks = readRollupLogs({
      client: rollup.client,
      address: rollup.address,
      fromBlock: BigInt(cursor.blockNumber + 1),
      toBlock: BigInt(toBlock),
      maxChunkBlocks: this.#options.maxChunkBlocks,
    });
    for await (const chunk of chunks) {
      cursor = await this.#handOver(cursor, Number(chunk.toBlock), chunk.logs);
    }
    const l1Count = Number(await rollup.queueTail({ blockNumber: BigInt(toBlock) }));
    if (l1Count !== cursor.nextIndex) {
      throw bridgeError(
        "BRG_QUEUE_GAP",
        `the contract counts ${l1Count} queue entries at block ${toBlock}, its logs ${cursor.nextIndex}`,
        { data: { blockNumber: toBlock, l1Count, logCount: cursor.nextIndex } },
      );
    }
    return cursor;
  }

  /** The stored cursor, or the beginning where L1 or the sequencer went back behind it. */
  async #resumeFrom(expectedIndex: number, headNumber: number): Promise<Cursor> {
    const { logger, store } = this.#modules;
    const beginning: Cursor = { blockNumber: this.#options.deployedAtBlock - 1, blockHash: "", nextIndex: 0 };
    const stored = await store.get("cursor");
    if (stored === undefined) return beginning;
    const cursor = cursorSchema.parse(stored);
    if (expectedIndex < cursor.nextIndex) {
      logger.warn(
        { expectedIndex, nextIndex: cursor.nextIndex },
        "the sequencer forgot queue entries, reading again",
      );
      return beginning;
    }
    // A node that lags, or a chain that was cut: once it is as long again, its block decides.
    if (cursor.blockNumber > headNumber) return cursor;
    if ((await this.#blockHash(cursor.blockNumber)) !== cursor.blockHash) {
      logger.warn(
        { blockNumber: cursor.blockNumber, nextIndex: cursor.nextIndex },
        "L1 was reorganised below the confirmation depth, reading again",
      );
      return beginning;
    }
    return cursor;
  }

  async #handOver(cursor: Cursor, toBlock: number, logs: readonly RollupLog[]): Promise<Cursor> {
    const { logger, metrics, store } = this.#modules;
    const added = logs.filter((log) => log.eventName === "QueueEntryAdded");
    for (const [i, log] of added.entries()) {
      if (Number(log.args.index) === cursor.nextIndex + i) continue;
      throw bridgeError(
        "BRG_QUEUE_GAP",
        `block ${log.blockNumber} adds queue entry ${log.args.index}, expected ${cursor.nextIndex + i}`,
        {
          data: {
            blockNumber: Number(log.blockNumber),
            index: Number(log.args.index),
            expectedIndex: cursor.nextIndex + i,
          },
        },
      );
    }
    const entries = added.map(toQueueEntry);
    const isReplaced = await this.#hasReplaced(entries);
    // A range of logs may have been put together from two forks: the blocks are asked for by number again.
    for (const [blockNumber, blockHash] of new Map(
      added.map((log) => [Number(log.blockNumber), log.blockHash]),
    )) {
      if ((await this.#blockHash(blockNumber)) === blockHash) continue;
      throw bridgeError("BRG_QUEUE_GAP", `block ${blockNumber} was reorganised while its logs were read`, {
        data: { blockNumber },
      });
    }
    const nextCursor: Cursor = {
      blockNumber: toBlock,
      blockHash: await this.#blockHash(toBlock),
      nextIndex: cursor.nextIndex + entries.length,
    };
    const forgotten: JsonChange[] = isReplaced ? await this.#forget(cursor.nextIndex) : [];
    if (isReplaced) await this.#replace(cursor, entries.slice(0, MAX_ENTRIES_PER_REQUEST));
    for (let from = 0; from < entries.length; from += MAX_ENTRIES_PER_REQUEST) {
      const part = entries.slice(from, from + MAX_ENTRIES_PER_REQUEST);
      const { nextIndex } = await this.#add(part);
      if (nextIndex < part.at(-1)!.queueIndex + 1) {
        throw bridgeError(
          "SRV_SEQUENCER_REFUSED",
          `the sequencer took queue entries up to ${nextIndex} only`,
          {
            data: { nextIndex, sentUpTo: part.at(-1)!.queueIndex },
          },
        );
      }
    }
    // Written after the sequencer has them: a kill in between hands them over twice, which changes nothing.
    await store.write([
      ...forgotten,
      ...entries.map((entry) => ({ put: entryKey(entry.queueIndex), value: digest(entry) })),
      { put: "cursor", value: nextCursor },
      {
        put: "deliveredCount",
        value: isReplaced
          ? nextCursor.nextIndex
          : Math.max(nextCursor.nextIndex, await this.#deliveredCount()),
      },
      ...(entries.length === 0 ? [] : [{ put: "deliveredBlock", value: toBlock }]),
    ]);
    metrics.queueNextIndex.set(nextCursor.nextIndex);
    if (entries.length > 0) {
      logger.info(
        { fromIndex: cursor.nextIndex, count: entries.length, toBlock },
        "handed over queue entries",
      );
    }
    return nextCursor;
  }

  async #add(entries: readonly QueueEntry[]): Promise<{ nextIndex: number }> {
    try {
      return await this.#modules.sequencer.addQueueEntries(entries);
    } catch (error) {
      // Happens only with another database than the one that handed the entries over: else `hasReplaced` finds it.
      if (sequencerCodeOf(error) !== "SEQ_QUEUE_CONFLICT") throw error;
      return this.#replace({ nextIndex: entries[0]!.queueIndex }, entries);
    }
  }

  /** Replaces the sequencer's entries from an index on by those that L1's queue holds. */
  async #replace(
    { nextIndex: fromIndex }: Pick<Cursor, "nextIndex">,
    entries: readonly QueueEntry[],
  ): Promise<{ nextIndex: number }> {
    const { logger, metrics, sequencer } = this.#modules;
    const data = { fromIndex, count: entries.length };
    try {
      const answer = await sequencer.replaceQueueEntries(fromIndex, entries);
      logger.error(
        data,
        "L1 took back queue entries that were handed over; the sequencer went back behind them",
      );
      metrics.errorTotal.inc({ code: "BRG_QUEUE_REORGANISED" });
      return answer;
    } catch (error) {
      if (sequencerCodeOf(error) !== "SEQ_QUEUE_FINAL") throw error;
      throw bridgeError("BRG_QUEUE_REORGANISED", "L1 took back a queue entry that a final batch holds", {
        data,
        cause: error,
      });
    }
  }

  async #hasReplaced(entries: readonly QueueEntry[]): Promise<boolean> {
    for (const entry of entries) {
      const delivered = await this.#modules.store.get(entryKey(entry.queueIndex));
      if (delivered !== undefined && delivered !== digest(entry)) return true;
    }
    return false;
  }

  /** Changes that forget handed-over entries from an index on: L1 has them no more. */
  async #forget(fromIndex: number): Promise<JsonChange[]> {
    const deliveredCount = await this.#deliveredCount();
    const changes: JsonChange[] = [{ put: "deliveredCount", value: Math.min(deliveredCount, fromIndex) }];
    for (let index = fromIndex; index < deliveredCount; index++) changes.push({ delete: entryKey(index) });
    return changes;
  }

  /** Block up to which L1 was read when the last entry was handed over. */
  async #deliveredBlock(): Promise<number> {
    return z.int().parse((await this.#modules.store.get("deliveredBlock")) ?? 0);
  }

  async #deliveredCount(): Promise<number> {
    return z.int().parse((await this.#modules.store.get("deliveredCount")) ?? 0);
  }

  async #blockHash(blockNumber: number): Promise<string> {
    const { client } = this.#modules.rollup;
    const block = await l1Call(`read block ${blockNumber}`, () =>
      client.getBlock({ blockNumber: BigInt(blockNumber) }),
    );
    return block.hash;
  }
}

const sequencerCodeOf = (error: unknown): unknown =>
  isRollupError(error, "SRV_SEQUENCER_REFUSED")
    ? (error.data as { sequencerCode?: unknown }).sequencerCode
    : undefined;

const entryKey = (index: number) => `entry/${orderedKey(index)}`;

/** Digest of the fields that the sequencer executes; the entry's place on L1 may change. */
function digest(entry: QueueEntry): Hex {
  const { queueIndex, kind, a, b, amountWei, word1, word2, word3, word4, sender } = entry;
  const fields = [queueIndex, kind, a, b, amountWei, word1, word2, word3, word4, BigInt(sender)];
  return keccak256(stringToHex(fields.join()));
}
