import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Level } from "level";
import { afterEach, beforeEach, expect, test } from "vitest";
import { openBridgeStore } from "./bridge-store.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "bridge-store-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

test("keeps values, and reads those that were written without a checksum", async () => {
  const old = new Level<string, unknown>(folder, { valueEncoding: "json" });
  await old.sublevel<string, unknown>("queue", { valueEncoding: "json" }).put("cursor", { blockNumber: 7 });
  await old.close();
  const store = await openBridgeStore(folder);
  expect(await store.queue.get("cursor")).toEqual({ blockNumber: 7 });
  await store.queue.write([{ put: "cursor", value: { blockNumber: 8 } }]);
  await store.close();
  const again = await openBridgeStore(folder);
  expect(await again.queue.entries()).toEqual([["cursor", { blockNumber: 8 }]]);
  expect(await again.publisher.get("cursor")).toBeUndefined();
  await again.close();
});

test("is not opened where a value is not as it was written", async () => {
  const store = await openBridgeStore(folder);
  await store.queue.write([{ put: "cursor", value: { blockNumber: 11111 } }]);
  await store.close();
  // Opened once more, LevelDB moves it from its log, which has checksums of its own, into a table.
  await (await openBridgeStore(folder)).close();
  const [table] = readdirSync(folder).filter((name) => name.endsWith(".ldb"));
  const path = join(folder, table!);
  const bytes = readFileSync(path);
  const at = bytes.indexOf("11111");
  expect(at).toBeGreaterThan(0);
  bytes[at] = "2".charCodeAt(0);
  writeFileSync(path, bytes);
  await expect(openBridgeStore(folder)).rejects.toMatchObject({ code: "BRG_STORE_CORRUPT" });
});

test("says that a second process has it, and tells its owner of a failure", async () => {
  const failures: Error[] = [];
  const store = await openBridgeStore(folder, (error) => failures.push(error));
  await expect(openBridgeStore(folder)).rejects.toMatchObject({ code: "BRG_STORE_LOCKED" });
  for (const value of [1n, 1])
    await expect(store.queue.write([{ put: "cursor", value }])).rejects.toMatchObject({
      code: "BRG_STORE_FAILED",
    });
  expect(failures).toMatchObject([{ code: "BRG_STORE_FAILED" }]);
  await store.close();
  await expect(store.queue.get("cursor")).rejects.toMatchObject({ code: "BRG_STORE_FAILED" });
  expect(failures).toHaveLength(1);
});
