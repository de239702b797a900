/** Fault that replaces up to 32 of L1's newest blocks by empty ones: their transactions are gone. */
import { setTimeout as sleep } from "node:timers/promises";
import { type Fault, logWordsOf } from "./fault.ts";

const MAX_DEPTH_BLOCKS = 32;

export const reorgFault: Fault = {
  name: "reorg",
  description: "L1 reorganises 1 to 32 blocks, batches and deposits in them are gone",
  holds: "the batches are sent again; the watcher goes back behind deposits that are gone",
  defaultTries: 5,
  longTries: 10,
  shortTries: 1,
  async inject(world, { progress, random, tries }) {
    for (const process of [world.bridge, world.sequencer]) process.forgetLog();
    const recoveriesMs: number[] = [];
    const problems: string[] = [];
    let takenBackCount = 0;
    for (let i = 1; i <= tries; i++) {
      // The deepest one first, then anything.
      const depth = i === 1 ? MAX_DEPTH_BLOCKS : 1 + random.below(MAX_DEPTH_BLOCKS);
      // The users' first deposits stay: they lie in blocks that are long final.
      await world.mineTo(world.firstBlock + world.finalityDepthBlocks + depth);
      await world.deposit(random);
      await sleep(2_000 + random.next() * 4_000);
      const before = { batch: await world.l1.batchNumber(), queue: await world.l1.queueTail() };
      await world.l1.node.reorganise(depth);
      const after = { batch: await world.l1.batchNumber(), queue: await world.l1.queueTail() };
      takenBackCount += before.queue - after.queue;
      const startedAtMs = performance.now();
      await world.waitFor(
        "L1 to have more batches than before the reorganisation",
        async () => (await world.l1.batchNumber()) > before.batch,
        300_000,
      );
      const ms = performance.now() - startedAtMs;
      recoveriesMs.push(ms);
      progress(
        `${depth} blocks, batches ${before.batch} to ${after.batch}, queue ${before.queue} to ${after.queue}: ` +
          `caught up after ${Math.round(ms)} ms (${i} of ${tries})`,
      );
    }
    const logWords = logWordsOf(world.bridge, [
      "L1 forgot the batches",
      "L1 took back queue entries",
      "BRG_QUEUE_GAP",
    ]);
    if (takenBackCount === 0) problems.push("no deposit was taken back");
    if (takenBackCount > 0 && tries > 1 && !world.bridge.hasLogged("L1 took back queue entries"))
      progress(`${takenBackCount} queue entries went before they were handed over`);
    return [{ fault: "reorg", tries, recoveriesMs, logWords, problems }];
  },
};
