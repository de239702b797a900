import { initPoseidon } from "@openledger/circuits/field/poseidon";
import {
  answerHash,
  queryBytes,
  queryCommitment,
  receiptHash,
} from "@openledger/circuits/ledger/model-query";
import { beforeAll, describe, expect, it } from "vitest";
import { payForAnswer } from "../../tasks/pay-for-answer.ts";
import { createLedgerFixture, modelAnswer } from "../../testing/ledger-fixture.ts";
import { checkAnswer } from "./check-answer.ts";
import type { CheckableModel, UncheckedAnswer } from "./model-answers.ts";

const QUERY = Int16Array.of(255, -255, 1, -3);
const model: CheckableModel = {
  staticsHash: 11n,
  answer: (prompt) => ({ text: `about ${prompt}`, query: QUERY }),
};
const expected = { prompt: "this", payerId: 4, staticsHash: 11n };

beforeAll(initPoseidon);

/** An answer with a receipt that fits its content. */
function answerOf(changed: { text?: string; query?: Int16Array; payerId?: number } = {}): UncheckedAnswer {
  const { text = "about this", query = QUERY, payerId = 4 } = changed;
  const opening = {
    statics: 11n,
    payerId,
    answerHash: answerHash("this", text),
    queryCommitment: queryCommitment(query),
    salt: 5n,
  };
  return {
    label: "x",
    answer: text,
    receipt: receiptHash(opening),
    payerId,
    answerHash: opening.answerHash,
    queryBytes: queryBytes(query),
    queryCommitment: opening.queryCommitment,
    salt: 5n,
    priceWei: 7n,
    expiresAtMs: 0,
    estimate: { isEstimate: true, isEven: false, topRows: [], contributors: [], backend: "int32" },
  };
}

const wrong = (what: string) =>
  expect.objectContaining({ code: "CLI_ANSWER_WRONG", data: expect.objectContaining({ what }) });

describe("checkAnswer", () => {
  it("accepts what the model makes of the prompt", () => {
    expect(() => checkAnswer(model, answerOf(), expected)).not.toThrow();
  });

  it("refuses a query that favours other rows, though its receipt opens to it", () => {
    const steered = answerOf({ query: Int16Array.of(255, -255, 1, -1) });
    expect(() => checkAnswer(model, steered, expected)).toThrow(wrong("query"));
  });

  it("refuses another text, another payer, another model and another receipt, naming it", () => {
    const honest = answerOf();
    const cases: [Partial<UncheckedAnswer>, string][] = [
      [answerOf({ text: "about that" }), "answer"],
      [answerOf({ payerId: 5 }), "payerId"],
      [{ answerHash: honest.answerHash + 1n }, "answerHash"],
      [{ queryCommitment: honest.queryCommitment + 1n }, "queryCommitment"],
      [{ salt: 6n }, "receipt"],
      [{ receipt: honest.receipt + 1n }, "receipt"],
      [{ queryBytes: honest.queryBytes.subarray(1) }, "query"],
    ];
    for (const [changed, what] of cases) {
      expect(() => checkAnswer(model, { ...honest, ...changed }, expected), what).toThrow(wrong(what));
    }
    expect(() => checkAnswer(model, honest, { ...expected, staticsHash: 12n })).toThrow(wrong("statics"));
    expect(() => checkAnswer(model, honest, { ...expected, prompt: "that" })).toThrow(wrong("answer"));
  });
});

describe("payForAnswer", () => {
  it("signs nothing for a wrong answer, and nothing above the price that was named", async () => {
    const fixture = await createLedgerFixture({ hasFeed: false });
    try {
      const leaf = modelAnswer(9);
      const route = "GET /v1/models/9";
      const parameters = { modelId: 9, model, prompt: "this", answer: answerOf(), from: 4 };
      fixture.sequencer.answers.set(route, leaf);
      await expect(payForAnswer(fixture.client, parameters)).rejects.toMatchObject({
        code: "CLI_ANSWER_WRONG",
        data: { what: "statics" },
      });
      fixture.sequencer.answers.set(route, { ...leaf, counters: { ...leaf.counters, priceWei: "8" } });
      await expect(payForAnswer(fixture.client, parameters)).rejects.toMatchObject({
        code: "CLI_PRICE_TOO_HIGH",
      });
      expect(fixture.sequencer.heard.filter(({ route: requested }) => requested.startsWith("POST"))).toEqual(
        [],
      );
    } finally {
      await fixture.close();
    }
  });
});
