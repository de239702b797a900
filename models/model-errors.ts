import { defineErrors } from "@openledger/foundation/error-table";

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
