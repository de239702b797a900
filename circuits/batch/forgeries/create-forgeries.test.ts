/** Forged slots of the kinds that open a leaf: see slot-forgeries.test.ts. */
import { beforeAll, describe, expect, it } from "vitest";
import { initPoseidon } from "../../field/poseidon.ts";
import { hashModelBody, type Leaf, type ModelBody } from "../../ledger/leaf.ts";
import { EMPTY_CLAIMED_ROOT } from "../../ledger/rewards.ts";
import { COUNTERS, KIND } from "../../protocol.ts";
import {
  type Inputs,
  LEAF,
  LEAF_FIELD,
  loadForgeryTester,
  PATH,
  setInput,
  setScratch,
  testForgeries,
  WEI,
} from "../../testing/forgeries/forgery-check.ts";
import {
  CAPACITY,
  CODE,
  CREATE_KINDS,
  FREE,
  HONEST,
  honest,
  ID_FEE,
  MODEL_WORDS,
  nameOf,
  OPENING,
  PAYER,
  RECIPIENT,
  STATICS,
  World,
} from "../../testing/forgeries/forgery-world.ts";
import { replaySlot } from "../slot.ts";

await initPoseidon();
beforeAll(loadForgeryTester);

describe.each(CREATE_KINDS.map((kind) => [nameOf(kind), kind] as const))("%s", (_name, kind) => {
  const { words = [] } = HONEST[kind]!;
  testForgeries(kind, [
    ...[FREE + 1, RECIPIENT, 0].map((b) => ({
      rule: `the chosen id ${b}`,
      forged: () => honest(kind, { b }),
      at: "isNew * (bId - nextId) === 0;",
    })),
    {
      rule: "a place that is taken",
      forged: (world: World) => {
        world.ledger.nextId = RECIPIENT;
        return honest(kind);
      },
      tamper: (inputs: Inputs) => {
        for (let field = 0; field < 9; field++) setInput(inputs, "wideB", [0, field], 0n);
      },
      at: LEAF,
    },
    {
      rule: "a tree that is full",
      forged: (world: World) => {
        world.ledger.nextId = CAPACITY;
        return honest(kind, { b: 0 });
      },
      at: "isNew * (bId - nextId) === 0;",
      code: "OP_EXHAUSTED",
    },
    {
      rule: "no id fee",
      forged: () => honest(kind, { effectA: (leaf: Leaf) => ({ ...leaf, balance: leaf.balance + ID_FEE }) }),
      at: PATH,
    },
    {
      rule: "the owner 0",
      forged: () => honest(kind, { words: words.with(0, 0n) }),
      at: "(isCreate + isWithdraw) * noAddress.out === 0;",
      code: "OP_MALFORMED",
    },
    {
      rule: "an owner of 161 bits",
      lawful: () => honest(kind, { words: words.with(0, 2n ** 160n - 1n) }),
      forged: () => honest(kind, { words: words.with(0, 2n ** 160n) }),
      at: "(isCreate + isWithdraw) * (words[0] - digits160) === 0;",
      code: "OP_MALFORMED",
    },
    ...(["nonce", "chain", "openAmount"] as const).map((field) => ({
      rule: `a new leaf that starts with a ${field}`,
      forged: () => honest(kind, { effectB: (leaf: Leaf) => ({ ...leaf, [field]: 7n }) }),
      tamper: (inputs: Inputs) => setInput(inputs, "wideB", [0, LEAF_FIELD[field]], 7n),
      at: "isEmptyB * b[i] === 0;",
    })),
    ...(["balance", "counters", "body", "l1Owner", "keyX"] as const).map((field) => ({
      rule: `a new leaf with another ${field}`,
      forged: () => honest(kind, { effectB: (leaf: Leaf) => ({ ...leaf, [field]: leaf[field] + 2n }) }),
      at: PATH,
    })),
    {
      rule: "a new leaf of another kind",
      forged: () => honest(kind, { effectB: (leaf: Leaf) => ({ ...leaf, kind: (leaf.kind % 3) + 1 }) }),
      at: PATH,
    },
  ]);

  it("names the next id in the replay too", () => {
    const { ledger } = new World();
    const record = { kind, a: PAYER, b: FREE + 1, amountCode: CODE, isValid: false, words };
    expect(() => replaySlot(ledger, record, OPENING)).toThrow(
      expect.objectContaining({ code: "OP_WRONG_NEW_ID" }),
    );
    replaySlot(ledger, { ...record, b: FREE }, OPENING);
    expect(ledger.nextId).toBe(FREE + 1);
  });
});

describe("CreateModel's own", () => {
  const BODY: ModelBody = {
    statics: STATICS,
    closed: 0n,
    accruedRoot: STATICS.payeeRoot,
    claimedRoot: EMPTY_CLAIMED_ROOT,
    epochStart: 0n,
  };
  const bodies: [string, ModelBody, string][] = [
    ...(Object.keys(BODY.statics) as (keyof ModelBody["statics"])[]).map(
      (field): [string, ModelBody, string] => [
        field,
        {
          ...BODY,
          statics: { ...BODY.statics, [field]: 77n },
          ...(field === "payeeRoot" ? { accruedRoot: 77n } : {}),
        },
        field === "split"
          ? "isCreateModel * (split - split32) === 0;"
          : "isCreateModel * (statics[i] - words[2 + i]) === 0;",
      ],
    ),
    ["closed epoch", { ...BODY, closed: 77n }, "isCreateModel * closed === 0;"],
    ["accrued root", { ...BODY, accruedRoot: 77n }, "isCreateModel * (accruedRoot - modelPayeeRoot) === 0;"],
    [
      "claimed root",
      { ...BODY, claimedRoot: 77n },
      "isCreateModel * (claimedRoot - EMPTY_CLAIMED_ROOT()) === 0;",
    ],
    ["start", { ...BODY, epochStart: 77n }, "isCreateModel * epochStart === 0;"],
  ];
  testForgeries(KIND.createModel, [
    {
      rule: "a split of 2^32, over the highest price",
      lawful: () => honest(KIND.createModel, { words: MODEL_WORDS.with(6, 2n ** 128n - 1n) }),
      forged: () => honest(KIND.createModel, { words: MODEL_WORDS.with(6, 2n ** 128n) }),
      at: "isCreateModel * (split - split32) === 0;",
      code: "OP_MALFORMED",
    },
    {
      rule: "no price",
      lawful: () => honest(KIND.createModel, { words: MODEL_WORDS.with(6, 1n + (STATICS.split << 96n)) }),
      forged: () => honest(KIND.createModel, { words: MODEL_WORDS.with(6, STATICS.split << 96n) }),
      at: "isCreateModel * priceless.out === 0;",
      code: "OP_MALFORMED",
    },
    {
      rule: "a price of 2^96, its top bit taken from the split",
      forged: () => {
        const statics = { ...STATICS, split: STATICS.split - 1n };
        return honest(KIND.createModel, {
          effectB: (leaf) => ({
            ...leaf,
            counters: leaf.counters + (1n << (96n + COUNTERS.price)),
            body: hashModelBody({ ...BODY, statics }),
          }),
        });
      },
      tamper: (inputs: Inputs) => {
        const split = STATICS.split - 1n;
        setInput(inputs, "wideModel", [0, 4], split);
        setScratch(inputs, MODEL_WORDS[0]! | (split << 160n));
      },
      at: WEI,
    },
    ...bodies.map(([name, body, at]) => ({
      rule: `a body with another ${name}`,
      forged: () =>
        honest(KIND.createModel, { effectB: (leaf: Leaf) => ({ ...leaf, body: hashModelBody(body) }) }),
      tamper: (inputs: Inputs) => {
        const values = [
          ...Object.values(body.statics),
          body.closed,
          body.accruedRoot,
          body.claimedRoot,
          body.epochStart,
        ];
        for (const [i, value] of values.entries()) setInput(inputs, "wideModel", [0, i], value);
      },
      at,
    })),
    {
      rule: "an approval at birth",
      forged: () =>
        honest(KIND.createModel, { effectB: (leaf) => ({ ...leaf, counters: leaf.counters + 2n }) }),
      tamper: (inputs: Inputs) => setInput(inputs, "wideRest", [0, 5], 1n),
      at: PATH,
    },
  ]);
});
