/** Events that may happen to the bridge's transaction between its sending and its block. */
import { setTimeout as sleep } from "node:timers/promises";
import type { Hex } from "viem";
import { drillAccount } from "../world/accounts.ts";
import type { World } from "../world/world.ts";
import { type Fault, logWordsOf } from "./fault.ts";

const BLOCK_SECONDS = 1;
/** Blocks in a row whose base fee is twice that of the one before. */
const DOUBLINGS = 3;
/** Time between two blocks while the fee stays up: the bridge has to read the fee in between. */
const SLOW_BLOCK_MS = 300;

interface PoolTransaction {
  readonly hash: Hex;
  readonly maxFeePerGas?: Hex;
}

/** Stops the mining until the bridge has a transaction in the node's pool. The caller begins it again. */
async function pendingTransaction(world: World): Promise<PoolTransaction> {
  const { l1 } = world;
  await l1.client.setIntervalMining({ interval: 0 });
  const operator = drillAccount("operator").address.toLowerCase();
  return world.waitFor(
    "a transaction of the bridge",
    async () => {
      const { pending } = (await l1.client.request({ method: "txpool_content" } as never)) as {
        pending: Record<string, Record<string, PoolTransaction>>;
      };
      const own = Object.entries(pending).find(([address]) => address.toLowerCase() === operator);
      return own === undefined ? null : Object.values(own[1]).at(-1);
    },
    300_000,
  );
}

export const droppedTransactionFault: Fault = {
  name: "dropped-transaction",
  description: "the L1 node forgets the bridge's pending transaction",
  holds: "the bridge replaces it",
  defaultTries: 5,
  longTries: 10,
  shortTries: 1,
  async inject(world, { progress, tries }) {
    const { client } = world.l1;
    world.bridge.forgetLog();
    const recoveriesMs: number[] = [];
    for (let i = 1; i <= tries; i++) {
      const { hash } = await pendingTransaction(world);
      await client.dropTransaction({ hash });
      await client.setIntervalMining({ interval: BLOCK_SECONDS });
      const ms = await world.nextBatch();
      recoveriesMs.push(ms);
      progress(`dropped ${i} of ${tries}: the next batch after ${Math.round(ms)} ms`);
    }
    const logWords = world.bridge.hasLogged("not mined in time") ? ["not mined in time, replaced"] : [];
    return [{ fault: "dropped-transaction", tries, recoveriesMs, logWords, problems: [] }];
  },
};

export const baseFeeFault: Fault = {
  name: "base-fee",
  description: "the base fee doubles block after block, past what the pending transaction pays",
  holds: "the bridge replaces it by one that pays, within its cap",
  defaultTries: 3,
  longTries: 6,
  shortTries: 0,
  async inject(world, { progress, tries }) {
    const { client } = world.l1;
    world.bridge.forgetLog();
    const recoveriesMs: number[] = [];
    const problems: string[] = [];
    for (let i = 1; i <= tries; i++) {
      const { hash, maxFeePerGas } = await pendingTransaction(world);
      const before = await world.l1.batchNumber();
      // What it pays leaves room for one doubling: the first block asks for more than that, the next for twice as much.
      let feeWei = BigInt(maxFeePerGas ?? 0) + 1n;
      for (let doubling = 0; doubling < DOUBLINGS; doubling++) {
        if (doubling > 0) feeWei *= 2n;
        await client.setNextBlockBaseFeePerGas({ baseFeePerGas: feeWei });
        await client.mine({ blocks: 1 });
      }
      if ((await world.l1.batchNumber()) > before) problems.push(`${hash} was mined below the base fee`);
      const startedAtMs = performance.now();
      // It stays as high: only a transaction that pays more gets in.
      await world.waitFor(
        "a transaction that pays the base fee",
        async () => {
          await client.setNextBlockBaseFeePerGas({ baseFeePerGas: feeWei });
          await client.mine({ blocks: 1 });
          await sleep(SLOW_BLOCK_MS);
          return (await world.l1.batchNumber()) > before;
        },
        300_000,
      );
      const ms = performance.now() - startedAtMs;
      recoveriesMs.push(ms);
      progress(
        `${i} of ${tries}: base fee ${feeWei} wei, ${hash} replaced and mined after ${Math.round(ms)} ms`,
      );
      await client.setNextBlockBaseFeePerGas({ baseFeePerGas: 10n ** 9n });
      await client.mine({ blocks: 1 });
      await client.setIntervalMining({ interval: BLOCK_SECONDS });
    }
    const logWords = logWordsOf(world.bridge, ["not mined in time, replaced", "fees are at their cap"]);
    if (!logWords.includes("not mined in time, replaced")) problems.push("the bridge replaced nothing");
    return [{ fault: "base-fee", tries, recoveriesMs, logWords, problems }];
  },
};
