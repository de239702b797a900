/** Test of the codes that each kind of server may send. */
import { expect, it } from "vitest";
import { type RefusingServer, serverRefusal } from "./server-refusal.ts";

const codeOf = (server: RefusingServer, code: string) =>
  serverRefusal(server, { code, message: "no", data: {} }, { isRetryable: false }).code;

it.each([
  [
    "sequencer",
    ["OP_WRONG_NONCE", "SEQ_UNKNOWN", "SRV_RATE_LIMITED"],
    ["CLI_ANSWER_WRONG", "GAT_BUDGET_TOO_LOW"],
  ],
  [
    "datanet host",
    ["DNT_NO_GRANT", "SRV_RATE_LIMITED"],
    ["CLI_ANSWER_WRONG", "CMD_USAGE", "GAT_BUDGET_TOO_LOW"],
  ],
  ["factory", ["MOD_FACTORY_NO_JOB", "CLI_ANSWER_INVALID"], ["GAT_BUDGET_TOO_LOW", "CMD_USAGE"]],
  [
    "answer server",
    ["ATT_ANSWER_UNPAID", "DNT_ACCESS_NOT_GRANTED", "MOD_SERVE_UNPAID", "SRV_UNAUTHORIZED"],
    ["SEQ_UNKNOWN", "CLI_ANSWER_WRONG"],
  ],
] as const)(
  "a %s speaks in its own codes, and in none of this library's, the gateway's or the commands'",
  (server, own, others) => {
    expect(own.map((code) => codeOf(server, code))).toEqual(own);
    for (const code of [...others, "constructor", "OP_\n", ""])
      expect(codeOf(server, code), code).toBe("CLI_ANSWER_INVALID");
  },
);

it("keeps what the caller knows of a refusal, whatever the server says of it", () => {
  const sent = {
    code: "ATT_ANSWER_UNPAID",
    message: "no",
    data: { httpStatus: 200, server: "gateway", receipt: "0x1" },
  };
  const error = serverRefusal("answer server", sent, { isRetryable: true, httpStatus: 402 });
  expect(error).toMatchObject({
    isRetryable: true,
    data: { httpStatus: 402, server: "answer server", receipt: "0x1" },
  });
});
