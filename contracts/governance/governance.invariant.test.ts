/** Random walk on the governance contracts: nobody changes the rules before 30 days are over. */
import fc from "fast-check";
import { encodeFunctionData, keccak256, stringToHex, zeroHash } from "viem";
import { afterAll, beforeAll, expect, it } from "vitest";
import { governanceTimelockAbi, openGovernorAbi, rollupRegistryAbi } from "../build/governance-abi.ts";
import { openTokenAbi, rollupAbi } from "../build/rollup-abi.ts";
import {
  deployGovernance,
  type GovernanceFixture,
  type GovernedCall,
  THIRTY_DAYS,
} from "../testing/governance-fixture.ts";
import { ANY_FEE, type Fixture, OPEN, startFixture } from "../testing/rollup-fixture.ts";

let f: Fixture & { stop: () => Promise<void> };
let g: GovernanceFixture;
beforeAll(async () => {
  f = await startFixture();
  g = await deployGovernance(f, (await f.client.getAddresses())[8]!);
  await g.delegate();
  await f.depositNew("bob", 30n * OPEN);
  // The timelock may lose only its own tokens.
  await f.token.write.transfer([g.timelock.address, 1_000n * OPEN], { account: f.roles.stranger });
});
afterAll(() => f.stop());

const ROLES = ["PROPOSER_ROLE", "CANCELLER_ROLE", "EXECUTOR_ROLE"].map((name) =>
  keccak256(stringToHex(name)),
);
const id = fc.integer({ min: 0, max: 4 });
const small = fc.integer({ min: 1, max: 9 });

/** Random calls of proposals: to everything governed, to the rollup as anybody, and to the token. */
const anyCall: fc.Arbitrary<() => GovernedCall> = fc.oneof(
  fc.record({ id, wei: fc.bigInt({ min: 1n, max: 2n ** 96n - 1n }) }).map(({ id, wei }) => () => ({
    target: f.rollup.address,
    data: encodeFunctionData({
      abi: rollupAbi,
      functionName: "forceWithdraw",
      args: [id, wei, f.roles.stranger, ANY_FEE],
    }),
  })),
  fc
    .constantFrom("finalizeWithdrawal" as const, "burnAccrued" as const, "freeze" as const)
    .map((name) => () => ({
      target: f.rollup.address,
      data: encodeFunctionData(
        name === "finalizeWithdrawal"
          ? { abi: rollupAbi, functionName: name, args: [f.roles.bob] }
          : { abi: rollupAbi, functionName: name },
      ),
    })),
  fc.record({ id, wei: fc.bigInt({ min: 1n, max: 5n * OPEN }) }).map(({ wei }) => () => ({
    target: f.token.address,
    data: encodeFunctionData({
      abi: openTokenAbi,
      functionName: "transferFrom",
      args: [f.roles.bob, g.timelock.address, wei],
    }),
  })),
  fc.constant(() => ({
    target: f.token.address,
    data: encodeFunctionData({
      abi: openTokenAbi,
      functionName: "approve",
      args: [f.rollup.address, ANY_FEE],
    }),
  })),
  fc.bigInt({ min: 0n, max: 2n * THIRTY_DAYS }).map((delay) => () => ({
    target: g.timelock.address,
    data: encodeFunctionData({ abi: governanceTimelockAbi, functionName: "updateDelay", args: [delay] }),
  })),
  fc.record({ role: fc.constantFrom(...ROLES), isGrant: fc.boolean() }).map(({ isGrant, role }) => () => ({
    target: g.timelock.address,
    data: encodeFunctionData({
      abi: governanceTimelockAbi,
      functionName: isGrant ? "grantRole" : "revokeRole",
      args: [role, f.roles.stranger],
    }),
  })),
  fc
    .record({ name: fc.constantFrom("setVotingDelay" as const, "setVotingPeriod" as const), small })
    .map(({ name, small: blocks }) => () => ({
      target: g.governor.address,
      data: encodeFunctionData({ abi: openGovernorAbi, functionName: name, args: [blocks] }),
    })),
  fc.boolean().map((isGood) => () => ({
    target: g.registry.address,
    data: encodeFunctionData({
      abi: rollupRegistryAbi,
      functionName: "announce",
      args: [isGood ? f.rollup.address : f.roles.bob, zeroHash],
    }),
  })),
);
const walk = fc.array(
  fc.record({
    calls: fc.array(anyCall, { minLength: 1, maxLength: 2 }),
    early: fc.bigInt({ min: 1n, max: THIRTY_DAYS - 2n }),
  }),
  { minLength: 4, maxLength: 6 },
);

/** Balances that nobody but their owner may move. */
const othersMoney = async () => ({
  bob: await f.token.read.balanceOf([f.roles.bob]),
  operator: await f.token.read.balanceOf([f.roles.operator]),
  owed: await f.rollup.read.pendingWithdrawals([f.roles.bob]),
  ledgerWei: await f.rollup.read.ledgerWei(),
  waiting: await f.rollup.read.queuedDeposits(),
  root: (await f.rollup.read.state()).root,
});
const versions = async () => {
  const count = Number(await g.registry.read.versionCount());
  return Promise.all(Array.from({ length: count }, (_, i) => g.registry.read.version([BigInt(i + 1)])));
};

it("keeps 30 days, everybody's money and every named version, whatever votes decide", async () => {
  let number = 0;
  let executed = 0;
  let refused = 0;
  const before = await othersMoney();
  await fc.assert(
    fc.asyncProperty(walk, async (steps) => {
      for (const { calls, early } of steps) {
        const known = await versions();
        const passed = await g.pass(
          calls.map((make) => make()),
          `walk ${number++}`,
        );
        const queuedAt = (await f.client.getBlock()).timestamp;
        // Whatever delay votes have chosen, from the moment of queueing.
        expect(passed.eta - queuedAt).toBeGreaterThanOrEqual(THIRTY_DAYS);
        await g.waitUntil(passed.eta - early);
        await expect(passed.execute()).rejects.toThrow("TimelockUnexpectedOperationState");
        await g.waitUntil(passed.eta);
        await passed.execute().then(
          () => executed++,
          () => refused++,
        );
        expect(await g.timelock.read.getMinDelay()).toBeGreaterThanOrEqual(THIRTY_DAYS);
        expect(await othersMoney()).toEqual(before);
        const now = await versions();
        expect(now.slice(0, known.length)).toEqual(known);
      }
    }),
    { numRuns: 4, seed: 20_261_121, endOnFailure: true },
  );
  // A walk of refusals alone would prove nothing.
  expect(executed).toBeGreaterThan(5);
  expect(refused).toBeGreaterThan(2);
});
