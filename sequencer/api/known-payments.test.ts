import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { transfer } from "@openledger/client/actions/ledger/account-operations";
import type { LedgerClient } from "@openledger/client/ledger-client";
import { decidePayment } from "@openledger/operations/payments/known-payments";
import { payProvers } from "@openledger/operations/payments/pay-provers";
import { PaymentJournal } from "@openledger/operations/payments/payment-journal";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { clientOf } from "../testing/client-of.ts";
import {
  ONE_OPEN_WEI,
  startTestRollup,
  TEST_ROLLUP,
  type TestRollup,
  temporaryFolder,
  testUser,
} from "../testing/test-rollup.ts";

const [payer, worker, stranger] = [testUser(0), testUser(1), testUser(2)];
const options = {
  ...{ weiPerProof: ONE_OPEN_WEI, maxWeiPerDay: 100n * ONE_OPEN_WEI, nowMs: 86_400_000 },
  accounts: { paid: { leaf: worker.id } },
};
const creditsOf = (count: number) =>
  Array.from({ length: count }, (_, i) => ({
    ...{ batchNumber: i + 1, worker: "paid", atMs: i },
    batchHash: `0x${String(i + 1).padStart(64, "0")}`,
  }));

let folder: ReturnType<typeof temporaryFolder>;
let rollup: TestRollup;
let client: LedgerClient;
let journalPath: string;
let before: bigint;

const balance = async () => BigInt((await rollup.get(`/v1/leaves/${worker.id}`)).body.balanceWei);
const pay = (count: number) =>
  payProvers(client, creditsOf(count), new PaymentJournal(journalPath, TEST_ROLLUP), options);
const decide = (hash: string, kind: "paid" | "void", count = 3) =>
  decidePayment(
    client,
    creditsOf(count),
    new PaymentJournal(journalPath, TEST_ROLLUP),
    { hash, kind },
    options,
  );
const paidWei = async () => (await balance()) - before;

beforeEach(async () => {
  folder = temporaryFolder();
  rollup = await startTestRollup({ dataPath: join(folder.path, "ledger") });
  client = await clientOf(await rollup.listen(), payer);
  journalPath = join(folder.path, "paid.jsonl");
  before = await balance();
});
afterEach(async () => {
  await rollup.stop();
  folder.remove();
});

describe("payments that the ledger has and the journal has not", () => {
  test.each(["an older copy", "none"])("nothing is paid again with %s of the journal", async (which) => {
    await pay(1);
    const older = which === "none" ? "" : readFileSync(journalPath, "utf8");
    await pay(3);
    expect(await paidWei()).toBe(3n * ONE_OPEN_WEI);
    writeFileSync(journalPath, older);
    await expect(pay(3)).rejects.toMatchObject({
      code: "CMD_PAYMENTS_UNCLEAR",
      data: { reason: "payments-unknown" },
    });
    expect(readFileSync(journalPath, "utf8")).toBe(older);
    expect(await paidWei()).toBe(3n * ONE_OPEN_WEI);
  });

  test("the operator says of each what it was, and what is due then is paid", async () => {
    await pay(2);
    writeFileSync(journalPath, "");
    const gift = await transfer(client, { to: worker.id, amountWei: 5n * ONE_OPEN_WEI });
    const refusal = await pay(3).catch((error) => error);
    const { transfers } = refusal.data as { transfers: string[] };
    expect(transfers).toHaveLength(2);
    expect(transfers[0]).toBe(gift.hash);
    await expect(decide(gift.hash, "paid")).rejects.toMatchObject({
      code: "CMD_FILE_UNREADABLE",
      data: { reason: "payments-invalid" },
    });
    await decide(gift.hash, "void");
    await expect(pay(3)).rejects.toMatchObject({
      code: "CMD_PAYMENTS_UNCLEAR",
      data: { reason: "payments-unknown" },
    });
    await decide(transfers[1]!, "paid");
    await expect(decide(transfers[1]!, "paid")).rejects.toMatchObject({
      code: "CMD_FILE_UNREADABLE",
      data: { reason: "payments-invalid" },
    });
    await pay(3);
    await pay(3);
    expect(await paidWei()).toBe((5n + 3n) * ONE_OPEN_WEI);
  });

  test("an account that also pays others pays provers", async () => {
    await transfer(client, { to: stranger.id, amountWei: ONE_OPEN_WEI });
    await pay(1);
    await transfer(client, { to: stranger.id, amountWei: ONE_OPEN_WEI });
    await pay(2);
    expect(await paidWei()).toBe(2n * ONE_OPEN_WEI);
  });
});

test("refuses the journal of another rollup, by which what is paid would be due again", () => {
  new PaymentJournal(journalPath, TEST_ROLLUP);
  expect(() => new PaymentJournal(journalPath, { ...TEST_ROLLUP, chainId: 1 })).toThrowError(
    expect.objectContaining({ code: "SRV_WRONG_DIRECTORY" }),
  );
  const older = `${journalPath}.older`;
  writeFileSync(older, '{"kind":"paid","hash":"0x01"}\n');
  expect(() => new PaymentJournal(older, TEST_ROLLUP)).toThrowError(
    expect.objectContaining({ code: "SRV_STORE_FORMAT" }),
  );
  expect(new PaymentJournal(older, null).payments).toEqual([]);
});
