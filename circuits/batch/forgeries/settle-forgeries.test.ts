/** Forged slots of Settle: see slot-forgeries.test.ts. */

import { beforeAll, describe, expect, it } from "vitest";
import { initPoseidon } from "../../field/poseidon.ts";
import type { Leaf, ModelBody } from "../../ledger/leaf.ts";
import { settlementHash } from "../../ledger/rewards.ts";
import { KIND, MAX_AMOUNT_WEI } from "../../protocol.ts";
import {
  NEEDED,
  NO_A,
  openings,
  READY,
  setBits,
  TERMS,
  withBody,
} from "../../testing/forgeries/epoch-forgery-parts.ts";
import {
  AUTHORISATION,
  BALANCE,
  CREDIT,
  expectAccepted,
  loadForgeryTester,
  PATH,
  setInput,
  tester,
  testForgeries,
} from "../../testing/forgeries/forgery-check.ts";
import {
  type Build,
  CLOSED,
  CLOSED_EPOCH,
  CODE,
  honest,
  MODEL,
  PAYER,
  STATICS,
  secretOf,
  settleWith,
  World,
} from "../../testing/forgeries/forgery-world.ts";
import type { LawlessOperation } from "../../testing/forgeries/lawless-slot.ts";
import { OPEN, START_TIMESTAMP } from "../../testing/random-ledger.ts";

await initPoseidon();
beforeAll(loadForgeryTester);

describe("Settle", () => {
  const kind = KIND.settle;
  const code = "OP_SETTLEMENT_DIFFERS";
  const VOIDED = settleWith({ drawBits: 2n, voidCount: 1, earnedParts: [300, 500] });
  const voided = (changes: Partial<LawlessOperation> = {}): LawlessOperation =>
    honest(kind, { ...VOIDED, ...changes });
  const lawful = honest(kind);
  const amounts = lawful.settlement!;
  const hashOf = (changes: Partial<Parameters<typeof settlementHash>[0]>) => {
    const { closed, accruedRoot } = new World().ledger.requireLeaf(CLOSED).model!;
    const { ownerWei, treasuryWei, voidCount } = amounts;
    const terms = { modelId: CLOSED, voidCount, closed, ownerWei, treasuryWei, oldAccruedRoot: accruedRoot };
    return settlementHash({ ...terms, newAccruedRoot: accruedRoot, ...changes });
  };
  const shown = (changes: Partial<typeof amounts>) => () =>
    honest(kind, { settlement: { ...amounts, ...changes } });
  testForgeries(kind, [
    ...openings(kind),
    {
      // No rule leads there; the circuit asks all the same.
      rule: "a closed epoch of a model without an activation",
      forged: (world) => {
        world.setCounters(CLOSED, { isReady: false });
        return honest(kind);
      },
      at: READY,
      code: "OP_MODEL_NOT_READY",
    },
    {
      rule: "a model that has closed nothing",
      forged: () => honest(kind, { b: MODEL }),
      at: NEEDED,
      code: "OP_NOTHING_CLOSED",
    },
    ...[1n, -1n].flatMap((one) => [
      {
        rule: `the owner's amount ${one} wei off what the proof shows`,
        forged: shown({ ownerWei: amounts.ownerWei + one, treasuryWei: amounts.treasuryWei - one }),
        at: TERMS,
        code,
      },
      {
        rule: `the treasury's amount ${one} wei off`,
        forged: shown({ treasuryWei: amounts.treasuryWei + one, burnedWei: amounts.burnedWei - one }),
        at: TERMS,
        code,
      },
      {
        rule: `a payee's earnings ${one} wei off`,
        forged: shown({
          earnedWei: [amounts.earnedWei[0]! + one, amounts.earnedWei[1]! - one],
        }),
        at: TERMS,
        code,
      },
    ]),
    {
      rule: "amounts that are not the closed one's parts",
      forged: shown({ burnedWei: amounts.burnedWei + 1n }),
      // The ledger's proof does not know the burned amount: the settlement's does.
      at: TERMS,
      code,
      tamper: setBits(0, 96, (wei) => wei + 1n),
    },
    ...(
      [
        ["another model's J", { modelId: MODEL }],
        ["a J over another closed epoch", { closed: 5n }],
        ["a J over another accrued root", { oldAccruedRoot: STATICS.payeeRoot }],
        ["a J that says voids", { voidCount: 1 }],
        ["a J that pays nothing to payees", {}],
      ] as const
    ).map(([rule, changes]) => ({
      rule,
      forged: () => honest(kind, { words: [hashOf(changes)] }),
      at: TERMS,
      code,
    })),
    {
      rule: "another new accrued root than J's",
      tamper: (inputs) => setInput(inputs, "wideModel", [0, 9], 5n),
      at: TERMS,
    },
    {
      rule: "voids that the prover does not show",
      lawful: () => voided(),
      forged: () => voided({ settlement: { ...VOIDED.settlement!, voidCount: 0 } }),
      at: TERMS,
      code,
    },
    ...(
      [
        ["no signature", { secret: undefined }],
        ["another's signature", { secret: secretOf(PAYER) }],
        ["a signature over another J", { signed: { words: [5n] } }],
        ["a signature with a nonce", { signed: { nonce: 1n } }],
        ["a signature with a fee limit", { signed: { maxFeePerUnitWei: 1n } }],
        ["a signature for another model", { signed: { b: MODEL } }],
        ["a signature of another kind", { signed: { kind: KIND.claimRewards } }],
        ["a signature for another rollup", { signed: { domain: 5n } }],
        ["a signature by a model that was another's", { signed: { bRef: 5n } }],
      ] as [string, Partial<LawlessOperation>][]
    ).map(([rule, changes]) => ({
      rule: `voids with ${rule}`,
      lawful: () => voided(),
      forged: () => voided(changes),
      at: AUTHORISATION,
      code: "OP_BAD_SIGNATURE",
    })),
    {
      rule: "voids of a model without a key",
      forged: (world) => {
        world.set(CLOSED, { keyX: 0n });
        return voided();
      },
      at: AUTHORISATION,
      code: "OP_BAD_SIGNATURE",
    },
    {
      rule: "another leaf in the treasury's place",
      forged: () => honest(kind, { a: PAYER }),
      at: NO_A,
    },
    {
      rule: "an amount field",
      forged: () => honest(kind, { amountCode: CODE }),
      at: "(1 - movesAmount - isCommit - isForcedClaimRewards) * code === 0;",
    },
    {
      rule: "a treasury above 96 bits",
      lawful: (world) => {
        world.set(0, { balance: MAX_AMOUNT_WEI - amounts.treasuryWei });
        return honest(kind);
      },
      forged: (world) => {
        world.set(0, { balance: MAX_AMOUNT_WEI - amounts.treasuryWei + 1n });
        return honest(kind);
      },
      at: BALANCE,
      code: "OP_BALANCE_OVERFLOW",
    },
    {
      rule: "an owner above 96 bits",
      lawful: (world) => {
        world.set(CLOSED, { balance: MAX_AMOUNT_WEI - amounts.ownerWei });
        return honest(kind);
      },
      forged: (world) => {
        world.set(CLOSED, { balance: MAX_AMOUNT_WEI - amounts.ownerWei + 1n });
        return honest(kind);
      },
      at: CREDIT,
      code: "OP_BALANCE_OVERFLOW",
    },
    ...(
      [
        ["a nonce of the treasury used", (leaf) => ({ ...leaf, nonce: leaf.nonce + 1n })],
        ["a fee taken from the treasury", (leaf) => ({ ...leaf, balance: leaf.balance - 1n })],
        ["the treasury's part kept", (leaf) => ({ ...leaf, balance: leaf.balance - amounts.treasuryWei })],
      ] as [string, (leaf: Leaf) => Leaf][]
    ).map(([rule, effectA]) => ({ rule, kind, forged: () => honest(kind, { effectA }), at: PATH })),
    ...(["nonce", "l1Owner", "keyX", "balance", "chain", "openAmount", "counters"] as const).map((field) => ({
      rule: `a wrong effect on the model's ${field}`,
      forged: () => honest(kind, { effectB: (leaf: Leaf) => ({ ...leaf, [field]: leaf[field] + 1n }) }),
      at: PATH,
    })),
    ...(
      [
        ["the closed epoch kept", (world) => ({ closed: world.ledger.requireLeaf(CLOSED).model!.closed })],
        ["the old accrued root kept", () => ({})],
        ["another claimed root", () => ({ claimedRoot: 5n })],
        ["another start", () => ({ epochStart: START_TIMESTAMP })],
      ] as [string, (world: World) => Partial<ModelBody>][]
    ).map(([rule, changes]) => ({
      rule,
      forged: ((world) => withBody(kind, () => changes(world))(world)) as Build,
      at: PATH,
    })),
  ]);

  it("takes every way to settle, voids and the default split among them", async () => {
    for (const plan of [
      { drawBits: 0n, voidCount: 0, earnedParts: [1000] },
      { drawBits: 3n, voidCount: 8, earnedParts: [] },
      { drawBits: null, voidCount: 0, earnedParts: [333, 666] },
    ]) {
      const { readWitness } = await expectAccepted("wide", () => honest(kind, settleWith(plan)));
      expect(tester.checkConstraints(readWitness())).toBeNull();
    }
    expect(CLOSED_EPOCH.amountWei > OPEN).toBe(true);
  });
});
