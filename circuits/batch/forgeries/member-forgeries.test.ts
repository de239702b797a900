/** Forged slots of the kinds that change B: see slot-forgeries.test.ts. */
import { beforeAll, describe } from "vitest";
import { initPoseidon } from "../../field/poseidon.ts";
import { COUNTERS, KIND, LEAF_KIND, MAX_AMOUNT_WEI } from "../../protocol.ts";
import {
  BALANCE,
  CREDIT,
  EFFECT,
  EQUATION,
  LEAF,
  LEAF_FIELD,
  loadForgeryTester,
  setInput,
  testForgeries,
  withLeaf,
} from "../../testing/forgeries/forgery-check.ts";
import {
  AMOUNT,
  type Build,
  type COUNTERS_OF_MODEL,
  DATANET,
  FEE,
  honest,
  MODEL,
  PAYER,
  RECIPIENT,
} from "../../testing/forgeries/forgery-world.ts";

await initPoseidon();
beforeAll(loadForgeryTester);

/** Statement that refuses a B that is no datanet, or that is only claimed to be one. */
const ROWS = "rows.in <== newCounters - ofModel;";

describe("Transfer", () => {
  testForgeries(KIND.transfer, [
    {
      rule: "a recipient above 96 bits",
      lawful: withLeaf(RECIPIENT, { balance: MAX_AMOUNT_WEI - AMOUNT }, honest(KIND.transfer)),
      forged: withLeaf(RECIPIENT, { balance: MAX_AMOUNT_WEI - AMOUNT + 1n }, honest(KIND.transfer)),
      at: CREDIT,
      code: "OP_BALANCE_OVERFLOW",
    },
    {
      rule: "an amount that no balance holds",
      forged: () => honest(KIND.transfer, { amountCode: 2n ** 40n - 1n }),
      at: { ...BALANCE, table: "amountBits[39] * (amountBits[37] + amountBits[38] + both) === 0;" },
      code: "OP_BALANCE_TOO_LOW",
    },
    {
      rule: "a transfer to itself that credits the balance before the debit",
      lawful: () => honest(KIND.transfer, { b: PAYER }),
      forged: () =>
        honest(KIND.transfer, {
          b: PAYER,
          effectB: (leaf) => ({ ...leaf, balance: leaf.balance + AMOUNT + 10n * FEE }),
        }),
      tamper: (inputs, section) => {
        if (section === "table") return;
        const [first] = inputs.wideA as bigint[][];
        setInput(inputs, "wideB", [0, LEAF_FIELD.balance], first![LEAF_FIELD.balance]!);
      },
      at: { table: EQUATION, wide: LEAF },
    },
    {
      rule: "a transfer to the fee leaf that keeps the fee",
      lawful: () => honest(KIND.transfer, { b: 1 }),
      forged: () =>
        honest(KIND.transfer, {
          b: 1,
          effectB: (leaf) => ({ ...leaf, balance: leaf.balance + 10n * FEE }),
        }),
      at: EFFECT,
    },
  ]);
});

describe("CommitData", () => {
  testForgeries(KIND.commitData, [
    ...[RECIPIENT, MODEL].map((b) => ({
      rule: `leaf ${b}, which is no datanet`,
      forged: () => honest(KIND.commitData, { b }),
      at: { table: EQUATION, wide: "isCommit * (tagB - TAG_DATANET()) === 0;" },
      code: "OP_WRONG_LEAF_KIND",
    })),
    {
      rule: "a leaf that is a datanet but for its kind",
      forged: withLeaf(DATANET, { kind: LEAF_KIND.account }, honest(KIND.commitData)),
      at: { table: EQUATION, wide: "isCommit * (tagB - TAG_DATANET()) === 0;" },
      code: "OP_WRONG_LEAF_KIND",
    },
    {
      rule: "a row count of 2^40",
      lawful: withLeaf(DATANET, { counters: 2n ** 40n - 41n }, honest(KIND.commitData)),
      forged: withLeaf(DATANET, { counters: 2n ** 40n - 40n }, honest(KIND.commitData)),
      at: { table: ROWS, wide: "xRange.in <==" },
      code: "OP_EXHAUSTED",
    },
  ]);
});

describe("PayInference", () => {
  const counters =
    (changes: Partial<typeof COUNTERS_OF_MODEL>, operation = honest(KIND.payInference)): Build =>
    (world) => {
      world.setCounters(MODEL, changes);
      return operation;
    };
  testForgeries(KIND.payInference, [
    ...[RECIPIENT, DATANET].map((b) => ({
      rule: `leaf ${b}, which is no model`,
      forged: () => honest(KIND.payInference, { b }),
      at: { table: [EQUATION, ROWS], wide: "(isPay + opensModel) * (tagB - TAG_MODEL()) === 0;" },
      code: "OP_WRONG_LEAF_KIND",
    })),
    {
      rule: "a leaf that is a model but for its kind",
      forged: withLeaf(MODEL, { kind: LEAF_KIND.datanet }, honest(KIND.payInference)),
      at: { table: [EQUATION, ROWS], wide: "(isPay + opensModel) * (tagB - TAG_MODEL()) === 0;" },
      code: "OP_WRONG_LEAF_KIND",
    },
    {
      rule: "a model that is not ready",
      forged: counters({ isReady: false }),
      at: { table: EQUATION, wide: "isPay * (2 - ready - approved) === 0;" },
      code: "OP_MODEL_NOT_PAYABLE",
    },
    {
      rule: "a model that is not approved",
      forged: counters({ isApproved: false }),
      at: { table: EQUATION, wide: "isPay * (2 - ready - approved) === 0;" },
      code: "OP_MODEL_NOT_PAYABLE",
    },
    {
      rule: "an amount a wei below the price",
      lawful: counters({ priceWei: AMOUNT }),
      forged: counters({ priceWei: AMOUNT + 1n }),
      at: { table: EQUATION, wide: "xRange.in <==" },
      code: "OP_BELOW_PRICE",
    },
    {
      rule: "a payment beyond the cap",
      lawful: counters({ paymentCount: 15n }),
      forged: counters({ paymentCount: 16n }),
      at: { table: "room.in <== cap - count;", wide: "roomRange.in <== isPay * (cap - paymentCount - 1);" },
      code: "OP_EPOCH_FULL",
    },
    {
      rule: "an open amount above 96 bits",
      lawful: withLeaf(MODEL, { openAmount: MAX_AMOUNT_WEI - AMOUNT }, honest(KIND.payInference)),
      forged: withLeaf(MODEL, { openAmount: MAX_AMOUNT_WEI - AMOUNT + 1n }, honest(KIND.payInference)),
      at: { ...CREDIT, table: "openRange.in <== newOpen;" },
      code: "OP_BALANCE_OVERFLOW",
    },
    ...[{ cap: 17n }, { paymentCount: 2n }, { epoch: 2n }, { priceWei: 2n }].map((shownCounters) => ({
      rule: `another opening of the ${Object.keys(shownCounters)}`,
      forged: () => honest(KIND.payInference, { shownCounters }),
      at: { table: "ofModel === readyBit", wide: "(isPay + opensModel) * (countersB - " },
    })),
    {
      rule: "a payment that is not counted",
      forged: () =>
        honest(KIND.payInference, {
          effectB: (leaf) => ({ ...leaf, counters: leaf.counters - (1n << COUNTERS.paymentCount) }),
        }),
      at: EFFECT,
    },
  ]);
});
