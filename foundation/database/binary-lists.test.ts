/** Tests of binary-lists.ts and statement.ts against a real server. */
import { afterAll, beforeAll, expect, it } from "vitest";
import { createTestDatabase, type TestDatabase } from "../testing/test-database.ts";
import { bigints, booleans, byteStrings, integers, texts } from "./binary-lists.ts";
import { Database } from "./database.ts";
import { statement } from "./statement.ts";

let test: TestDatabase;
let database: Database;

beforeAll(async () => {
  test = await createTestDatabase();
  const part = {
    name: "lists",
    migrations: ["create table things (id integer primary key, name text not null)"],
  };
  const logger = { info() {}, warn() {} };
  database = await Database.open({ url: test.url, part, rollup: null, logger, maxConnections: 1 });
});

afterAll(async () => {
  await database.close();
  await test.drop();
});

it("writes lists that the server reads as what they are", async () => {
  const [row] = await database.query(
    `select $1::boolean[]::text as booleans, $2::bytea[]::text as bytes, $3::bigint[]::text as bigints,
            $4::int[]::text as integers, $5::text[]::text as texts`,
    [
      booleans([true, null, false]),
      byteStrings([Buffer.from("00ff5c", "hex"), Buffer.alloc(0), null]),
      bigints([0, -1, Number.MAX_SAFE_INTEGER, null]),
      integers([0, -1, 2 ** 31 - 1, null, -(2 ** 31)]),
      texts(["", "a,b", '"\\', "é家😀", null, "NULL", " x "]),
    ],
  );
  expect(row).toEqual({
    booleans: "{t,NULL,f}",
    bytes: String.raw`{"\\x00ff5c","\\x",NULL}`,
    bigints: "{0,-1,9007199254740991,NULL}",
    integers: "{0,-1,2147483647,NULL,-2147483648}",
    texts: String.raw`{"","a,b","\"\\",é家😀,NULL,"NULL"," x "}`,
  });
});

it("writes an empty list", async () => {
  const [row] = await database.query("select $1::int[] as integers, $2::text[] as texts", [
    integers([]),
    texts([]),
  ]);
  expect(row).toEqual({ integers: [], texts: [] });
});

it("prepares a statement once for a connection, and again after it has failed", async () => {
  const add = statement("insert into things select * from unnest($1::int[], $2::text[])");
  await Promise.all([1, 2, 3].map((id) => database.query(add, [integers([id]), texts([`${id}`])])));
  // Refused when it runs: the connection has it all the same.
  await expect(database.query(add, [integers([3]), texts(["again"])])).rejects.toMatchObject({
    code: "SRV_DATABASE_FAILED",
  });
  await database.query(add, [integers([4]), texts(["4"])]);
  const prepared = await database.query("select name from pg_prepared_statements");
  expect(prepared).toEqual([{ name: add.name }]);
  expect(await database.query("select array_agg(name order by id) as names from things")).toEqual([
    { names: ["1", "2", "3", "4"] },
  ]);
});

it("prepares a statement in a transaction that has failed before once more", async () => {
  const count = statement("select count(*)::int as count from things where id > $1");
  const failing = database.transaction(async ({ query }) => {
    await Promise.all([query("select 1 / 0"), query(count, [0]), query(count, [1])]);
  });
  await expect(failing).rejects.toMatchObject({ code: "SRV_DATABASE_FAILED" });
  const found = await database.transaction(({ query }) =>
    Promise.all([query(count, [0]), query(count, [2])]),
  );
  expect(found).toEqual([[{ count: 4 }], [{ count: 2 }]]);
});
