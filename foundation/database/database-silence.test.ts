/** A way to the server that hangs, and a commit whose answer is lost. */
import { setTimeout as delay } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createLogger } from "../logger.ts";
import { type DatabaseProxy, startDatabaseProxy } from "../testing/database-proxy.ts";
import { createTestDatabase, type TestDatabase } from "../testing/test-database.ts";
import { wholeTest } from "../testing/whole-run.ts";
import { Database } from "./database.ts";

const logger = createLogger("test", "silent");
const part = { name: "sample", migrations: ["create table things (id integer primary key)"] };
const SILENCE_MS = 400;
/** Longest time for a statement on a way that hangs: until it is looked, and the look itself. */
const MAX_MS = 5_000;
const unreachable = { code: "SRV_DATABASE_UNREACHABLE", isRetryable: true };

let home: TestDatabase;
let proxy: DatabaseProxy;
let database: Database;
/** Database at its own address, without the proxy. */
let other: Database;

beforeEach(async () => {
  home = await createTestDatabase();
  proxy = await startDatabaseProxy(home.url);
  const options = { part, rollup: null, logger, silenceMs: SILENCE_MS, maxConnections: 3 };
  database = await Database.open({ ...options, url: proxy.url });
  other = await Database.open({ ...options, url: home.url });
});
afterEach(async () => {
  await database.close();
  await other.close();
  await proxy.close();
  await home.drop();
});

const ids = async () =>
  (await other.query<{ id: number }>("select id from things order by id")).map(({ id }) => id);

describe("a way to the server that hangs", () => {
  it("ends statements and transactions by the typed error, turns health red, and is forgotten once it passes", async () => {
    await expect.poll(() => database.isReachable()).toBe(true);
    const running = [1, 2].map((id) =>
      database.transaction(async ({ query }) => {
        await query("insert into things values ($1)", [id]);
        await query("select pg_sleep(0.2)");
        proxy.state = "hangs";
        await query("select 1");
      }),
    );
    const startedAtMs = performance.now();
    await Promise.all(running.map((one) => expect(one).rejects.toMatchObject(unreachable)));
    await expect(database.query("select 1")).rejects.toMatchObject(unreachable);
    await expect.poll(() => database.isReachable()).toBe(false);
    expect(performance.now() - startedAtMs).toBeLessThan(4 * MAX_MS);
    proxy.state = "passes";
    await expect.poll(() => database.isReachable()).toBe(true);
    await Promise.all([3, 4, 5, 6].map((id) => database.query("insert into things values ($1)", [id])));
    expect(await ids()).toEqual([3, 4, 5, 6]);
  });

  it("for a moment leaves no statement waiting on a connection that stays mute", async () => {
    const running = database.query("select pg_sleep(0.2)");
    await delay(50);
    proxy.state = "hangs";
    proxy.state = "passes";
    const startedAtMs = performance.now();
    await expect(running).rejects.toMatchObject(unreachable);
    expect(performance.now() - startedAtMs).toBeLessThan(MAX_MS);
  });

  it("does not end a statement that the server works on", async () => {
    expect(await database.query("select 1 as n from pg_sleep(2)")).toEqual([{ n: 1 }]);
  });

  it("holds up no close for longer than it is looked", async () => {
    const options = { part, rollup: null, logger, silenceMs: SILENCE_MS };
    const one = await Database.open({ ...options, url: proxy.url });
    proxy.state = "hangs";
    const startedAtMs = performance.now();
    await one.close();
    const closedMs = performance.now() - startedAtMs;
    expect(closedMs).toBeGreaterThan(SILENCE_MS - 2);
    expect(closedMs).toBeLessThan(MAX_MS);
  });

  it("is noticed by whoever listens, who is told that notices may be missing", async () => {
    const notices: (string | null)[] = [];
    await database.listen("news", (payload) => notices.push(payload));
    await other.query("select pg_notify('news', 'first')");
    await expect.poll(() => notices).toEqual(["first"]);
    proxy.state = "hangs";
    await other.query("select pg_notify('news', 'lost')");
    await delay(4 * SILENCE_MS);
    proxy.state = "passes";
    await expect.poll(() => notices, { timeout: 15_000 }).toEqual(["first", null]);
    await other.query("select pg_notify('news', 'second')");
    await expect.poll(() => notices).toEqual(["first", null, "second"]);
  });
});

it("a listener whose connection stays with the former server after a switch goes over to the pool's, and says so", async () => {
  const next = await createTestDatabase();
  const options = { part, rollup: null, logger, silenceMs: SILENCE_MS };
  const later = await Database.open({ ...options, url: next.url });
  try {
    const notices: (string | null)[] = [];
    await database.listen("news", (payload) => notices.push(payload));
    await database.query("select pg_notify('news', 'first')");
    await expect.poll(() => notices).toEqual(["first"]);
    // Beats are no notices.
    await delay(3 * SILENCE_MS);
    expect(notices).toEqual(["first"]);
    const [found] = await later.query<{ name: string }>("select current_database() as name");
    proxy.switchTo(found!.name);
    // The former server lets nobody write any more, so the pool's connections end; the listener's only waits.
    await other.query(
      `select pg_terminate_backend(pid) from pg_stat_activity
         where datname = current_database() and pid <> pg_backend_pid() and query not like 'listen%' and query <> 'select 1'`,
    );
    await expect.poll(() => notices, { timeout: 15_000 }).toEqual(["first", null]);
    await later.query("select pg_notify('news', 'second')");
    await expect.poll(() => notices).toEqual(["first", null, "second"]);
  } finally {
    await later.close();
    await next.drop();
  }
});

describe("a transaction whose commit got no answer", () => {
  it("rejects as unreachable, is there once, and may be asked for again", async () => {
    const add = () =>
      database.transaction(async ({ query }) => {
        await query("insert into things values (7) on conflict do nothing");
      });
    proxy.state = "loses commits";
    await expect(add()).rejects.toMatchObject(unreachable);
    expect(proxy.lostCommitCount).toBe(1);
    expect(await ids()).toEqual([7]);
    proxy.state = "passes";
    await add();
    expect(await ids()).toEqual([7]);
  });
});

it("a process that hangs within a transaction loses it, and its locks, as soon as the server's limit ends", async () => {
  await other.query("insert into things values (1)");
  const [limit] = await database.query("show idle_in_transaction_session_timeout");
  expect(limit, "seconds").toEqual({ idle_in_transaction_session_timeout: "10s" });
  const hanging = database.transaction(async ({ query }) => {
    await query("set local idle_in_transaction_session_timeout = 300");
    await query("select id from things where id = 1 for update");
    proxy.state = "hangs";
    await delay(1_500);
    await query("update things set id = 2");
  });
  const [held, changed] = await Promise.allSettled([
    hanging,
    delay(200).then(() => other.query("update things set id = 3 where id = 1 returning id")),
  ]);
  expect(changed).toMatchObject({ status: "fulfilled", value: [{ id: 3 }] });
  expect(held).toMatchObject({ status: "rejected", reason: unreachable });
  expect(await ids()).toEqual([3]);
});

wholeTest("a process that hangs within a transaction has its locks for seconds only", async () => {
  await other.query("insert into things values (1)");
  const hanging = database.transaction(async ({ query }) => {
    await query("select id from things where id = 1 for update");
    proxy.state = "hangs";
    await delay(15_000);
    await query("update things set id = 2");
  });
  const startedAtMs = performance.now();
  const [held, changed] = await Promise.allSettled([
    hanging,
    delay(500).then(() => other.query("update things set id = 3 where id = 1 returning id")),
  ]);
  expect(changed).toMatchObject({ status: "fulfilled", value: [{ id: 3 }] });
  expect(held).toMatchObject({ status: "rejected", reason: unreachable });
  expect(performance.now() - startedAtMs).toBeLessThan(30_000);
  expect(await ids()).toEqual([3]);
});

it("the server's errors of a full disk and of one that takes no writes have their codes", async () => {
  const raise = (state: string, message = "of the test") =>
    other.query(`do $$ begin raise exception '${message}' using errcode = '${state}'; end $$`);
  for (const [state, message] of [
    ["53100", "could not extend file"],
    ["XX000", "could not extend file: Disk quota exceeded"],
    ["XX000", "could not write to file: File too large"],
  ])
    await expect(raise(state!, message), message).rejects.toMatchObject({
      code: "SRV_DISK_FULL",
      isRetryable: true,
      data: { reason: state },
    });
  for (const state of ["25006", "53200", "53300", "57P03"])
    await expect(raise(state), state).rejects.toMatchObject(unreachable);
  await expect(raise("XX000")).rejects.toMatchObject({ code: "SRV_DATABASE_FAILED" });
});
