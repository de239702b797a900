/**
 * models/ runs and tunes language models. It is a folder of its own because no ledger rule depends on it: its
 * gradients are the same bytes on every machine, so anyone can recompute what a model registers.
 */
import { RollupError } from "@openledger/foundation/rollup-error";

/** Every error code of models/: what it means and what to do about it. */
export const modelErrors = {
  MOD_NATIVE_UNAVAILABLE: {
    meaning: "the native kernels were not built, or the processor has no AVX2",
    remedy: "install g++ and run node prover/native/build.js, or choose --kernels wasm",
  },
  MOD_WASM_UNAVAILABLE: {
    meaning:
      "WebAssembly on this machine has no fused multiply-add, without which other bytes would come out",
    remedy: "use another machine or browser",
  },
  MOD_TOO_LARGE: {
    meaning:
      "a model, a file or a row needs more memory than the limit or the machine has; `data` has the sizes",
    remedy: "use a smaller model or shorter rows, or the native kernels",
  },
  MOD_SOURCE_UNREADABLE: {
    meaning:
      "a file of the model is absent, cannot be read or ends early, or a server does not give parts of it",
    remedy: "check the path or the address; the server must answer Range requests",
  },
  MOD_CONFIG_INVALID: {
    meaning: "config.json is no JSON, or a field is absent or out of its range; `data.field` names it",
    remedy: "fetch the model's files again",
  },
  MOD_CONFIG_UNSUPPORTED: {
    meaning: "the model's architecture, or one of its options, is not among those that are computed here",
    remedy: "use a model of the shape of GPT-2, Llama, SmolLM2, Qwen2 or Qwen3",
  },
  MOD_TENSORS_INVALID: {
    meaning:
      "a safetensors file is not well formed: its header, or where its tensors lie; `data.reason` says what is wrong",
    remedy: "fetch the file again; if it stays so, do not trust where it comes from",
  },
  MOD_TENSOR_MISSING: {
    meaning: "the model has no tensor of a name that its architecture needs, or one of another shape or type",
    remedy: "check that config.json and the weights belong to the same model",
  },
  MOD_TENSOR_NOT_FINITE: {
    meaning: "a weight is infinite or no number",
    remedy: "fetch the file again; if it stays so, the model is of no use",
  },
  MOD_TOKENIZER_INVALID: {
    meaning: "tokenizer.json is not well formed, or gives tokens that the model does not have",
    remedy: "check that tokenizer and weights belong to the same model",
  },
  MOD_ADAPTER_INVALID: {
    meaning: "a LoRA adapter is not as PEFT writes it, or does not fit the base model",
    remedy: "name the base that the adapter was made for; `data.field` says what differs",
  },
  MOD_BASE_MISSING: {
    meaning: "no place that was looked in has a file of the base model with the bytes that the recipe names",
    remedy: "name the base's folder or address: --base; `data.file` and `data.sha256` say what is missing",
  },
  MOD_BASE_CHANGED: {
    meaning:
      "a file of the default base is absent, or has another hash than this version names; `data` has both",
    remedy: "restore models/base/checkpoint with git, or run openledger model base --derive FOLDER",
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
  MOD_CHECKPOINT_INVALID: {
    meaning: "the state of an earlier training is damaged, or of another training",
    remedy: "remove the folder to begin anew",
  },
  MOD_THREAD_ENDED: {
    meaning: "a thread of a computation failed or was ended; `data.reason` says how",
    remedy: "try again; a tuning with a folder goes on from its last state",
  },
  MOD_INPUT_INVALID: {
    meaning: "tokens, targets or settings of a computation are out of their range; `data.field` names them",
    remedy: "check the length of the text and the settings against the model's",
  },
} as const satisfies Record<string, ModelErrorRow>;

interface ModelErrorRow {
  readonly meaning: string;
  readonly remedy: string;
}

export type ModelErrorCode = keyof typeof modelErrors;

export function modelError(
  code: ModelErrorCode,
  message: string,
  details: { data?: object; cause?: unknown } = {},
): RollupError {
  return new RollupError(code, message, details);
}
