/** Tests of where a server shows a row's question: beside a sealed answer, and beside a refusal, without withdrawn rows. */
import { attributionError } from "@openledger/attribution/attribution-errors";
import { expect, it, onTestFinished } from "vitest";
import { createModelApp, type RoutedModel } from "./answer-routes.ts";
import { ModelWithdrawals, type WithdrawnRows } from "./withdrawn-rows.ts";

const citation = {
  row: 2,
  digest: "ab".repeat(32),
  contributorId: 5,
  validatorId: 8,
  shareMillionths: 1_000_000,
};
const answerOf = (more: object) =>
  JSON.stringify({ text: "Yes.", tokens: [1], paidBy: "citation", citations: [{ ...citation, ...more }] });

/** Asks the server for a sealed answer. */
async function sealedReply(answer: string, label: string | null = null) {
  const record = {
    ...{ receipt: "0x1", payerId: 3, answerHash: "0x1", queryCommitment: "0x2", queryBytes: "", salt: "0x3" },
    ...{ priceWei: "5", expiresAtMs: 6, payment: null, isSealed: true, answer, label },
  };
  const model = {
    modelId: 4,
    promptKind: "text",
    assurance: {},
    service: { ask: async () => ({ record, estimate: {} }) },
  } as unknown as RoutedModel;
  const app = await createModelApp(
    { limits: { rateLimitPerMinute: 100 }, find: () => model, modelIds: () => [4] },
    { log: { error: () => {} } },
  );
  onTestFinished(() => app.close());
  const signature = { r8x: "0x1", r8y: "0x1", s: "0x1" };
  const payload = { prompt: "May I swim?", payerId: 3, isSealed: true, signature };
  const reply = await app.inject({ method: "POST", url: "/4/v1/answers", payload });
  expect(reply.statusCode, reply.body).toBe(200);
  return reply.json() as Record<string, unknown>;
}

it("shows the question of the row whose sealed answer it is, and none of an answer that no row says", async () => {
  const question = "May I swim in the harbour?";
  const reply = await sealedReply(answerOf({ question }));
  expect(reply).toMatchObject({ question, receipt: "0x1", sealed: expect.any(String) });
  expect(reply).not.toHaveProperty("answer");
  for (const other of [
    await sealedReply(answerOf({})),
    await sealedReply("spam", "spam"),
    await sealedReply("text"),
  ])
    expect(other).not.toHaveProperty("question");
});

it("leaves the questions of withdrawn rows out of a refusal, and other errors as they are", () => {
  const gone = "cd".repeat(32);
  const withdrawn = {
    count: 1,
    has: ({ digest }: { digest: string }) => digest === gone,
  } as unknown as WithdrawnRows;
  const recipe = { datanet: { id: 7, version: 1, rowsRoot: "0x0" } };
  const withdrawals = new ModelWithdrawals(withdrawn, { recipe, payees: [], rows: null } as never);
  const near = [gone, citation.digest].map((digest, row) => ({
    row,
    digest,
    contributorId: 5,
    question: `Q${row}?`,
  }));
  const refusal = attributionError("ATT_NO_ROW_ANSWERS", "none", { data: { nearest: near } });
  expect(withdrawals.withoutWithdrawn(refusal)).toMatchObject({
    code: "ATT_NO_ROW_ANSWERS",
    data: { nearest: [near[1]] },
  });
  for (const other of [new Error("no"), attributionError("ATT_NOT_FOUND", "no")])
    expect(withdrawals.withoutWithdrawn(other)).toBe(other);
});
