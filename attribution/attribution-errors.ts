/**
 * attribution/ turns a datanet's rows and a training recipe into the numbers that a model registers on the ledger
 * (int8 features, integer queries, scores). It is a folder of its own because no ledger rule depends on it: nothing
 * here is proven, anyone can run it again from the same recipe and compare the bytes.
 */
import { RollupError } from "../circuits/rollup-error.ts";

/** Every error code of attribution/: what it means and what to do about it. None is worth a retry. */
export const attributionErrors = {
  ATT_RECIPE_INVALID: {
    meaning: "the recipe is not of the documented form, or names data that it does not fit",
    remedy: "compare the recipe with docs/attribution.md",
  },
  ATT_ROW_INVALID: {
    meaning: "a row, or what a model is asked, is not of the format of the recipe's rows",
    remedy: "compare it with docs/attribution.md; `data.why` says what is wrong",
  },
  ATT_ROWS_MISMATCH: {
    meaning: "the rows are not those that the recipe's root commits to, or not in the version's order",
    remedy: "take the rows of the version that the recipe names, in the version's order",
  },
  ATT_BEYOND_CIRCUIT: {
    meaning: "a model has more rows, slots or columns than the settlement circuit, or other columns",
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
  },
  ATT_MODEL_MISMATCH: {
    meaning:
      "a published model is not what its recipe makes of the committed rows; `data` has the first difference",
    remedy: "do not approve, pay or settle the model",
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
  ATT_NOT_INTEGER: {
    meaning: "a feature or a query is not an integer of the stated range",
    remedy: "quantise before scoring",
  },
  ATT_SIZE_MISMATCH: {
    meaning: "two operands do not have the same number of features",
    remedy: "use the query and the features of one model",
  },
} as const satisfies Record<string, { meaning: string; remedy: string }>;

export type AttributionErrorCode = keyof typeof attributionErrors;

export function attributionError(
  code: AttributionErrorCode,
  message: string,
  details: { data?: object; cause?: unknown } = {},
): RollupError {
  return new RollupError(code, message, details);
}
