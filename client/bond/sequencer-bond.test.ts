import { type HistoryFixture, startHistoryFixture } from "@openledger/bridge/testing/history-fixture";
import { REVEAL_DELAY_BLOCKS, WITHDRAWAL_DELAY_SECONDS } from "@openledger/contracts/bond/equivocation";
import { anvilAccount } from "@openledger/contracts/testing/anvil-account";
import { deployBond, ETH } from "@openledger/contracts/testing/bond-fixture";
import { ROLES, type Role } from "@openledger/contracts/testing/rollup-fixture";
import { zeroHash } from "viem";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createLedgerClient } from "../ledger-client.ts";
import { SequencerBond } from "./sequencer-bond.ts";

let f: HistoryFixture;
let b: Awaited<ReturnType<typeof deployBond>>;
beforeAll(async () => {
  f = await startHistoryFixture();
  b = await deployBond(f.l1, 10n * ETH);
});
afterAll(() => f.stop());

async function bondOf(role: Role, address = b.bond.address): Promise<SequencerBond> {
  const wallet = anvilAccount(ROLES.indexOf(role));
  const { rpcUrl } = f;
  const client = await createLedgerClient({
    rpcUrl,
    rollupAddress: f.l1.deployment.rollup,
    wallet,
    spendingCap: { maxFeePerGasWei: 10n ** 12n, maxPriorityFeePerGasWei: 10n ** 10n },
  });
  return SequencerBond.open(client, address);
}

describe("SequencerBond", () => {
  it("takes no other contract for the bond", async () => {
    await expect(bondOf("bob", f.l1.deployment.token)).rejects.toMatchObject({ code: "CLI_BOND_INVALID" });
    await expect(bondOf("bob", f.l1.roles.bob)).rejects.toMatchObject({ code: "CLI_BOND_INVALID" });
  });

  it("deposits, announces and withdraws, and says what secures a deadline meanwhile", async () => {
    const bond = await bondOf("sequencer");
    await bond.deposit(2n * ETH);
    const { timeSeconds } = await bond.state();
    const deadlineSeconds = Number(timeSeconds) + 3_600;
    expect(await bond.securedWeiFor({ deadlineSeconds })).toBe(12n * ETH);
    expect(await bond.securedWeiFor({ deadlineSeconds: deadlineSeconds + 45 * 86_400 })).toBe(0n);
    await bond.announceWithdrawal(3n * ETH);
    expect(await bond.securedWeiFor({ deadlineSeconds })).toBe(12n * ETH);
    await b.waitUntil(timeSeconds + WITHDRAWAL_DELAY_SECONDS - 3_600n);
    const soon = { deadlineSeconds: Number(timeSeconds + WITHDRAWAL_DELAY_SECONDS) };
    expect(await bond.securedWeiFor(soon)).toBe(9n * ETH);
    await expect(bond.withdraw()).rejects.toMatchObject({
      code: "CLI_L1_REVERTED",
      data: { error: "BondWithdrawalTooEarly" },
    });
    await b.waitUntil(timeSeconds + WITHDRAWAL_DELAY_SECONDS + 60n);
    await bond.withdraw();
    expect(await bond.state()).toMatchObject({ bondWei: 9n * ETH, announcedWei: 0n });
    await expect((await bondOf("bob")).announceWithdrawal(1n)).rejects.toMatchObject({
      data: { error: "BondNotSequencer" },
    });
  });

  it("shows two preconfirmations of one place, after its own checks, and takes the bond", async () => {
    const bond = await bondOf("bob");
    const [first, second, other] = [await b.promise(1, 5), await b.promise(2, 5), await b.promise(2, 6)];
    await expect(bond.equivocation(first, other)).rejects.toMatchObject({
      code: "CON_EQUIVOCATION_INVALID",
      data: { reason: "other-place" },
    });
    const equivocation = await bond.equivocation(first, second);
    const { alice } = f.l1.roles;
    expect(await bond.showableFromBlock(equivocation, alice, zeroHash)).toBeNull();
    const { blockNumber } = await bond.commit(equivocation, alice, zeroHash);
    expect(await bond.showableFromBlock(equivocation, alice, zeroHash)).toBe(
      BigInt(blockNumber) + REVEAL_DELAY_BLOCKS,
    );
    await expect(bond.show(equivocation, alice, zeroHash)).rejects.toMatchObject({
      data: { error: "BondRevealTooEarly" },
    });
    await f.l1.client.mine({ blocks: Number(REVEAL_DELAY_BLOCKS) });
    const before = await b.balanceOf(alice);
    const { bondWei } = await bond.state();
    await bond.show(equivocation, alice, zeroHash);
    expect((await b.balanceOf(alice)) - before).toBe(bondWei / 2n);
    expect(await bond.state()).toMatchObject({ bondWei: 0n, isForfeited: true });
  });
});
