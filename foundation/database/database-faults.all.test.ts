/** Servers that are killed, and whose disk is full, under writers: the one of the system, and the one that npm packs. */
import { randomBytes } from "node:crypto";
import { chmod, mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { Client } from "pg";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { z } from "zod";
import { createLogger } from "../logger.ts";
import { isRollupError } from "../rollup-error.ts";
import {
  leftOutServer,
  type OwnServer,
  removeServer,
  type ServerKind,
  startOwnServer,
} from "../testing/own-server.ts";
import { mountSmallDisk, type SmallDisk } from "../testing/small-disk.ts";
import { databaseAt } from "../testing/test-database.ts";
import { Database } from "./database.ts";
import { isPassing } from "./database-errors.ts";
import { JobQueue } from "./job-queue.ts";
import { JOBS } from "./job-tables.ts";
import { startLocalServer } from "./local-server.ts";
import { openDatabase } from "./open-database.ts";

const logger = createLogger("test", "silent");
const part = { name: "sample", migrations: ["create table things (id integer primary key, content bytea)"] };
const KINDS: readonly ServerKind[] = ["installed", "packaged"];
const KILLS = 5;
const DISK_MEGABYTES = 192;
/** Larger than what a row takes without a file of its own. */
const CONTENT = Buffer.alloc(1_500, 7);

let folder: string;
const ends: (() => unknown)[] = [];
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "openledger-database-"));
  await chmod(folder, 0o755);
});
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
  await removeServer(folder);
});

/** Writers of rows, each of which brings one again until it is acknowledged, as clients do. */
class Writers {
  readonly acknowledged: number[] = [];
  readonly refusals = new Map<string, number>();
  readonly #database: Database;
  #isStopped = false;
  #running: Promise<unknown> = Promise.resolve();

  constructor(database: Database) {
    this.#database = database;
  }

  start(count: number): void {
    this.#running = Promise.all(Array.from({ length: count }, (_, i) => this.#write(i, count)));
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    await this.#running;
  }

  async #write(first: number, step: number): Promise<void> {
    for (let id = first; !this.#isStopped; id += step) {
      while (!(await this.#insert(id))) {
        if (this.#isStopped) return;
        await delay(20);
      }
      this.acknowledged.push(id);
    }
  }

  async #insert(id: number): Promise<boolean> {
    try {
      await this.#database.transaction(async ({ query }) => {
        await query("insert into things values ($1, $2) on conflict do nothing", [id, CONTENT]);
      });
      return true;
    } catch (error) {
      if (!isPassing(error) || !isRollupError(error)) throw error;
      this.refusals.set(error.code, (this.refusals.get(error.code) ?? 0) + 1);
      return false;
    }
  }
}

const open = async (url: string): Promise<Database> => {
  const database = await Database.open({ url, part, rollup: null, logger });
  ends.push(() => database.close());
  return database;
};

async function expectNothingLost(database: Database, { acknowledged }: Writers): Promise<void> {
  const found = await database.query<{ id: number }>("select id from things order by id");
  const there = new Set(found.map(({ id }) => id));
  expect(
    acknowledged.filter((id) => !there.has(id)),
    "lost",
  ).toEqual([]);
  expect(found.length - there.size, "doubled").toBe(0);
}

describe.each(KINDS)("a server that is %s", (kind) => {
  const leftOut = leftOutServer(kind);

  it.skipIf(leftOut !== null)(
    `loses nothing that it has acknowledged to kill -9${leftOut ?? ""}`,
    async () => {
      const server = await startOwnServer(kind, join(folder, "server"));
      ends.push(() => server.stop());
      const database = await open(server.url);
      const writers = new Writers(database);
      writers.start(6);
      for (let kill = 0; kill < KILLS; kill++) {
        const before = writers.acknowledged.length;
        await expect.poll(() => writers.acknowledged.length).toBeGreaterThan(before + 50);
        await server.kill();
        await expect.poll(() => database.isReachable()).toBe(false);
        await startAgain(server);
      }
      await writers.stop();
      expect(writers.refusals.get("SRV_DATABASE_UNREACHABLE")).toBeGreaterThan(0);
      await expectNothingLost(database, writers);
    },
  );

  it.skipIf(leftOut !== null)(
    `whose disk is full refuses, and goes on once there is room${leftOut ?? ""}`,
    async (context) => {
      const disk = smallDisk();
      if (typeof disk === "string") return context.skip(disk);
      const server = await startOwnServer(kind, join(folder, "server"));
      ends.push(() => server.stop());
      const database = await open(server.url);
      const writers = new Writers(database);
      writers.start(4);
      for (let turn = 0; turn < 2; turn++) {
        const before = writers.acknowledged.length;
        await expect.poll(() => writers.acknowledged.length).toBeGreaterThan(before + 50);
        writers.refusals.clear();
        await disk.fill();
        await expect.poll(() => writers.refusals.size).toBeGreaterThan(0);
        expect([...writers.refusals.keys()].filter((code) => !CODES.includes(code))).toEqual([]);
        await disk.makeRoom();
        // A server whose log found no room has ended: on a real machine its supervisor starts it again.
        if (!(await server.isRunning())) await startAgain(server);
      }
      await writers.stop();
      await expectNothingLost(database, writers);
    },
  );
});

const CODES = ["SRV_DISK_FULL", "SRV_DATABASE_UNREACHABLE"];

describe("this machine's own server", () => {
  it("whose disk is full refuses, and goes on by itself once there is room", async (context) => {
    const disk = smallDisk();
    if (typeof disk === "string") return context.skip(disk);
    const server = await startLocalServer(join(folder, "database"), logger);
    ends.push(() => server.release());
    const database = await open(server.url);
    const writers = new Writers(database);
    writers.start(4);
    await expect.poll(() => writers.acknowledged.length).toBeGreaterThan(50);
    await disk.fill();
    await expect.poll(() => writers.refusals.size).toBeGreaterThan(0);
    await endByFullLog(server.url);
    await expect.poll(() => database.isReachable()).toBe(false);
    // It cannot start either.
    await delay(3_000);
    expect(await database.isReachable()).toBe(false);
    const then = writers.acknowledged.length;
    await disk.makeRoom();
    await expect.poll(() => writers.acknowledged.length).toBeGreaterThan(then + 50);
    await writers.stop();
    await expectNothingLost(database, writers);
  });
});

/** Writes to the write-ahead log until the server ends for want of room. */
async function endByFullLog(url: string): Promise<void> {
  const client = new Client({ connectionString: url });
  client.on("error", () => {});
  await client.connect();
  const write = () => client.query("select pg_logical_emit_message(false, 'test', repeat('x', 1000000))");
  await expect(
    (async () => {
      for (let megabytes = 0; megabytes < 2 * DISK_MEGABYTES; megabytes++) await write();
    })(),
  ).rejects.toThrow();
  await client.end().catch(() => {});
}

function smallDisk(): SmallDisk | string {
  const disk = mountSmallDisk(folder, DISK_MEGABYTES);
  if (typeof disk !== "string") ends.push(() => disk.unmount());
  return disk;
}

/** The remaining processes of a server that was killed may have its memory for a moment. */
async function startAgain(server: OwnServer): Promise<void> {
  await expect
    .poll(() =>
      server.start().then(
        () => true,
        () => false,
      ),
    )
    .toBe(true);
}

/** Jobs whose answer is large enough to want room, and small enough to be read. */
const LARGE = {
  name: "large",
  task: z.strictObject({ n: z.number() }),
  answer: z.strictObject({ n: z.number(), text: z.string() }),
  progress: z.strictObject({}),
};
const ANSWER_BYTES = 100_000;

describe("a queue of jobs", () => {
  const openQueue = async (url: string) => {
    const queue = await JobQueue.open(databaseAt(url), LARGE, { logger });
    ends.push(() => queue.close());
    return queue;
  };
  // Random, so that it is not stored compressed.
  const answerOf = (n: number) => ({ n, text: randomBytes(ANSWER_BYTES / 2).toString("hex") });
  const signal = new AbortController().signal;

  it("ends every job once, whatever of it is killed with the server", async () => {
    const server = await startOwnServer("packaged", join(folder, "server"));
    ends.push(() => server.stop());
    const [asker, ...workers] = [
      await openQueue(server.url),
      await openQueue(server.url),
      await openQueue(server.url),
    ];
    for (const one of workers)
      one.work({
        name: "worker",
        leaseMs: 3_000,
        run: async ({ task: { n } }) => {
          await delay(150);
          return { n, text: "" };
        },
      });
    const keys = Array.from({ length: 60 }, (_, n) => `job ${n}`);
    const send = async (n: number) => {
      while (
        !(await asker.send(keys[n]!, { n }).then(
          () => true,
          (error) => {
            if (!isPassing(error)) throw error;
            return false;
          },
        ))
      )
        await delay(50);
    };
    const sending = (async () => {
      for (const n of keys.keys()) {
        await send(n);
        await delay(60);
      }
    })();
    for (let kill = 0; kill < 3; kill++) {
      await delay(1_500);
      await server.kill();
      await startAgain(server);
    }
    await sending;
    const results = await Promise.all(keys.map((key) => asker.wait(key, { signal })));
    expect(results).toEqual(keys.map((_, n) => ({ state: "completed", answer: { n, text: "" } })));
    const database = await openDatabase(databaseAt(server.url), { part: JOBS, rollup: null, logger });
    ends.push(() => database.close());
    expect(
      await database.query("select state, count(*)::int as count from job where name = 'large' group by 1"),
    ).toEqual([{ state: "completed", count: keys.length }]);
  });

  it("waits for room with what a worker has worked out, without another attempt", async (context) => {
    const disk = smallDisk();
    if (typeof disk === "string") return context.skip(disk);
    const server = await startOwnServer("packaged", join(folder, "server"));
    ends.push(() => server.stop());
    const [asker, worker] = [await openQueue(server.url), await openQueue(server.url)];
    let attempts = 0;
    worker.work({
      name: "worker",
      run: async ({ task: { n } }) => {
        attempts += 1;
        await disk.fill();
        return answerOf(n);
      },
    });
    await asker.send("a", { n: 1 });
    await expect.poll(() => attempts).toBe(1);
    await delay(3_000);
    expect(await asker.state("a")).not.toMatchObject({ state: "completed" });
    await disk.makeRoom();
    if (!(await server.isRunning())) await startAgain(server);
    expect(await asker.wait("a", { signal })).toMatchObject({ state: "completed", answer: { n: 1 } });
    expect(attempts).toBe(1);
  });
});
