/**
 * The one way of L1's final batches into a directory: L1's records by the verifier's replay, onto a stored ledger. A full node
 * goes on with it for good (follow-l1.ts); it also fills new directories (restore/fill-directory.ts). A failed read is
 * repeated, and a kill loses nothing: the next read skips what the ledger has.
 */
import {
  type BatchEvent,
  type HistoryEvent,
  type KnownRecords,
  readL1History,
} from "@openledger/bridge/l1/l1-history";
import type { RegisteredCircuit, RollupContract } from "@openledger/bridge/l1/rollup-contract";
import { RANDOMNESS_DELAY_BLOCKS } from "@openledger/bridge/l1/settlement-times";
import { batchMalformed } from "@openledger/bridge/l1/submission/malformed-batch";
import { isMissed } from "@openledger/bridge/operator/watching/randomness-watcher";
import type { ReplayedSettlement } from "@openledger/circuits/batch/settlement-operation";
import { isRollupError } from "@openledger/foundation/rollup-error";
import { blockReader } from "@openledger/verifier/replay/block-reader";
import { type HistoryKeeper, HistoryReplay } from "@openledger/verifier/replay/history-replay";
import type { VerifyProof } from "@openledger/verifier/replay/verify-keys";
import { type EpochCloseOnL1, readCloseOnL1 } from "../batches/from-l1/epoch-close-on-l1.ts";
import { waitingEntry } from "../batches/from-l1/queue-entry.ts";
import { FOLLOW_MARKER, type FollowMarker, l1BlockHash } from "../store/follow-marker.ts";
import { storeKeys } from "../store/store-keys.ts";
import type { StoredBatch } from "../store/stored-batch.ts";
import { FollowQueue } from "./follow-queue.ts";
import type { FollowedLedger } from "./followed-ledger.ts";

interface FinalHistoryModules {
  readonly rollup: RollupContract;
  readonly registered: readonly RegisteredCircuit[];
  readonly followed: FollowedLedger;
  readonly maxChunkBlocks: number;
  /** Verifies batch proofs; absent: the contract's verification is enough. */
  readonly verifyProof?: VerifyProof | undefined;
  /** Called with a batch that was checked, before it is written. */
  readonly beforeBatch?: (event: BatchEvent) => Promise<void>;
  /** @param isOwn the batch is the one that the sequencer had shown */
  readonly onBatch?: (record: StoredBatch, isOwn: boolean) => void;
  /** Called after entries that the sequencer had shown were undone, so its log has to be read again. */
  readonly onRewind?: () => void;
}

export class FinalHistory {
  readonly queue: FollowQueue;
  readonly #modules: FinalHistoryModules;
  readonly #history: HistoryReplay;
  readonly #readBlock: ReturnType<typeof blockReader>;
  /** Blocks of the CloseEpochs that wait for their randomness, by batch. */
  readonly #waitingCloses = new Map<number, number>();
  #isLoaded = false;

  constructor(modules: FinalHistoryModules) {
    this.#modules = modules;
    const { followed, onRewind = () => {}, registered, rollup, verifyProof } = modules;
    this.queue = new FollowQueue({ rollup, followed, onRewind });
    const readBlock = blockReader(rollup.client);
    this.#readBlock = readBlock;
    this.#history = new HistoryReplay({ circuits: registered, verifyProof, readBlock }, this.#keeper);
  }

  /** true: nothing comes behind the last final batch any more. */
  get isFrozen(): boolean {
    return this.#history.isFrozen;
  }

  /** Position after the last final batch. */
  get #position() {
    const { registry } = this.#modules.followed;
    return registry.positionAfter(registry.finalNumber);
  }

  get #known(): KnownRecords {
    return {
      nextEntry: () => this.queue.nextEntry,
      hasCloses: (batchNumber) => this.#history.settlements.closingBlock(batchNumber) !== undefined,
      isFrozen: () => this.isFrozen,
    };
  }

  /** Loads what an earlier process knew. */
  async #load(): Promise<void> {
    const { registry, head, log } = this.#modules.followed;
    for (const [id] of head.ledger.leaves.withMore()) {
      // L1's state: the sequencer may have settled the epoch already.
      const closed = registry.leafAfter(registry.finalNumber, id)?.rewards?.closed ?? null;
      const close = closed === null ? undefined : await readCloseOnL1(log, Number(closed.closingBatch));
      if (close === undefined) continue;
      this.#history.settlements.seedClose(close);
      if (close.prevRandao === null && !close.isMissed)
        this.#waitingCloses.set(close.batchNumber, close.blockNumber);
    }
    await this.queue.load();
    this.#history.isFrozen = (await log.require<FollowMarker>(FOLLOW_MARKER)).isFrozen === true;
    this.#isLoaded = true;
  }

  /**
   * Reads on up to a final block, and marks it. The marker's own block is read again: a snapshot is of the middle of one.
   * @throws BRG_BATCH_MALFORMED, BRG_VERIFY_DIFFERS, BRG_BLOB_*, BRG_HISTORY_*, BRG_L1_*
   */
  async readTo(toBlock: bigint): Promise<void> {
    const { followed, maxChunkBlocks, rollup } = this.#modules;
    const { log } = followed;
    if (!this.#isLoaded) await this.#load();
    const marker = await log.require<FollowMarker>(FOLLOW_MARKER);
    if (toBlock <= BigInt(marker.blockNumber)) return;
    const blockHash = await l1BlockHash(rollup, toBlock);
    const after = { ...this.#position, known: this.#known };
    const fromBlock = BigInt(marker.blockNumber);
    for await (const event of readL1History({ rollup, fromBlock, toBlock, after, maxChunkBlocks }))
      await this.#take(event);
    const value: FollowMarker = {
      ...marker,
      blockNumber: Number(toBlock),
      blockHash,
      isFrozen: this.isFrozen,
    };
    await log.write([{ key: FOLLOW_MARKER, value }]);
  }

  async #take(event: HistoryEvent): Promise<void> {
    const isOfLedger = "batchNumber" in event && event.batchNumber <= this.#position.batchNumber;
    if (event.type === "randomness") {
      const isSettled = this.#history.settlements.closingBlock(event.batchNumber) === undefined;
      if (!(isOfLedger && isSettled)) await this.#takeRandomness(event.batchNumber, event.prevRandao);
      return;
    }
    if (event.type === "closeEpoch" && isOfLedger) return;
    await this.#history.apply(event);
    if (event.type === "closeEpoch") await this.#noteClose(event.batchNumber, event.blockNumber);
  }

  /** The keeper's part of `HistoryReplay`, on the stored ledger. */
  get #keeper(): HistoryKeeper {
    return {
      position: () => this.#position,
      queued: (queueIndex) => this.queue.queued(queueIndex),
      noteEntry: ({ burnedFeeWei: _burned, type: _type, ...entry }) => this.queue.note(waitingEntry(entry)),
      take: async (event, replayed, check) => {
        // Before anything is written: what is final here is not taken back.
        await check();
        await this.#modules.beforeBatch?.(event);
        const { isOwn, record } = await this.#takeBatch(event, replayed);
        this.queue.forgetTaken();
        this.#modules.onBatch?.(record, isOwn);
      },
    };
  }

  /** @throws BRG_BATCH_MALFORMED, and the ledger is then as before */
  async #takeBatch(
    event: BatchEvent,
    replayed: readonly ReplayedSettlement[],
  ): Promise<{ isOwn: boolean; record: StoredBatch }> {
    const { batch, blockNumber, l1TransactionHash: transactionHash } = event;
    try {
      return await this.#modules.followed.takeFinal(event, replayed, this.queue.queued);
    } catch (error) {
      if (!isRollupError(error) || !/^(OP|CIR)_/.test(error.code)) throw error;
      throw batchMalformed({ batchNumber: Number(batch.batchNumber), transactionHash, blockNumber }, error);
    }
  }

  async #noteClose(batchNumber: number, blockNumber: number): Promise<void> {
    this.#waitingCloses.set(batchNumber, blockNumber);
    const { timestamp } = await this.#readBlock(blockNumber);
    const facts = { batchNumber, blockNumber, timestamp: Number(timestamp) };
    // Durable with its batch.
    void this.#writeClose({ ...facts, prevRandao: null, isMissed: false });
  }

  async #takeRandomness(batchNumber: number, prevRandao: bigint): Promise<void> {
    await this.#history.apply({ type: "randomness", batchNumber, prevRandao });
    this.#waitingCloses.delete(batchNumber);
    const known = await readCloseOnL1(this.#modules.followed.log, batchNumber);
    if (known !== undefined) await this.#writeClose({ ...known, prevRandao });
  }

  /** Marks CloseEpochs as missed whose randomness is not there by the last block that could have it. @param finalBlock last read */
  async noteMissed(finalBlock: number): Promise<void> {
    const { followed, rollup } = this.#modules;
    for (const [batchNumber, blockNumber] of this.#waitingCloses) {
      const randomnessBlock = blockNumber + RANDOMNESS_DELAY_BLOCKS;
      if (randomnessBlock >= finalBlock) continue;
      // By its number: the node's logs may have left it out.
      const prevRandao = await rollup.randomness(batchNumber, { blockNumber: BigInt(finalBlock) });
      if (prevRandao !== 0n) {
        await this.#takeRandomness(batchNumber, prevRandao);
        continue;
      }
      if (!isMissed(randomnessBlock, finalBlock)) continue;
      const known = await readCloseOnL1(followed.log, batchNumber);
      if (known !== undefined) await this.#writeClose({ ...known, isMissed: true });
      this.#waitingCloses.delete(batchNumber);
    }
  }

  #writeClose(value: EpochCloseOnL1): Promise<void> {
    const { log } = this.#modules.followed;
    return log.write([{ key: storeKeys.epochCloseOnL1(value.batchNumber), value }]);
  }
}
