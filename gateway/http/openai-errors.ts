/** Errors of the gateway in the form of OpenAI's API, whose client libraries read status, `type` and `code`. */
import { isServersWord } from "@openledger/client/server-refusal";
import { processErrors } from "@openledger/foundation/error-table";
import type { RollupError } from "@openledger/foundation/rollup-error";
import { gatewayErrors } from "../gateway-errors.ts";

/** Statuses of errors that come from the client library, the model's server or the ledger. */
const STATUSES: Readonly<Record<string, number>> = {
  CLI_ANSWER_WRONG: 502,
  CLI_ANSWER_INVALID: 502,
  CLI_BELOW_LEAST: 422,
  CLI_PRICE_TOO_HIGH: 402,
  OP_BALANCE_TOO_LOW: 402,
  // The model takes no payment now: its epoch is full, or its Datanet has not approved it.
  OP_EPOCH_FULL: 503,
  OP_MODEL_NOT_PAYABLE: 503,
  CLI_UNREACHABLE: 503,
  CLI_INPUT_INVALID: 400,
  MOD_CHAT_REFUSED: 400,
  ATT_SERVER_UNREACHABLE: 503,
};

/** Value of a name that a stranger's server may have chosen. */
const own = <T>(table: Readonly<Record<string, T>>, name: string): T | undefined =>
  Object.hasOwn(table, name) ? table[name] : undefined;

const TYPES: Readonly<Record<number, readonly [type: string, code: string]>> = {
  400: ["invalid_request_error", "invalid_request"],
  401: ["invalid_request_error", "invalid_api_key"],
  402: ["insufficient_quota", "insufficient_quota"],
  403: ["invalid_request_error", "forbidden"],
  404: ["invalid_request_error", "not_found"],
  409: ["server_error", "conflict"],
  429: ["rate_limit_error", "rate_limit_exceeded"],
};

const CODES: Readonly<Record<string, string>> = {
  GAT_KEY_REUSED: "idempotency_key_reused",
  GAT_KEY_INVALID: "idempotency_key_invalid",
  GAT_MODEL_UNKNOWN: "model_not_found",
  SRV_UNKNOWN_ROUTE: "unknown_url",
};

/** Types of errors that have another one than their status. */
const TYPES_OF_CODES: Readonly<Record<string, string>> = {
  GAT_KEY_REUSED: "idempotency_error",
  GAT_KEY_INVALID: "idempotency_error",
};

/** Statuses by which a gateway speaks of its own token and budget: a model's server has no say in either. */
const OF_THE_GATEWAY: readonly number[] = [401, 402, 403];

export function statusOf(error: RollupError): number {
  const { code, data, isRetryable } = error;
  const { httpStatus } = data as { httpStatus?: unknown };
  const theirs =
    typeof httpStatus === "number" && httpStatus >= 400 && httpStatus < 600 ? httpStatus : undefined;
  if (isServersWord(error))
    return theirs === undefined || OF_THE_GATEWAY.includes(theirs) ? (isRetryable ? 503 : 502) : theirs;
  return (
    gatewayErrors.statusOf(code) ??
    own(STATUSES, code) ??
    theirs ??
    processErrors.statusOf(code) ??
    (isRetryable ? 503 : 502)
  );
}

/** Longest wait that clients of OpenAI's API heed. */
const MAX_RETRY_SECONDS = 60;

/** Seconds after which a retry may help: an answer that a server waits for lapses at a time that it names. */
export function retryAfterSeconds({ code, data }: RollupError): number {
  const { expiresAtMs } = data as { expiresAtMs?: unknown };
  if (code !== "GAT_ANSWER_OPEN" || typeof expiresAtMs !== "number") return 1;
  const seconds = Math.ceil((expiresAtMs - Date.now()) / 1_000);
  return Math.min(MAX_RETRY_SECONDS, Math.max(1, seconds));
}

export function errorBody(error: RollupError): object {
  const status = statusOf(error);
  const { openaiCode, ...data } = (error.toJSON() as { data: Record<string, unknown> }).data;
  const [type, usual] = TYPES[status] ?? (status < 500 ? TYPES[400]! : ["server_error", "server_error"]);
  const isOwn = !isServersWord(error);
  const code = isOwn && typeof openaiCode === "string" ? openaiCode : (own(CODES, error.code) ?? usual);
  const param = isOwn && typeof data.param === "string" && data.param !== "" ? data.param : null;
  const docs = `docs/reference/errors.md#${error.code.toLowerCase()}`;
  const remedy = error.remedy ?? undefined;
  return {
    error: {
      message: error.message,
      type: own(TYPES_OF_CODES, error.code) ?? type,
      param,
      code,
      openledger: { code: error.code, data, remedy, docs },
    },
  };
}
