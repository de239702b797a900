/**
 * attribution/ turns a datanet's rows and a training recipe into the numbers that a model registers on the ledger
 * (int8 features, integer queries, scores). It is a folder of its own because no ledger rule depends on it: nothing
 * here is proven, anyone can run it again from the same recipe and compare the bytes.
 */
import { RollupError } from "@openledger/foundation/rollup-error";

/** Every error code of attribution/: what it means and what to do about it. */
export const attributionErrors = {
  ATT_RECIPE_INVALID: {
    meaning: "the recipe is not of the documented form, or names data that it does not fit",
    remedy: "compare the recipe with docs/attribution.md",
  },
  ATT_FAMILY_UNKNOWN: {
    meaning: "the model is of a family that this program does not know",
    remedy: "use a version of this software that does; `data.known` names those that it knows",
  },
  ATT_ANSWER_INVALID: {
    meaning: "what a server gave as an answer is none that a model of its family gives",
    remedy: "do not pay for it",
  },
  ATT_ROW_INVALID: {
    meaning: "a row, or what a model is asked, is not of the format of the recipe's rows",
    remedy: "compare it with docs/attribution.md; `data.why` says what is wrong",
    httpStatus: 422,
  },
  ATT_TOO_FEW_ROWS: {
    meaning: "a version has too few rows, or rows of one label only, to train a model on",
    remedy:
      "contribute the rows that the message names, then publish a new version: openledger datanet publish ID",
  },
  ATT_ROWS_MISMATCH: {
    meaning: "the rows are not those that the recipe's root commits to, or not in the version's order",
    remedy: "take the rows of the version that the recipe names, in the version's order",
  },
  ATT_BEYOND_CIRCUIT: {
    meaning: "a model has more rows, earners or columns than the settlement circuit, or other columns",
    remedy: "use a larger circuit, or publish fewer rows in one version; `data` has both numbers",
  },
  ATT_SPLIT_INVALID: {
    meaning:
      "the owner's and the validators' parts are not 16-bit numbers, or leave too little for the treasury",
    remedy: "take parts in 65,536ths; the owner's at most 62,259",
  },
  ATT_MODEL_FILE_INVALID: {
    meaning: "a file of a published model is absent, or is not what manifest and commitments say",
    remedy: "fetch the model again; if it stays so, its publisher made a mistake or cheats",
  },
  ATT_MODEL_EXISTS: {
    meaning: "there is a model in this folder, and published models do not change",
    remedy: "write to another folder",
  },
  ATT_SERVER_UNREACHABLE: {
    meaning: "a server that was asked did not answer, or not as documented",
    remedy: "check its address, then ask again",
    httpStatus: 503,
    isRetryable: true,
  },
  ATT_MODEL_MISMATCH: {
    meaning:
      "a published model is not what its recipe makes of the committed rows; `data` has the first difference",
    remedy: "do not approve, pay or settle the model",
  },
  ATT_NOT_DISPUTABLE: {
    meaning: "the model is of a kind that Disputes has no arithmetic for, or leaves its range",
    remedy: "recompute it with `openledger verify model`; no challenge on L1 can be made of it",
  },
  ATT_LEAVES_MISMATCH: {
    meaning: "published leaves are not those of the roots that were posted",
    remedy: "demand the leaf on L1, and do not approve the model",
  },
  ATT_DATA_CHANGED: {
    meaning: "the installed data set is not the one that the recipe was written for",
    remedy: "install the package version that the recipe names",
  },
  ATT_DUPLICATE_ROW: {
    meaning: "two rows have the same content",
    remedy: "leave out the later one; a copy earns nothing",
  },
  ATT_NOT_POSITIVE_DEFINITE: {
    meaning: "a matrix that must be positive definite is not, so no inverse exists",
    remedy: "raise the damping",
  },
  ATT_SCORE_TOO_LARGE: {
    meaning: "with this many features a score could leave the circuit's range",
    remedy: "project onto fewer features",
  },
  ATT_SCORE_MODE_UNAVAILABLE: {
    meaning: "the chosen way to compute scores does not run on this machine; nothing else ran in its place",
    remedy: "install the graphics card's driver, or choose --scores auto, webasm, cpu or int32",
    httpStatus: 500,
  },
  ATT_NOT_INTEGER: {
    meaning: "a feature or a query is not an integer of the stated range",
    remedy: "quantise before scoring",
  },
  ATT_SIZE_MISMATCH: {
    meaning: "two operands do not have the same number of features",
    remedy: "use the query and the features of one model",
  },
  ATT_EARNINGS_DIFFER: {
    meaning: "a posted settlement gave an earner something else than its draws make",
    remedy:
      "take the settlement circuit's draws, the right seed and all openings; a proven settlement cannot differ",
  },
  ATT_BAD_REQUEST: {
    meaning: "a field of the request is absent or of the wrong form, or there is no such route",
    remedy: "compare the request with docs/attribution.md",
    httpStatus: 400,
  },
  ATT_NO_PRIVACY: {
    meaning: "the model promises claims of its queries, and they show drawn prompts on L1",
    remedy: "ask without privacy, or another model",
    httpStatus: 422,
  },
  ATT_ASK_REFUSED: {
    meaning: "the payer is no account with a key, or the key has not signed this question",
    remedy: "ask with the key of the account that will pay",
    httpStatus: 422,
  },
  ATT_ANSWER_UNPAID: {
    meaning: "the account has an answer that it has not paid for; `data.receipt` names it",
    remedy: "pay for it, or wait until `data.expiresAtMs`",
    httpStatus: 409,
  },
  ATT_MODEL_NOT_PAYABLE: {
    meaning: "the ledger takes no payments for the model: it is not approved or has no genesis",
    remedy: "ask once the datanet has approved the model and its genesis is settled",
    httpStatus: 409,
    isRetryable: true,
  },
  ATT_MODEL_NOT_SERVED: {
    meaning: "the model of this id on the ledger is not the one that the server has",
    remedy: "start the server with the id of the published model",
    httpStatus: 500,
  },
  ATT_NO_ROW_FOUND: {
    meaning:
      "no row of a retrieval model comes close enough to the prompt: there is nothing to cite or to pay for",
    remedy: "ask with other words, or more of them",
    httpStatus: 422,
  },
  ATT_ROW_NOT_PUBLISHED: {
    meaning: "the model has no such row, or its owner does not publish the rows",
    remedy: "ask the datanet's owner for the row; the answer names its hash",
    httpStatus: 404,
  },
  ATT_NO_SPANS: {
    meaning: "the server has no index of the version's text, so it shows no spans",
    remedy: "ask a server that was started with --spans, or index the version (`openledger datanet index`)",
    httpStatus: 404,
  },
  ATT_UNKNOWN_RECEIPT: {
    meaning: "the server has given no answer with this receipt, or none that is kept",
    remedy: "check the receipt",
    httpStatus: 404,
  },
  ATT_RATE_LIMITED: {
    meaning: "too many requests from this address",
    remedy: "try again later",
    httpStatus: 429,
    isRetryable: true,
  },
  ATT_STORE_LOCKED: {
    meaning: "another process has the model server's answers open",
    remedy: "stop that one first",
  },
  ATT_STORE_FAILED: {
    meaning:
      "the model server's answers cannot be opened, read or written (room, rights, a failing disk); the server ends, nothing is lost",
    remedy: "mend that and start again",
  },
  ATT_STORE_CORRUPT: {
    meaning:
      "the files of the model server's answers are damaged or missing; the server ends, `data.reason` names the file",
    remedy:
      "keep the folder, and put a copy in its place that was made while the server was stopped; without one start with an empty folder: answers that only the damaged one held cannot be opened, and their draws are void",
  },
  ATT_INTERNAL: {
    meaning: "the server failed in an unforeseen way",
    remedy: "look into its log",
    httpStatus: 500,
  },
} as const satisfies Record<string, AttributionErrorRow>;

interface AttributionErrorRow {
  readonly meaning: string;
  readonly remedy: string;
  /** What the model server answers with; 500 where none is given. */
  readonly httpStatus?: number;
  /** The same call may succeed later without any change of its arguments. */
  readonly isRetryable?: boolean;
}

export type AttributionErrorCode = keyof typeof attributionErrors;

export function attributionError(
  code: AttributionErrorCode,
  message: string,
  details: { data?: object; cause?: unknown } = {},
): RollupError {
  const { isRetryable = false }: AttributionErrorRow = attributionErrors[code];
  return new RollupError(code, message, { ...details, isRetryable });
}

/** 500 for codes of other folders: no caller of the model server can mend them. */
export function attributionHttpStatus(code: string): number {
  const rows: Readonly<Record<string, AttributionErrorRow>> = attributionErrors;
  return rows[code]?.httpStatus ?? 500;
}
