import { type HistoryFixture, startHistoryFixture } from "@openledger/bridge/testing/history-fixture";
import { ANY_FEE, OPEN } from "@openledger/contracts/testing/rollup-fixture";
import { afterAll, beforeAll, expect, test } from "vitest";
import { readSolvency } from "./rebuild.ts";

let f: HistoryFixture;
beforeAll(async () => {
  f = await startHistoryFixture();
}, 180_000);
afterAll(() => f?.stop());

test("the contract owes a withdrawal that nobody has claimed, whoever it is of", async () => {
  const { client, deployment, roles, rollup } = f.l1;
  const solvency = () =>
    readSolvency(f.rpcUrl, { rollupAddress: deployment.rollup, tokenAddress: deployment.token });
  await f.makeHistory();
  const owner = roles.alice;
  expect(await rollup.read.pendingWithdrawals([owner])).toBeGreaterThan(0n);
  const { heldWei, owedWei } = await solvency();
  expect(owedWei).toBe(heldWei);

  // A deposit on its way is owed, too; what is paid out is neither held nor owed.
  const hash = await rollup.write.depositTo([2, OPEN, roles.bob, ANY_FEE], { account: roles.alice });
  await client.waitForTransactionReceipt({ hash });
  const paid = await rollup.write.finalizeWithdrawal([owner], { account: roles.bob });
  await client.waitForTransactionReceipt({ hash: paid });
  const later = await solvency();
  expect(later.owedWei).toBe(later.heldWei);
  expect(later.heldWei).not.toBe(heldWei);
}, 60_000);
