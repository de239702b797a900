import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { isRollupError, type RollupError } from "../circuits/rollup-error.ts";
import { OPEN } from "../contracts/rollup-fixture.ts";
import { anvilAccount, type BridgeFixture, startBridgeFixture } from "./bridge-fixture.ts";
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
  test("deposits, forces, and reads what came of it", async () => {
    const alice = anvilAccount(ALICE);
    await f.rollup.approveToken(alice, 100n * OPEN);
    await f.rollup.depositNew(alice, { amountWei: 10n * OPEN, l1Owner: alice.address, keyX: 5n });
    await f.rollup.depositTo(alice, { id: 2, amountWei: 3n * OPEN, expectedL1Owner: alice.address });
    await f.rollup.forceWithdraw(alice, { id: 2, amountWei: OPEN, recipient: alice.address });
    await f.rollup.forceSetKey(alice, { id: 2, keyX: 6n });
    await f.rollup.forceSetOwner(alice, { id: 2, newOwner: alice.address });
    expect(await f.rollup.queueTail()).toBe(5n);
    expect(await f.rollup.queuedDeposits()).toEqual({ count: 2n, amountWei: 13n * OPEN });
    await f.rollup.burnAccrued(alice);
    expect(await f.rollup.burnableWei()).toBe(0n);
  });

  test("names the contract's error and its operands, before anything is sent", async () => {
    const alice = anvilAccount(ALICE);
    const nonce = await f.l1.client.getTransactionCount({ address: alice.address });
    const error = await errorOf(
      f.rollup.depositNew(alice, { amountWei: 1n, l1Owner: alice.address, keyX: 5n }),
    );
    expect(error.code).toBe("BRG_CONTRACT_REVERTED");
    expect(revertOf(error)).toMatchObject({ errorName: "RollupDepositTooSmall", operands: [1n, OPEN] });
    expect(error.isRetryable).toBe(false);
    expect(await f.l1.client.getTransactionCount({ address: alice.address })).toBe(nonce);
  });

  test("names the token's errors too", async () => {
    const stranger = anvilAccount(8);
    const error = await errorOf(
      f.rollup.depositNew(stranger, { amountWei: OPEN, l1Owner: stranger.address, keyX: 5n }),
    );
    expect(revertOf(error)?.errorName).toBe("ERC20InsufficientAllowance");
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
