/**
 * Faults of the database, and of the processes that work with it, while people bring rows and labels, ask models, and pay, and
 * batches are proven by the queue in it. What was acknowledged is counted against what is there, on a straight way to the server.
 */
import { setTimeout as sleep } from "node:timers/promises";
import type { ManagedProcess } from "../world/process.ts";
import type { World } from "../world/world.ts";
import type { WorldDatabase } from "../world/world-database.ts";
import type { Fault, FaultContext, Injected } from "./fault.ts";

const MAX_WAIT_MS = 4_000;
/** Time for people to be told that something was taken. */
const PROGRESS_TIMEOUT_MS = 180_000;
/** Time within which health says what is wrong. */
const RED_TIMEOUT_MS = 60_000;
const HELD_MS = 15_000;
const UNREACHABLE = "SRV_DATABASE_UNREACHABLE";
const DISK_FULL = "SRV_DISK_FULL";

export const databaseKilledFault = databaseFault({
  name: "database-killed",
  description: "kill -9 of the PostgreSQL server under Datanet hosts, model servers and the queue of proofs",
  holds: `they answer ${UNREACHABLE} and are unhealthy meanwhile; no row, label, answer, payment or proof is lost or doubled`,
  defaultTries: 5,
  longTries: 50,
  async make({ database, world }) {
    await database.server.kill();
    await expectUnhealthy(world, database);
    await startServer(world, database);
    return codesOf(database, [UNREACHABLE]);
  },
});

export const databaseFullFault = databaseFault({
  name: "database-full",
  description: "the disk of the PostgreSQL server is full, until there is room again",
  holds: `they answer ${DISK_FULL}, or ${UNREACHABLE} where the server has ended; they go on without a start`,
  defaultTries: 3,
  longTries: 10,
  leftOut: ({ diskLeftOut }) => diskLeftOut,
  async make({ database, world }) {
    await database.disk!.fill();
    const isRefused = async () => codesOf(database, [DISK_FULL, UNREACHABLE]).length > 0;
    await world.waitFor("a refusal for want of room", isRefused, PROGRESS_TIMEOUT_MS);
    await sleep(1_000);
    await database.disk!.makeRoom();
    // A server whose log has found no room has ended: its supervisor starts it again.
    if (!(await database.server.isRunning())) await startServer(world, database);
    return codesOf(database, [DISK_FULL, UNREACHABLE]);
  },
});

export const databaseHangsFault = databaseFault({
  name: "database-hangs",
  description: `nothing comes through to the PostgreSQL server or back, for ${HELD_MS / 1_000} s; open connections stay mute`,
  holds: `they answer ${UNREACHABLE} within seconds, are unhealthy, and go on with new connections`,
  defaultTries: 2,
  longTries: 10,
  async make({ database, world }) {
    database.proxy.state = "hangs";
    try {
      await expectUnhealthy(world, database);
      await sleep(HELD_MS);
    } finally {
      database.proxy.state = "passes";
    }
    return codesOf(database, [UNREACHABLE]);
  },
});

export const commitUnansweredFault = databaseFault({
  name: "commit-unanswered",
  description: "COMMIT reaches the PostgreSQL server, and its answer does not come back",
  holds: "what people bring again is there once",
  defaultTries: 2,
  longTries: 10,
  async make({ database, world }) {
    const before = database.proxy.lostCommitCount;
    database.proxy.state = "loses commits";
    const isLost = async () => database.proxy.lostCommitCount > before + 10;
    await world.waitFor("answers of commits to be lost", isLost, PROGRESS_TIMEOUT_MS).finally(() => {
      database.proxy.state = "passes";
    });
    return codesOf(database, [UNREACHABLE]);
  },
});

export const hostKilledFault = databaseFault({
  name: "host-killed",
  description:
    "kill -9 of a Datanet host, a model server or the worker of proofs, while another of its kind runs",
  holds: "the other goes on; nothing that was acknowledged is lost or doubled",
  defaultTries: 6,
  longTries: 60,
  async make({ context: { random }, database }) {
    const { hosts, modelServers, workers } = database.processes;
    const killed = random.pick([...hosts, ...modelServers, ...workers] as ManagedProcess[]);
    await killed.kill();
    await sleep(random.next() * MAX_WAIT_MS);
    await killed.start();
    return [];
  },
});

interface DatabaseFault extends Pick<Fault, "name" | "description" | "holds" | "defaultTries" | "longTries"> {
  /** Why the fault cannot be made here; null where it can. */
  leftOut?(database: WorldDatabase): string | null;
  /** Makes the fault, and ends it. @returns codes that people were told */
  make(scene: { world: World; database: WorldDatabase; context: FaultContext }): Promise<readonly string[]>;
}

function databaseFault({ leftOut = () => null, make, ...fault }: DatabaseFault): Fault {
  return {
    ...fault,
    shortTries: 0,
    usesDatabase: true,
    async inject(world, context): Promise<readonly Injected[]> {
      const { database } = world;
      const why = leftOut(database);
      if (why !== null) {
        context.progress(why);
        return [{ fault: fault.name, tries: 0, recoveriesMs: [], logWords: [why], problems: [] }];
      }
      const recoveriesMs: number[] = [];
      const codes = new Set<string>();
      for (let i = 1; i <= context.tries; i++) {
        await progressOf(world, database);
        await sleep(context.random.next() * MAX_WAIT_MS);
        for (const load of [database.rows, database.answers]) load.refusals.clear();
        for (const code of await make({ world, database, context })) codes.add(code);
        const endedAtMs = performance.now();
        await progressOf(world, database);
        recoveriesMs.push(performance.now() - endedAtMs);
        context.progress(
          `${i} of ${context.tries}: rows, labels, answers and payments are taken ${Math.round(recoveriesMs.at(-1)!)} ms after its end`,
        );
      }
      // Proofs come by the queue: L1 gets one batch more.
      await world.nextBatch();
      const { counts, problems } = await database.audit();
      return [
        { fault: fault.name, tries: context.tries, recoveriesMs, logWords: [...codes], problems, counts },
      ];
    },
  };
}

/** Waits until people were told of one more of everything. */
async function progressOf(world: World, { answers, rows }: WorldDatabase): Promise<void> {
  const sizes = () => [rows.rows.size, rows.labels.size, answers.receipts.size, answers.opened.size];
  const before = sizes();
  const hasMoved = async () => sizes().every((size, i) => size > before[i]!);
  await world.waitFor("rows, labels, answers and payments to be taken", hasMoved, PROGRESS_TIMEOUT_MS);
}

async function expectUnhealthy(world: World, database: WorldDatabase): Promise<void> {
  for (const process of [...database.processes.hosts, ...database.processes.modelServers]) {
    const isRed = async () =>
      (await fetch(`${database.urlOf(process)}/health`, { signal: AbortSignal.timeout(20_000) })).status ===
      503;
    await world.waitFor(`${process.name} to be unhealthy`, isRed, RED_TIMEOUT_MS);
  }
}

/** The remaining processes of a server that was killed have its memory for a moment. */
async function startServer(world: World, { server }: WorldDatabase): Promise<void> {
  const isStarted = () =>
    server.start().then(
      () => true,
      () => false,
    );
  await world.waitFor("the database to start", isStarted, PROGRESS_TIMEOUT_MS);
}

const codesOf = ({ answers, rows }: WorldDatabase, codes: readonly string[]): string[] =>
  codes.filter((code) => [rows, answers].some(({ refusals }) => refusals.has(code)));
