import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { refuseEarlierStore } from "./earlier-store.ts";

it("a folder with what an earlier version has stored is refused, and what to do is said", () => {
  const folder = mkdtempSync(join(tmpdir(), "earlier-host-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  refuseEarlierStore(folder);
  mkdirSync(join(folder, "store"));
  expect(() => refuseEarlierStore(folder)).toThrow(
    expect.objectContaining({
      code: "SRV_STORE_FORMAT",
      data: expect.objectContaining({ path: folder, kind: "datanet-host" }),
    }),
  );
});
