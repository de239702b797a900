import { type CodeOf, defineErrors } from "@openledger/foundation/error-table";

/** Codes of models/serving. */
export const servingErrors = defineErrors("MOD_SERVE", {
  MOD_SERVE_MODEL_UNKNOWN: {
    meaning: "there is neither a base nor an adapter of this name",
    remedy: "take a name that /v1/models lists",
    httpStatus: 404,
  },
  MOD_SERVE_PROMPT_TOO_LONG: {
    meaning:
      "prompt and answer have more tokens than the model, or the memory for keys and values, takes; or the prompt has more bytes than so many tokens",
    remedy: "shorten the prompt or lower max_tokens",
    httpStatus: 400,
  },
  MOD_SERVE_ADAPTER_UNUSABLE: {
    meaning:
      "the files of the adapter are damaged, do not fit the base, or need more memory than adapters have",
    remedy: "export the adapter again; other adapters are served as before",
    httpStatus: 422,
  },
  MOD_SERVE_UNPAID: {
    meaning: "the account has an answer that it has not paid for, or has not signed this question",
    remedy: "pay for the last answer, then ask again",
    httpStatus: 402,
  },
  MOD_SERVE_READER_SLOW: {
    meaning:
      "the client does not read its stream; what waited for it went beyond the limit, and the stream was ended",
    remedy: "read the stream as it comes",
    httpStatus: 408,
  },
});

export const servingError = servingErrors.raise;
export type ServingErrorCode = CodeOf<typeof servingErrors>;

/** `type` and `code` as OpenAI's client libraries know them. */
const OPENAI_FORMS: Partial<
  Record<ServingErrorCode, readonly [type: string, code: string, status?: number]>
> = {
  MOD_SERVE_MODEL_UNKNOWN: ["invalid_request_error", "model_not_found"],
  MOD_SERVE_PROMPT_TOO_LONG: ["invalid_request_error", "context_length_exceeded"],
  MOD_SERVE_ADAPTER_UNUSABLE: ["invalid_request_error", "adapter_unusable"],
  MOD_SERVE_UNPAID: ["insufficient_quota", "insufficient_quota"],
  MOD_SERVE_READER_SLOW: ["server_error", "slow_reader"],
  SRV_RATE_LIMITED: ["rate_limit_error", "rate_limit_exceeded"],
  SRV_OVERLOADED: ["rate_limit_error", "rate_limit_exceeded", 429],
  SRV_STOPPING: ["server_error", "server_stopping"],
};

/** How OpenAI's API says it; codes of other rooms are a failure of the server. */
export function openAiForm(code: string): {
  readonly status: number;
  readonly type: string;
  readonly code: string;
} {
  const form = OPENAI_FORMS[code as ServingErrorCode];
  const status = servingErrors.statusOf(code) ?? 500;
  if (form !== undefined) return { status: form[2] ?? status, type: form[0], code: form[1] };
  if (status < 500) return { status, type: "invalid_request_error", code: "invalid_request" };
  return { status: 500, type: "server_error", code: "internal_error" };
}
