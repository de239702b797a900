import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { Client, Pool } from "pg";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { createLogger } from "../logger.ts";
import { administer, createTestDatabase, type TestDatabase } from "../testing/test-database.ts";
import { addressFor } from "./address.ts";
import { Database, type DatabaseOptions } from "./database.ts";
import { databaseError, isDuplicate, sqlStateOf } from "./database-errors.ts";
import type { DatabasePart } from "./migrate.ts";
import { makeRole, rowRights } from "./roles.ts";
import { isStorableText } from "./storable-text.ts";

const logger = createLogger("test", "silent");
const rollup = { chainId: 31_337, rollupAddress: "0x00000000000000000000000000000000000000Aa" };
const FIRST = "create table things (id integer primary key, name text not null, facts jsonb)";
const part: DatabasePart = { name: "sample", migrations: [FIRST] };

let server: TestDatabase;
let home: TestDatabase;
const open: Database[] = [];

async function database(options: Partial<DatabaseOptions> = {}): Promise<Database> {
  const made = await Database.open({ url: home.url, part, rollup, logger, ...options });
  open.push(made);
  return made;
}

// One that is there all the time, so that the server does not stop between two cases.
beforeAll(async () => {
  server = await createTestDatabase();
});
afterAll(() => server.drop());
beforeEach(async () => {
  home = await createTestDatabase();
});
afterEach(async () => {
  for (const one of open.splice(0)) await one.close();
  await home.drop();
});

describe("a part's schema", () => {
  it("is made once, by two processes at once", async () => {
    const [one, other] = await Promise.all([database(), database()]);
    await one.query("insert into things values (1, 'a', null)");
    expect(await other.query("select name from things")).toEqual([{ name: "a" }]);
    expect(await one.query("select version, chain_id from openledger.parts")).toEqual([
      { version: 1, chain_id: "31337" },
    ]);
  });

  it("of an older version is migrated after a copy; a newer one is refused, and stays as it is", async () => {
    const old = await database();
    await old.query("insert into things values (1, 'a', $1)", [JSON.stringify([])]);
    const next = {
      name: "sample",
      migrations: [FIRST, "alter table things add column size integer default 7"],
    };
    const migrated = await database({ part: next });
    expect(await migrated.query("select * from things")).toEqual([{ id: 1, name: "a", facts: [], size: 7 }]);
    expect(await migrated.query("select * from sample_before_2.things")).toEqual([
      { id: 1, name: "a", facts: [] },
    ]);
    await expect(database()).rejects.toMatchObject({
      code: "SRV_DATABASE_SCHEMA",
      data: { reason: "newer", found: 2, expected: 1 },
    });
    expect(await migrated.query("select count(*)::int as n from things")).toEqual([{ n: 1 }]);
  });

  it("is migrated for as long as it takes", async () => {
    await database();
    const next = { name: "sample", migrations: [FIRST, "select pg_sleep(0.5)"] };
    const migrated = await database({ part: next, statementTimeoutMs: 200 });
    expect(await migrated.query("select version from openledger.parts")).toEqual([{ version: 2 }]);
    await expect(migrated.query("select pg_sleep(5)")).rejects.toMatchObject({
      code: "SRV_DATABASE_UNREACHABLE",
    });
  });

  it("whose migration fails stays in its version", async () => {
    const old = await database();
    const next = { name: "sample", migrations: [FIRST, "drop table things; select 1/0"] };
    await expect(database({ part: next })).rejects.toMatchObject({ code: "SRV_DATABASE_FAILED" });
    expect(await old.query("select * from things")).toEqual([]);
    expect(await old.query("select version from openledger.parts")).toEqual([{ version: 1 }]);
  });

  it("of another rollup is refused, in any spelling of the address but its own", async () => {
    await database();
    await database({ rollup: { ...rollup, rollupAddress: rollup.rollupAddress.toLowerCase() } });
    for (const other of [
      { ...rollup, chainId: 1 },
      { ...rollup, rollupAddress: `0x${"0".repeat(38)}ab` },
      null,
    ])
      await expect(database({ rollup: other })).rejects.toMatchObject({ code: "SRV_WRONG_DATABASE" });
  });

  it("of an earlier chain is refused, where a rollup has the same address", async () => {
    const inBlock = (digit: string, timestamp = 1) => ({
      ...rollup,
      deployedIn: { blockHash: `0x${digit.repeat(64)}`, timestamp },
    });
    const earlier = { code: "SRV_WRONG_DATABASE", data: { reason: "other-deployment" } };
    // As an earlier version left it: no column, and no block.
    const old = await database();
    await old.query("alter table openledger.parts drop column deployment_block");
    await database({ rollup: inBlock("a"), migrates: false });
    const later = inBlock("a", Date.now() / 1_000 + 3_600);
    await expect(database({ rollup: later })).rejects.toMatchObject(earlier);
    await database({ rollup: inBlock("a") });
    await database({ rollup: inBlock("A") });
    await database();
    for (const migrates of [true, false])
      await expect(database({ rollup: inBlock("b"), migrates })).rejects.toMatchObject(earlier);
    const next = { name: "sample", migrations: [FIRST, "select 1"] };
    await expect(database({ rollup: inBlock("b"), part: next })).rejects.toMatchObject(earlier);
    await database({ rollup: inBlock("a"), part: next });
    expect(await old.query("select version, deployment_block from openledger.parts")).toEqual([
      { version: 2, deployment_block: inBlock("a").deployedIn.blockHash },
    ]);
  });

  it("is not made by a role that may not", async () => {
    await expect(database({ migrates: false })).rejects.toMatchObject({
      code: "SRV_DATABASE_SCHEMA",
      data: { reason: "older", found: 0 },
    });
    await database();
    await database({ migrates: false });
  });

  it("is not changed by a role with the rights to its rows, which names the version that is missing", async () => {
    const owner = await database();
    const role = `${/test_\w+/.exec(home.url)![0]}_worker`;
    await makeRole(owner, { name: role, password: "secret", rights: rowRights(part) });
    const url = addressFor(home.url, role, "secret");
    const rows = await database({ url });
    await rows.query("insert into things values (1, 'a', null)");
    expect(await rows.query("select name from things")).toEqual([{ name: "a" }]);
    const next = { name: "sample", migrations: [FIRST, "alter table things add column size integer"] };
    await expect(database({ url, part: next })).rejects.toMatchObject({
      code: "SRV_DATABASE_SCHEMA",
      data: { reason: "older", found: 1, expected: 2 },
    });
    await expect(database({ url, part: { name: "other", migrations: [FIRST] } })).rejects.toMatchObject({
      code: "SRV_DATABASE_SCHEMA",
      data: { found: 0 },
    });
  });

  it("is not made in a database without Unicode", async () => {
    await administer(home.url, "create database latin encoding 'SQL_ASCII' locale 'C' template template0");
    try {
      const url = home.url.replace(/\/test_\w+/, "/latin");
      await expect(database({ url })).rejects.toMatchObject({ code: "SRV_DATABASE_ENCODING" });
    } finally {
      await administer(home.url, "drop database latin with (force)");
    }
  });
});

describe("a connection", () => {
  it("whose settings are dropped on the way is refused before anything is made", async () => {
    // As a pooler does that ignores them.
    const url = `${home.url}&options=-c%20timezone%3DUTC`;
    await expect(database({ url })).rejects.toMatchObject({
      code: "SRV_DATABASE_UNSUITABLE",
      data: { reason: "options-dropped", expected: "sample" },
    });
    await database();
    const [one] = open;
    expect(await one!.query("select schemaname from pg_tables where tablename = 'things'")).toEqual([
      { schemaname: "sample" },
    ]);
  });

  it("whose settings a pooler does not take is told as such", async () => {
    const pooler = createServer((socket) => {
      socket.on("error", () => {});
      socket.on("data", () => {
        const fields = "SFATAL\0C08P01\0Munsupported startup parameter: options\0\0";
        const head = Buffer.alloc(5, "E");
        head.writeUInt32BE(4 + fields.length, 1);
        socket.end(Buffer.concat([head, Buffer.from(fields)]));
      });
    });
    await once(pooler.listen(0, "127.0.0.1"), "listening");
    try {
      const { port } = pooler.address() as AddressInfo;
      await expect(database({ url: `postgres://nobody@127.0.0.1:${port}/none` })).rejects.toMatchObject({
        code: "SRV_DATABASE_UNSUITABLE",
        data: { reason: "options-refused" },
      });
    } finally {
      pooler.close();
    }
  });

  it("to a server that takes no writes is refused, though all tables are there", async () => {
    await database();
    const name = /test_\w+/.exec(home.url)![0];
    await administer(server.url, `alter database ${name} set default_transaction_read_only = on`);
    await expect(database()).rejects.toMatchObject({
      code: "SRV_DATABASE_UNREACHABLE",
      data: { reason: "read-only" },
    });
  });

  it("that may not make schemas is refused in the server's words", async () => {
    const role = `${/test_\w+/.exec(home.url)![0]}_reader`;
    await administer(home.url, `create role ${role} login`);
    await administer(home.url, "create schema openledger");
    await administer(home.url, `create table openledger.parts (name text)`);
    try {
      await expect(database({ url: addressFor(home.url, role, "") })).rejects.toMatchObject({
        code: "SRV_DATABASE_FAILED",
        message: expect.stringContaining("permission denied"),
      });
    } finally {
      await administer(home.url, `drop role ${role}`);
    }
  });
});

describe("transactions", () => {
  it("of which one lost a race are tried again, so that no addition is lost", async () => {
    const one = await database();
    await one.query("insert into things values (1, '0', null), (2, '0', null)");
    const add = (ids: readonly number[]) =>
      one.transaction(async ({ query }) => {
        // In two orders: each transaction waits for the other's row.
        for (const id of ids)
          await query("update things set name = (name::int + 1)::text where id = $1", [id]);
      });
    await Promise.all(Array.from({ length: 6 }, (_, i) => add(i % 2 === 0 ? [1, 2] : [2, 1])));
    expect(await one.query("select name from things order by id")).toEqual([{ name: "6" }, { name: "6" }]);
  });

  it("with a failed statement are rolled back, though its error was caught", async () => {
    const one = await database();
    await one.query("insert into things values (1, 'a', null)");
    const failed = one.transaction(async ({ query }) => {
      await query("insert into things values (2, 'b', null)");
      await query("insert into things values (1, 'c', null)").catch(() => {});
    });
    await expect(failed).rejects.toSatisfy(isDuplicate);
    expect(await one.query("select id from things")).toEqual([{ id: 1 }]);
  });

  it("whose connection the server ends reject as unreachable, and the next query works", async () => {
    const one = await database();
    const ended = one.transaction(async ({ query }) => {
      await query("insert into things values (1, 'a', null)");
      await one.query(
        "select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()",
      );
      await query("insert into things values (2, 'b', null)");
    });
    await expect(ended).rejects.toMatchObject({ code: "SRV_DATABASE_UNREACHABLE", isRetryable: true });
    expect(await one.query("select id from things")).toEqual([]);
  });

  it("that wait for too long are ended, and leave the connection to the next", async () => {
    const one = await database({ statementTimeoutMs: 300, maxConnections: 1 });
    await expect(one.query("select pg_sleep(5)")).rejects.toMatchObject({
      code: "SRV_DATABASE_UNREACHABLE",
      message: "the database does not answer",
    });
    expect(await one.query("select 1 as n")).toEqual([{ n: 1 }]);
  });
});

it("a connection that ends is logged without the client that had it", async () => {
  const lines: string[] = [];
  const heard = createLogger("test", "warn", { write: (line) => lines.push(line) });
  const one = await database({ logger: heard });
  const other = await database();
  await one.query("select 1");
  await other.query(
    "select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()",
  );
  await expect.poll(() => lines.length).toBeGreaterThan(0);
  expect(JSON.parse(lines[0]!)).toMatchObject({
    err: { code: "57P01", message: expect.stringContaining("terminating connection") },
    msg: "a connection to the database ended",
  });
  expect(lines[0]).not.toContain("secretKey");
});

it("a close waits until all connections have ended, so that nothing ends them with an error", async () => {
  const lines: string[] = [];
  const heard = createLogger("test", "warn", { write: (line) => lines.push(line) });
  const other = await database();
  for (let round = 0; round < 5; round++) {
    const one = await Database.open({ url: home.url, part, rollup, logger: heard });
    const busy = Array.from({ length: 10 }, () =>
      one.query<{ pid: number }>("select pg_backend_pid() as pid from pg_sleep(0.02)"),
    );
    const pids = (await Promise.all(busy)).map(([row]) => row!.pid);
    expect(new Set(pids).size).toBe(10);
    await one.close();
    expect(
      await other.query("select pg_terminate_backend(pid) from pg_stat_activity where pid = any($1)", [pids]),
    ).toEqual([]);
  }
  expect(lines).toEqual([]);
});

it("an error of the driver leaves its client and its address out of every log", async () => {
  const password = "password-of-nobody";
  const url = home.url.replace("user=postgres", `user=postgres&password=${password}`);
  const pool = new Pool({ connectionString: url });
  const ended = new Promise<Error>((resolve) => pool.on("error", resolve));
  await pool.query("select 1");
  const other = await database();
  await other.query(
    "select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()",
  );
  const error = await ended;
  await pool.end();
  expect(JSON.stringify((error as { client?: object }).client), "the driver's error has it").toContain(
    "secretKey",
  );
  const lines: string[] = [];
  const logger = createLogger("test", "warn", { write: (line) => lines.push(line) });
  const raised = databaseError(error);
  logger.warn({ err: error }, "as it is");
  logger.child({ jobId: 1 }).warn({ err: new Error("as a cause", { cause: error }) }, "within another");
  logger.warn({ err: raised }, "as the project's own");
  logger.warn({ err: new AggregateError([error], "of several") }, "of several");
  for (const line of lines)
    for (const secret of ["secretKey", "connectionParameters", password]) expect(line).not.toContain(secret);
  expect(lines.map((line) => JSON.parse(line).err)).toEqual([
    { type: "DatabaseError", code: "57P01", message: error.message, stack: error.stack },
    expect.objectContaining({ type: "Error", message: `as a cause: ${error.message}` }),
    expect.objectContaining({ code: "SRV_DATABASE_UNREACHABLE", data: { reason: "57P01" } }),
    expect.objectContaining({ errors: [expect.objectContaining({ type: "DatabaseError", code: "57P01" })] }),
  ]);
});

it("notices come, and null after a connection that was lost", async () => {
  const one = await database();
  const notices: (string | null)[] = [];
  await one.listen("news", (payload) => notices.push(payload));
  await one.query("select pg_notify('news', 'first')");
  await expect.poll(() => notices).toEqual(["first"]);
  await one.query("select pg_terminate_backend(pid) from pg_stat_activity where query like 'listen%'");
  await expect.poll(() => notices, { timeout: 10_000 }).toEqual(["first", null]);
  await one.query("select pg_notify('news', 'second')");
  await expect.poll(() => notices).toEqual(["first", null, "second"]);
});

it("an address at which nobody answers is named by its code, as one address or several", async () => {
  for (const host of ["127.0.0.1", "localhost"])
    await expect(database({ url: `postgres://nobody@${host}:1/none` })).rejects.toMatchObject({
      code: "SRV_DATABASE_UNREACHABLE",
      data: { reason: "ECONNREFUSED" },
    });
  await expect(database({ url: "postgres://nobody@127.0.0.1:1/none" })).rejects.toThrow("127.0.0.1:1");
});

it("a broken pipe and a credential that is not taken are a database that does not answer", () => {
  for (const code of ["EPIPE", "ECONNRESET", "28P01", "28000", "3D000", "57P01"]) {
    const cause = Object.assign(new Error("of the driver"), {
      code,
      ...(code.startsWith("E") ? { errno: -32 } : {}),
    });
    expect(databaseError(cause), code).toMatchObject({
      code: "SRV_DATABASE_UNREACHABLE",
      data: { reason: code },
    });
  }
});

it("text that the server would refuse or change is told beforehand", async () => {
  const one = await database();
  const store = (text: string) => one.query<{ t: string }>("select $1::text as t", [text]);
  for (const text of ["a", "\u{1F600}é", ""]) {
    expect(isStorableText(text)).toBe(true);
    expect(await store(text)).toEqual([{ t: text }]);
  }
  expect(isStorableText("a\0b")).toBe(false);
  await expect(store("a\0b")).rejects.toSatisfy((error) => sqlStateOf(error) === "22021");
  expect(isStorableText("\ud800")).toBe(false);
  expect(await store("\ud800")).not.toEqual([{ t: "\ud800" }]);
});

it("a client of another kind sees what was committed", async () => {
  const one = await database();
  const { query } = one;
  expect(await query("select 1 as n")).toEqual([{ n: 1 }]);
  await one.transaction(({ query }) => query("insert into things values (1, 'a', null)"));
  const client = new Client({ connectionString: home.url });
  await client.connect();
  expect((await client.query("select name from sample.things")).rows).toEqual([{ name: "a" }]);
  await client.end();
});
