/** Tests of a sequencer's start on another rollup's or another process' data directory. */
import { cpSync } from "node:fs";
import { join } from "node:path";
import { expectRefusals } from "@openledger/foundation/testing/refused-stores.fixtures";
import { describe, expect, it } from "vitest";
import { freshFolder, freshRollup } from "../testing/fresh-rollup.ts";
import { openTestLog } from "../testing/open-test-log.ts";
import { close, prove, report, send } from "../testing/test-operator.ts";
import { startTestRollup, TEST_ROLLUP, testDeployment, transfer } from "../testing/test-rollup.ts";
import { LedgerLog } from "./ledger-log.ts";
import { storeKeys } from "./store-keys.ts";

const FORMATLESS = join(import.meta.dirname, "../testing/stores/format-0");

describe("a data directory", () => {
  it.each(["sequencer", "full-node"] as const)(
    "of a %s is refused to any other, and stays as it is",
    async (owner) => {
      await expectRefusals({
        open: async (at, rollup) => (await LedgerLog.open(at, rollup, undefined, { owner })).close(),
        kind: owner === "sequencer" ? "sequencer" : "full-node-ledger",
        rollup: TEST_ROLLUP,
        code: "SEQ_WRONG_DIRECTORY",
        formatless: FORMATLESS,
        folder: join(freshFolder(), "ledger"),
      });
    },
  );

  it("with final batches of another rollup starts no sequencer", async () => {
    const dataPath = join(freshFolder(), "ledger");
    const rollup = await freshRollup({ dataPath });
    const [alice, bob] = rollup.users as [(typeof rollup.users)[0], (typeof rollup.users)[0]];
    for (let nonce = 0n; nonce < 3n; nonce++) await send(rollup, transfer(alice, bob, nonce));
    await close(rollup);
    for (const number of [1, 2]) {
      await prove(rollup, number);
      for (const status of ["submitted", "posted", "final"]) await report(rollup, number, status);
    }
    await rollup.stop();
    const deployment = {
      ...(await testDeployment()),
      rollupAddress: "0x00000000000000000000000000000000000000b2" as const,
      domain: 987654321n,
      chainId: 1,
    };
    await expect(startTestRollup({ dataPath, deployment })).rejects.toMatchObject({
      code: "SEQ_WRONG_DIRECTORY",
      message: expect.stringContaining(TEST_ROLLUP.rollupAddress),
      data: { reason: "other-rollup" },
    });
    await (await freshRollup({ dataPath })).stop();
  });

  it("that a version without records wrote starts no sequencer, and keeps what it holds", async () => {
    const dataPath = join(freshFolder(), "ledger");
    cpSync(FORMATLESS, dataPath, { recursive: true });
    await expect(startTestRollup({ dataPath })).rejects.toMatchObject({
      code: "SRV_STORE_FORMAT",
      data: { reason: "no-record", remedy: expect.stringContaining("openledger restore") },
    });
  });

  it("that was written for other circuits starts no sequencer", async () => {
    const dataPath = join(freshFolder(), "ledger");
    await (await freshRollup({ dataPath })).stop();
    const deployment = await testDeployment();
    const circuits = deployment.circuits.map((circuit) => ({ ...circuit, contentHash: "another" }));
    await expect(
      startTestRollup({ dataPath, deployment: { ...deployment, circuits } }),
    ).rejects.toMatchObject({
      code: "SEQ_CIRCUITS_DIFFER",
      data: { reason: "other-record", circuits: [circuits[0]!.name] },
    });
    const log = await openTestLog(dataPath);
    const stored = await log.require<Record<string, object>>(storeKeys.circuits);
    const older = Object.entries(stored).map(([name, one]) => [name, { ...one, sourceHash: "an older one" }]);
    await log.write([{ key: storeKeys.circuits, value: Object.fromEntries(older) }]);
    await log.close();
    await expect(startTestRollup({ dataPath })).rejects.toMatchObject({
      code: "SEQ_CIRCUITS_DIFFER",
      data: { reason: "other-version", circuits: [circuits[0]!.name] },
    });
  });
});
