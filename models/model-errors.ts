/**
 * Error codes of language models, the answer server, the automatic settler and the factory, with HTTP statuses and OpenAI's
 * names for them. docs/reference/errors.md is made from these tables.
 */
import { datanetErrors } from "@openledger/datanets/datanet-errors";
import { type CodeOf, defineErrors } from "@openledger/foundation/error-table";

/** Codes of models/, which runs and tunes language models. */
export const modelErrors = defineErrors("MOD", {
  MOD_ENGINE_UNAVAILABLE: {
    meaning: "the selected kernels are not built, or do not run on this processor",
    remedy: "install g++ and run node prover/native/build.js, or choose --kernels wasm or another machine",
  },
  MOD_KERNELS_DAMAGED: {
    meaning: "the prebuilt WebAssembly kernels are gone, or do not match their recorded hash",
    remedy: "restore them with git checkout -- models/engine/kernels/prebuilt, or install the program again",
  },
  MOD_TOO_LARGE: {
    meaning:
      "a model, a file, a row or a version's text exceeds the limit or this machine's memory; `data` has the sizes",
    remedy: "use a smaller model, version or row, or the native kernels",
  },
  MOD_SOURCE_UNREADABLE: {
    meaning: "a file of the model is missing, unreadable or truncated, or its server has no range requests",
    remedy: "check the path or the address; the server must answer Range requests",
  },
  MOD_FILE_INVALID: {
    meaning:
      "a file of a model, adapter, training run or index is damaged, or does not match the others; `data` says what is wrong",
    remedy: "download or build the file again; if the error persists, do not trust its source",
  },
  MOD_CONFIG_UNSUPPORTED: {
    meaning: "the model's architecture, or one of its options, is not supported",
    remedy:
      "use a model with the architecture of GPT-2, Llama, SmolLM2, Qwen2 or Qwen3; as a sentence encoder one of Qwen3 or BERT",
  },
  MOD_BASE_MISSING: {
    meaning: "no known place has a file of the base model with the bytes that the recipe names",
    remedy: "name the base's folder or address: --base; `data.file` and `data.sha256` say what is missing",
  },
  MOD_THREAD_ENDED: {
    meaning: "a thread of a computation failed or was stopped; `data.reason` says how",
    remedy: "try again; a tuning with a folder resumes from its last checkpoint",
  },
  MOD_INPUT_INVALID: {
    meaning: "tokens, targets, texts or settings are out of range, or not UTF-8; `data` names them",
    remedy: "check the length of the text and the settings against the model's limits",
  },
  MOD_CHAT_REFUSED: {
    meaning:
      "the base's chat template does not take these messages or tools; `data.param` names the field, `data.reason` says why",
    remedy: "change the named message or tool; without a chat template send one user message, or a prompt",
  },
});

export const modelError = modelErrors.raise;

/** Codes of the automatic settler. */
export const settlerErrors = defineErrors("CMD", {
  CMD_VOID_DRAWS: {
    meaning:
      "drawn payments have receipts that the model's server cannot open. `data.payments`, `data.burnedWei`",
    remedy:
      "restore the answers' database. If there are no receipts: --consent-to-voids, with the model's --account",
    note: "The server burns the part of these payments only with your consent.",
  },
});

export const settlerError = settlerErrors.raise;

/** Codes of models/serving. */
export const servingErrors = defineErrors("MOD_SERVE", {
  MOD_SERVE_MODEL_UNKNOWN: {
    meaning: "the server has no base or adapter with this name",
    remedy: "use a name that /v1/models lists",
    httpStatus: 404,
  },
  MOD_SERVE_PROMPT_TOO_LONG: {
    meaning:
      "prompt and answer exceed the model's context or the cache, or the prompt is longer than that many tokens can be",
    remedy: "shorten the prompt or lower max_tokens",
    httpStatus: 400,
  },
  MOD_SERVE_ADAPTER_UNUSABLE: {
    meaning: "the adapter's files are damaged, do not fit the base, or need more memory than allowed",
    remedy: "export the adapter again; other adapters are not affected",
    httpStatus: 422,
  },
  MOD_SERVE_UNPAID: {
    meaning: "the account has an unpaid answer, or has not signed this question",
    remedy:
      "pay for the last answer by `data.receipt` and `data.priceWei` (payReceipt), or ask its question again and pay; then ask again",
    httpStatus: 402,
  },
  MOD_SERVE_NOT_PAYABLE: {
    meaning:
      "the ledger takes no payments for the model now, or has another model with this number; `data.reason` says why",
    remedy:
      "ask once the model's owner has closed the full epoch, or once the model is approved and activated",
    httpStatus: 409,
    isRetryable: true,
  },
  MOD_SERVE_PAYMENT_NAME_USED: {
    meaning: "the payment's `payment-identifier` is of another question's payment by this account",
    remedy:
      "present the first payment again for its own question, and give each question an identifier of its own",
    httpStatus: 409,
  },
  MOD_SERVE_NOT_GRANTED: {
    meaning:
      "the model answers from rows of a permissioned Datanet, and the account that asks may not read them; `data.reason`, `data.datanetId`",
    remedy: "request access: openledger datanet access ID --purpose TEXT",
    httpStatus: 403,
  },
  MOD_SERVE_READER_SLOW: {
    meaning: "the client reads its stream too slowly; the buffer was full, and the stream was closed",
    remedy: "read the stream as it arrives",
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
  MOD_SERVE_NOT_PAYABLE: ["server_error", "model_not_payable"],
  MOD_SERVE_PAYMENT_NAME_USED: ["invalid_request_error", "payment_identifier_used"],
  MOD_SERVE_NOT_GRANTED: ["invalid_request_error", "rows_not_granted"],
  MOD_SERVE_READER_SLOW: ["server_error", "slow_reader"],
  SRV_RATE_LIMITED: ["rate_limit_error", "rate_limit_exceeded"],
  SRV_QUOTA_USED: ["rate_limit_error", "rate_limit_exceeded"],
  SRV_UNAUTHORIZED: ["invalid_request_error", "invalid_api_key"],
  SRV_UNKNOWN_ROUTE: ["invalid_request_error", "unknown_url"],
  SRV_OVERLOADED: ["rate_limit_error", "rate_limit_exceeded", 429],
  SRV_STOPPING: ["server_error", "server_stopping"],
  SRV_DATABASE_UNREACHABLE: ["server_error", "database_unreachable"],
};

const NOT_ALLOWED = "method_not_supported";

/**
 * Renders an error as OpenAI's API does; codes of other rooms are a failure of the server.
 * @param given OpenAI's own code, where the case has one
 */
export function openAiForm(
  code: string,
  input?: unknown,
): {
  readonly status: number;
  readonly type: string;
  readonly code: string;
} {
  const form = OPENAI_FORMS[code as ServingErrorCode];
  const status = servingErrors.statusOf(code) ?? 500;
  if (input === NOT_ALLOWED) return { status: 405, type: "invalid_request_error", code: input };
  if (form !== undefined) return { status: form[2] ?? status, type: form[0], code: form[1] };
  if (status < 500) {
    const named = typeof input === "string" ? input : "invalid_request";
    return { status, type: "invalid_request_error", code: named };
  }
  return { status: 500, type: "server_error", code: "internal_error" };
}

/** Codes of models/factory. */
export const factoryErrors = defineErrors("MOD_FACTORY", {
  MOD_FACTORY_REFUSED: {
    meaning: "the factory's operator does not allow this account, folder, address or host",
    remedy: "use one that /v1/info names, or ask the operator to add it (FACTORY_ACCOUNTS and similar)",
    httpStatus: 403,
  },
  MOD_FACTORY_UNKNOWN: {
    meaning: "the account has no base, data set, job or file with this name here",
    remedy: "compare the name with the list",
    httpStatus: 404,
  },
  MOD_FACTORY_ROWS_MISSING: {
    meaning: "the data set needs signed requests for rows of a permissioned Datanet, as it lists them",
    remedy: "read the data set again and sign the requests that it lists now",
    httpStatus: 409,
  },
  MOD_FACTORY_JOB_STATE: {
    meaning: "the job's state does not allow this (`data.state`), or the job uses what would change",
    remedy: "read the job again; pause or delete it, or wait for its proof",
    httpStatus: 409,
  },
  MOD_FACTORY_NOT_TRAINABLE: {
    meaning: "the rows cannot become a model of this use; `data.whyNot` says why",
    remedy: "`data.remedy` says what to change: labels, rows, or the use",
    httpStatus: 422,
  },
  MOD_FACTORY_UPLOADS_GONE: {
    meaning: "a factory takes rows of Datanets alone: uploads without a Datanet are gone; nothing was stored",
    remedy:
      "contribute the rows to a Datanet, whose card may say `permissioned` so that only those whom you grant it read them, and train on its version",
    httpStatus: 410,
  },
  MOD_FACTORY_NOT_REGISTRABLE: {
    meaning:
      "the model cannot be registered: rows of no Datanet, no circuit that fits, terms that forbid pay, or another job's leaf; `data.why`",
    remedy:
      "train on a published version that fits a circuit and whose terms allow pay, and create the model with the statics that the registration names",
    httpStatus: 409,
  },
  MOD_FACTORY_TRAINER_ENDED: {
    meaning:
      "the process that trains, measures, answers or proves exited without a result, or its worker did, more than once",
    remedy: "check the log of the factory's workers (too little memory, for example); then resume the job",
  },
  MOD_FACTORY_TASK_SILENT: {
    meaning:
      "the process that trains, measures, answers or proves said nothing for `data.maxSilentMs`, and was killed",
    remedy:
      "use another base or smaller rows; if it only takes long, raise `FACTORY_SIDE_TIMEOUT_MS` or `FACTORY_JOB_SILENCE_MS`",
    httpStatus: 504,
  },
});

export const factoryError = factoryErrors.raise;

/** HTTP status of the factory for a code: its own, a host's, and 422 for what engines refuse of bases, rows and recipes. */
export function factoryHttpStatus(code: string): number {
  const own = factoryErrors.statusOf(code) ?? datanetErrors.statusOf(code);
  return own ?? (/^(MOD|ATT|CLI|CIR|OP)_/.test(code) ? 422 : 500);
}
