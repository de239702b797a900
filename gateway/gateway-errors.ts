/**
 * Error codes of the gateway, with HTTP statuses. docs/reference/errors.md is made from this table; http/openai-errors.ts gives
 * them OpenAI's form.
 */
import { type CodeOf, defineErrors } from "@openledger/foundation/error-table";

export const gatewayErrors = defineErrors("GAT", {
  GAT_NO_ACCOUNT: {
    meaning: "the gateway has no account, and no budget was given to open one with",
    remedy: "start it with --budget OPEN and --account NAME",
  },
  GAT_ABOVE_PRICE: {
    meaning:
      "price and fee of an answer are more than the gateway may pay for one; `data.neededWei`, `data.maxPriceWei`. Nothing was asked or paid",
    remedy: "choose a cheaper model, or start the gateway with a higher --max-price",
    httpStatus: 402,
  },
  GAT_BUDGET_TOO_LOW: {
    meaning:
      "the gateway's account has less than the answer and its fee cost; `data.neededWei`, `data.balanceWei`. Nothing was asked or paid",
    remedy: "send OPEN to the gateway's account: openledger transfer LEAF AMOUNT (`data.leafId`)",
    httpStatus: 402,
  },
  GAT_NOT_CONFIRMED: {
    meaning: "the payment needs a person's confirmation, and there was none; nothing was asked or paid",
    remedy: "confirm the payment, use a client with elicitation, or start the gateway without --confirm",
    httpStatus: 403,
  },
  GAT_MODEL_UNKNOWN: {
    meaning: "no server that the gateway knows has a registered model with this name",
    remedy: "use a name that /v1/models lists, or name the model's server: --server URL",
    httpStatus: 404,
  },
  GAT_QUEUE_FULL: {
    meaning: "too many questions wait for this model: an account has one unpaid answer of a model at a time",
    remedy: "wait for the time that Retry-After gives, then ask again",
    httpStatus: 429,
    isRetryable: true,
  },
  GAT_PAYMENT_UNSURE: {
    meaning:
      "the answer is checked and its payment is signed, and the sequencer has not taken it yet; the gateway sends the same payment again",
    remedy: "ask the same question again: it gets this answer, which is paid for once",
    httpStatus: 503,
    isRetryable: true,
  },
  GAT_PAYMENT_REFUSED: {
    meaning: "the sequencer refuses the payment of an answer; `data.reason` is its code. Nothing was paid",
    remedy: "look up the sequencer's code; ask again once its cause is gone",
    httpStatus: 502,
  },
  GAT_ANSWER_OPEN: {
    meaning:
      "the model's server waits for the payment of an earlier answer of this account, which the gateway cannot make, and gives none that is paid first; `data.reason` says why, `data.receipt` and `data.expiresAtMs` which answer. Nothing was paid",
    remedy:
      "ask again in a minute: an answer that is not paid lapses; where `data.reason` names a cause on your side, remove it first",
    httpStatus: 503,
    isRetryable: true,
  },
  GAT_ANSWER_SEALED: {
    meaning:
      "the answer was paid before it was shown, since an earlier one was left unpaid, and its server has not opened it yet; `data.receipt`",
    remedy: "ask the same question again: it gets this answer, which is paid for once",
    httpStatus: 503,
    isRetryable: true,
  },
  GAT_PAID_WRONG: {
    meaning:
      "the answer was paid before it was shown, since an earlier one was left unpaid, and it is not the model's; `data.receipt`. The gateway pays no further answer of this server before it is shown",
    remedy: "use another model or another server, and report this one with the receipt",
    httpStatus: 502,
  },
  GAT_KEY_REUSED: {
    meaning:
      "the idempotency key was used for another request in the last 24 hours; nothing was asked or paid",
    remedy: "use a new key for each question, and the same key for the same request alone",
    httpStatus: 422,
  },
  GAT_KEY_INVALID: {
    meaning: "the idempotency key is empty, longer than 255 characters, or not of visible ASCII",
    remedy: "send a random key, as a UUID, in a single header",
    httpStatus: 400,
  },
  GAT_ANSWER_REPLAYED: {
    meaning:
      "the server gave an answer that the account has paid for already, for another question of the same words or by x402; it was not paid again",
    remedy: "ask again: an honest server gives another answer once it has seen the payment",
    httpStatus: 503,
    isRetryable: true,
  },
  GAT_NO_HOST: {
    meaning: "the gateway knows no Datanet host, which has the rows",
    remedy: "start it with --host URL",
    httpStatus: 404,
  },
  GAT_PAGE_REFUSED: {
    meaning: "a web page called the gateway, or a program that says it is one; `data.origin`",
    remedy: "call the gateway from a program on this machine, without the header Origin",
    httpStatus: 403,
  },
});

export const gatewayError = gatewayErrors.raise;
export type GatewayErrorCode = CodeOf<typeof gatewayErrors>;
