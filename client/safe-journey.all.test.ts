/** The way of a contract wallet (a real Safe) through the client: deposit, payment, withdrawal, forced withdrawal. */
import { anvilAccount } from "@openledger/contracts/testing/anvil-account";
import { createWorld, QUICK_FINALITY, type World } from "@openledger/e2e/world/world";
import { parseEther } from "viem";
import { afterAll, beforeAll, expect, it } from "vitest";
import { force } from "./actions/forced/force.ts";
import { deposit } from "./actions/l1/deposit.ts";
import { finalizeWithdrawal } from "./actions/l1/finalize-withdrawal.ts";
import { getL1Balances } from "./actions/l1/l1-balances.ts";
import { transfer, withdraw } from "./actions/ledger/account-operations.ts";
import { deriveKey } from "./l2-key.ts";
import { createLedgerClient, type LedgerClient } from "./ledger-client.ts";
import { findLeaves, getLeaf } from "./sequencer/ledger-reads.ts";
import { waitFor } from "./sequencer/wait-for.ts";
import { deploySafe, type SafeWallet } from "./testing/safe-wallet.ts";

const owners = [15, 16, 17].map(anvilAccount);
const FUNDED_WEI = parseEther("100");

let world: World;
let safe: SafeWallet;
let client: LedgerClient;
beforeAll(async () => {
  world = await createWorld({ name: "safe", ...QUICK_FINALITY });
  const { url, deployment, client: node } = world.l1;
  for (const { address } of owners) await node.setBalance({ address, value: parseEther("10") });
  safe = await deploySafe(url, owners, 2);
  safe.signers = owners.slice(0, 2);
  await world.l1.fund(safe.address, FUNDED_WEI);
  client = await createLedgerClient({
    rpcUrl: url,
    sequencerUrl: world.sequencerUrl,
    rollupAddress: deployment.rollupAddress,
    wallet: { provider: safe, address: safe.address },
  });
});
afterAll(() => world?.stop());

/** Timeout that no step reaches as long as the rollup works. */
const PATIENT = { timeoutMs: 400_000 };

it("a Safe of two out of three goes the whole way: in, across, out, forced out, paid", async () => {
  const ledger = { chainId: 31337, rollupAddress: client.rollupAddress, contractWallet: safe.address };
  const l2Key = await deriveKey({ wallet: owners[0]!, ...ledger });
  const acting = { ...client, l2Key };

  // In: one step of the Safe opens the account that has the owner's key.
  const deposited = await deposit(acting, { amountWei: parseEther("40"), permission: "batch" });
  await waitFor(client, deposited, "acknowledged", PATIENT);
  const [leaf] = await findLeaves(client, { owner: safe.address });
  expect(leaf).toMatchObject({ keyX: l2Key.keyX, balanceWei: parseEther("40") });
  const id = leaf!.id;

  // Across and out: by the key of that owner, without the others.
  const { leafId: to, l1Owner } = world.users[0]!;
  await transfer(acting, { to, amountWei: parseEther("1.5"), expectedOwner: l1Owner });
  const { hash } = await withdraw(acting, { amountWei: parseEther("2.25"), recipient: safe.address });

  // Forced out: by two owners through Ethereum, without any ledger key.
  const forced = await force(client, {
    type: "withdraw",
    id,
    amountWei: parseEther("3"),
    permission: "batch",
  });
  await waitFor(client, { withdrawal: { hash } }, "finalizable", PATIENT);
  await waitFor(client, { withdrawal: forced }, "finalizable", PATIENT);
  const paidOut = await finalizeWithdrawal(client);
  expect(paidOut.amountWei).toBe(parseEther("5.25"));

  // Exact to the wei: the deposit, the id's fee and the queue's, and the returned amount.
  const spentWei = parseEther("40") + deposited.burnedFeeWei + forced.burnedFeeWei;
  const { tokenWei, allowanceWei } = await getL1Balances(client, safe.address);
  expect({ tokenWei, allowanceWei }).toEqual({
    tokenWei: FUNDED_WEI - spentWei + parseEther("5.25"),
    allowanceWei: 0n,
  });

  // One owner leaves: the others register another's key, and the old one signs for nothing any more.
  safe.signers = owners.slice(1);
  const nextKey = await deriveKey({ wallet: owners[1]!, ...ledger });
  const rotated = await force(client, { type: "setKey", id, keyX: nextKey.keyX });
  await waitFor(client, rotated, "acknowledged", PATIENT);
  const payment = { to, amountWei: parseEther("1"), from: id };
  await expect(transfer(acting, payment)).rejects.toMatchObject({ code: "OP_BAD_SIGNATURE" });
  await transfer({ ...client, l2Key: nextKey }, payment);
  expect((await getLeaf(client, id)).keyX).toBe(nextKey.keyX);
}, 1_200_000);
