/** Test of the files of bases that a gateway stores. */
import { createHash } from "node:crypto";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { storedIn } from "./stored-families.ts";

it("stores no other bytes than the recipe names: they would stand before an honest server's", async () => {
  const folder = await mkdtemp(join(tmpdir(), "stored-families-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  const [right, wrong] = [new Uint8Array([1, 2]), new Uint8Array([3, 4])];
  const digest = createHash("sha256").update(right).digest("hex");
  const base = { name: "b", files: { "config.json": { sizeBytes: 2, sha256: digest } } };
  await storedIn(folder, async () => wrong)("config.json", base);
  expect(await storedIn(folder, async () => right)("config.json", base)).toEqual(right);
  expect(await readdir(folder)).toEqual([digest]);
});
