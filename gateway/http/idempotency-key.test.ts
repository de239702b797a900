/** Tests of `Idempotency-Key` at the gateway's paid routes, before a real answer server: one key is one question and one payment. */
import { afterAll, beforeAll, expect, it } from "vitest";
import { MODEL_ID, type PaidLedger, startPaidLedger } from "../testing/paid-ledger.ts";

let world: PaidLedger;
let app: Awaited<ReturnType<PaidLedger["openApp"]>>;
beforeAll(async () => {
  world = await startPaidLedger();
  app = await world.openApp();
});
afterAll(async () => {
  await app?.stop();
  await world?.stop();
});

let count = 0;
const fresh = () => `win a cruise ${count++}`;
const chat = (content: string) => ({
  model: `model-${MODEL_ID}`,
  messages: [{ role: "user", content }],
});
const CHAT = "/v1/chat/completions";
const RESPONSES = "/v1/responses";

async function post(path: string, body: object, key?: string) {
  const response = await fetch(`${app.url}${path}`, {
    method: "POST",
    headers: {
      authorization: `Bearer ${app.token}`,
      "content-type": "application/json",
      ...(key === undefined ? {} : { "idempotency-key": key }),
    },
    body: JSON.stringify(body),
  });
  return { status: response.status, text: await response.text() };
}
/** Receipt in an answer, whole or streamed. */
const receiptOf = ({ text }: { text: string }) => /"receipt":"(0x[0-9a-f]+)"/.exec(text)?.[1];
const paidCount = () => world.ledger.paid.length;

it.each([
  ["a chat", CHAT, chat],
  ["a streamed chat", CHAT, (text: string) => ({ ...chat(text), stream: true })],
  ["a response", RESPONSES, (input: string) => ({ model: `model-${MODEL_ID}`, input })],
  [
    "a streamed response",
    RESPONSES,
    (input: string) => ({ model: `model-${MODEL_ID}`, input, stream: true }),
  ],
])(
  "answers %s once for a key, whenever it comes again, and each time without a key",
  async (name, path, bodyOf) => {
    const body = bodyOf(fresh());
    const before = paidCount();
    const key = name.replaceAll(" ", "-");
    const both = await Promise.all([post(path, body, key), post(path, body, key)]);
    const again = await post(path, Object.fromEntries(Object.entries(body).reverse()), key);
    expect([...both, again].map(({ status }) => status)).toEqual([200, 200, 200]);
    expect(new Set([...both, again].map(receiptOf)).size).toBe(1);
    expect(paidCount() - before).toBe(1);
    const without = [await post(path, body), await post(path, body)];
    const receipts = [both[0]!, ...without].map(receiptOf);
    expect(new Set(receipts).size).toBe(3);
    expect(receipts).not.toContain(undefined);
    expect(paidCount() - before).toBe(3);
  },
);

it("refuses a key of another request, or of another form, before anything is asked", async () => {
  const key = `${"k".repeat(254)}~`;
  const body = chat(fresh());
  expect((await post(CHAT, body, key)).status).toBe(200);
  const before = paidCount();
  const errorOf = async (path: string, sent: object, name: string) => {
    const { status, text } = await post(path, sent, name);
    const { code, openledger, type } = JSON.parse(text).error;
    return [status, type, code, openledger.code];
  };
  const reused = [422, "idempotency_error", "idempotency_key_reused", "GAT_KEY_REUSED"];
  expect(await errorOf(CHAT, chat(fresh()), key)).toEqual(reused);
  expect(await errorOf(CHAT, { ...body, stream: true }, key)).toEqual(reused);
  const input = { model: `model-${MODEL_ID}`, input: "x" };
  expect(await errorOf(RESPONSES, input, key)).toEqual(reused);
  const invalid = [400, "idempotency_error", "idempotency_key_invalid", "GAT_KEY_INVALID"];
  for (const name of ["", "k".repeat(256), "a b", "kéy"])
    expect(await errorOf(CHAT, chat(fresh()), name), name).toEqual(invalid);
  expect(paidCount()).toBe(before);
});
