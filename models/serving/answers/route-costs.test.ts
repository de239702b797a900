/** Tests of what the answer server's routes charge a client's rate limit. */
import { expect, it, onTestFinished } from "vitest";
import { createModelApp, type RoutedModel } from "./answer-routes.ts";

/** Units a minute: four a second, twelve at once. */
const PER_MINUTE = 240;
const SEALED = "0x01";
const OPEN = "0x02";

/** The routes over a model that counts what they ask of it. */
async function serve() {
  const calls = { payments: 0 };
  const answer = async (name: string) => ({
    receipt: name,
    payerId: 3,
    answerHash: "0x1",
    queryCommitment: "0x2",
    priceWei: "5",
    expiresAtMs: 6,
    salt: "0x3",
    payment: null,
    isSealed: BigInt(name) === BigInt(SEALED),
  });
  const model = {
    modelId: 4,
    store: { answer, paidIn: async () => ({ paid: [], isLast: true }) },
    service: {
      readPayments: async () => {
        calls.payments += 1;
        return 0;
      },
    },
    publishesRows: true,
    tellsRows: () => false,
    requireReader: async () => {},
    row: () => null,
  } as unknown as RoutedModel;
  const app = await createModelApp(
    { limits: { rateLimitPerMinute: PER_MINUTE }, find: () => model, modelIds: () => [4] },
    { log: { error: () => {} } },
  );
  onTestFinished(() => app.close());
  const statuses = async (count: number, ask: object) => {
    const all: number[] = [];
    for (let i = 0; i < count; i++) all.push((await app.inject({ method: "GET", ...ask })).statusCode);
    return all;
  };
  return { calls, statuses };
}

it("counts a look at a sealed answer by its request for payments, and one at an open answer not", async () => {
  const { calls, statuses } = await serve();
  expect(await statuses(10, { url: `/4/v1/answers/${OPEN}` })).toEqual(Array(10).fill(200));
  expect(calls.payments).toBe(0);
  const looked = await statuses(10, { url: `/4/v1/answers/${SEALED}` });
  expect(looked.slice(0, 2)).toEqual([200, 200]);
  expect(looked.at(-1)).toBe(429);
  expect(calls.payments).toBe(looked.filter((status) => status === 200).length);
});

it("counts openings by their look for payments", async () => {
  const { calls, statuses } = await serve();
  const question = await statuses(10, { url: "/4/v1/openings?epoch=1" });
  expect(question.at(-1)).toBe(429);
  expect(calls.payments).toBe(question.filter((status) => status === 200).length);
});
