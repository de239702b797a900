import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expectRefusals } from "@openledger/foundation/testing/refused-stores.fixtures";
import { tryDamages } from "@openledger/foundation/testing/store-damage.fixtures";
import { isWhole } from "@openledger/foundation/testing/test-random";
import { Level } from "level";
import { afterEach, beforeEach, expect, test } from "vitest";
import { openBridgeStore } from "./bridge-store.ts";

const ROLLUP = { chainId: 31337, rollupAddress: "0x00000000000000000000000000000000000000a1" };

let parent: string;
let folder: string;
beforeEach(() => {
  parent = mkdtempSync(join(tmpdir(), "bridge-store-"));
  folder = join(parent, "bridge");
});
afterEach(() => rmSync(parent, { recursive: true, force: true }));

test("keeps values, and refuses one that was written without a checksum", async () => {
  const store = await openBridgeStore(folder, ROLLUP);
  await store.queue.write([{ put: "cursor", value: { blockNumber: 8 } }]);
  await store.close();
  const again = await openBridgeStore(folder, ROLLUP);
  expect(await again.queue.entries()).toEqual([["cursor", { blockNumber: 8 }]]);
  expect(await again.publisher.get("cursor")).toBeUndefined();
  await again.close();
  const bare = new Level<string, unknown>(folder, { valueEncoding: "json" });
  await bare.sublevel<string, unknown>("queue", { valueEncoding: "json" }).put("cursor", { blockNumber: 7 });
  await bare.close();
  await expect(openBridgeStore(folder, ROLLUP)).rejects.toMatchObject({ code: "SRV_STORE_CORRUPT" });
});

test("is not opened where a value is not as it was written", async () => {
  const store = await openBridgeStore(folder, ROLLUP);
  await store.queue.write([{ put: "cursor", value: { blockNumber: 11111 } }]);
  await store.close();
  // Opened once more, LevelDB moves it from its log, which has checksums of its own, into a table.
  await (await openBridgeStore(folder, ROLLUP)).close();
  const [table] = readdirSync(folder).filter((name) => name.endsWith(".ldb"));
  const path = join(folder, table!);
  const bytes = readFileSync(path);
  const at = bytes.indexOf("11111");
  expect(at).toBeGreaterThan(0);
  bytes[at] = "2".charCodeAt(0);
  writeFileSync(path, bytes);
  await expect(openBridgeStore(folder, ROLLUP)).rejects.toMatchObject({ code: "SRV_STORE_CORRUPT" });
});

test("opens with everything or not at all, whatever happened to a file", async () => {
  for (let start = 0; start < 3; start++) {
    const store = await openBridgeStore(folder, ROLLUP);
    const parts = [store.queue, store.publisher, store.randomness];
    for (const [i, part] of parts.entries()) {
      const value = { start, text: `${i}`.repeat(300 + start) };
      await part.write([
        { put: `key-${start}-${i}`, value },
        { put: "cursor", value: { blockNumber: start } },
      ]);
      if (start > 0) await part.write([{ delete: `key-${start - 1}-${i}` }]);
    }
    await store.close();
  }
  const outcomes = await tryDamages(folder, {
    codes: ["SRV_STORE_CORRUPT", "SRV_STORE_FAILED"],
    flipsPerFile: isWhole ? 24 : 6,
    async read(path) {
      const store = await openBridgeStore(path, ROLLUP);
      try {
        const all = await Promise.all(
          [store.queue, store.publisher, store.randomness].map((part) => part.entries()),
        );
        expect(all.map((entries) => entries.length)).toEqual([2, 2, 2]);
        return all;
      } finally {
        await store.close();
      }
    },
  });
  expect(outcomes.get("SRV_STORE_CORRUPT")).toBeGreaterThan(isWhole ? 80 : 20);
  expect(outcomes.get("everything")).toBeGreaterThan(5);
});

test("says that a second process has it, and tells its owner of a failure", async () => {
  const failures: Error[] = [];
  const store = await openBridgeStore(folder, ROLLUP, (error) => failures.push(error));
  await expect(openBridgeStore(folder, ROLLUP)).rejects.toMatchObject({ code: "SRV_STORE_LOCKED" });
  for (const value of [1n, 1])
    await expect(store.queue.write([{ put: "cursor", value }])).rejects.toMatchObject({
      code: "SRV_STORE_FAILED",
    });
  expect(failures).toMatchObject([{ code: "SRV_STORE_FAILED" }]);
  await store.close();
  await expect(store.queue.get("cursor")).rejects.toMatchObject({ code: "SRV_STORE_FAILED" });
  expect(failures).toHaveLength(1);
});

test("refuses another rollup's folder, another kind's and another format's, and leaves it as it is", async () => {
  await expectRefusals({
    open: async (at, rollup) => (await openBridgeStore(at, rollup)).close(),
    kind: "bridge",
    rollup: ROLLUP,
    code: "SRV_WRONG_DIRECTORY",
    folder,
    formatless: join(import.meta.dirname, "../testing/stores/format-0"),
  });
});
