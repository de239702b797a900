/** The L1 node stalls, refuses, answers with nonsense, leaves things out. */
import { setTimeout as sleep } from "node:timers/promises";
import { L1_FAULTS } from "../world/l1-proxy.ts";
import { type Fault, logWordsOf } from "./fault.ts";

const MIN_FAULT_MS = 3_000;
const MAX_FAULT_MS = 9_000;

export const l1AnswersFault: Fault = {
  name: "l1-answers",
  description:
    "the L1 node stalls, closes, answers 429, 500, nonsense, half an answer, null, or leaves out logs",
  holds: "the bridge runs on, names BRG_L1_UNREACHABLE or BRG_L1_REFUSED, and posts the next batch",
  defaultTries: L1_FAULTS.length,
  longTries: 2 * L1_FAULTS.length,
  shortTries: 1,
  async inject(world, { progress, random, tries }) {
    const { bridge, proxy } = world;
    bridge.forgetLog();
    const recoveriesMs: number[] = [];
    const problems: string[] = [];
    for (let i = 0; i < tries; i++) {
      const fault = tries < L1_FAULTS.length ? random.pick(L1_FAULTS) : L1_FAULTS[i % L1_FAULTS.length]!;
      // Something to hand over, and to leave out.
      await world.deposit(random);
      proxy.fault = fault;
      await sleep(MIN_FAULT_MS + random.next() * (MAX_FAULT_MS - MIN_FAULT_MS));
      proxy.fault = null;
      const ms = await world.nextBatch();
      recoveriesMs.push(ms);
      progress(`the node ${fault}: the next batch after ${Math.round(ms)} ms (${i + 1} of ${tries})`);
      if (!bridge.isRunning) problems.push(`the bridge ended while the node ${fault}`);
    }
    const codes = ["BRG_L1_UNREACHABLE", "BRG_L1_REFUSED", "BRG_QUEUE_GAP", "SRV_SEQUENCER_REFUSED"];
    const logWords = logWordsOf(bridge, codes);
    if (tries >= L1_FAULTS.length && !logWords.includes("BRG_L1_UNREACHABLE"))
      problems.push("the bridge never said BRG_L1_UNREACHABLE");
    return [{ fault: "l1-answers", tries, recoveriesMs, logWords, problems }];
  },
};
