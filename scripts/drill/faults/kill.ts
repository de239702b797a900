/**
 * kill -9 of sequencer, prover and bridge, each on its own clock, all under load: any of them may die while another
 * one starts.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { audit } from "../audit.ts";
import type { DrillProcess } from "../drill-process.ts";
import { DrillWorld } from "../drill-world.ts";
import { type Fault, type FaultContext, resultOf } from "../fault.ts";

/** A life: long enough, on the average, that a start and a proof fit in; short enough that many kills meet a start. */
const MIN_LIFE_MS = 200;
const MAX_LIFE_MS = 6_000;

export const killFault: Fault = {
  name: "kill",
  description: "kill -9 of sequencer, prover and bridge at random moments, under load",
  defaultTries: 200,
  shortTries: 3,
  async run(context) {
    const { backend, folder, progress, tries } = context;
    const world = await DrillWorld.start({ name: "kill", backend, keepIn: folder });
    try {
      world.traffic.start();
      const processes = [world.sequencer, world.prover, world.bridge];
      const counts = processes.map(() => 0);
      const tell = () => {
        const killed = processes.map(({ spec }, i) => `${spec.name} ${counts[i]}`).join(", ");
        progress(`killed: ${killed} of ${tries}; ${world.traffic.acknowledged.length} acknowledged`);
      };
      const recoveries = await Promise.all(
        processes.map((process, i) =>
          killAgain(process, context, (count) => {
            counts[i] = count;
            tell();
          }),
        ),
      );
      // Batches continue.
      await world.nextBatch();
      await world.settle();
      const audited = await audit(world);
      return processes.map(({ spec }, i) => resultOf(`kill-${spec.name}`, tries, recoveries[i]!, audited));
    } finally {
      await world.stop();
    }
  },
};

/** @returns of every life that lasted long enough, how long its start took */
async function killAgain(
  process: DrillProcess,
  { random, tries }: FaultContext,
  onKill: (count: number) => void,
): Promise<number[]> {
  const startTimesMs: number[] = [];
  for (let count = 1; count <= tries; count++) {
    await sleep(MIN_LIFE_MS + random.next() * (MAX_LIFE_MS - MIN_LIFE_MS));
    await process.kill();
    onKill(count);
    process.launch();
    const { pid } = process;
    void process.ready().then(
      (ms) => {
        if (process.pid === pid) startTimesMs.push(ms);
      },
      () => {}, // Killed before it was ready.
    );
  }
  await process.ready();
  return startTimesMs;
}
