/**
 * Hands settlements that somebody pre-verified on L1 to the sequencer, which puts them into its next batch like any other. It
 * needs nothing of L1 for that, since the event holds the proof: a reorganisation that takes the pre-verification back takes
 * nothing from the sequencer. Each is offered again with every block until the sequencer says that nothing comes of it:
 * it is settled for good, or the ledger never had such an epoch. Anyone who restores a sequencer loses none.
 */

import { imaginaryFirst } from "@openledger/circuits/wire/groth16-proof";
import type { Logger } from "@openledger/foundation/logger";
import { type Hex, toHex } from "viem";
import { z } from "zod";
import { l1Call } from "../../l1/l1-client.ts";
import { readRollupEvents, readRollupLogs } from "../../l1/log-reader.ts";
import type { RollupContract } from "../../l1/rollup-contract.ts";
import {
  type PreVerifiedEntry,
  type PreVerifiedLog,
  type PreVerifiedSettlement,
  preVerifiedOf,
} from "../../l1/submission/pre-verified-settlement.ts";
import type { JsonStore } from "../bridge-store.ts";
import type { OperatorClient } from "../operator-client.ts";
import { inRequests, requestBytes } from "../request-parts.ts";

export interface PreVerifiedWatcherOptions {
  /** Block of the rollup: nothing was pre-verified before it. */
  readonly deployedAtBlock: number;
  /** Blocks that must hold or follow an event's block before it is read; 1 = as soon as it is mined. */
  readonly confirmations: number;
  /** No reorganisation goes deeper. */
  readonly finalityDepthBlocks: number;
  readonly maxChunkBlocks: number;
}

interface PreVerifiedWatcherModules {
  readonly rollup: RollupContract;
  readonly sequencer: OperatorClient;
  readonly store: JsonStore;
  readonly logger: Logger;
}

/** The sequencer verifies the proofs of each, up to nine, before it answers. */
const MAX_PER_REQUEST = 20;

/** An hour of mainnet. A settlement that somebody pre-verified has waited for a day at least. */
const READ_AGAIN_AFTER_BLOCKS = 300;

const cursorSchema = z.object({ blockNumber: z.int(), blockHash: z.string() });
const field = z.string().transform(BigInt);
const pair = z.tuple([field, field]);
const entryFields = {
  circuitIndex: z.int(),
  commitment: field,
  data: z.string().transform((text) => text as Hex),
  // Proof in the contract's form.
  proof: z.object({ a: pair, b: z.tuple([pair, pair]).transform(([x, y]) => imaginaryFirst(x, y)), c: pair }),
};
const preVerifiedSchema = z.object({
  modelId: z.int(),
  word: field,
  ...entryFields,
  // Absent where an older bridge wrote it.
  further: z.array(z.object(entryFields)).default([]),
});

export class PreVerifiedWatcher {
  readonly #options: PreVerifiedWatcherOptions;
  readonly #modules: PreVerifiedWatcherModules;
  #offeredAtBlockHash = "";
  #readAgainAtBlock = 0;

  constructor(options: PreVerifiedWatcherOptions, modules: PreVerifiedWatcherModules) {
    this.#options = options;
    this.#modules = modules;
  }

  /**
   * Reads new blocks that are deep enough, and offers all waiting settlements; once a block. @throws BRG_L1_*,
   * BRG_SEQUENCER_*
   */
  async poll(): Promise<void> {
    const { rollup } = this.#modules;
    const head = await l1Call("read the newest block", () => rollup.client.getBlock());
    if (head.hash === this.#offeredAtBlockHash) return;
    await this.#readOn(Number(head.number));
    await this.#readAgain(Number(head.number));
    await this.#offer();
    this.#offeredAtBlockHash = head.hash;
  }

  async #readOn(headNumber: number): Promise<void> {
    const { logger, rollup, store } = this.#modules;
    const { address, client } = rollup;
    const { confirmations, maxChunkBlocks } = this.#options;
    const fromBlock = BigInt(await this.#resumeFrom(headNumber));
    const toBlock = BigInt(headNumber - confirmations + 1);
    for await (const chunk of readRollupLogs({ client, address, fromBlock, toBlock, maxChunkBlocks })) {
      const preVerified = chunk.logs
        .filter((log): log is PreVerifiedLog => log.eventName === "SettlementPreVerified")
        .map(preVerifiedOf);
      const cursor = {
        blockNumber: Number(chunk.toBlock),
        blockHash: await this.#blockHash(Number(chunk.toBlock)),
      };
      await store.write([
        ...preVerified.map((one) => ({ put: keyOf(one), value: toJson(one) })),
        { put: "cursor", value: cursor },
      ]);
      for (const { modelId } of preVerified) logger.info({ modelId }, "a settlement was pre-verified on L1");
    }
  }

  /**
   * A node that leaves an event out once leaves it out for good. A settlement's word is not known before its event, so it cannot be
   * asked for by name: the blocks since the oldest epoch without a settlement are searched again.
   */
  async #readAgain(headNumber: number): Promise<void> {
    const { logger, rollup, sequencer, store } = this.#modules;
    if (headNumber < this.#readAgainAtBlock) return;
    const toBlock = headNumber - this.#options.confirmations + 1;
    const [oldest] = await sequencer.unsettledCloses();
    const since = oldest === undefined ? 0 : (await rollup.closedAt(oldest)).blockNumber;
    const { address, client } = rollup;
    const range = { fromBlock: BigInt(since), toBlock: BigInt(toBlock) };
    if (since !== 0)
      for await (const events of readRollupEvents("SettlementPreVerified", { client, address, ...range }))
        for (const one of events.map(preVerifiedOf)) {
          if ((await store.get(keyOf(one))) !== undefined) continue;
          await store.write([{ put: keyOf(one), value: toJson(one) }]);
          logger.info({ modelId: one.modelId }, "a settlement was found by a second search of L1");
        }
    this.#readAgainAtBlock = headNumber + READ_AGAIN_AFTER_BLOCKS;
  }

  async #offer(): Promise<void> {
    const { logger, sequencer, store } = this.#modules;
    const entries = await store.entries({ gte: "pre-verified/", lt: "pre-verified0" });
    const waiting = entries.map(([, value]) => preVerifiedSchema.parse(value));
    const bytesOf = ({ data, further }: PreVerifiedSettlement) =>
      requestBytes([data, ...further.map((entry) => entry.data)]);
    for (const part of inRequests(waiting, bytesOf, MAX_PER_REQUEST)) {
      const { isOver } = await sequencer.offerPreVerifiedSettlements(part);
      const over = part.filter((_, i) => isOver[i]);
      if (over.length === 0) continue;
      await store.write(over.map((one) => ({ delete: keyOf(one) })));
      logger.info(
        { modelIds: over.map(({ modelId }) => modelId) },
        "nothing more comes of pre-verified settlements",
      );
    }
  }

  async #resumeFrom(headNumber: number): Promise<number> {
    const stored = await this.#modules.store.get("cursor");
    const { deployedAtBlock, finalityDepthBlocks } = this.#options;
    if (stored === undefined) return deployedAtBlock;
    const { blockHash, blockNumber } = cursorSchema.parse(stored);
    const isOnChain = blockNumber <= headNumber && (await this.#blockHash(blockNumber)) === blockHash;
    if (isOnChain) return blockNumber + 1;
    this.#modules.logger.warn(
      { blockNumber },
      "L1 was reorganised below the confirmation depth, reading again",
    );
    return Math.max(deployedAtBlock, Math.min(blockNumber, headNumber) - finalityDepthBlocks);
  }

  async #blockHash(blockNumber: number): Promise<string> {
    const { client } = this.#modules.rollup;
    const block = await l1Call(`read block ${blockNumber}`, () =>
      client.getBlock({ blockNumber: BigInt(blockNumber) }),
    );
    return block.hash;
  }
}

const keyOf = ({ modelId, word }: PreVerifiedSettlement) => `pre-verified/${modelId}/${word.toString(16)}`;

const toJson = ({ further, word, ...first }: PreVerifiedSettlement) => ({
  ...entryJson(first),
  word: toHex(word),
  further: further.map(entryJson),
});

function entryJson<Entry extends PreVerifiedEntry>({ commitment, proof, ...rest }: Entry) {
  const pairOf = (point: readonly [bigint, bigint]) => point.map((value) => toHex(value));
  const { a, b, c } = proof;
  return {
    ...rest,
    commitment: toHex(commitment),
    proof: { a: pairOf(a), b: b.map(pairOf), c: pairOf(c) },
  };
}
