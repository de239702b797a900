import { isRollupError } from "@openledger/foundation/rollup-error";
import { runs } from "@openledger/foundation/testing/test-random";
import fc from "fast-check";
import { concat, type Hex, pad, toFunctionSelector, zeroAddress, zeroHash } from "viem";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { compileContracts, pickContract } from "../build/compile.ts";
import { type BondFixture, ETH, startBondFixture } from "../testing/bond-fixture.ts";
import { revertEachTest } from "../testing/chain.ts";
import { twinsOf } from "../testing/signature-twins.ts";
import {
  type Equivocation,
  equivocationCommitment,
  equivocationOf,
  isBondCode,
  REVEAL_DELAY_BLOCKS,
  securedWei,
  WITHDRAWAL_DELAY_SECONDS,
  WITHDRAWAL_WINDOW_SECONDS,
} from "./equivocation.ts";

let f: BondFixture;
beforeAll(async () => {
  f = await startBondFixture();
});
afterAll(() => f.stop());
revertEachTest(() => f);

const double = async (opIndex = 7): Promise<Equivocation> =>
  equivocationOf(f.bonded, await f.promise(1, opIndex), await f.promise(2, opIndex));
const asSequencer = () => ({ account: f.roles.sequencer });
/** The parts of a signature, unchecked. */
const partsOf = (signature: Hex) => ({
  r: `0x${signature.slice(2, 66)}` as Hex,
  s: `0x${signature.slice(66, 130)}` as Hex,
  v: Number(`0x${signature.slice(130)}`),
});

describe("PreconfirmationBond.show", () => {
  it("pays half of the bond to the beneficiary, burns the other, and then takes and pays nothing", async () => {
    const equivocation = await double();
    await f.bond.write.deposit({ account: f.roles.alice, value: 1n });
    const before = await Promise.all([f.balanceOf(f.roles.bob), f.balanceOf(zeroAddress)]);
    await f.show(equivocation);
    const [event] = await f.bond.getEvents.EquivocationShown();
    expect(event!.args).toMatchObject({ opIndex: 7n, rewardWei: 5n * ETH, burnedWei: 5n * ETH + 1n });
    expect(await f.balanceOf(f.roles.bob)).toBe(before[0] + 5n * ETH);
    // anvil pays the blocks' fees to the same address.
    expect(await f.balanceOf(zeroAddress)).toBeGreaterThan(before[1] + 5n * ETH);
    expect(await f.balanceOf(f.bond.address)).toBe(0n);
    expect(await f.state()).toMatchObject({ bondWei: 0n, announcedWei: 0n, isForfeited: true });
    await expect(f.show(await double(8))).rejects.toThrow("BondForfeited");
    await expect(f.bond.simulate.deposit({ account: f.roles.alice, value: 1n })).rejects.toThrow(
      "BondForfeited",
    );
    await expect(f.bond.simulate.announceWithdrawal([0n], asSequencer())).rejects.toThrow("BondForfeited");
    await expect(f.bond.simulate.withdraw(asSequencer())).rejects.toThrow("BondForfeited");
  });

  it("takes different deadlines of one place, and hashes that were signed at any time", async () => {
    const first = await f.promise(1, 7, { deadlineSeconds: 1 });
    const second = await f.promise(2, 7, { deadlineSeconds: 2 ** 40 });
    await f.show(await equivocationOf(f.bonded, first, second));
    expect(await f.bond.read.isForfeited()).toBe(true);
  });

  it("refuses one operation twice, whatever the deadlines", async () => {
    const first = await f.promise(1, 7);
    const second = await f.promise(1, 7, { deadlineSeconds: 5 });
    await expect(equivocationOf(f.bonded, first, second)).rejects.toMatchObject({
      code: "CON_EQUIVOCATION_INVALID",
      data: { reason: "same-operation" },
    });
    const good = await equivocationOf(f.bonded, first, await f.promise(2, 7));
    const same = { ...good, second: { ...good.first } };
    await expect(f.show(same)).rejects.toThrow("BondSameOperation");
  });

  it("refuses two places", async () => {
    const first = await f.promise(1, 7);
    const second = await f.promise(2, 8);
    await expect(equivocationOf(f.bonded, first, second)).rejects.toMatchObject({
      data: { reason: "other-place" },
    });
    const good = await double();
    const parts = partsOf(second.signature);
    await expect(f.show({ ...good, second: { ...good.second, ...parts } })).rejects.toThrow("BondNotSigned");
  });

  it.each([
    ["another account", { signer: 4 }],
    ["another rollup", { rollup: { rollupAddress: "0x00000000000000000000000000000000000000aa" as const } }],
    ["another chain", { rollup: { chainId: 1 } }],
  ])("refuses what was signed for, or by, %s", async (_, overrides) => {
    const good = await double();
    const first = await f.promise(1, 7);
    const foreign = await f.promise(3, 7, overrides);
    await expect(equivocationOf(f.bonded, first, foreign)).rejects.toMatchObject({
      data: { reason: "not-signed" },
    });
    const promised = { operationHash: foreign.operationHash, deadline: BigInt(foreign.deadlineSeconds) };
    for (const side of ["first", "second"] as const)
      await expect(
        f.show({ ...good, [side]: { ...promised, ...partsOf(foreign.signature) } }),
      ).rejects.toThrow("BondNotSigned");
  });

  it("refuses a signature's twin with a high s, or v as 0 or 1, and no signature at all", async () => {
    const good = await double();
    const { signature } = await f.promise(1, 7);
    for (const twin of [twinsOf.highS(signature), twinsOf.parity(signature)])
      await expect(f.show({ ...good, first: { ...good.first, ...partsOf(twin) } })).rejects.toThrow(
        "BondNotSigned",
      );
    const none = { ...good.first, r: pad("0x0"), s: pad("0x0"), v: 27 };
    await expect(f.show({ ...good, first: none })).rejects.toThrow("BondNotSigned");
  });

  it("refuses to be shown while nothing is bonded, and takes what is bonded later", async () => {
    await f.client.setBalance({ address: f.bond.address, value: 0n });
    const equivocation = await double();
    await expect(f.show(equivocation)).rejects.toThrow("BondEmpty");
    await f.bond.write.deposit({ account: f.roles.sequencer, value: 4n });
    const before = await f.balanceOf(f.roles.bob);
    await f.bond.write.show([equivocation, f.roles.bob, zeroHash], { account: f.roles.stranger });
    expect(await f.balanceOf(f.roles.bob)).toBe(before + 2n);
  });

  it("burns a bond of 1 wei, and takes the pair in either order", async () => {
    await f.client.setBalance({ address: f.bond.address, value: 1n });
    const { first, opIndex, second } = await double();
    const before = await f.balanceOf(f.roles.bob);
    await f.show({ opIndex, first: second, second: first });
    expect(await f.balanceOf(f.roles.bob)).toBe(before);
    expect(await f.balanceOf(f.bond.address)).toBe(0n);
    expect(await f.bond.read.isForfeited()).toBe(true);
    await expect(f.show({ opIndex, first, second })).rejects.toThrow("BondForfeited");
  });

  it("keeps the bond where the beneficiary refuses the payment", async () => {
    const equivocation = await double();
    // The token takes no ETH.
    await expect(f.show(equivocation, f.deployment.token)).rejects.toThrow("BondPaymentRefused");
    expect(await f.bond.read.bondWei()).toBe(10n * ETH);
    await f.show(equivocation);
    expect(await f.bond.read.isForfeited()).toBe(true);
  });
});

describe("PreconfirmationBond.commit", () => {
  it("lets nobody who saw the revelation take its reward", async () => {
    const equivocation = await double();
    const commitment = equivocationCommitment(equivocation, f.roles.bob, zeroHash);
    expect(await f.bond.read.commitmentOf([equivocation, f.roles.bob, zeroHash])).toBe(commitment);
    await f.bond.write.commit([commitment], { account: f.roles.stranger });
    // The copier names itself: it has committed to nothing, or only now.
    const copied = [equivocation, f.roles.alice, zeroHash] as const;
    const by = { account: f.roles.alice };
    await expect(f.bond.simulate.show(copied, by)).rejects.toThrow("BondNotCommitted");
    await f.client.mine({ blocks: Number(REVEAL_DELAY_BLOCKS) - 1 });
    await f.bond.write.commit([equivocationCommitment(...copied)], by);
    await expect(f.bond.simulate.show(copied, by)).rejects.toThrow("BondRevealTooEarly");
    // Whoever sends the revelation itself pays its beneficiary.
    const before = await f.balanceOf(f.roles.bob);
    await f.bond.write.show([equivocation, f.roles.bob, zeroHash], by);
    expect(await f.balanceOf(f.roles.bob)).toBe(before + 5n * ETH);
  });

  it("keeps the first block of a commitment, and refuses to reveal before its time", async () => {
    const equivocation = await double();
    const commitment = equivocationCommitment(equivocation, f.roles.bob, zeroHash);
    await f.bond.write.commit([commitment], { account: f.roles.stranger });
    const first = await f.bond.read.committedAt([commitment]);
    await expect(f.bond.simulate.commit([commitment], { account: f.roles.alice })).rejects.toThrow(
      "BondAlreadyCommitted",
    );
    await f.client.mine({ blocks: Number(REVEAL_DELAY_BLOCKS) - 1 });
    const by = { account: f.roles.bob };
    await expect(f.bond.simulate.show([equivocation, f.roles.bob, zeroHash], by)).rejects.toThrow(
      "BondRevealTooEarly",
    );
    expect(await f.bond.read.committedAt([commitment])).toBe(first);
  });
});

describe("PreconfirmationBond.withdraw", () => {
  it("pays what was announced, to the sequencer, after the delay and within the window", async () => {
    await f.bond.write.announceWithdrawal([4n * ETH], asSequencer());
    const { availableAt, timeSeconds } = await f.state();
    expect(availableAt).toBe(timeSeconds + WITHDRAWAL_DELAY_SECONDS);
    await f.waitUntil(availableAt - 2n);
    await expect(f.bond.simulate.withdraw(asSequencer())).rejects.toThrow("BondWithdrawalTooEarly");
    await f.waitUntil(availableAt);
    const before = await f.balanceOf(f.roles.sequencer);
    await f.bond.write.withdraw(asSequencer());
    expect(await f.bond.read.bondWei()).toBe(6n * ETH);
    expect((await f.balanceOf(f.roles.sequencer)) - before).toBeGreaterThan(4n * ETH - ETH / 100n);
    await expect(f.bond.simulate.withdraw(asSequencer())).rejects.toThrow("BondNothingAnnounced");
  });

  it("lets an announcement expire, so that none is a standing way out", async () => {
    await f.bond.write.announceWithdrawal([10n * ETH], asSequencer());
    const { availableAt } = await f.state();
    await f.waitUntil(availableAt + WITHDRAWAL_WINDOW_SECONDS);
    await expect(f.bond.simulate.withdraw(asSequencer())).rejects.toThrow("BondAnnouncementExpired");
    expect(await f.bond.read.announced()).toEqual([0n, 0n]);
  });

  it("begins the delay again with each announcement, and takes it back with 0", async () => {
    await f.bond.write.announceWithdrawal([ETH], asSequencer());
    const { availableAt } = await f.state();
    await f.waitUntil(availableAt - 10n);
    await f.bond.write.announceWithdrawal([2n * ETH], asSequencer());
    await f.waitUntil(availableAt + 10n);
    await expect(f.bond.simulate.withdraw(asSequencer())).rejects.toThrow("BondWithdrawalTooEarly");
    await f.bond.write.announceWithdrawal([0n], asSequencer());
    await expect(f.bond.simulate.withdraw(asSequencer())).rejects.toThrow("BondNothingAnnounced");
    await expect(f.bond.simulate.announceWithdrawal([11n * ETH], asSequencer())).rejects.toThrow(
      "BondAmountTooLarge",
    );
  });

  it("pays once where the payee calls back, and takes the bond once", async () => {
    // Calls its caller's `withdraw` or `deposit` when it is paid, whatever comes of it.
    const callsBack = (name: "withdraw" | "deposit") =>
      `0x63${toFunctionSelector(`${name}()`).slice(2)}5f525f5f6004601c5f335af15000` as Hex;
    const delegate: Hex = "0x00000000000000000000000000000000000000dd";
    await f.client.setCode({ address: delegate, bytecode: callsBack("withdraw") });
    // EIP-7702: an account with code.
    await f.client.setCode({ address: f.roles.sequencer, bytecode: concat(["0xef0100", delegate]) });
    await f.bond.write.announceWithdrawal([4n * ETH], asSequencer());
    await f.waitUntil((await f.state()).availableAt);
    await f.bond.write.withdraw(asSequencer());
    expect(await f.bond.read.bondWei()).toBe(6n * ETH);
    await f.client.setCode({ address: delegate, bytecode: callsBack("deposit") });
    await f.show(await double(), delegate);
    expect(await f.balanceOf(delegate)).toBe(3n * ETH);
    expect(await f.balanceOf(f.bond.address)).toBe(0n);
  });

  it("admits the sequencer alone, and takes the whole bond while a withdrawal is announced", async () => {
    for (const account of [f.roles.operator, f.roles.holder]) {
      await expect(f.bond.simulate.announceWithdrawal([1n], { account })).rejects.toThrow("BondNotSequencer");
      await expect(f.bond.simulate.withdraw({ account })).rejects.toThrow("BondNotSequencer");
    }
    await f.bond.write.announceWithdrawal([10n * ETH], asSequencer());
    const { availableAt } = await f.state();
    await f.waitUntil(availableAt);
    const before = await f.balanceOf(f.roles.bob);
    await f.show(await double());
    expect(await f.balanceOf(f.roles.bob)).toBe(before + 5n * ETH);
    await expect(f.bond.simulate.withdraw(asSequencer())).rejects.toThrow("BondForfeited");
  });
});

describe("PreconfirmationBond", () => {
  it("names the rollup and its sequencer, and refuses what is no rollup", async () => {
    expect(await f.bond.read.rollup()).toBe(f.bonded.rollupAddress);
    expect(await f.bond.read.sequencer()).toBe(f.roles.sequencer);
    expect(await f.bond.read.WITHDRAWAL_DELAY()).toBe(WITHDRAWAL_DELAY_SECONDS);
    expect(await f.bond.read.WITHDRAWAL_WINDOW()).toBe(WITHDRAWAL_WINDOW_SECONDS);
    expect(await f.bond.read.REVEAL_DELAY()).toBe(REVEAL_DELAY_BLOCKS);
    const { abi, bytecode } = pickContract(await compileContracts({ set: "bond" }), "PreconfirmationBond");
    const deploy = (rollup: Hex) =>
      f.client.deployContract({
        abi,
        bytecode,
        args: [rollup],
        account: f.roles.holder,
        chain: f.client.chain,
      });
    await expect(deploy(f.roles.bob)).rejects.toThrow();
    await expect(deploy(f.deployment.token)).rejects.toThrow();
  });

  it("is known by its code, for this rollup and sequencer alone", async () => {
    const code = await f.client.getCode({ address: f.bond.address });
    expect(isBondCode(code, f.bonded)).toBe(true);
    expect(isBondCode(code, { ...f.bonded, sequencerAddress: f.roles.bob })).toBe(false);
    expect(isBondCode(code, { ...f.bonded, rollupAddress: f.roles.bob })).toBe(false);
    expect(isBondCode(await f.client.getCode({ address: f.deployment.token }), f.bonded)).toBe(false);
    expect(isBondCode(undefined, f.bonded)).toBe(false);
  });

  it("is not known by code that holds zeros, or the other address, in any one place of an address", async () => {
    const code = (await f.client.getCode({ address: f.bond.address }))!;
    const [rollup, sequencer] = [f.bonded.rollupAddress, f.bonded.sequencerAddress].map((address) =>
      pad(address, { size: 32 }).slice(2).toLowerCase(),
    ) as [string, string];
    let count = 0;
    for (const [own, other] of [
      [rollup, sequencer],
      [sequencer, rollup],
    ] as const)
      for (let at = code.indexOf(own); at >= 0; at = code.indexOf(own, at + 1)) {
        count++;
        for (const word of [other, "0".repeat(64)]) {
          const forged: Hex = `0x${code.slice(2, at)}${word}${code.slice(at + 64)}`;
          expect(isBondCode(forged, f.bonded)).toBe(false);
        }
      }
    expect(count).toBeGreaterThan(3);
    const swapped = code
      .replaceAll(rollup, "r".repeat(64))
      .replaceAll(sequencer, rollup)
      .replaceAll("r".repeat(64), sequencer) as Hex;
    expect(isBondCode(swapped, f.bonded)).toBe(false);
  });

  it("takes no plain payment and no deposit of nothing", async () => {
    const to = { account: f.roles.alice, to: f.bond.address } as const;
    await expect(f.client.sendTransaction({ ...to, value: 1n })).rejects.toThrow();
    await expect(f.bond.simulate.deposit({ account: f.roles.alice })).rejects.toThrow("BondNothingSent");
  });
});

/** One step of a random walk. */
type Step =
  | { readonly type: "deposit"; readonly wei: bigint }
  | { readonly type: "announce"; readonly perMille: bigint }
  | { readonly type: "withdraw" }
  | { readonly type: "wait"; readonly seconds: bigint }
  | { readonly type: "show"; readonly operations: readonly [number, number]; readonly opIndex: number };

const step: fc.Arbitrary<Step> = fc.oneof(
  fc.bigInt({ min: 0n, max: 5n * ETH }).map((wei) => ({ type: "deposit" as const, wei })),
  fc.bigInt({ min: 0n, max: 1_100n }).map((perMille) => ({ type: "announce" as const, perMille })),
  fc.constant({ type: "withdraw" as const }),
  fc
    .bigInt({ min: 1n, max: WITHDRAWAL_DELAY_SECONDS + WITHDRAWAL_WINDOW_SECONDS })
    .map((seconds) => ({ type: "wait" as const, seconds })),
  fc
    .record({ operations: fc.tuple(fc.nat(2), fc.nat(2)), opIndex: fc.nat(3) })
    .map((one) => ({ type: "show" as const, ...one })),
);

describe("PreconfirmationBond, whatever anybody does", () => {
  it("loses ETH by a due withdrawal or one equivocation alone, and secures what securedWei says", async () => {
    const seen = { withdrawn: 0, shown: 0, refused: 0 };
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 6, maxLength: 12 }), async (steps) => {
        const snapshot = await f.client.snapshot();
        let announcement: { amountWei: bigint; atSeconds: bigint } | null = null;
        let isShown = false;
        for (const one of steps) {
          const before = await f.state();
          const checkedUntil = before.timeSeconds + WITHDRAWAL_DELAY_SECONDS / 2n;
          expect(await f.bond.read.securedWei([checkedUntil])).toBe(securedWei(before, checkedUntil));
          let delta = 0n;
          try {
            if (one.type === "deposit") {
              await f.bond.simulate.deposit({ account: f.roles.alice, value: one.wei });
              await f.bond.write.deposit({ account: f.roles.alice, value: one.wei });
              delta = one.wei;
            } else if (one.type === "announce") {
              const amountWei = (before.bondWei * one.perMille) / 1_000n;
              await f.bond.simulate.announceWithdrawal([amountWei], asSequencer());
              // An estimate of the second in which another announcement was made finds its time unchanged, which costs less.
              await f.bond.write.announceWithdrawal([amountWei], { ...asSequencer(), gas: 200_000n });
              announcement = { amountWei, atSeconds: (await f.client.getBlock()).timestamp };
            } else if (one.type === "withdraw") {
              await f.bond.simulate.withdraw(asSequencer());
              await f.bond.write.withdraw(asSequencer());
              const waited = (await f.client.getBlock()).timestamp - announcement!.atSeconds;
              expect(waited).toBeGreaterThanOrEqual(WITHDRAWAL_DELAY_SECONDS);
              expect(waited).toBeLessThan(WITHDRAWAL_DELAY_SECONDS + WITHDRAWAL_WINDOW_SECONDS);
              delta = -announcement!.amountWei;
              announcement = null;
              seen.withdrawn++;
            } else if (one.type === "wait") {
              await f.waitUntil(before.timeSeconds + one.seconds);
            } else {
              const [a, b] = one.operations;
              const [first, second] = [await f.promise(a, one.opIndex), await f.promise(b, one.opIndex)];
              await f.show(
                await equivocationOf(f.bonded, first, second),
                f.roles.bob,
                pad(`0x${steps.indexOf(one)}`),
              );
              expect(a).not.toBe(b);
              expect(isShown).toBe(false);
              isShown = true;
              delta = -before.bondWei;
              seen.shown++;
            }
          } catch (error) {
            if (!isRollupError(error) && !/Bond[A-Z]/.test(String(error))) throw error;
            seen.refused++;
          }
          const after = await f.state();
          expect(after.bondWei).toBe(before.bondWei + delta);
          expect(await f.balanceOf(f.bond.address)).toBe(after.bondWei);
          expect(after.isForfeited).toBe(isShown);
        }
        await f.client.revert({ id: snapshot });
      }),
      { numRuns: Math.max(6, runs(60)), seed: 20_261_128, endOnFailure: true },
    );
    // A walk of refusals alone would prove nothing.
    expect(seen.shown).toBeGreaterThan(0);
    expect(seen.refused).toBeGreaterThan(0);
  });
});
