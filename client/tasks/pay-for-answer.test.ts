/**
 * Questions with their payment: every refusal before the question with its code, that nobody is asked and nothing is signed by any, that
 * page and command have words for each; and the payment by a receipt. A real sequencer, and no answer server: whoever asks would see.
 */
import { floorAmount } from "@openledger/circuits/ledger/amount-float";
import { queryBytes } from "@openledger/circuits/ledger/model-query";
import { ONE_OPEN_WEI } from "@openledger/sequencer/testing/test-rollup";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { CheckableModel, UncheckedAnswer } from "../actions/answers/model-answers.ts";
import type { LedgerClient } from "../ledger-client.ts";
import { getModel, staticsOf } from "../sequencer/model-reads.ts";
import { createModelWorld, type ModelWorld } from "../testing/model-world.ts";
import { codesWithoutWords } from "../testing/refusal-words.ts";
import { checkPaidAnswer } from "../x402/check-paid-answer.ts";
import {
  type AskAndCheckParameters,
  askAndCheck,
  buyAnswer,
  payForAnswer,
  payForChat,
  payReceipt,
} from "./pay-for-answer.ts";

const CAROL = 5;
const QUERY = Int16Array.of(1, -1);
let made: ModelWorld;
let bob: LedgerClient;
let model: CheckableModel;
let modelId: number;

beforeAll(async () => {
  made = await createModelWorld();
  ({ bob, modelId } = made);
  const { hash: staticsHash } = staticsOf(await getModel(bob, modelId));
  model = { staticsHash, answer: (prompt) => ({ text: prompt, query: QUERY }) };
  expect(queryBytes(QUERY)).toHaveLength(2);
}, 60_000);
afterAll(() => made?.close());

const question = (changes: Partial<AskAndCheckParameters> = {}): AskAndCheckParameters => ({
  ...{ serverUrl: "http://127.0.0.1:1", modelId, model, prompt: "Win now" },
  onSigned: () => expect.unreachable("it signs"),
  ...changes,
});
const pay = (changes: object = {}) =>
  payReceipt(bob, { modelId, amountWei: ONE_OPEN_WEI, receipt: 77n, ...changes });

interface Refusal {
  readonly name: string;
  readonly code: string;
  readonly before?: () => Promise<void>;
  readonly changes?: () => Partial<AskAndCheckParameters>;
}
/** In the order in which they are met: what one row does, the next ones find. */
const REFUSALS: readonly Refusal[] = [
  { name: "an account", code: "OP_WRONG_LEAF_KIND", changes: () => ({ modelId: CAROL }) },
  {
    name: "an assurance that the copy cannot reach",
    code: "CLI_BELOW_LEAST",
    changes: () => ({ minAssurance: { rows: "proven" } }),
  },
  { name: "a model that nobody has approved", code: "OP_MODEL_NOT_PAYABLE" },
  {
    name: "a price above the customer's maximum",
    code: "CLI_PRICE_TOO_HIGH",
    before: () => made.until("activation"),
    changes: () => ({ maxPriceWei: 1n }),
  },
  { name: "another's account", code: "OP_BAD_SIGNATURE", changes: () => ({ from: CAROL }) },
  {
    name: "a full epoch",
    code: "OP_EPOCH_FULL",
    before: async () => {
      const { cap } = (await getModel(bob, modelId)).counters;
      for (let i = 0; i < cap; i++) await pay({ receipt: BigInt(1_000 + i) });
    },
  },
];

test("refuses before the question with a code for each reason, and signs nothing", async () => {
  for (const { before, changes, code, name } of REFUSALS) {
    await before?.();
    await expect(askAndCheck(bob, question(changes?.())), name).rejects.toMatchObject({ code });
  }
  // Who will not pay may ask: the server is reached for, and is none.
  const asking = askAndCheck(bob, question({ willPay: false }));
  await expect(asking).rejects.toMatchObject({ code: "CLI_UNREACHABLE" });
  await expect(buyAnswer(bob, question())).rejects.toMatchObject({ code: "OP_EPOCH_FULL" });
}, 60_000);

test.each([
  ["the field's earlier name", { least: { rows: "recomputed" } }],
  ["no part of a reply", { minAssurance: { row: "recomputed" } }],
  ["no level", { minAssurance: { rows: "recomputd" } }],
])("refuses %s as a minimum, whichever way it is paid, and signs nothing", async (_, changes) => {
  const order = question(changes as Partial<AskAndCheckParameters>);
  const messages = [{ role: "user" as const, content: "Win now" }];
  const chat = { promptOf: () => "Win now", messageOf: () => expect.unreachable(), countTokens: () => 2 };
  const talking = { ...order, model: { ...model, chat }, messages };
  const paid = { ...order, request: { prompt: "Win now" }, body: {}, headers: new Headers() };
  for (const paying of [
    askAndCheck(bob, order),
    buyAnswer(bob, order),
    payForAnswer(bob, { ...order, answer: {} as UncheckedAnswer }),
    payForChat(bob, talking),
    checkPaidAnswer(bob, paid),
  ])
    await expect(paying).rejects.toMatchObject({
      code: "CLI_INPUT_INVALID",
      data: { reason: "min-assurance" },
    });
});

test("pays a receipt once, at the model's price, from what the account has", async () => {
  const onSigned = () => expect.unreachable("it signs");
  await expect(pay({ onSigned })).rejects.toMatchObject({ code: "OP_EPOCH_FULL" });
  await made.until("closeEpoch");
  await expect(pay({ onSigned, amountWei: 4n })).rejects.toMatchObject({ code: "OP_BELOW_PRICE" });
  const odd = pay({ onSigned, amountWei: ONE_OPEN_WEI + 1n });
  await expect(odd).rejects.toMatchObject({ code: "OP_AMOUNT_NOT_REPRESENTABLE" });
  const much = pay({ onSigned, amountWei: floorAmount(10n ** 27n) });
  await expect(much).rejects.toMatchObject({ code: "OP_BALANCE_TOO_LOW" });
  await pay({ receipt: 78n });
  const again = pay({ onSigned, receipt: 78n });
  await expect(again).rejects.toMatchObject({ code: "CLI_RECEIPT_PAID", data: { modelId } });
}, 60_000);

test("has words for each refusal in the command and in the page", () => {
  const more = ["OP_BELOW_PRICE", "OP_AMOUNT_NOT_REPRESENTABLE", "OP_BALANCE_TOO_LOW", "CLI_RECEIPT_PAID"];
  expect(codesWithoutWords([...REFUSALS.map(({ code }) => code), ...more])).toEqual([]);
});
