import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expectRefusals } from "@openledger/foundation/testing/refused-stores.fixtures";
import { expect, it, onTestFinished } from "vitest";
import { HostStore } from "./host-store.ts";

it("refuses another rollup's folder, another kind's and another format's, and leaves it as it is", async () => {
  const parent = mkdtempSync(join(tmpdir(), "host-store-"));
  onTestFinished(() => rmSync(parent, { recursive: true, force: true }));
  await expectRefusals({
    open: async (at, rollup) => (await HostStore.open(at, rollup, () => expect.unreachable())).close(),
    kind: "datanet-host",
    recordIn: "store",
    code: "SRV_WRONG_DIRECTORY",
    folder: join(parent, "host"),
    rollup: { chainId: 31337, rollupAddress: "0x00000000000000000000000000000000000000a1" },
    formatless: join(import.meta.dirname, "../testing/stores/format-0"),
  });
});
