/**
 * Looks after the randomness of closed epochs: the block 128 after the one that took a CloseEpoch gives it, and somebody has
 * to show its header to the contract while L1 still knows the block's hash. Killed at any moment, it goes on from the
 * database; with an empty one it begins at the rollup's first block, which costs a few calls a CloseEpoch and changes nothing.
 */

import { encodeHeader } from "@openledger/contracts/l1/block-header";
import type { Logger } from "@openledger/foundation/logger";
import { isRollupError, type RollupError } from "@openledger/foundation/rollup-error";
import type { Hex } from "viem";
import { z } from "zod";
import { bridgeError } from "../../bridge-errors.ts";
import { l1Call } from "../../l1/l1-client.ts";
import { readRollupLogs } from "../../l1/log-reader.ts";
import type { RollupContract } from "../../l1/rollup-contract.ts";
import { BLOCK_HASH_WINDOW_BLOCKS, RANDOMNESS_DELAY_BLOCKS } from "../../l1/settlement-times.ts";
import { type BridgeMetrics, clearAlarm, raiseAlarm } from "../../metrics.ts";
import { type JsonStore, orderedKey } from "../bridge-store.ts";
import type { CloseReport, OperatorClient } from "../operator-client.ts";
import type { Errand } from "../publishing/publish-intent.ts";

export interface RandomnessWatcherOptions {
  /** Block of the rollup: no CloseEpoch is older. */
  readonly deployedAtBlock: number;
  /** Blocks that must hold or follow one before its header is recorded on L1, which can be repeated; 1 = at once. */
  readonly confirmations: number;
  /**
   * Blocks that must hold or follow a block before its randomness is passed on: the sequencer builds settlements on it,
   * and L1 refuses them for ever if it has other randomness then.
   */
  readonly finalityDepthBlocks: number;
  readonly maxChunkBlocks: number;
  /** Blocks left below which unrecorded randomness raises an alarm. */
  readonly alarmBlocks?: number;
}

interface RandomnessWatcherModules {
  readonly rollup: RollupContract;
  readonly sequencer: OperatorClient;
  readonly store: JsonStore;
  readonly logger: Logger;
  readonly metrics: BridgeMetrics;
}

/** About three hours of mainnet's blocks, of 27 that there are. Guess, revisit. */
const DEFAULT_ALARM_BLOCKS = 1_000;

const cursorSchema = z.object({ blockNumber: z.int(), blockHash: z.string() });
/** A batch with CloseEpochs whose randomness has not been passed on; `reported` is the state that the sequencer has. */
const pendingSchema = z.object({
  batchNumber: z.int(),
  reported: z.object({ blockNumber: z.int(), timestamp: z.int() }).nullable(),
});
type Pending = z.infer<typeof pendingSchema>;

export class RandomnessWatcher {
  readonly #options: Required<RandomnessWatcherOptions>;
  readonly #modules: RandomnessWatcherModules;
  /** Batches whose alarm was logged: once each, not with every poll. */
  readonly #lateBatches = new Set<number>();

  constructor(options: RandomnessWatcherOptions, modules: RandomnessWatcherModules) {
    this.#options = { alarmBlocks: DEFAULT_ALARM_BLOCKS, ...options };
    this.#modules = modules;
  }

  /**
   * Finds new CloseEpochs and passes on their state on L1.
   * @throws BRG_CLOSE_REORGANISED where randomness that was passed on is now another; BRG_L1_*, BRG_SEQUENCER_*
   */
  async poll(): Promise<void> {
    const headNumber = await this.#headNumber();
    await this.#findCloses(headNumber);
    await this.#findLeftOut(headNumber);
    let isLate = false;
    let reorganised: RollupError | null = null;
    for (const pending of await this.#pending()) {
      try {
        isLate = (await this.#passOn(pending, headNumber)) || isLate;
      } catch (error) {
        // One CloseEpoch that cannot be mended does not prevent the others from being settled.
        if (!isRollupError(error, "BRG_CLOSE_REORGANISED")) throw error;
        reorganised ??= error;
      }
    }
    if (!isLate) clearAlarm(this.#modules.metrics, "BRG_RANDOMNESS_LATE");
    if (reorganised !== null) throw reorganised;
  }

  /**
   * Next errand for the publisher: the header of the first CloseEpoch whose randomness can be recorded and is not. L1 is
   * asked each time whether it was recorded, so that no record of ours can be wrong about it.
   */
  async nextErrand(): Promise<Errand | null> {
    const { rollup } = this.#modules;
    const headNumber = await this.#headNumber();
    for (const { batchNumber } of await this.#pending()) {
      const { blockNumber } = await rollup.closedAt(batchNumber);
      const randomnessBlock = blockNumber + RANDOMNESS_DELAY_BLOCKS;
      if (blockNumber === 0 || randomnessBlock > headNumber - this.#options.confirmations + 1) continue;
      if (isMissed(randomnessBlock, headNumber) || (await rollup.randomness(batchNumber)) !== 0n) continue;
      return {
        name: `record the randomness of batch ${batchNumber}`,
        input: rollup.encodeRecordRandomness(batchNumber, await this.#header(randomnessBlock)),
      };
    }
    return null;
  }

  /** @returns true where the randomness is not on L1 and time runs short */
  async #passOn(pending: Pending, headNumber: number): Promise<boolean> {
    const { logger, metrics, rollup } = this.#modules;
    const { batchNumber } = pending;
    const finalNumber = this.#finalNumber(headNumber);
    const at = { blockNumber: BigInt(finalNumber) };
    const [closed, prevRandao] = await Promise.all([
      rollup.closedAt(batchNumber, at),
      rollup.randomness(batchNumber, at),
    ]);
    // A reorganisation deeper than finality took the CloseEpoch; the cursor's block went with it.
    if (closed.blockNumber === 0) return false;
    const randomnessBlock = closed.blockNumber + RANDOMNESS_DELAY_BLOCKS;
    if (prevRandao !== 0n || isMissed(randomnessBlock, finalNumber)) {
      const hasRandomness = prevRandao !== 0n;
      await this.#report({
        batchNumber,
        ...closed,
        prevRandao: hasRandomness ? prevRandao : null,
        isMissed: !hasRandomness,
      });
      await this.#modules.store.write([{ delete: pendingKey(batchNumber) }]);
      if (hasRandomness) {
        logger.info({ batchNumber, randomnessBlock }, "the randomness of a CloseEpoch is on L1");
      } else {
        raiseAlarm(metrics, "BRG_RANDOMNESS_MISSED");
        metrics.errorTotal.inc({ code: "BRG_RANDOMNESS_MISSED" });
        logger.error(
          { batchNumber, randomnessBlock },
          "the randomness of a CloseEpoch was not recorded in time",
        );
      }
      return false;
    }
    const isKnown =
      pending.reported?.blockNumber === closed.blockNumber && pending.reported.timestamp === closed.timestamp;
    if (!isKnown) {
      await this.#report({ batchNumber, ...closed, prevRandao: null, isMissed: false });
      await this.#modules.store.write([
        { put: pendingKey(batchNumber), value: { batchNumber, reported: closed } },
      ]);
    }
    const blocksLeft = randomnessBlock + BLOCK_HASH_WINDOW_BLOCKS - headNumber;
    if (blocksLeft >= this.#options.alarmBlocks) return false;
    raiseAlarm(metrics, "BRG_RANDOMNESS_LATE");
    if (!this.#lateBatches.has(batchNumber)) {
      logger.error(
        { batchNumber, randomnessBlock, blocksLeft },
        "the randomness of a CloseEpoch is not recorded yet",
      );
      metrics.errorTotal.inc({ code: "BRG_RANDOMNESS_LATE" });
      this.#lateBatches.add(batchNumber);
    }
    return true;
  }

  async #report(report: CloseReport): Promise<void> {
    try {
      await this.#modules.sequencer.reportClose(report);
    } catch (error) {
      if (!isRollupError(error, "SRV_SEQUENCER_REFUSED")) throw error;
      if ((error.data as { sequencerCode?: unknown }).sequencerCode !== "SEQ_CLOSE_CONFLICT") throw error;
      const { batchNumber, blockNumber } = report;
      throw bridgeError("BRG_CLOSE_REORGANISED", `batch ${batchNumber} had other randomness before`, {
        data: { batchNumber, blockNumber },
        cause: error,
      });
    }
  }

  /** Reads the events of the blocks that are deep enough and not read yet. */
  async #findCloses(headNumber: number): Promise<void> {
    const { rollup, store } = this.#modules;
    const deepEnough = this.#finalNumber(headNumber);
    const from = await this.#resumeFrom(headNumber);
    if (from > deepEnough) return;
    const chunks = readRollupLogs({
      client: rollup.client,
      address: rollup.address,
      fromBlock: BigInt(from),
      toBlock: BigInt(deepEnough),
      maxChunkBlocks: this.#options.maxChunkBlocks,
    });
    for await (const { logs, toBlock } of chunks) {
      const found = logs.flatMap((log) =>
        log.eventName === "EpochsClosed" ? [Number(log.args.batchNumber)] : [],
      );
      const cursor = { blockNumber: Number(toBlock), blockHash: await this.#blockHash(Number(toBlock)) };
      await store.write([
        ...found.map((batchNumber) => ({
          put: pendingKey(batchNumber),
          value: { batchNumber, reported: null } satisfies Pending,
        })),
        { put: "cursor", value: cursor },
      ]);
    }
  }

  /**
   * Finds CloseEpochs whose events a node left out: it leaves them out for good. The ledger names the batches that wait,
   * and the contract is asked by their numbers.
   */
  async #findLeftOut(headNumber: number): Promise<void> {
    const { logger, rollup, sequencer, store } = this.#modules;
    const known = new Set((await this.#pending()).map(({ batchNumber }) => batchNumber));
    const at = { blockNumber: BigInt(this.#finalNumber(headNumber)) };
    for (const batchNumber of await sequencer.awaitedCloses()) {
      if (known.has(batchNumber) || (await rollup.closedAt(batchNumber, at)).blockNumber === 0) continue;
      logger.warn({ batchNumber }, "the node's logs left out a CloseEpoch that the contract has");
      await store.write([
        { put: pendingKey(batchNumber), value: { batchNumber, reported: null } satisfies Pending },
      ]);
    }
  }

  async #resumeFrom(headNumber: number): Promise<number> {
    const stored = await this.#modules.store.get("cursor");
    if (stored === undefined) return this.#options.deployedAtBlock;
    const { blockHash, blockNumber } = cursorSchema.parse(stored);
    const isOnChain = blockNumber <= headNumber && (await this.#blockHash(blockNumber)) === blockHash;
    if (isOnChain) return blockNumber + 1;
    this.#modules.logger.warn({ blockNumber }, "L1 was reorganised deeper than finality, reading again");
    return this.#options.deployedAtBlock;
  }

  async #pending(): Promise<Pending[]> {
    const entries = await this.#modules.store.entries({ gte: "close/", lt: "close0" });
    return entries.map(([, value]) => pendingSchema.parse(value));
  }

  #finalNumber(headNumber: number): number {
    return headNumber - this.#options.finalityDepthBlocks + 1;
  }

  async #headNumber(): Promise<number> {
    const { client } = this.#modules.rollup;
    return Number(await l1Call("read the newest block's number", () => client.getBlockNumber()));
  }

  async #blockHash(blockNumber: number): Promise<string> {
    const { client } = this.#modules.rollup;
    const block = await l1Call(`read block ${blockNumber}`, () =>
      client.getBlock({ blockNumber: BigInt(blockNumber) }),
    );
    return block.hash;
  }

  async #header(blockNumber: number): Promise<Hex> {
    const { client } = this.#modules.rollup;
    const block = await l1Call(`read block ${blockNumber}`, () =>
      client.request({ method: "eth_getBlockByNumber", params: [`0x${blockNumber.toString(16)}`, false] }),
    );
    return encodeHeader(block!);
  }
}

/** Returns true if the next block could not show the hash any more. */
export function isMissed(randomnessBlock: number, headNumber: number): boolean {
  return headNumber + 1 - randomnessBlock > BLOCK_HASH_WINDOW_BLOCKS;
}

const pendingKey = (batchNumber: number) => `close/${orderedKey(batchNumber)}`;
