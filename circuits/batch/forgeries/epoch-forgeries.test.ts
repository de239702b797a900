/** Forged slots of CloseEpoch and Activation: see slot-forgeries.test.ts. */

import { beforeAll, describe, expect, it } from "vitest";
import { initPoseidon } from "../../field/poseidon.ts";
import { hashStatics, type Leaf } from "../../ledger/leaf.ts";
import { activationHash } from "../../ledger/rewards.ts";
import { COUNTERS, KIND } from "../../protocol.ts";
import {
  CLOSABLE,
  closedBy,
  NO_A,
  openings,
  READY,
  TERMS,
  withBody,
} from "../../testing/forgeries/epoch-forgery-parts.ts";
import {
  AUTHORISATION,
  expectAccepted,
  loadForgeryTester,
  newRootIn,
  PATH,
  setScratch,
  tester,
  testForgeries,
} from "../../testing/forgeries/forgery-check.ts";
import {
  type Build,
  CLOSED,
  honest,
  MODEL,
  PAYER,
  STATICS,
  secretOf,
  WAITING,
  type World,
} from "../../testing/forgeries/forgery-world.ts";
import type { LawlessOperation } from "../../testing/forgeries/lawless-slot.ts";
import { START_TIMESTAMP } from "../../testing/random-ledger.ts";

await initPoseidon();
beforeAll(loadForgeryTester);

describe("Close", () => {
  const kind = KIND.closeEpoch;
  const when =
    (change: (world: World) => void, operation: Partial<LawlessOperation> = {}): Build =>
    (world) => {
      change(world);
      return honest(kind, operation);
    };
  const byItself = { a: MODEL };
  testForgeries(kind, [
    ...openings(kind),
    {
      rule: "a model without an activation",
      forged: when((world) => world.setCounters(MODEL, { isReady: false })),
      at: READY,
      code: "OP_MODEL_NOT_READY",
    },
    {
      rule: "a second epoch before the first is settled",
      forged: () => honest(kind, { b: CLOSED }),
      at: CLOSABLE,
      code: "OP_EPOCH_UNSETTLED",
    },
    {
      rule: "an epoch without a payment",
      lawful: when((world) => world.set(MODEL, { openAmount: 1n })),
      forged: when((world) => world.set(MODEL, { openAmount: 0n })),
      at: CLOSABLE,
      code: "OP_NOTHING_TO_CLOSE",
    },
    {
      rule: "another's CloseEpoch a second before the day is over",
      // The model itself need not wait.
      lawful: when((world) => world.setBody(MODEL, { epochStart: START_TIMESTAMP }), byItself),
      forged: when((world) => {
        const { epochStart } = world.ledger.requireLeaf(MODEL).model!;
        world.setBody(MODEL, { epochStart: epochStart + 1n });
      }),
      at: "isByOther * (1 - bits[40]) === 0;",
      code: "OP_TOO_EARLY",
    },
    {
      rule: "the last epoch, whose successor would raise the price",
      lawful: when((world) => world.setCounters(MODEL, { epoch: 2n ** 24n - 2n })),
      forged: when((world) => world.setCounters(MODEL, { epoch: 2n ** 24n - 1n })),
      at: "isCloseEpoch * bits[65] === 0;",
      code: "OP_EXHAUSTED",
    },
    ...(["chain", "epoch", "closingBatch", "amountWei"] as const).map((field) => ({
      rule: `a closed epoch with another ${field}`,
      forged: withBody(kind, () => ({ closed: closedBy({ [field]: 6n }) })),
      at: PATH,
    })),
    ...(["closed", "accruedRoot", "claimedRoot", "epochStart"] as const).map((field) => ({
      rule: `a new body with another ${field}`,
      forged: withBody(kind, (lawful) => ({ [field]: lawful[field] + 1n })),
      at: PATH,
    })),
    ...(
      [
        ["the chain kept", { chain: 88n }],
        ["the amount kept", { openAmount: 7n }],
        ["the count kept", { counters: 3n << COUNTERS.paymentCount }],
        ["the same epoch", { counters: -(1n << COUNTERS.epoch) }],
      ] as const
    ).map(([rule, change]) => ({
      rule,
      forged: () =>
        honest(kind, {
          effectB: (leaf: Leaf) => ({
            ...leaf,
            ...change,
            counters: leaf.counters + ("counters" in change ? change.counters : 0n),
          }),
        }),
      at: PATH,
    })),
  ]);
});

describe("Activation", () => {
  const kind = KIND.activation;
  const hashOf = (changes: Partial<Parameters<typeof activationHash>[0]>) =>
    activationHash({
      modelId: WAITING,
      statics: hashStatics(STATICS),
      cap: 16,
      payeeRoot: STATICS.payeeRoot,
      ...changes,
    });
  const code = "OP_SETTLEMENT_DIFFERS";
  const { settlement } = honest(kind);
  const withCap = (cap: number, changes: Partial<LawlessOperation> = {}) =>
    honest(kind, { words: [hashOf({ cap })], settlement: { ...settlement!, cap }, ...changes });
  testForgeries(kind, [
    ...openings(kind),
    {
      rule: "a second one",
      forged: () => honest(kind, { b: MODEL, words: [hashOf({ modelId: MODEL })] }),
      at: "isActivation * (ready + cap + paymentCount + epoch) === 0;",
      code: "OP_MODEL_READY",
    },
    ...(
      [
        ["another model's J", { modelId: MODEL }],
        ["a J over other statics", { statics: 5n }],
        ["a J with another cap", { cap: 17 }],
        ["a J over another payee root", { payeeRoot: 5n }],
      ] as const
    ).map(([rule, changes]) => ({
      rule,
      forged: () => honest(kind, { words: [hashOf(changes)] }),
      at: TERMS,
      code,
    })),
    {
      rule: "another cap than J's",
      lawful: () =>
        honest(kind, { words: [hashOf({ cap: 65_535 })], settlement: { ...settlement!, cap: 65_535 } }),
      forged: () => honest(kind, { settlement: { ...settlement!, cap: 17 } }),
      at: TERMS,
      code,
    },
    {
      rule: "a cap of 17 bits",
      forged: () =>
        honest(kind, { words: [hashOf({ cap: 65_536 })], settlement: { ...settlement!, cap: 65_536 } }),
      at: TERMS,
      code,
    },
    {
      rule: "a Settle's J",
      forged: () => honest(kind, { words: honest(KIND.settle).words! }),
      at: TERMS,
      code,
    },
    // Attack: anyone who knows the payee table can prove an activation, and it fixes the cap for ever.
    ...[1, 16, 65_535].map((cap) => ({
      rule: `no signature of the model, cap ${cap}`,
      lawful: () => withCap(cap),
      forged: () => withCap(cap, { secret: undefined as never }),
      at: AUTHORISATION,
      code: "OP_BAD_SIGNATURE",
    })),
    ...(
      [
        ["a stranger's signature", { secret: secretOf(PAYER) }],
        ["a signature for another cap", { signed: { words: [hashOf({ cap: 17 })] } }],
        ["a signature for another rollup", { signed: { domain: 5n } }],
        ["a signature for a model of another owner", { signed: { bRef: 5n } }],
        ["a signature of a Settle", { signed: { kind: KIND.settle } }],
        ["a signature with a nonce", { signed: { nonce: 1n } }],
        ["a signature with a fee limit", { signed: { maxFeePerUnitWei: 1n } }],
      ] as [string, Partial<LawlessOperation>][]
    ).map(([rule, changes]) => ({
      rule,
      forged: () => withCap(16, changes),
      at: AUTHORISATION,
      code: "OP_BAD_SIGNATURE",
    })),
    {
      rule: "a model without a key",
      forged: (world) => {
        world.set(WAITING, { keyX: 0n });
        return withCap(16);
      },
      at: AUTHORISATION,
      code: "OP_BAD_SIGNATURE",
    },
    { rule: "an A", forged: () => honest(kind, { a: PAYER }), at: NO_A },
    ...(
      [
        ["ready at epoch 0", (leaf) => ({ ...leaf, counters: leaf.counters - (1n << COUNTERS.epoch) })],
        ["approved by nobody", (leaf) => ({ ...leaf, counters: leaf.counters + 2n })],
        ["a cap that is more", (leaf) => ({ ...leaf, counters: leaf.counters + 4n })],
        ["a balance", (leaf) => ({ ...leaf, balance: leaf.balance + 1n })],
        ["another owner", (leaf) => ({ ...leaf, l1Owner: leaf.l1Owner + 1n })],
      ] as [string, (leaf: Leaf) => Leaf][]
    ).map(([rule, effectB]) => ({ rule, kind, forged: () => honest(kind, { effectB }), at: PATH })),
    ...(["closed", "accruedRoot", "claimedRoot", "epochStart"] as const).map((field) => ({
      rule: `a new body with another ${field}`,
      forged: withBody(kind, (lawful) => ({ [field]: lawful[field] + 1n })),
      at: PATH,
    })),
    {
      rule: "a change of leaf 0",
      forged: () => honest(kind, { effectA: (leaf: Leaf) => ({ ...leaf, balance: leaf.balance + 1n }) }),
      at: PATH,
    },
  ]);

  it("uses no digit of another kind: what is left of them does nothing", async () => {
    const { inputs, readWitness } = await expectAccepted("wide", () => honest(kind));
    const lawful = readWitness();
    setScratch(inputs, 16n | (2n ** 185n - 2n ** 16n));
    const witness = await tester.calculateWitness(inputs);
    expect(newRootIn(tester, witness)).toBe(newRootIn(tester, lawful));
  });
});
