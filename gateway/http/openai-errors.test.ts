/** Tests of errors in OpenAI's form: codes of a model's server are a stranger's. */
import { RollupError } from "@openledger/foundation/rollup-error";
import { expect, it } from "vitest";
import { errorBody, statusOf } from "./openai-errors.ts";

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
