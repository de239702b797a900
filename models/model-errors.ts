import { type CodeOf, defineErrors } from "@openledger/foundation/error-table";

/** Codes of models/, which runs and tunes language models. */
export const modelErrors = defineErrors("MOD", {
  MOD_ENGINE_UNAVAILABLE: {
    meaning: "the chosen kernels or suffix arrays were not built, or do not run on this processor",
    remedy:
      "install g++ and run node prover/native/build.js, or choose --kernels wasm, --engine typescript or another machine",
  },
  MOD_TOO_LARGE: {
    meaning:
      "a model, a file, a row or a version's text is above what the limit or the machine allows; `data` has the sizes",
    remedy: "use a smaller model, version or row, or the native kernels",
  },
  MOD_SOURCE_UNREADABLE: {
    meaning:
      "a file of the model is absent, cannot be read or ends early, or a server does not give parts of it",
    remedy: "check the path or the address; the server must answer Range requests",
  },
  MOD_FILE_INVALID: {
    meaning:
      "a file of a model, an adapter, a training or an index is damaged, or does not belong to the others; `data` says what is wrong",
    remedy: "fetch or build the file again; if the error persists, do not trust where it comes from",
  },
  MOD_CONFIG_UNSUPPORTED: {
    meaning: "the model's architecture, or one of its options, is not among those that are computed here",
    remedy: "use a model of the shape of GPT-2, Llama, SmolLM2, Qwen2 or Qwen3",
  },
  MOD_BASE_MISSING: {
    meaning: "no place that was looked in has a file of the base model with the bytes that the recipe names",
    remedy: "name the base's folder or address: --base; `data.file` and `data.sha256` say what is missing",
  },
  MOD_CLAIMS_TOO_LARGE: {
    meaning:
      "a recipe promises claims on L1, and those of its longest texts fit no transaction, or a game's last move does not, or its longest trace is more than watchers hold; `data` has the bytes, tokens or numbers",
    remedy: "lower the recipe's promptTokens or answerTokens, take a smaller base, or promise no claims",
  },
  MOD_ROWS_NOT_POSTABLE: {
    meaning:
      "a model cannot promise that its rows are posted on L1: too many, too long, or what no contract judges; `data.reason` says which",
    remedy: "change the recipe or the version, or promise claims of queries alone: --queries-only",
  },
  MOD_THREAD_ENDED: {
    meaning: "a thread of a computation failed or was ended; `data.reason` says how",
    remedy: "try again; a tuning with a folder goes on from its last state",
  },
  MOD_INPUT_INVALID: {
    meaning:
      "tokens, targets, texts or settings of a computation are out of their range or no UTF-8; `data` names them",
    remedy: "check the length of the text and the settings against the model's",
  },
  MOD_SPANS_EVIDENCE_FALSE: {
    meaning: "what a host says about a span does not follow from the root; `data.reason` says what is wrong",
    remedy: "do not believe the span, its count or its owner; keep the evidence",
  },
});

export const modelError = modelErrors.raise;

/** Codes of the automatic settler. */
export const settlerErrors = defineErrors("CMD", {
  CMD_VOID_DRAWS: {
    meaning:
      "drawn payments of a closed epoch pay for receipts that the model's server cannot open; it does not burn their part by itself. `data.payments`, `data.burnedWei`",
    remedy:
      "bring the answers' folder back; if the server never gave these preconfirmations, start it with --consent-to-voids, or settle with: openledger models settle --account NAME",
  },
});

export const settlerError = settlerErrors.raise;

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
