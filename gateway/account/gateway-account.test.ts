/**
 * The gateway's account where things go wrong, on a sequencer that a test scripts: its key's file outlives a lost record, and an end
 * that the network cut off goes on. open-gateway.all.test.ts opens and ends an account on a whole rollup.
 */
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { leafReference, messageHash } from "@openledger/circuits/ledger/operation";
import { LEAF_KIND } from "@openledger/circuits/protocol";
import { decodeOperation, type OperationBody } from "@openledger/circuits/wire/operation-body";
import { FakeFailure } from "@openledger/client/testing/fake-sequencer";
import {
  createLedgerFixture,
  feesAnswer,
  leafAnswer,
  owners,
} from "@openledger/client/testing/ledger-fixture";
import { hex32 } from "@openledger/foundation/hex";
import { ROLLUP } from "@openledger/models/testing/answered-world";
import { expect, it, onTestFinished } from "vitest";
import { endAccount, openAccount } from "./gateway-account.ts";
import { openGatewayStore, writeLeaf } from "./gateway-store.ts";

it("renames the file of a key whose record is lost, and never deletes it: the key may sign for money", async () => {
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

it("names the way by which money comes back where the store is damaged, with the account's leaf", async () => {
  const folder = await mkdtemp(join(tmpdir(), "gateway-account-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  const path = join(folder, "store");
  await (await openGatewayStore(path, ROLLUP)).close();
  await writeLeaf(path, 14);
  await writeFile(join(path, "CURRENT"), "");
  const error = await openGatewayStore(path, ROLLUP).catch((thrown: Error) => thrown);
  expect(error).toMatchObject({ code: "SRV_STORE_CORRUPT" });
  expect(String(error)).toContain("openledger transfer NAME OPEN --from 14 --account NAME --forced");
});

it("ends an account again after the sequencer went away, and returns what came in since", async () => {
  const { client, close, key, sequencer } = await createLedgerFixture({ hasFeed: false });
  const { answers } = sequencer;
  const folder = await mkdtemp(join(tmpdir(), "gateway-account-"));
  const store = await openGatewayStore(join(folder, "store"), ROLLUP);
  onTestFinished(async () => {
    await store.close();
    await close();
    await rm(folder, { recursive: true });
  });
  await writeFile(join(folder, "key"), `0x${"07".repeat(32)}\n`, { mode: 0o600 });
  const funder = { leafId: 5, l1Owner: owners.payer };
  const record = {
    keyX: "0x07",
    funder,
    budgetWei: "5",
    opening: null,
    leafId: 4,
    ending: null,
    isEnded: false,
  };
  await store.account.put("account", record);
  let balanceWei = 10n ** 18n;
  const nonces: number[] = [];
  let isHeard = false;
  const leaf = (id: number) => () => ({
    ...leafAnswer({ id, l1Owner: owners.payer, keyX: key.keyX, nextNonce: new Set(nonces).size }),
    balanceWei: `${balanceWei}`,
  });
  for (const id of [4, 5]) answers.set(`GET /v1/leaves/${id}`, leaf(id));
  answers.set("GET /v1/fees", feesAnswer(14_000n));
  answers.set("POST /v1/operations", (body: OperationBody) => {
    if (!nonces.includes(body.nonce)) balanceWei = 0n;
    nonces.push(body.nonce);
    const context = {
      domain: client.domain,
      bRef: leafReference({ l1Owner: BigInt(owners.payer), kind: LEAF_KIND.account }),
    };
    const hash = hex32(messageHash(decodeOperation(body), context));
    const taken = { ...body, hash, amountCode: 1, status: "acknowledged", preconfirmation: null };
    const away = new FakeFailure(503, { error: { code: "SEQ_AWAY", message: "the sequencer is away" } });
    answers.set(`GET /v1/operations/${hash}`, () => (isHeard ? taken : away));
    return isHeard ? taken : away;
  });
  const location = { folder, store, reader: client };
  await expect(endAccount(location)).rejects.toMatchObject({ code: "SEQ_AWAY" });
  isHeard = true;
  balanceWei = 10n ** 18n;
  const { leftWei, returnedWei } = await endAccount(location);
  expect(nonces).toEqual([0, 0, 1]);
  expect([leftWei, returnedWei > (19n * 10n ** 18n) / 10n]).toEqual([0n, true]);
});
