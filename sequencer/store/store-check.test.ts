/** Tests of the checks of LevelDB's files under the sequencer's store. */
import { readdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Level } from "level";
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from "vitest";
import { openTestLog } from "../testing/open-test-log.ts";
import { close, send } from "../testing/test-operator.ts";
import { startTestRollup, temporaryFolder, transfer } from "../testing/test-rollup.ts";
import { storeKeys } from "./store-keys.ts";

let folder: ReturnType<typeof temporaryFolder>;
let dataPath: string;
/** Key of an acknowledged operation; no start reads it. */
let oldKey: string;

beforeEach(async () => {
  folder = temporaryFolder();
  dataPath = folder.path;
  const rollup = await startTestRollup({ dataPath });
  const [alice, bob] = rollup.users as [(typeof rollup.users)[0], (typeof rollup.users)[0]];
  oldKey = storeKeys.operation((await send(rollup, transfer(alice, bob, 0n))).body.hash);
  await close(rollup);
  await rollup.stop();
});
afterEach(() => folder.remove());

const start = async () => {
  const rollup = await startTestRollup({ dataPath, userCount: 0 });
  onTestFinished(() => rollup.stop().catch(() => {}));
  return rollup;
};
const tables = () => readdirSync(dataPath).filter((name) => name.endsWith(".ldb"));
const tableCountOfStart = async () => {
  const log = await openTestLog(dataPath);
  await log.close();
  return log.check.tableCount;
};

/** Flips a bit of a value, and leaves its checksum as it was. */
async function damage(key: string): Promise<void> {
  const db = new Level<string, Uint8Array>(dataPath, { valueEncoding: "view" });
  const value = Uint8Array.from((await db.get(key))!);
  value[value.length - 1]! ^= 1;
  await db.put(key, value);
  await db.close();
}

function flip(name: string): void {
  const path = join(dataPath, name);
  const { atime, mtime } = statSync(path);
  const bytes = readFileSync(path);
  bytes[bytes.length >> 1]! ^= 1;
  writeFileSync(path, bytes);
  utimesSync(path, atime, mtime);
}

describe("a store's check", () => {
  it("goes over what changed since the last one", async () => {
    // The first start puts the log into a table.
    expect(await tableCountOfStart()).toBe(0);
    expect(await tableCountOfStart()).toBe(tables().length);
    expect(await tableCountOfStart()).toBe(0);
    rmSync(join(dataPath, "CHECKED-TABLES"));
    expect(await tableCountOfStart()).toBe(tables().length);
    writeFileSync(join(dataPath, "CHECKED-TABLES"), "half of i");
    expect(await tableCountOfStart()).toBe(tables().length);
  });

  it("finds a value in the log, and one in a table, whose checksum is not its own", async () => {
    await damage(oldKey);
    await expect(start()).rejects.toMatchObject({ code: "SRV_STORE_CORRUPT" });
    const db = new Level(dataPath);
    await db.open();
    await db.close();
    await expect(start()).rejects.toMatchObject({ code: "SRV_STORE_CORRUPT" });
  });

  it("finds a table that was changed since it was checked", async () => {
    await tableCountOfStart();
    await tableCountOfStart();
    flip(tables()[0]!);
    await expect(start()).rejects.toMatchObject({
      code: "SRV_STORE_CORRUPT",
      data: { reason: /\.ldb is damaged/ },
    });
  });

  it("goes on beside the work, over new tables and one old one, and ends the process where one is damaged", async () => {
    await tableCountOfStart();
    await tableCountOfStart();
    const rollup = await start();
    const { log } = rollup.sequencer;
    await log.checkTables();
    expect(rollup.fatal).toEqual([]);
    const [name] = tables();
    const long = new Date(Date.now() - 60_000);
    flip(name!);
    utimesSync(join(dataPath, name!), long, long);
    await log.checkTables();
    expect(rollup.fatal).toMatchObject([{ code: "SRV_STORE_CORRUPT" }]);
    await expect(log.write([{ key: "x", value: 1 }])).rejects.toMatchObject({ code: "SRV_STORE_CORRUPT" });
  });
});
