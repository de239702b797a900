import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { readPtauHeader } from "./ptau-file.ts";
import { readZkeyHeader } from "./zkey-file.ts";

it("refuses a folder by its own code, as a powers of tau file and as a key", async () => {
  const folder = mkdtempSync(join(tmpdir(), "ptau-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  await expect(readPtauHeader(folder)).rejects.toMatchObject({ code: "PRV_PTAU_INVALID" });
  await expect(readZkeyHeader(folder)).rejects.toMatchObject({ code: "PRV_KEY_INVALID" });
});
