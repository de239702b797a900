import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { readSnapshot } from "./snapshot-file.ts";

it("refuses a folder and a path that leads nowhere by its own code", async () => {
  const folder = mkdtempSync(join(tmpdir(), "snapshot-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  for (const path of [folder, join(folder, "none")])
    await expect(readSnapshot(path)).rejects.toMatchObject({ code: "BRG_SNAPSHOT_INVALID" });
});
