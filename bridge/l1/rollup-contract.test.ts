import { anvilAccount } from "@openledger/contracts/testing/anvil-account";
import { ANY_FEE, OPEN } from "@openledger/contracts/testing/rollup-fixture";
import { isRollupError, type RollupError } from "@openledger/foundation/rollup-error";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type BridgeFixture, startBridgeFixture } from "../testing/bridge-fixture.ts";
import { createL1Client, revertOf } from "./l1-client.ts";
import { RollupContract } from "./rollup-contract.ts";

let f: BridgeFixture;
beforeAll(async () => {
  f = await startBridgeFixture();
});
afterAll(() => f?.stop());

const ALICE = 4;
const errorOf = async (call: Promise<unknown>): Promise<RollupError> => {
  const error = await call.then(
    () => null,
    (e: unknown) => e,
  );
  if (!isRollupError(error)) throw new Error("no coded error", { cause: error });
  return error;
};

describe("RollupContract", () => {
  test("reads the queue and what is owed", async () => {
    const { alice } = f.l1.roles;
    const { read, write } = f.l1.rollup;
    await f.l1.depositNew("alice", 10n * OPEN);
    const hash = await write.forceWithdraw([2, OPEN, alice, ANY_FEE], { account: alice });
    await f.l1.client.waitForTransactionReceipt({ hash });
    expect(await f.rollup.queueTail()).toBe(2n);
    expect(await f.rollup.queuedDeposits()).toEqual({ count: 1n, amountWei: 10n * OPEN });
    expect(await f.rollup.burnableWei()).toBe(await read.burnableWei());
    expect(await f.rollup.burnableWei()).toBeGreaterThan(0n);
    expect(await f.rollup.isOverdue(0)).toBe(false);
  });

  test("names the contract's error and its operands, before anything is sent", async () => {
    const alice = anvilAccount(ALICE);
    const nonce = await f.l1.client.getTransactionCount({ address: alice.address });
    const error = await errorOf(f.rollup.finalizeWithdrawal(alice, alice.address));
    expect(error.code).toBe("BRG_CONTRACT_REVERTED");
    expect(revertOf(error)).toMatchObject({
      errorName: "RollupNothingToFinalize",
      operands: [alice.address],
    });
    expect(error.isRetryable).toBe(false);
    expect(await f.l1.client.getTransactionCount({ address: alice.address })).toBe(nonce);
  });

  test("tells a node that does not answer from one that refuses", async () => {
    const { address } = f.rollup;
    const nobody = new RollupContract({
      client: createL1Client({ rpcUrl: "http://127.0.0.1:9", timeoutMs: 1_000 }),
      address,
    });
    const error = await errorOf(nobody.state());
    expect([error.code, error.isRetryable]).toEqual(["BRG_L1_UNREACHABLE", true]);
    const empty = new RollupContract({
      client: f.rollup.client,
      address: "0x00000000000000000000000000000000000000aa",
    });
    expect((await errorOf(empty.state())).code).toBe("BRG_L1_REFUSED");
  });
});
