import { defineErrors } from "@openledger/foundation/error-table";

/** Codes of attribution/, which turns a datanet's rows and a training recipe into the numbers that a model registers. */
export const attributionErrors = defineErrors("ATT", {
  ATT_RECIPE_INVALID: {
    meaning:
      "the recipe is not of the documented form, is of a family that this version does not know (`data.known`), names data that it does not fit, or gives owner and validators parts that leave too little for the treasury (65,536ths; the owner's at most 62,259)",
    remedy: "compare the recipe with docs/reference/attribution.md",
  },
  ATT_ANSWER_INVALID: {
    meaning: "what a server gave as an answer is none that a model of its family gives",
    remedy: "do not pay for it",
  },
  ATT_ROW_INVALID: {
    meaning: "a row, or what a model is asked, is not of the format of the recipe's rows",
    remedy: "compare it with docs/reference/attribution.md; `data.why` says what is wrong",
    httpStatus: 422,
  },
  ATT_TOO_FEW_ROWS: {
    meaning: "a version has too few rows, or rows of one label only, to train a model on",
    remedy:
      "contribute the rows that the message names, then publish a new version: openledger datanet publish ID",
  },
  ATT_ROWS_MISMATCH: {
    meaning:
      "the rows or the installed data set are not those that the recipe names, or not in the version's order",
    remedy: "take the rows of the version, or the package version, that the recipe names",
  },
  ATT_BEYOND_CIRCUIT: {
    meaning: "a model has more rows, payees or columns than the settlement circuit, or other columns",
    remedy: "use a larger circuit, or publish fewer rows in one version; `data` has both numbers",
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
      "a published model or a posted settlement is not what its recipe, the committed rows and the draws make; `data` has the first difference",
    remedy: "do not approve, pay or settle the model",
  },
  ATT_NOT_DISPUTABLE: {
    meaning: "the model is of a kind that Disputes has no arithmetic for, or leaves its range",
    remedy: "recompute it with `openledger verify model`; no challenge on L1 can be made of it",
  },
  ATT_LEAVES_MISMATCH: {
    meaning: "published leaves are not those of the roots that were posted",
    remedy: "challenge the leaf on L1, and do not approve the model",
  },
  ATT_DUPLICATE_ROW: {
    meaning: "two rows have the same content",
    remedy: "leave out the later one; a copy earns nothing",
  },
  ATT_INPUT_INVALID: {
    meaning:
      "features, queries or matrices are not what a computation of scores takes: sizes, ranges or definiteness",
    remedy:
      "quantise before scoring, use the query and features of one model, raise the damping, or project onto fewer features, as the message says",
  },
  ATT_SCORE_MODE_UNAVAILABLE: {
    meaning: "the chosen way to compute scores does not run on this machine; nothing else ran in its place",
    remedy: "install the graphics card's driver and the package gl, or choose --scores auto or int32",
  },
  ATT_ASK_REFUSED: {
    meaning:
      "the payer is no account with a key, the key has not signed this question, or the question asks for privacy of a model that promises claims",
    remedy:
      "ask with the key of the account that will pay, and without privacy where claims show drawn prompts on L1",
    httpStatus: 422,
  },
  ATT_ANSWER_UNPAID: {
    meaning: "the account has an answer that it has not paid for; `data.receipt` names it",
    remedy:
      "pay for it, or wait until `data.expiresAtMs`; where `data.reason` is `left-unpaid`, pay first: ask with `isSealed`",
    httpStatus: 409,
  },
  ATT_MODEL_NOT_PAYABLE: {
    meaning: "the ledger takes no payments for the model: it is not approved or has no activation",
    remedy: "ask once the datanet has approved the model and its activation is settled",
    httpStatus: 409,
    isRetryable: true,
  },
  ATT_MODEL_NOT_SERVED: {
    meaning: "the model of this id on the ledger is not the one that the server has",
    remedy: "start the server with the id of the published model",
  },
  ATT_NO_ROW_FOUND: {
    meaning:
      "no row of a retrieval model comes close enough to the prompt: there is nothing to cite or to pay for",
    remedy: "ask with other words, or more of them",
    httpStatus: 422,
  },
  ATT_NOT_FOUND: {
    meaning: "the server has no such receipt or row, or does not publish the rows; `data.reason`",
    remedy: "check the receipt; ask the datanet's owner for the row",
    httpStatus: 404,
  },
});

export const attributionError = attributionErrors.raise;
