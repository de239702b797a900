/** Tests of the governance contracts: what a vote can do, and nobody else. */
import {
  type Abi,
  type Address,
  encodeFunctionData,
  getAddress,
  type Hex,
  keccak256,
  stringToHex,
  zeroHash,
} from "viem";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { governanceTimelockAbi, openGovernorAbi, rollupRegistryAbi } from "../build/governance-abi.ts";
import { rollupAbi } from "../build/rollup-abi.ts";
import {
  deployGovernance,
  type GovernanceFixture,
  TEST_GOVERNANCE,
  THIRTY_DAYS,
} from "../testing/governance-fixture.ts";
import { type Fixture, OPEN, startFixture } from "../testing/rollup-fixture.ts";

let f: Fixture & { stop: () => Promise<void> };
let g: GovernanceFixture;
beforeAll(async () => {
  f = await startFixture();
  const deployer = (await f.client.getAddresses())[8]!;
  g = await deployGovernance(f, deployer);
  await g.delegate();
});
afterAll(() => f.stop());

const PROPOSER_ROLE = keccak256(stringToHex("PROPOSER_ROLE"));
type Contract = "OpenGovernor" | "GovernanceTimelock" | "RollupRegistry";
const ABIS: Readonly<Record<Contract, Abi>> = {
  OpenGovernor: openGovernorAbi,
  GovernanceTimelock: governanceTimelockAbi,
  RollupRegistry: rollupRegistryAbi,
};
const addressOf = (name: Contract): Address =>
  ({ OpenGovernor: g.governor, GovernanceTimelock: g.timelock, RollupRegistry: g.registry })[name].address;

/**
 * Callers that each writing function admits. "vote": only a vote, through the timelock; with arguments to
 * try.
 */
const WRITING: Readonly<
  Record<string, "anybody" | "own" | "never" | { readonly vote: () => readonly unknown[] }>
> = {
  "OpenGovernor.propose": "anybody",
  "OpenGovernor.castVote": "own",
  "OpenGovernor.castVoteBySig": "own",
  "OpenGovernor.castVoteWithReason": "own",
  "OpenGovernor.castVoteWithReasonAndParams": "own",
  "OpenGovernor.castVoteWithReasonAndParamsBySig": "own",
  "OpenGovernor.queue": "anybody",
  "OpenGovernor.execute": "anybody",
  // The proposer alone, before the vote begins.
  "OpenGovernor.cancel": "own",
  // The governor keeps tokens that somebody sends, and passes nothing on.
  "OpenGovernor.onERC721Received": "anybody",
  "OpenGovernor.onERC1155Received": "anybody",
  "OpenGovernor.onERC1155BatchReceived": "anybody",
  "OpenGovernor.updateTimelock": "never",
  "OpenGovernor.relay": { vote: () => [f.token.address, 0n, "0x18160ddd"] },
  "OpenGovernor.setVotingDelay": { vote: () => [3] },
  "OpenGovernor.setVotingPeriod": { vote: () => [7] },
  "OpenGovernor.setProposalThreshold": { vote: () => [2_000n * OPEN] },
  "OpenGovernor.setLateQuorumVoteExtension": { vote: () => [3] },
  "OpenGovernor.updateQuorumNumerator": { vote: () => [5n] },
  "GovernanceTimelock.execute": "anybody",
  "GovernanceTimelock.executeBatch": "anybody",
  "GovernanceTimelock.onERC721Received": "anybody",
  "GovernanceTimelock.onERC1155Received": "anybody",
  "GovernanceTimelock.onERC1155BatchReceived": "anybody",
  "GovernanceTimelock.renounceRole": "own",
  // The governor's alone: a vote that calls them has nothing but what a proposal does anyway, after another delay.
  "GovernanceTimelock.schedule": "own",
  "GovernanceTimelock.scheduleBatch": "own",
  "GovernanceTimelock.cancel": "own",
  "GovernanceTimelock.updateDelay": { vote: () => [THIRTY_DAYS + 1n] },
  "GovernanceTimelock.grantRole": { vote: () => [PROPOSER_ROLE, f.roles.bob] },
  "GovernanceTimelock.revokeRole": { vote: () => [PROPOSER_ROLE, f.roles.bob] },
  "RollupRegistry.announce": { vote: () => [f.rollup.address, zeroHash] },
};

const isWriting = (item: Abi[number]) =>
  item.type === "function" &&
  item.stateMutability !== "view" &&
  (item.stateMutability !== "pure" || item.name === "updateTimelock");
const encode = (name: string, args: readonly unknown[]) => {
  const [contract, functionName] = name.split(".") as [Contract, string];
  return {
    target: addressOf(contract),
    data: encodeFunctionData({ abi: ABIS[contract], functionName, args }),
  };
};
/** Balances of people and of the ledger. */
const money = async () => ({
  ledgerWei: await f.rollup.read.ledgerWei(),
  held: await f.token.read.balanceOf([f.rollup.address]),
  root: (await f.rollup.read.state()).root,
  sequencer: await f.rollup.read.sequencer(),
  balances: await Promise.all(
    (["alice", "bob", "operator", "treasury"] as const).map((role) =>
      f.token.read.balanceOf([f.roles[role]]),
    ),
  ),
});

describe("what a vote can do", () => {
  it("is every writing function of the three contracts, and each has its place here", () => {
    const found = Object.entries(ABIS).flatMap(([contract, abi]) =>
      abi.filter(isWriting).map((item) => `${contract}.${(item as { name: string }).name}`),
    );
    // updateTimelock has become pure: it always reverts.
    expect([...new Set(found)].sort()).toEqual(Object.keys(WRITING).sort());
  });

  const governed = Object.entries(WRITING).flatMap(([name, who]) =>
    typeof who === "object" ? [[name, who.vote] as const] : [],
  );
  it.each(governed)(
    "%s: nobody's alone, 30 days after it was queued, and nobody's money",
    async (name, args) => {
      const before = await money();
      const call = encode(name, args());
      for (const role of ["alice", "holder", "sequencer", "operator", "treasury", "stranger"] as const)
        await expect(
          f.client.call({ account: f.roles[role], to: call.target, data: call.data }),
          role,
        ).rejects.toThrow();
      const queuedAt = (await f.client.getBlock()).timestamp;
      const passed = await g.pass([call], name);
      expect(passed.eta - queuedAt).toBeGreaterThanOrEqual(THIRTY_DAYS);
      await expect(passed.execute()).rejects.toThrow();
      await g.waitUntil(passed.eta - 2n);
      await expect(passed.execute()).rejects.toThrow();
      await g.waitUntil(passed.eta);
      await passed.execute();
      expect(await money()).toEqual(before);
      expect(await g.timelock.read.getMinDelay()).toBeGreaterThanOrEqual(THIRTY_DAYS);
    },
  );

  it("is never another timelock, nor a shorter delay, even for itself", async () => {
    const calls = [
      encode("GovernanceTimelock.updateDelay", [THIRTY_DAYS - 1n]),
      encode("OpenGovernor.updateTimelock", [f.roles.bob]),
    ];
    for (const [i, call] of calls.entries()) {
      const passed = await g.pass([call], `refused ${i}`);
      await g.waitUntil(passed.eta);
      await expect(passed.execute()).rejects.toThrow(/TimelockDelayTooShort|GovernorTimelockFixed/);
    }
    const scheduled = [f.token.address, 0n, "0x" as Hex, zeroHash, zeroHash] as const;
    // Whom a vote made a proposer waits as long.
    const grant = await g.pass(
      [encode("GovernanceTimelock.grantRole", [PROPOSER_ROLE, f.roles.bob])],
      "grant",
    );
    await g.waitUntil(grant.eta);
    await grant.execute();
    const account = { account: f.roles.bob };
    await expect(g.timelock.simulate.schedule([...scheduled, THIRTY_DAYS - 1n], account)).rejects.toThrow(
      "TimelockInsufficientDelay",
    );
  });

  it("is nothing that anybody else could not do to the rollup: it has no governed function", () => {
    const question = rollupAbi.flatMap((item) =>
      item.type === "function" ? item.inputs.map(({ name }) => name ?? "") : [],
    );
    // Callers act for their own leaf: no function names another owner of the money that it moves on L1 alone, but `finalizeWithdrawal`, which pays the owner.
    expect(question.filter((name) => /^(from|governor|timelock|admin)$/.test(name))).toEqual([]);
    expect(
      rollupAbi.some((item) => item.type === "function" && /^(set|upgrade|pause|grant)/.test(item.name)),
    ).toBe(false);
  });
});

describe("a quorum", () => {
  /** Alice proposes, and votes in the block that is so many before the last. @returns the deadline before and after */
  const deadlines = async (text: string, blocksBefore: bigint) => {
    const { data, target } = encode("OpenGovernor.relay", [f.token.address, 0n, "0x18160ddd"]);
    const account = { account: f.roles.alice };
    await g.governor.write.propose([[target], [0n], [data], text], account);
    const id = await g.governor.read.hashProposal([[target], [0n], [data], keccak256(stringToHex(text))]);
    const before = await g.governor.read.proposalDeadline([id]);
    const blocks = before - blocksBefore - (await f.client.getBlockNumber()) - 1n;
    await f.client.mine({ blocks: Number(blocks) });
    await g.governor.write.castVote([id, 1], account);
    return { id, before, after: await g.governor.read.proposalDeadline([id]) };
  };
  const stateOf = (id: bigint) => g.governor.read.state([id]);

  it("that is reached in a vote's last block leaves others time to answer, once", async () => {
    const extension = BigInt(await g.governor.read.lateQuorumVoteExtension());
    const { after, before, id } = await deadlines("late", 0n);
    expect(await f.client.getBlockNumber()).toBe(before);
    expect(after).toBe(before + extension);
    await f.client.mine({ blocks: Number(extension) - 1 });
    await g.governor.write.castVote([id, 0], { account: f.roles.bob });
    expect(await g.governor.read.proposalDeadline([id])).toBe(after);
    const active = 1;
    const succeeded = 4;
    expect(await stateOf(id)).toBe(active);
    await f.client.mine({ blocks: 1 });
    expect(await stateOf(id)).toBe(succeeded);
  });

  it("that is reached early leaves the vote as long as it was", async () => {
    const { after, before } = await deadlines(
      "early",
      BigInt(await g.governor.read.lateQuorumVoteExtension()),
    );
    expect(after).toBe(before);
  });
});

describe("GovernanceTimelock", () => {
  it("is not made with less than 30 days", async () => {
    const short = { ...TEST_GOVERNANCE, delaySeconds: THIRTY_DAYS - 1n };
    const deployer = (await f.client.getAddresses())[9]!;
    await expect(deployGovernance(f, deployer, short)).rejects.toThrow();
  });

  it("has no admin but itself, and the governor alone proposes", async () => {
    const admin = await g.timelock.read.DEFAULT_ADMIN_ROLE();
    const granted = await f.client.getContractEvents({
      address: g.timelock.address,
      abi: governanceTimelockAbi,
      eventName: "RoleGranted",
      fromBlock: 0n,
      toBlock: f.deployment.blockNumber + 40n,
      strict: true,
    });
    const admins = granted.filter(({ args }) => args.role === admin).map(({ args }) => args.account);
    expect(admins).toEqual([g.timelock.address]);
  });
});

describe("RollupRegistry", () => {
  const announce = async (rollup: Address, text: string) => {
    const passed = await g.pass([encode("RollupRegistry.announce", [rollup, zeroHash])], text);
    await g.waitUntil(passed.eta);
    return passed.execute();
  };

  it("begins with its own rollup, and goes on with whatever keeps the same token and is not frozen", async () => {
    expect(await g.registry.read.version([1n])).toMatchObject({ rollup: getAddress(f.rollup.address) });
    await expect(g.registry.read.version([0n])).rejects.toThrow("RegistryUnknownVersion");
    const count = await g.registry.read.versionCount();
    await expect(g.registry.read.version([count + 1n])).rejects.toThrow("RegistryUnknownVersion");
    await expect(announce(f.roles.bob, "no code")).rejects.toThrow("RegistryNoRollup");
    await expect(announce(f.token.address, "no rollup")).rejects.toThrow();
    const { deployRollup } = await import("../build/deploy.ts");
    const { createPublicClient, createWalletClient, custom } = await import("viem");
    const transport = custom(f.client);
    const walletClient = createWalletClient({ account: f.roles.holder, chain: f.client.chain, transport });
    const base = {
      walletClient,
      publicClient: createPublicClient({ chain: f.client.chain, transport }),
      sequencer: f.roles.sequencer,
      genesisRoot: 5n,
      treasuryOwner: g.timelock.address,
      operatorOwner: f.roles.operator,
      operatorKeyX: 4n,
      circuits: f.circuits,
    };
    const other = await deployRollup(base);
    await expect(announce(other.rollup, "another token")).rejects.toThrow("RegistryOtherToken");
    const next = await deployRollup({ ...base, token: f.token.address });
    await announce(next.rollup, "the next one");
    const [latest, number] = await g.registry.read.latest();
    expect({ rollup: latest.rollup, number }).toEqual({
      rollup: getAddress(next.rollup),
      number: count + 1n,
    });
    // A version is taken back by naming the older one again; what was said before stays.
    await announce(f.rollup.address, "back");
    expect((await g.registry.read.latest())[0].rollup).toBe(getAddress(f.rollup.address));
    expect((await g.registry.read.version([count + 1n])).rollup).toBe(getAddress(next.rollup));
  });
});
