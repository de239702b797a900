/** The wall clock of sequencer and bridge jumps, forward and back, by up to two days, while they run. */
import { rmSync, writeFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import type { Fault } from "./fault.ts";

const MAX_JUMP_MS = 2 * 86_400_000;

export const clockJumpFault: Fault = {
  name: "clock-jump",
  description: "the wall clock jumps by up to two days, in both directions",
  holds: "everything goes on: batches take their time from L1",
  defaultTries: 6,
  longTries: 10,
  shortTries: 0,
  async inject(world, { progress, random, tries }) {
    const processes = [world.sequencer, world.bridge];
    const restart = async (preloads: readonly string[]) => {
      for (const process of processes) {
        await process.stop();
        process.preloads = preloads;
        await process.start();
      }
    };
    await restart([fileURLToPath(new URL("../world/clock-shift.mjs", import.meta.url))]);
    const recoveriesMs: number[] = [];
    for (let i = 1; i <= tries; i++) {
      // Back from where it is, then forward, in turns: each direction with a batch open and a transaction on its way.
      const jumpMs = Math.round((i % 2 === 1 ? -1 : 1) * random.next() * MAX_JUMP_MS);
      await sleep(random.next() * 1_500);
      writeFileSync(world.clockFile, String(jumpMs));
      const startedAtMs = performance.now();
      await world.acknowledgement(startedAtMs);
      await world.nextBatch();
      const ms = performance.now() - startedAtMs;
      recoveriesMs.push(ms);
      progress(
        `${(jumpMs / 3_600_000).toFixed(1)} h: next batch after ${Math.round(ms)} ms (${i} of ${tries})`,
      );
    }
    rmSync(world.clockFile, { force: true });
    await restart([]);
    return [{ fault: "clock-jump", tries, recoveriesMs, logWords: [], problems: [] }];
  },
};
