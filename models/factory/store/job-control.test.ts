import { randomUUID } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Database } from "@openledger/foundation/database/database";
import { openDatabase } from "@openledger/foundation/database/open-database";
import { createLogger } from "@openledger/foundation/logger";
import {
  createTestDatabase,
  databaseAt,
  type TestDatabase,
} from "@openledger/foundation/testing/test-database";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { JobEvent } from "../factory-api.ts";
import type { NewJob, StoredJob } from "./factory-records.ts";
import { FACTORY_PART } from "./factory-schema.ts";
import { JobControl } from "./job-control.ts";
import { JobFiles } from "./job-files.ts";
import { JobStore, stateChange } from "./job-store.ts";
import { openTicketQueues, type TicketQueues } from "./job-tickets.ts";

const rollup = { chainId: 31337, rollupAddress: "0x00000000000000000000000000000000000000a1" };
const logger = createLogger("test", "silent");
const code = (name: string) => expect.objectContaining({ code: name });
const MAX_JOBS = 4;

let home: TestDatabase;
/** Two servers on one database. */
let one: Server;
let other: Server;
let jobCount = 0;

interface Server {
  readonly database: Database;
  readonly queues: TicketQueues;
  readonly jobs: JobStore;
  readonly control: JobControl;
}

async function server(): Promise<Server> {
  const config = databaseAt(home.url);
  const database = await openDatabase(config, { part: FACTORY_PART, rollup, logger });
  const queues = await openTicketQueues(config, { logger, migrates: true });
  const jobs = new JobStore(database, { logger, nowMs: Date.now });
  await jobs.open();
  const control = new JobControl(jobs, { database, queues, maxJobsPerAccount: MAX_JOBS, log: logger });
  return { database, queues, jobs, control };
}

beforeAll(async () => {
  home = await createTestDatabase();
  [one, other] = [await server(), await server()];
  await one.database.query("insert into bases (id, place, view, files) values ('own', 'own', '{}', '{}')");
  await one.database.query(
    "insert into datasets (id, leaf_id, rows_root, view) values ('rows-a', 2, '0x0', '{}')",
  );
});
afterAll(async () => {
  for (const { control, database, jobs, queues } of [one, other]) {
    await control.close();
    await queues.close();
    await jobs.close();
    await database.close();
  }
  await home?.drop();
});
beforeEach(() => one.database.query("update clock set turn = 0"));
afterEach(async () => {
  await one.database.query("delete from jobs");
  await one.database.query("delete from turns");
  await one.database.query("delete from jobs.job");
});

function jobOf(leafId: number): NewJob {
  jobCount += 1;
  return {
    recipe: { tuning: { steps: 20 } },
    size: null,
    registration: { state: "unready", percent: 0, activation: null, failure: null, statics: null },
    view: {
      id: `job-${jobCount}`,
      leafId,
      baseId: "own",
      datasetId: "rows-a",
      state: "queued",
      stage: "waiting",
      step: 0,
      lastEvent: 0,
      modelId: null,
      isServed: false,
    },
  } as unknown as NewJob;
}

const begin = (job: StoredJob, holder = randomUUID()) =>
  one.jobs.change(job.view.id, async ({ turn }, queries) => {
    await queries.query("update clock set turn = greatest(turn, $1)", [turn]);
    return stateChange("running", { job: { holder } });
  });

async function order(): Promise<string[]> {
  const rows = await one.database.query<{ id: string }>(
    "select id from jobs where state = 'queued' order by turn, number",
  );
  // Workers take entries of the queue by their priority.
  const entries = await one.database.query<{ id: string }>(
    `select data->'task'->>'jobId' as id from jobs.job where name = 'train' and state = 'created'
       order by priority desc, created_on`,
  );
  expect(entries.filter(({ id }) => rows.some((row) => row.id === id))).toEqual(rows);
  return rows.map(({ id }) => id);
}

describe("accounts", () => {
  it("take turns, whatever each has queued and whoever deletes and begins again", async () => {
    const first = await one.control.add(jobOf(2));
    await begin(first);
    const [second, third] = [await one.control.add(jobOf(2)), await other.control.add(jobOf(2))];
    const bobs = await other.control.add(jobOf(3));
    expect(await order()).toEqual([bobs, second, third].map(({ view }) => view.id));
    expect((await one.control.view(bobs)).queuedBefore).toBe(1);
    expect((await one.control.view(third)).queuedBefore).toBe(3);
    await begin(bobs);
    await one.jobs.change(bobs.view.id, () => stateChange("paused"));
    await one.control.delete(bobs);
    const again = await one.control.add(jobOf(3));
    expect(await order()).toEqual([second, again, third].map(({ view }) => view.id));
  });

  it("have so many jobs and no more, also by two servers at once", async () => {
    const added = await Promise.allSettled(
      Array.from({ length: MAX_JOBS + 3 }, (_, i) => [one, other][i % 2]!.control.add(jobOf(2))),
    );
    const refused = added.filter(({ status }) => status === "rejected");
    expect(refused).toHaveLength(3);
    for (const { reason } of refused as PromiseRejectedResult[])
      expect(reason).toEqual(code("SRV_QUOTA_USED"));
    expect(await other.jobs.ofAccount(2)).toHaveLength(MAX_JOBS);
  });
});

describe("a job", () => {
  it("is put into its queue by another server, where the one that took it was killed before", async () => {
    const { view } = await one.jobs.add(jobOf(2), async () => 1);
    expect(await one.queues.trainings.counts()).toMatchObject({ waitingCount: 0 });
    other.control.start();
    await expect.poll(() => one.queues.trainings.counts()).toMatchObject({ waitingCount: 1 });
    expect(await order()).toEqual([view.id]);
    await one.control.pause(await one.jobs.get(view.id));
    expect(await one.queues.trainings.counts()).toMatchObject({ waitingCount: 0 });
    await other.control.resume(await one.jobs.get(view.id));
    expect(await one.queues.trainings.counts()).toMatchObject({ waitingCount: 1 });
  });

  it("is not deleted while it runs, is served or its activation is proven, and nothing brings a deleted one back", async () => {
    const { view } = await one.control.add(jobOf(2));
    const change = one.jobs.change.bind(one.jobs, view.id);
    const refuses = async () =>
      expect(one.control.delete(await one.jobs.get(view.id))).rejects.toThrow(code("MOD_FACTORY_JOB_STATE"));
    for (const state of ["running", "pausing", "stopping"] as const) {
      await change(() => stateChange(state));
      await refuses();
    }
    await change(({ registration }) =>
      stateChange("done", { job: { registration: { ...registration, state: "proving" } } }),
    );
    await refuses();
    await change(({ registration }) => ({ job: { registration: { ...registration, state: "proven" } } }));
    await change(() => ({ view: { isServed: true, modelId: 7 } }));
    await refuses();
    await change(() => ({ view: { isServed: false } }));
    await other.control.delete(await one.jobs.get(view.id));
    await expect(change(() => ({ view: { step: 7 } }))).rejects.toThrow(code("MOD_FACTORY_UNKNOWN"));
    for (const table of ["jobs", "events", "files", "uploads"])
      expect(await one.database.query(`select from ${table}`), table).toEqual([]);
  });

  it("tells followers of every server each event once, in order", async () => {
    const { view } = await one.control.add(jobOf(2));
    const heard: JobEvent[][] = [[], []];
    const ends = [
      await one.jobs.follow(view.id, 0, (event) => heard[0]!.push(event)),
      await other.jobs.follow(view.id, 1, (event) => heard[1]!.push(event)),
    ];
    for (let done = 0; done < 40; done++)
      await [one, other][done % 2]!.jobs.change(view.id, () => ({
        events: [{ kind: "stage", stage: "load", done, total: 40 }],
      }));
    await expect.poll(() => heard[1]!.length).toBe(40);
    await expect
      .poll(() => heard[0]!.map(({ number }) => number))
      .toEqual(Array.from({ length: 41 }, (_, i) => i + 1));
    expect(heard[1]).toEqual(heard[0]!.slice(1));
    for (const end of ends) end();
  });

  it("refuses a change as a whole", async () => {
    const { view } = await one.control.add(jobOf(2));
    await expect(
      one.jobs.change(view.id, async (_, queries) => {
        await queries.query("update clock set turn = 99");
        throw new RangeError("no");
      }),
    ).rejects.toThrow(RangeError);
    expect(await one.database.query("select turn from clock")).toEqual([{ turn: 0 }]);
    expect((await one.jobs.get(view.id)).view.lastEvent).toBe(1);
  });
});

it("a job's file is whole or not there, of several pieces, and replaced by the holder alone", async () => {
  const folder = mkdtempSync(join(tmpdir(), "job-files-"));
  try {
    const { view } = await one.control.add(jobOf(2));
    const files = new JobFiles(one.database);
    const path = join(folder, "state");
    const bytes = Buffer.alloc(9 * 2 ** 20, 5);
    writeFileSync(path, bytes);
    const file = { form: "state" as const, name: "tuning.state", path };
    await files.put(view.id, file);
    writeFileSync(path, "newer");
    const refusal = new RangeError("another worker's");
    await expect(files.put(view.id, file, () => Promise.reject(refusal))).rejects.toThrow(refusal);
    const fetched = join(folder, "fetched");
    expect(await new JobFiles(other.database).fetch(view.id, "state", "tuning.state", fetched)).toBe(true);
    expect(bytes.equals(await readFile(fetched))).toBe(true);
    await files.put(view.id, file);
    await files.fetch(view.id, "state", "tuning.state", fetched);
    expect(await readFile(fetched, "utf8")).toBe("newer");
    expect(await one.database.query("select octet_length(bytes) as bytes from pieces")).toEqual([
      { bytes: 5 },
    ]);
    await one.database.query("update pieces set bytes = 'wrong'");
    await expect(files.fetch(view.id, "state", "tuning.state", fetched)).rejects.toThrow(
      code("SRV_STORE_CORRUPT"),
    );
    expect(await files.fetch(view.id, "adapter", "none", fetched)).toBe(false);
    await one.control.delete(await one.jobs.get(view.id));
    await expect(files.put(view.id, file)).rejects.toThrow(code("MOD_FACTORY_UNKNOWN"));
    expect(await one.database.query("select from pieces")).toEqual([]);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
