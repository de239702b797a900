import { rmSync } from "node:fs";
import { join } from "node:path";
import { KIND } from "@openledger/circuits/protocol";
import { tryDamages } from "@openledger/foundation/testing/store-damage.fixtures";
import { isWhole } from "@openledger/foundation/testing/test-random";
import { describe, expect, it, onTestFinished } from "vitest";
import { freshFolder } from "../testing/fresh-rollup.ts";
import { TEST_ROLLUP } from "../testing/test-rollup.ts";
import { LedgerLog } from "./ledger-log.ts";
import { leavesOf } from "./log-entry.ts";
import { storeKeys } from "./store-keys.ts";

async function open(path?: string) {
  const folder = path ?? freshFolder();
  const log = await LedgerLog.open(folder, TEST_ROLLUP);
  onTestFinished(() => log.close().catch(() => {}));
  return { log, path: folder };
}

it("names each leaf of an operation once, and the one that it made", () => {
  const leaves = (kind: number, a: number, b: number, createdId: number | null = null) =>
    leavesOf({ operation: { kind, a, b }, createdId });
  expect(leaves(KIND.transfer, 2, 3)).toEqual([2, 3]);
  expect(leaves(KIND.transfer, 2, 2)).toEqual([2]);
  expect(leaves(KIND.withdraw, 2, 0)).toEqual([2]);
  expect(leaves(KIND.createAccount, 2, 0, 9)).toEqual([2, 9]);
  expect(leaves(KIND.depositTo, 0, 0)).toEqual([0]);
  expect(leaves(KIND.depositNew, 0, 0, 9)).toEqual([9]);
});

describe("LedgerLog", () => {
  it("gives entries back in order after it was opened again", async () => {
    const { log, path } = await open();
    expect(log.lastSequence).toBe(-1);
    for (let batchNumber = 0; batchNumber < 300; batchNumber++)
      void log.append([{ type: "closed", batchNumber }]);
    expect(log.lastSequence).toBe(299);
    await log.close();
    const again = (await open(path)).log;
    expect(again.lastSequence).toBe(299);
    const numbers: number[] = [];
    for await (const [sequence, entry] of again.entries(290, 295)) numbers.push(sequence, entry.batchNumber);
    expect(numbers).toEqual([290, 290, 291, 291, 292, 292, 293, 293, 294, 294, 295, 295]);
  });

  it("makes writes durable in the order in which they came", async () => {
    const { log } = await open();
    const order: number[] = [];
    const writes = Array.from({ length: 50 }, (_, i) =>
      log.write([{ key: storeKeys.leaf(i), value: i }]).then(() => order.push(i)),
    );
    await Promise.all(writes);
    expect(order).toEqual(Array.from({ length: 50 }, (_, i) => i));
    await log.flushed();
  });

  it("takes as many writes at once as a ledger has leaves", async () => {
    const { log } = await open();
    const count = 150_000;
    await log.write(
      Array.from({ length: count }, (_, i) => ({ key: storeKeys.leafOperation(i, 0), value: i })),
    );
    const [key, last] = [storeKeys.leafOperation(count - 1, 0), count - 1];
    expect(await log.get(key)).toBe(last);
  });

  it("shows a batch as it was last written, before that is durable, too", async () => {
    const { log } = await open();
    await log.write([{ key: storeKeys.batch(7), value: { status: "closed" } }]);
    const final = log.write([{ key: storeKeys.batch(7), value: { status: "final" } }]);
    expect(await log.batch(7), "waiting").toEqual({ status: "final" });
    await new Promise((resolve) => setImmediate(resolve));
    const gone = log.write([{ key: storeKeys.batch(7) }]);
    expect(await log.batch(7), "deleted behind it").toBeUndefined();
    await Promise.all([final, gone]);
    expect(await log.batch(7)).toBeUndefined();
  });

  it("deletes where a write has no value", async () => {
    const { log } = await open();
    await log.write([{ key: storeKeys.finalPosition, value: { root: 2n ** 253n } }]);
    expect(await log.finalPosition()).toEqual({ root: 2n ** 253n });
    await log.write([{ key: storeKeys.finalPosition }]);
    expect(await log.finalPosition()).toBeUndefined();
    await expect(log.require("nothing")).rejects.toMatchObject({ code: "SEQ_STORE_INCONSISTENT" });
  });

  it.each(["sequencer", "full-node"] as const)(
    "of a %s opens with everything or not at all, whatever happened to a file",
    async (owner) => {
      const folder = freshFolder();
      const path = join(folder, "ledger");
      for (let start = 0; start < 3; start++) {
        const log = await LedgerLog.open(path, TEST_ROLLUP, undefined, { owner });
        for (let i = 0; i < 6; i++) {
          const batchNumber = 6 * start + i;
          const record = { number: batchNumber, text: String(batchNumber).repeat(200) };
          await log.append(
            [{ type: "closed", batchNumber }],
            [{ key: storeKeys.batch(batchNumber), value: record }],
          );
        }
        await log.write([
          { key: storeKeys.batch(6 * start), value: { number: 6 * start, status: "proven" } },
        ]);
        await log.close();
      }
      const outcomes = await tryDamages(path, {
        codes: ["SRV_STORE_CORRUPT", "SRV_STORE_FAILED"],
        flipsPerFile: owner === "full-node" ? 3 : isWhole ? 24 : 6,
        async read(at) {
          const log = await LedgerLog.open(at, TEST_ROLLUP, undefined, { owner });
          try {
            const all = await log.keyed({ gt: "", lt: "~" });
            // The log, the batches, and the number of writes.
            expect(all).toHaveLength(18 + 18 + 1);
            return all;
          } finally {
            await log.close();
          }
        },
      });
      expect(outcomes.get("SRV_STORE_CORRUPT")).toBeGreaterThan(isWhole ? 50 : 20);
      expect(outcomes.get("everything")).toBeGreaterThan(5);
      rmSync(join(path, "CURRENT"));
      const remedy = { sequencer: "--from-l1", "full-node": "start again" }[owner];
      await expect(LedgerLog.open(path, TEST_ROLLUP, undefined, { owner })).rejects.toMatchObject({
        code: "SRV_STORE_CORRUPT",
        data: {
          reason: expect.stringContaining("CURRENT is missing"),
          remedy: expect.stringContaining(remedy),
        },
      });
    },
    120_000,
  );

  it("refuses a data directory that is in use", async () => {
    const { path } = await open();
    await expect(LedgerLog.open(path, TEST_ROLLUP)).rejects.toMatchObject({ code: "SRV_STORE_LOCKED" });
  });

  it("reports a failed write once, and takes none after it", async () => {
    const folder = freshFolder();
    const failures: unknown[] = [];
    const log = await LedgerLog.open(folder, TEST_ROLLUP, (error) => failures.push(error));
    const unserialisable = log.write([{ key: "x", value: () => {} }]);
    await expect(unserialisable).rejects.toMatchObject({ code: "SRV_STORE_FAILED" });
    await expect(log.append([{ type: "closed", batchNumber: 1 }])).rejects.toMatchObject({
      code: "SRV_STORE_FAILED",
    });
    expect(failures).toHaveLength(1);
    await log.close();
  });
});
