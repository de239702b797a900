/** Tests of errors in OpenAI's form: codes of a model's server are a stranger's. */
import { RollupError } from "@openledger/foundation/rollup-error";
import { expect, it } from "vitest";
import { gatewayErrors } from "../gateway-errors.ts";
import { errorBody, retryAfterSeconds, statusOf } from "./openai-errors.ts";

it.each(["constructor", "toString", "__proto__", "ATT_NEW"])("gives a server's code %s a status", (code) => {
  const error = new RollupError(code, "refused", { data: { httpStatus: 409 } });
  expect(statusOf(error)).toBe(409);
  expect(errorBody(error)).toMatchObject({ error: { code: "conflict", openledger: { code } } });
});

it.each([401, 402, 403])(
  "gives a refusal of a model's server with the status %i as a bad gateway, never as its own",
  (httpStatus) => {
    const data = { server: "answer server", httpStatus, openaiCode: "insufficient_quota", param: "model" };
    const error = new RollupError("ATT_ANSWER_UNPAID", "The model's server says: pay", { data });
    expect(statusOf(error)).toBe(502);
    expect(errorBody(error)).toMatchObject({
      error: { type: "server_error", code: "server_error", param: null },
    });
  },
);

/** Errors that only more money, or a higher price that the gateway may pay, mends. */
const OF_MONEY = ["GAT_ABOVE_PRICE", "GAT_BUDGET_TOO_LOW", "CLI_PRICE_TOO_HIGH", "OP_BALANCE_TOO_LOW"];
const STATUSES: Readonly<Record<string, readonly [status: number, type: string, code: string]>> = {
  GAT_NO_ACCOUNT: [500, "server_error", "server_error"],
  GAT_ABOVE_PRICE: [402, "insufficient_quota", "insufficient_quota"],
  GAT_BUDGET_TOO_LOW: [402, "insufficient_quota", "insufficient_quota"],
  CLI_PRICE_TOO_HIGH: [402, "insufficient_quota", "insufficient_quota"],
  OP_BALANCE_TOO_LOW: [402, "insufficient_quota", "insufficient_quota"],
  GAT_NOT_CONFIRMED: [403, "invalid_request_error", "forbidden"],
  GAT_MODEL_UNKNOWN: [404, "invalid_request_error", "model_not_found"],
  GAT_QUEUE_FULL: [429, "rate_limit_error", "rate_limit_exceeded"],
  GAT_PAYMENT_UNSURE: [503, "server_error", "server_error"],
  GAT_PAYMENT_REFUSED: [502, "server_error", "server_error"],
  GAT_ANSWER_OPEN: [503, "server_error", "server_error"],
  GAT_ANSWER_SEALED: [503, "server_error", "server_error"],
  GAT_PAID_WRONG: [502, "server_error", "server_error"],
  GAT_KEY_REUSED: [422, "idempotency_error", "idempotency_key_reused"],
  GAT_KEY_INVALID: [400, "idempotency_error", "idempotency_key_invalid"],
  GAT_ANSWER_REPLAYED: [503, "server_error", "server_error"],
  GAT_NO_HOST: [404, "invalid_request_error", "not_found"],
  GAT_PAGE_REFUSED: [403, "invalid_request_error", "forbidden"],
  OP_EPOCH_FULL: [503, "server_error", "server_error"],
  OP_MODEL_NOT_PAYABLE: [503, "server_error", "server_error"],
  CLI_ANSWER_WRONG: [502, "server_error", "server_error"],
  CLI_ANSWER_INVALID: [502, "server_error", "server_error"],
  CLI_UNREACHABLE: [503, "server_error", "server_error"],
  CLI_BELOW_LEAST: [422, "invalid_request_error", "invalid_request"],
  SRV_STOPPING: [503, "server_error", "server_error"],
  SRV_STORE_FAILED: [503, "server_error", "server_error"],
};

it("says `insufficient_quota` for money alone, and has each code of the gateway", () => {
  expect(Object.keys(STATUSES)).toEqual(expect.arrayContaining(Object.keys(gatewayErrors.rows)));
  for (const [name, [status, type, code]] of Object.entries(STATUSES)) {
    const error = new RollupError(name, "refused");
    expect([statusOf(error), errorBody(error)], name).toMatchObject([status, { error: { type, code } }]);
    expect(type === "insufficient_quota", name).toBe(OF_MONEY.includes(name));
    expect(status === 402, name).toBe(OF_MONEY.includes(name));
  }
});

it.each([
  [undefined, 1],
  [30_000, 30],
  [3_600_000, 60],
  [-5_000, 1],
])("names the time until an open answer lapses, %j ms, within what clients wait", (inMs, seconds) => {
  const data = inMs === undefined ? { expiresAtMs: null } : { expiresAtMs: Date.now() + inMs };
  expect(retryAfterSeconds(new RollupError("GAT_ANSWER_OPEN", "open", { data }))).toBe(seconds);
});
