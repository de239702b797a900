import { existsSync } from "node:fs";
import { join } from "node:path";
import { Level } from "level";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { close, send } from "../testing/test-operator.ts";
import { startTestRollup, temporaryFolder, transfer } from "../testing/test-rollup.ts";
import { LedgerLog } from "./ledger-log.ts";
import { storeKeys } from "./store-keys.ts";

let folder: ReturnType<typeof temporaryFolder>;
let dataPath: string;
/** Of an acknowledged operation; no start reads it. */
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

const start = (storeCheck: "first" | "beside") =>
  startTestRollup({ dataPath, userCount: 0, environment: { SEQUENCER_STORE_CHECK: storeCheck } });
const isOwed = () => existsSync(join(dataPath, "UNCHECKED"));

/** Flips a bit of a value, and leaves its checksum as it was. */
async function damage(key: string): Promise<void> {
  const db = new Level<string, Uint8Array>(dataPath, { valueEncoding: "view" });
  const value = Uint8Array.from((await db.get(key))!);
  value[value.length - 1]! ^= 1;
  await db.put(key, value);
  await db.close();
}

describe("a store that is checked beside the work", () => {
  it("serves at once, and is known to be good soon", async () => {
    const rollup = await start("beside");
    expect(rollup.sequencer.log.check.valueCount).toBe(0);
    expect(isOwed()).toBe(true);
    const check = await rollup.sequencer.log.checkBeside();
    expect(check!.valueCount).toBeGreaterThan(10);
    expect(isOwed()).toBe(false);
    await rollup.stop();
    expect(rollup.fatal).toEqual([]);
  });

  it("ends the process where the history is damaged, and is refused from then on", async () => {
    await damage(oldKey);
    await expect(start("first")).rejects.toMatchObject({ code: "SRV_STORE_CORRUPT" });
    const rollup = await start("beside");
    await expect.poll(() => rollup.fatal).toMatchObject([{ code: "SRV_STORE_CORRUPT" }]);
    await expect(rollup.sequencer.log.write([{ key: "x", value: 1 }])).rejects.toMatchObject({
      code: "SRV_STORE_CORRUPT",
    });
    // As a process would end: nothing more is written.
    await rollup.stop().catch(() => {});
    await rollup.sequencer.log.close();
    await expect(start("beside")).rejects.toMatchObject({ code: "SRV_STORE_CORRUPT" });
  });

  it("is refused at the start where that goes on with what is damaged", async () => {
    await damage(storeKeys.leaf(1));
    await expect(start("beside")).rejects.toMatchObject({ code: "SRV_STORE_CORRUPT" });
  });

  it("is checked first where the last check was not finished", async () => {
    const log = await LedgerLog.open(dataPath, undefined, { storeCheck: "beside" });
    await log.close();
    expect(isOwed()).toBe(true);
    const rollup = await start("beside");
    expect(rollup.sequencer.log.check.valueCount).toBeGreaterThan(10);
    expect(isOwed()).toBe(false);
    await rollup.stop();
  });
});
