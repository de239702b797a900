import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { refuseEarlierStore } from "./earlier-store.ts";

it("a folder with what an earlier version has stored is refused, and what to do is said", () => {
  const folder = mkdtempSync(join(tmpdir(), "earlier-store-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  for (const kind of ["datanet-host", "factory"] as const) refuseEarlierStore(kind, folder);
  mkdirSync(join(folder, "store"));
  for (const kind of ["datanet-host", "factory"] as const)
    expect(() => refuseEarlierStore(kind, folder)).toThrow(
      expect.objectContaining({
        code: "SRV_STORE_FORMAT",
        message: expect.stringContaining("docs/how-to/upgrade.md"),
        data: expect.objectContaining({ path: folder, kind, reason: "older" }),
      }),
    );
});
