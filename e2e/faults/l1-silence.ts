/** Faults of an L1 node that leaves things out, although each of its answers is true. */
import { setTimeout as sleep } from "node:timers/promises";
import { type Fault, logWordsOf } from "./fault.ts";

const WAIT_MS = 300_000;
/** Time above the minute after which the bridge reports that no block comes. */
const FROZEN_MS = 65_000;
const STALLED = "has been the newest for 60 s";

export const eventLeftOutFault: Fault = {
  name: "event-left-out",
  description: "the L1 node leaves a deposit's event out of one answer",
  holds: "the bridge asks again, and a batch takes the deposit",
  defaultTries: 4,
  longTries: 8,
  shortTries: 1,
  async inject(world, { progress, random, tries }) {
    const { bridge, l1, proxy } = world;
    bridge.forgetLog();
    const recoveriesMs: number[] = [];
    for (let i = 1; i <= tries; i++) {
      const before = proxy.faultCount;
      proxy.fault = "leaves out queue entries";
      await world.deposit(random);
      const tail = await l1.queueTail();
      await world.waitFor("an answer without the entry", async () => proxy.faultCount > before, WAIT_MS);
      proxy.fault = null;
      const startedAtMs = performance.now();
      const isTaken = async () => (await l1.queueHead()) >= tail;
      await world.waitFor("a batch with the deposit", isTaken, WAIT_MS);
      recoveriesMs.push(performance.now() - startedAtMs);
      progress(`a batch took the deposit after ${Math.round(recoveriesMs.at(-1)!)} ms (${i} of ${tries})`);
    }
    const logWords = logWordsOf(bridge, ["BRG_QUEUE_GAP"]);
    return [{ fault: "event-left-out", tries, recoveriesMs, logWords, problems: [] }];
  },
};

export const frozenHeadFault: Fault = {
  name: "frozen-head",
  description: "the L1 node shows the same newest block for 65 seconds",
  holds: "the bridge says so, and posts the next batch",
  defaultTries: 1,
  longTries: 2,
  shortTries: 0,
  async inject(world, { progress, tries }) {
    const { bridge, proxy } = world;
    const recoveriesMs: number[] = [];
    const problems: string[] = [];
    for (let i = 1; i <= tries; i++) {
      bridge.forgetLog();
      proxy.fault = "stands still";
      await sleep(FROZEN_MS);
      const isLogged = bridge.hasLogged(STALLED);
      proxy.fault = null;
      if (!isLogged) problems.push("the bridge did not say that no block came");
      if (!bridge.isRunning) problems.push("the bridge ended");
      const ms = await world.nextBatch();
      recoveriesMs.push(ms);
      progress(`the next batch after ${Math.round(ms)} ms (${i} of ${tries})`);
    }
    return [{ fault: "frozen-head", tries, recoveriesMs, logWords: [STALLED], problems }];
  },
};
