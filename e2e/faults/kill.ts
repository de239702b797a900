/**
 * kill -9 of sequencer, its prover and bridge, each on its own clock, all under load: any of them may die while another
 * one starts.
 */
import { setTimeout as sleep } from "node:timers/promises";
import type { ManagedProcess } from "../world/process.ts";
import type { World } from "../world/world.ts";
import type { Fault, FaultContext } from "./fault.ts";

/** Share of the lives that end at a random moment after the process is ready. The rest end at one after its launch. */
const READY_SHARE = 0.75;
const MIN_LIFE_MS = 100;
/** Maximum life, unless the last start took longer: with slow starts, two processes would else hardly ever be at work at once. */
const MAX_LIFE_MS = 4_000;
const PROVER_TIMEOUT_MS = 300_000;
/** Number of kills after which something must have been acknowledged in between. */
const MANY_TRIES = 10;

export const killFault: Fault = {
  name: "kill",
  description: "kill -9 of sequencer, prover and bridge at random moments",
  holds: "everything goes on; nothing that was acknowledged is lost",
  defaultTries: 20,
  longTries: 200,
  shortTries: 1,
  async inject(world, context) {
    const processes: readonly Mortal[] = [world.sequencer, proverOf(world), world.bridge];
    const counts = processes.map(() => 0);
    const problems: string[] = [];
    const lives: Lives = { maxMs: MAX_LIFE_MS, onEnd: (end) => problems.push(end.message) };
    const before = world.traffic.acknowledged.length;
    const tell = () => {
      const killed = processes.map(({ name }, i) => `${name} ${counts[i]}`).join(", ");
      context.progress(
        `killed: ${killed} of ${context.tries}; ${world.traffic.acknowledged.length} acknowledged`,
      );
    };
    const recoveries = await Promise.all(
      processes.map((mortal, i) =>
        killAgain(mortal, lives, context, (count) => {
          counts[i] = count;
          if (count % 10 === 0 || count === context.tries) tell();
        }),
      ),
    );
    if (context.tries >= MANY_TRIES && world.traffic.acknowledged.length === before)
      problems.push("nothing was acknowledged meanwhile: the kills show nothing");
    return processes.map(({ name }, i) => ({
      fault: `kill-${name}`,
      tries: context.tries,
      recoveriesMs: recoveries[i]!,
      logWords: [],
      problems,
    }));
  },
};

/** A process that is killed, and comes back. */
type Mortal = Pick<ManagedProcess, "endedByItself" | "kill" | "launch" | "name" | "ready">;

/** The sequencer's child, which the sequencer starts again. */
function proverOf(world: World): Mortal {
  const processId = () => world.waitFor("the prover's process", () => world.proverId(), PROVER_TIMEOUT_MS);
  let killedId: number | null = null;
  return {
    name: "prover",
    endedByItself: null,
    async ready() {
      const startedAtMs = performance.now();
      const isBack = async () => {
        const id = await world.proverId();
        return id !== null && id !== killedId;
      };
      await world.waitFor("the prover's next process", isBack, PROVER_TIMEOUT_MS);
      return performance.now() - startedAtMs;
    },
    async kill() {
      killedId = await processId();
      try {
        process.kill(killedId, "SIGKILL");
      } catch {
        // It ended with its sequencer in this moment.
      }
    },
    launch() {},
  };
}

/** Lives of all three processes. */
interface Lives {
  /** Maximum life, in ms. */
  maxMs: number;
  /** Called with the error of a process that ended before it was killed. */
  readonly onEnd: (end: Error) => void;
}

/** Kills and launches one process again and again. @returns the start times of lives that lasted long enough, in ms */
async function killAgain(
  mortal: Mortal,
  lives: Lives,
  { random, tries }: FaultContext,
  onKill: (count: number) => void,
): Promise<number[]> {
  const startTimesMs: number[] = [];
  for (let count = 1; count <= tries; count++) {
    if (count > 1 && random.next() < READY_SHARE) {
      const startMs = await mortal.ready();
      startTimesMs.push(startMs);
      lives.maxMs = Math.max(MAX_LIFE_MS, startMs);
    }
    await sleep(MIN_LIFE_MS + random.next() * (lives.maxMs - MIN_LIFE_MS));
    if (mortal.endedByItself !== null) lives.onEnd(mortal.endedByItself);
    await mortal.kill();
    onKill(count);
    mortal.launch();
  }
  startTimesMs.push(await mortal.ready());
  return startTimesMs;
}
