import { RollupError } from "@openledger/foundation/rollup-error";

/** Every error code of models/serving: what it means, what to do about it, and its form in OpenAI's API. */
export const servingErrors = {
  MOD_SERVE_REQUEST_INVALID: {
    meaning:
      "a field of the request is absent, out of its range, or asks for what is not served; `param` names it",
    remedy: "compare the request with docs/openlora.md",
    httpStatus: 400,
    type: "invalid_request_error",
    openAiCode: "invalid_request",
  },
  MOD_SERVE_MODEL_UNKNOWN: {
    meaning: "there is neither a base nor an adapter of this name",
    remedy: "take a name that /v1/models lists",
    httpStatus: 404,
    type: "invalid_request_error",
    openAiCode: "model_not_found",
  },
  MOD_SERVE_PROMPT_TOO_LONG: {
    meaning:
      "prompt and answer have more tokens than the model, or the memory for keys and values, takes; or the prompt has more bytes than so many tokens",
    remedy: "shorten the prompt or lower max_tokens",
    httpStatus: 400,
    type: "invalid_request_error",
    openAiCode: "context_length_exceeded",
  },
  MOD_SERVE_ADAPTER_UNUSABLE: {
    meaning:
      "the files of the adapter are damaged, do not fit the base, or need more memory than adapters have",
    remedy: "export the adapter again; other adapters are served as before",
    httpStatus: 422,
    type: "invalid_request_error",
    openAiCode: "adapter_unusable",
  },
  MOD_SERVE_UNPAID: {
    meaning: "the account has an answer that it has not paid for, or has not signed this question",
    remedy: "pay for the last answer, then ask again",
    httpStatus: 402,
    type: "insufficient_quota",
    openAiCode: "insufficient_quota",
  },
  MOD_SERVE_RATE_LIMITED: {
    meaning: "too many requests from this address",
    remedy: "try again after the seconds that Retry-After says",
    httpStatus: 429,
    type: "rate_limit_error",
    openAiCode: "rate_limit_exceeded",
    isRetryable: true,
  },
  MOD_SERVE_OVERLOADED: {
    meaning: "as many requests wait as may wait, in all or of this address",
    remedy: "try again after the seconds that Retry-After says",
    httpStatus: 429,
    type: "rate_limit_error",
    openAiCode: "rate_limit_exceeded",
    isRetryable: true,
  },
  MOD_SERVE_READER_SLOW: {
    meaning:
      "the client does not read its stream; what waited for it went beyond the limit, and the stream was ended",
    remedy: "read the stream as it comes",
    httpStatus: 408,
    type: "server_error",
    openAiCode: "slow_reader",
  },
  MOD_SERVE_STOPPING: {
    meaning: "the server stops, or the thread of its batch failed",
    remedy: "ask another server, or this one after its start",
    httpStatus: 503,
    type: "server_error",
    openAiCode: "server_stopping",
    isRetryable: true,
  },
  MOD_SERVE_INTERNAL: {
    meaning: "the server failed in an unforeseen way",
    remedy: "look into its log",
    httpStatus: 500,
    type: "server_error",
    openAiCode: "internal_error",
  },
  MOD_SERVE_SETTINGS_INVALID: {
    meaning: "an environment variable of the server is missing, wrong or unknown; the message names each",
    remedy: "compare them with docs/generated/settings.md",
    httpStatus: 500,
    type: "server_error",
    openAiCode: "internal_error",
  },
} as const satisfies Record<string, ServingErrorRow>;

interface ServingErrorRow {
  readonly meaning: string;
  readonly remedy: string;
  readonly httpStatus: number;
  /** As OpenAI's client libraries know it. */
  readonly type: string;
  readonly openAiCode: string;
  readonly isRetryable?: boolean;
}

export type ServingErrorCode = keyof typeof servingErrors;

export function servingError(
  code: ServingErrorCode,
  message: string,
  details: { data?: object; cause?: unknown } = {},
): RollupError {
  const { isRetryable = false }: ServingErrorRow = servingErrors[code];
  return new RollupError(code, message, { ...details, isRetryable });
}

/** How OpenAI's API says it; codes of other rooms are a failure of the server. */
export function openAiForm(code: string): {
  readonly status: number;
  readonly type: string;
  readonly code: string;
} {
  const rows: Readonly<Record<string, ServingErrorRow>> = servingErrors;
  const { httpStatus, openAiCode, type } = rows[code] ?? servingErrors.MOD_SERVE_INTERNAL;
  return { status: httpStatus, type, code: openAiCode };
}
