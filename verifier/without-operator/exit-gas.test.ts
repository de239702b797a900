/**
 * Attack: payouts right before a group of exits, as in gas-grief.test.ts. Each exit credits somebody, who may have had a
 * credit when the gas was estimated.
 */

import { ExitContract } from "@openledger/bridge/l1/exit-contract";
import { startBridgeFixture } from "@openledger/bridge/testing/bridge-fixture";
import { overtake, pendingOf } from "@openledger/bridge/testing/node-fixture";
import { rollupAbi } from "@openledger/contracts/build/rollup-abi";
import { anvilAccount } from "@openledger/contracts/testing/anvil-account";
import { EXIT_SIZES, exitActions } from "@openledger/contracts/testing/exit-fixture";
import { OPEN, SHAPES } from "@openledger/contracts/testing/rollup-fixture";
import { encodeFunctionData, getAddress, toHex } from "viem";
import { expect, test } from "vitest";

const EXIT_COUNT = 16;
const LEAF: number = SHAPES.length;
/** bob of the contracts' fixture. */
const SENDER = 5;

test("exits go through where everybody whom they pay was paid out right before", async () => {
  const f = await startBridgeFixture({}, EXIT_SIZES);
  try {
    const { l1 } = f;
    const actions = exitActions(l1);
    await l1.fund("alice", 1_000n * OPEN);
    await actions.freeze();
    const { root } = await f.rollup.state();
    const owners = Array.from({ length: EXIT_COUNT }, (_, i) =>
      getAddress(toHex(0xbad00000 + i, { size: 20 })),
    );
    const closed = (firstKey: number) =>
      owners.map((owner, i) => {
        const recipient = BigInt(owner);
        return actions.proveExit(LEAF, { root, key: BigInt(firstKey + i), recipient, amountWei: 1n });
      });
    // A credit that nobody has paid out.
    await actions.exit(closed(100));
    await l1.client.setAutomine(false);
    const group = closed(300);
    const account = anvilAccount(SENDER);
    const exits = new ExitContract(f.rollup).exit(
      account,
      group.map(({ exit }) => exit),
      group.map(({ proof }) => proof),
    );
    const sent = async () => (await pendingOf(l1, account.address)).length;
    await expect.poll(sent, { timeout: 120_000 }).toBe(1);
    const nonce = await l1.client.getTransactionCount({ address: l1.roles.stranger });
    for (const [i, owner] of owners.entries()) {
      const finalizeWithdrawal = encodeFunctionData({
        abi: rollupAbi,
        functionName: "finalizeWithdrawal",
        args: [owner],
      });
      await overtake(f.rpcUrl, l1, finalizeWithdrawal, nonce + i);
    }
    await l1.client.mine({ blocks: 1 });
    expect((await exits).status).toBe("success");
    for (const owner of owners) expect(await f.rollup.pendingWithdrawalWei(owner)).toBe(1n);
  } finally {
    await f.stop();
  }
}, 300_000);
