import { type HistoryFixture, startHistoryFixture } from "@openledger/bridge/testing/history-fixture";
import {
  behindLimit,
  dropsBlocksBefore,
  leavesOut,
  limitsRange,
  RANGE_REFUSALS,
} from "@openledger/bridge/testing/limited-node";
import { TREASURY_ID } from "@openledger/circuits/protocol";
import { keyXOf } from "@openledger/circuits/testing/random-ledger";
import { deployRollup } from "@openledger/contracts/build/deploy";
import { openGovernorAbi } from "@openledger/contracts/build/governance-abi";
import { anvilAccount } from "@openledger/contracts/testing/anvil-account";
import { EXIT_SIZES, exitActions, HARD_DEADLINE } from "@openledger/contracts/testing/exit-fixture";
import {
  deployGovernance,
  governanceAddresses,
  THIRTY_DAYS,
} from "@openledger/contracts/testing/governance-fixture";
import { ANY_FEE, OPEN, SHAPES } from "@openledger/contracts/testing/rollup-fixture";
import { createPublicClient, createWalletClient, custom, toEventSelector } from "viem";
import { describe, expect, it, onTestFinished } from "vitest";
import { deriveKey } from "../l2-key.ts";
import { createLedgerClient } from "../ledger-client.ts";
import { cutListText, Governance } from "./governance.ts";
import { announceRollup, payFromTreasury, withdrawFromTreasury } from "./governed-calls.ts";
import { movePaidOut, namedRollup, requireGoodRollup } from "./migrate.ts";

/** One of anvil's accounts: it deploys the three contracts and nothing else, so their addresses are known before. */
const DEPLOYER = anvilAccount(8).address;
const CAP = { maxFeePerGasWei: 10n ** 12n, maxPriorityFeePerGasWei: 10n ** 10n };
const ALICE_ID = 2;
const BOB_ID = 3;

/** Alice and Bob have 100 and 50 OPEN in the ledger, the treasury 60; the whole supply is delegated to alice. */
async function start() {
  const at = governanceAddresses(DEPLOYER);
  const f = await startHistoryFixture({ treasuryOwner: at.timelock, settlementSizes: EXIT_SIZES });
  onTestFinished(() => f.stop());
  const { rollup, roles } = f.l1;
  const { alice, bob } = roles;
  await rollup.write.depositNew([100n * OPEN, alice, keyXOf(11n), ANY_FEE], { account: alice });
  await rollup.write.depositNew([50n * OPEN, bob, keyXOf(12n), ANY_FEE], { account: bob });
  await rollup.write.depositTo([TREASURY_ID, 60n * OPEN, at.timelock, ANY_FEE], { account: bob });
  await takeQueue(f);
  const g = await deployGovernance(f.l1, DEPLOYER);
  await g.delegate();
  const client = await createLedgerClient({
    rpcUrl: f.rpcUrl,
    rollupAddress: rollup.address,
    wallet: anvilAccount(4),
    spendingCap: CAP,
  });
  const governance = new Governance(client, at.governor);
  const voteFor = async (calls: Parameters<Governance["propose"]>[0], text: string) => {
    const { id } = await governance.propose(calls, text);
    await f.l1.client.mine({ blocks: 3 });
    await governance.cast(id, "for");
    await f.l1.client.mine({ blocks: 6 });
    await governance.queue(await governance.proposal(id, 0n));
    return governance.proposal(id, 0n);
  };
  return { f, g, at, client, governance, voteFor };
}

async function takeQueue(f: HistoryFixture) {
  const entries = await f.queueOperations();
  await f.l1.submit([await f.close(() => entries, undefined, SHAPES[1])]);
}
const balanceOf = (f: HistoryFixture, id: number) => f.ledger.requireLeaf(id).leaf.balance;
const nowSeconds = async (f: HistoryFixture) => (await f.l1.client.getBlock()).timestamp;

describe("a vote with delegated OPEN", () => {
  it("pays out of the treasury, through the queue that nobody refuses, 30 days after it was queued", async () => {
    const { f, g, at, client, governance } = await start();
    const { alice } = f.l1.roles;
    const payment = { to: ALICE_ID, expectedOwner: alice, amountWei: 20n * OPEN, maxFeeWei: 8n * OPEN };
    const gift = { target: DEPLOYER, data: "0x", valueWei: 7n } as const;
    const calls = [...payFromTreasury(client, payment), gift];
    const createdBlock = Number(await f.l1.client.getBlockNumber()) + 1;
    const { id } = await governance.propose(calls, "20 OPEN to alice");
    expect(await governance.proposal(id, 0n)).toMatchObject({ state: "pending", executableFrom: 0n });
    await expect(governance.cast(id, "for")).rejects.toMatchObject({ code: "CLI_L1_REVERTED" });
    await f.l1.client.mine({ blocks: 3 });
    await governance.cast(id, "for");
    const active = await governance.proposal(id, 0n);
    expect(active).toMatchObject({ state: "active", description: "20 OPEN to alice", calls });
    expect(active.votes.for).toBe(await governance.votesOf(alice));
    expect(active.votes.for).toBeGreaterThan(active.quorumWei!);
    await f.l1.client.mine({ blocks: 6 });
    await behindLimit(f.rpcUrl, limitsRange(10, RANGE_REFUSALS["-32602"]), async (rpcUrl) => {
      const { rollupAddress } = client;
      const limited = new Governance(await createLedgerClient({ rpcUrl, rollupAddress }), at.governor);
      const { firstShownBlock, proposals } = await limited.proposals(0n);
      const [proposal] = proposals;
      expect([firstShownBlock, proposals.length]).toEqual([null, 1]);
      expect(proposal).toEqual(await governance.proposal(id, 0n));
      expect(await limited.votesCast(proposal!)).toEqual(await governance.votesCast(proposal!));
    });
    const headNumber = Number(await f.l1.client.getBlockNumber());
    for (const logs of ["refused", "none"] as const)
      for (const [firstShown, ids] of [
        [createdBlock, [id]],
        [createdBlock + 1, []],
      ] as const)
        await behindLimit(f.rpcUrl, dropsBlocksBefore(firstShown, headNumber, logs), async (rpcUrl) => {
          const { rollupAddress } = client;
          const limited = new Governance(await createLedgerClient({ rpcUrl, rollupAddress }), at.governor);
          const list = await limited.proposals(0n);
          expect(list.proposals.map((one) => one.id)).toEqual(ids);
          expect(list.firstShownBlock).toBe(firstShown);
          expect(cutListText(list)).toContain(`does not show blocks before ${firstShown}`);
          const one = limited.proposal(id, 0n);
          if (ids.length > 0) expect((await one).id).toBe(id);
          else await expect(one).rejects.toMatchObject({ code: "CLI_L1_LOGS_INCOMPLETE" });
        });
    await governance.queue(await governance.proposal(id, 0n));
    const queued = await governance.proposal(id, 0n);
    expect(queued).toMatchObject({ state: "queued", executableFrom: (await nowSeconds(f)) + THIRTY_DAYS });
    await expect(governance.execute(queued)).rejects.toMatchObject({ code: "CLI_L1_REVERTED" });

    await g.waitUntil(queued.executableFrom);
    // The sender of a forced operation pays the queue's fee on L1; until the timelock has it, the call fails.
    await expect(governance.execute(queued)).rejects.toMatchObject({ code: "CLI_L1_REVERTED" });
    await f.l1.token.write.transfer([at.timelock, 8n * OPEN], { account: f.l1.roles.bob });
    await f.l1.client.setBalance({ address: at.timelock, value: 10n });
    const beforeWei = await f.l1.client.getBalance({ address: DEPLOYER });
    await governance.execute(queued);
    expect((await f.l1.client.getBalance({ address: DEPLOYER })) - beforeWei).toBe(7n);
    expect(await governance.proposal(id, 0n)).toMatchObject({ state: "executed" });
    const [entry] = await f.queueOperations();
    expect(entry).toMatchObject({ a: TREASURY_ID, b: ALICE_ID, sender: BigInt(at.timelock) });
    await takeQueue(f);
    expect([balanceOf(f, TREASURY_ID), balanceOf(f, ALICE_ID)]).toEqual([40n * OPEN, 120n * OPEN]);
    expect((await f.rollup.state()).root).toBe(f.ledger.root);
  });

  it("is mined where it reaches the quorum and extends the period, though its gas was estimated before", async () => {
    const { f, g, governance } = await start();
    const { token, roles } = f.l1;
    const { alice, bob, holder, sequencer, stranger } = roles;
    const supplyWei = await token.read.totalSupply();
    // Votes are stored by blocks, so each of these takes more gas than its estimate.
    const by = (account: typeof alice) => ({ account, gas: 300_000n });
    const [halfWei, fewWei] = [(supplyWei * 25n) / 1_000n, supplyWei / 1_000n];
    await token.write.transfer([bob, halfWei], by(holder));
    await token.write.transfer([sequencer, fewWei], by(holder));
    // The holder's remaining OPEN votes by alice's hand.
    const restWei = (await token.read.balanceOf([holder])) - halfWei;
    await token.write.transfer([stranger, restWei], by(holder));
    for (const account of [bob, sequencer]) await token.write.delegate([account], by(account));
    const gift = { target: DEPLOYER, data: "0x", valueWei: 1n } as const;
    const { id } = await governance.propose([gift], "late");
    const { deadlineBlock } = await governance.proposal(id, 0n);
    await f.l1.client.mine({ blocks: 4 });
    const vote = (account: typeof alice) => g.governor.write.castVote([id, 1], by(account));
    // Its place among the votes is written already, so the vote is no cheaper than its estimate.
    await vote(sequencer);
    await governance.cast(id, "for", { onSigned: async () => void (await vote(bob)) });
    const reached = await governance.proposal(id, 0n);
    expect(reached.votes.for).toBeGreaterThan(reached.quorumWei!);
    expect(reached.votes.for - halfWei - fewWei).toBeLessThan(reached.quorumWei!);
    expect(reached.deadlineBlock).toBe(await g.governor.read.proposalDeadline([id]));
    expect(reached.deadlineBlock).toBeGreaterThan(deadlineBlock);
  });

  it("is listed whole or not at all behind a node that leaves events out", async () => {
    const { f, g, at, client, governance } = await start();
    const { alice } = f.l1.roles;
    const { id } = await governance.propose([{ target: DEPLOYER, data: "0x", valueWei: 1n }], "a gift");
    await f.l1.client.mine({ blocks: 3 });
    // Another interface than ours: the governor counts it, and tells it by another event.
    await g.governor.write.castVoteWithReasonAndParams([id, 1, "", "0x01"], { account: alice });
    const proposal = await governance.proposal(id, 0n);
    const cast = { voter: alice, vote: "for", votesWei: proposal.votes.for };
    expect(await governance.votesCast(proposal)).toEqual([cast]);
    await expect(governance.proposal(id + 1n, 0n)).rejects.toMatchObject({ code: "CLI_UNKNOWN" });

    const behind = <T>(name: string, read: (governance: Governance) => Promise<T>) => {
      const item = openGovernorAbi.find((one) => one.type === "event" && one.name === name)!;
      const topic = toEventSelector(item as never);
      const limit = leavesOut(({ topics }) => topics[0] === topic);
      return behindLimit(f.rpcUrl, limit, async (rpcUrl) => {
        const { rollupAddress } = client;
        return read(new Governance(await createLedgerClient({ rpcUrl, rollupAddress }), at.governor));
      });
    };
    const incomplete = { code: "CLI_L1_LOGS_INCOMPLETE" };
    await expect(behind("ProposalCreated", (one) => one.proposal(id, 0n))).rejects.toMatchObject(incomplete);
    await expect(behind("VoteCastWithParams", (one) => one.votesCast(proposal))).rejects.toMatchObject(
      incomplete,
    );
  });

  it("is lost without a quorum, and a lost one is not queued", async () => {
    const { f, governance, client } = await start();
    const calls = withdrawFromTreasury(client, {
      recipient: f.l1.roles.bob,
      amountWei: "all",
      maxFeeWei: OPEN,
    });
    const { id } = await governance.propose(calls, "all to bob");
    await f.l1.client.mine({ blocks: 3 });
    await governance.cast(id, "against");
    await f.l1.client.mine({ blocks: 6 });
    const lost = await governance.proposal(id, 0n);
    expect(lost.state).toBe("defeated");
    await expect(governance.queue(lost)).rejects.toMatchObject({ code: "CLI_L1_REVERTED" });
    await expect(governance.proposal(id + 1n, 0n)).rejects.toMatchObject({
      code: "CLI_UNKNOWN",
      data: { reason: "proposal" },
    });
  });
});

describe("moving to the rollup that a vote named", () => {
  it("finalizes here and deposits there, for an account of the same owner", async () => {
    const { f, g, at, client, governance, voteFor } = await start();
    const { bob, holder, operator, sequencer } = f.l1.roles;
    const transport = custom(f.l1.client);
    const next = await deployRollup({
      walletClient: createWalletClient({ account: holder, chain: f.l1.client.chain, transport }),
      publicClient: createPublicClient({ chain: f.l1.client.chain, transport }),
      token: f.l1.token.address,
      sequencer,
      genesisRoot: 5n,
      treasuryOwner: at.timelock,
      operatorOwner: operator,
      operatorKeyX: 4n,
      circuits: f.l1.circuits,
    });
    const sourcesHash = `0x${"22".repeat(32)}` as const;
    const passed = await voteFor(announceRollup(at.registry, next.rollup, sourcesHash), "version 2");
    expect((await namedRollup(client, at.registry)).number).toBe(1n);
    await g.waitUntil(passed.executableFrom);
    await governance.execute(passed);

    const named = await namedRollup(client, at.registry);
    expect(named).toMatchObject({ number: 2n, sourcesHash });
    const wallet = { rpcUrl: f.rpcUrl, wallet: anvilAccount(5), spendingCap: CAP };
    const here = await createLedgerClient({ ...wallet, rollupAddress: f.rollup.address });
    const rollupAddress = named.rollupAddress;
    const l2Key = await deriveKey({ wallet: anvilAccount(5), chainId: here.chain.id, rollupAddress });
    const there = await createLedgerClient({ ...wallet, rollupAddress, l2Key });
    await requireGoodRollup(here, there, named, sourcesHash);
    await expect(requireGoodRollup(here, there, named, `0x${"33".repeat(32)}`)).rejects.toMatchObject({
      code: "CLI_MIGRATION_REFUSED",
    });
    // Nothing was withdrawn yet.
    await expect(movePaidOut(here, there)).rejects.toMatchObject({ code: "CLI_MIGRATION_REFUSED" });
    await f.l1.rollup.write.forceWithdraw([BOB_ID, 50n * OPEN, bob, ANY_FEE], { account: bob });
    await takeQueue(f);
    const moved = await movePaidOut(here, there);
    // The moved amount pays the id fee.
    expect(moved).toEqual({ paidOutWei: 50n * OPEN, depositedWei: 49n * OPEN, queueIndex: 0 });
    const [entry] = await f.l1.client.getContractEvents({
      address: next.rollup,
      abi: f.l1.rollup.abi,
      eventName: "QueueEntryAdded",
      fromBlock: 0n,
      strict: true,
    });
    expect(entry!.args).toMatchObject({
      amountWei: 49n * OPEN,
      word1: BigInt(bob),
      word2: l2Key.keyX,
      sender: bob,
    });
  });
});

describe("a malicious proposal", () => {
  it("is left by exit in time, even where the operator stands with it", async () => {
    const { f, g, at, client, governance, voteFor } = await start();
    const { bob, stranger } = f.l1.roles;
    const { rollup, token } = f.l1;
    // A proposal that pays all of the treasury to a stranger, and one that names a rollup that nobody should enter.
    const evil = await voteFor(
      [
        ...withdrawFromTreasury(client, { recipient: stranger, amountWei: "all", maxFeeWei: 8n * OPEN }),
        ...announceRollup(at.registry, rollup.address, `0x${"66".repeat(32)}`),
      ],
      "nothing to see here",
    );
    // Bob wants out that day, and the operator takes no operation any more.
    await rollup.write.forceWithdraw([BOB_ID, 50n * OPEN, bob, ANY_FEE], { account: bob });
    const { exit, proveExit } = exitActions(f.l1);
    await f.l1.passTime(HARD_DEADLINE + 1n);
    await rollup.write.freeze({ account: bob });
    const { root } = await f.rollup.state();
    const leaf = { root, key: BigInt(BOB_ID), recipient: BigInt(bob), amountWei: balanceOf(f, BOB_ID) };
    await exit([proveExit(SHAPES.length, leaf)], "bob");
    const before = await token.read.balanceOf([bob]);
    await rollup.write.finalizeWithdrawal([bob], { account: bob });
    expect((await token.read.balanceOf([bob])) - before).toBe(50n * OPEN);
    expect(evil.executableFrom - (await nowSeconds(f))).toBeGreaterThan(14n * 86_400n);

    // When its time comes it has no effect: a frozen ledger takes no forced operation.
    await token.write.transfer([at.timelock, 8n * OPEN], { account: bob });
    await g.waitUntil(evil.executableFrom);
    await expect(governance.execute(evil)).rejects.toMatchObject({ code: "CLI_L1_REVERTED" });
    expect(await g.registry.read.versionCount()).toBe(1n);
  });
});
