/** `--reset` and a database that a variable names: the devnet's rollup goes, another's and other programs' tables stay. */
import { Database } from "@openledger/foundation/database/database";
import { createLogger } from "@openledger/foundation/logger";
import {
  administer,
  createTestDatabase,
  type TestDatabase,
} from "@openledger/foundation/testing/test-database";
import { afterAll, beforeAll, expect, it } from "vitest";
import { clearDatabases } from "./clear-databases.ts";

const rollup = {
  chainId: 31337,
  rollupAddress: "0x00000000000000000000000000000000000000A1",
  deployedIn: { blockHash: `0x${"a".repeat(64)}`, timestamp: 1 },
};
const other = { ...rollup, deployedIn: { blockHash: `0x${"b".repeat(64)}`, timestamp: 1 } };
const logger = createLogger("test", "silent");
let home: TestDatabase;
beforeAll(async () => {
  home = await createTestDatabase();
});
afterAll(() => home?.drop());

const FIRST = "create table things (id integer primary key)";
const make = async (name: string, of: typeof rollup, migrations = [FIRST]) =>
  (await Database.open({ url: home.url, part: { name, migrations }, rollup: of, logger })).close();

it("drops what the devnet's rollup has there, copies before migrations too, and nothing else", async () => {
  await make("hosted", rollup);
  await make("hosted", rollup, [FIRST, "select 1"]);
  await make("foreign_rollup", other);
  await administer(home.url, "create table somebodys (id integer)");
  const lines: string[] = [];
  const clear = (name: string) =>
    clearDatabases(rollup, { [name]: home.url }, { line: (text) => void lines.push(text) });
  // The devnet never writes there.
  await clear("DATABASE_URL");
  expect(lines).toEqual([]);
  await clear("OPENLEDGER_DATABASE_URL");
  expect(lines).toEqual(["dropped from the database: hosted"]);
  const left = await Database.open({
    url: home.url,
    part: { name: "foreign_rollup", migrations: [FIRST] },
    rollup: other,
    logger,
  });
  expect(await left.query("select name from openledger.parts where chain_id is not null")).toEqual([
    { name: "foreign_rollup" },
  ]);
  const schemas =
    "select nspname::text as name from pg_namespace where nspname ~ '^(hosted|foreign_rollup)' order by nspname";
  expect(await left.query(schemas)).toEqual([{ name: "foreign_rollup" }]);
  expect(await left.query("select from public.somebodys")).toEqual([]);
  await left.close();
  // The next devnet may write there again.
  await make("hosted", other);
});
