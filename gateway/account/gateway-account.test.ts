/** Tests of the gateway's account that need no rollup: open-gateway.all.test.ts opens and ends one. */
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createLedgerFixture } from "@openledger/client/testing/ledger-fixture";
import { ROLLUP } from "@openledger/models/testing/answered-world";
import { expect, it, onTestFinished } from "vitest";
import { openAccount } from "./gateway-account.ts";
import { openGatewayStore } from "./gateway-store.ts";

it("never loses a key whose record is gone: it may sign for money", async () => {
  const fixture = await createLedgerFixture({ hasFeed: false });
  const folder = await mkdtemp(join(tmpdir(), "gateway-account-"));
  const store = await openGatewayStore(join(folder, "store"), ROLLUP);
  onTestFinished(async () => {
    await store.close();
    await fixture.close();
    await rm(folder, { recursive: true });
  });
  const key = `0x${"07".repeat(32)}\n`;
  await writeFile(join(folder, "key"), key, { mode: 0o600 });
  const { client } = fixture;
  // This ledger opens no account.
  await expect(
    openAccount({ folder, store, reader: client }, async () => ({ client, budgetWei: 10n ** 18n })),
  ).rejects.toThrow();
  const names = (await readdir(folder)).filter((name) => name.startsWith("key-"));
  expect(names).toHaveLength(1);
  expect(await readFile(join(folder, names[0]!), "utf8")).toBe(key);
  expect(await readFile(join(folder, "key"), "utf8")).not.toBe(key);
});
