/**
 * Errors ATT_… of training, attribution, models' files and answers: meaning, remedy and HTTP status.
 * docs/reference/errors.md is written from it by scripts/errors.ts.
 */
import { defineErrors } from "@openledger/foundation/error-table";

/** Codes of attribution/. */
export const attributionErrors = defineErrors("ATT", {
  ATT_RECIPE_INVALID: {
    meaning:
      "the recipe is malformed, of an unknown family (`data.known`), does not fit its data, or pays the treasury too little",
    remedy: "compare the recipe with docs/reference/attribution.md",
    note: "Parts of owner and validators are 65,536ths; the owner's is at most 62,259.",
  },
  ATT_ANSWER_INVALID: {
    meaning: "the server's answer is not one that a model of its family can give",
    remedy: "do not pay for it",
  },
  ATT_ROW_INVALID: {
    meaning: "a row or a prompt does not have the format of the recipe's rows",
    remedy: "compare it with docs/reference/attribution.md; `data.why` says what is wrong",
    httpStatus: 422,
  },
  ATT_NO_ROW_ANSWERS: {
    meaning:
      "the model answers by its rows alone, and none of them answers this question: nothing is stored, nothing has to be paid; `data.nearest`",
    remedy:
      "ask one of the nearest questions, or in other words, or contribute a row with this question and its answer to the model's Datanet",
    httpStatus: 422,
  },
  ATT_ROW_WITHDRAWN: {
    meaning:
      "the row's contributor has withdrawn it: the model's server neither publishes nor says it any more; nothing is stored, nothing has to be paid",
    remedy: "ask something else; a model of a newer version does not have the row; `data.digest`",
    httpStatus: 410,
  },
  ATT_LABEL_INVALID: {
    meaning:
      "a row to train on has no accepted label, or one that is none of the recipe's classes; `data.index`",
    remedy:
      "label the Datanet's rows until each has an accepted label, publish a version, and name the card's labels as `classes`",
    httpStatus: 422,
  },
  ATT_LABELS_MISMATCH: {
    meaning: "the accepted labels beside a version's rows are not those that the recipe names by their root",
    remedy: "bring the version again with its labels: openledger datanet download ID",
  },
  ATT_TOO_FEW_ROWS: {
    meaning: "a version has too few rows to train on, or rows of one label only",
    remedy:
      "contribute the rows that the message names, then publish a version: openledger datanet publish ID",
  },
  ATT_ROWS_MISMATCH: {
    meaning: "the rows or the installed data set are not those of the recipe, or not in the version's order",
    remedy: "use the version's rows, or the package version, that the recipe names",
  },
  ATT_BEYOND_CIRCUIT: {
    meaning:
      "a model has more rows, payees or shards than the settlement circuit allows, or another number of columns",
    remedy: "use a larger circuit, or publish fewer rows in one version; `data` has both numbers",
  },
  ATT_MODEL_FILE_INVALID: {
    meaning: "a file of a published model is missing, or does not match the manifest and commitments",
    remedy:
      "download the model again; if the error persists, ask its publisher: the files are not those of this manifest",
  },
  ATT_MODEL_TOO_LARGE: {
    meaning:
      "a file of a published model is larger than this reader takes: nothing is wrong with it; `data.sizeBytes`, `data.maxBytes`",
    remedy: "get the model's folder from its publisher, and check that: openledger verify model FOLDER",
  },
  ATT_SPANS_TOO_LARGE: {
    meaning:
      "an answer or its rows are too large to be searched for verbatim spans: nothing was searched; `data.what`, `data.given`, `data.max`",
    remedy: "search a part of the answer, or fewer rows: openledger spans",
    httpStatus: 413,
  },
  ATT_VECTORS_INVALID: {
    meaning: "a file of word vectors or of an encoder is not one that models read; `data.why`",
    remedy: "make the file again, or name another in the recipe: docs/reference/attribution.md",
  },
  ATT_VECTORS_MISSING: {
    meaning:
      "the recipe counts texts by word vectors, or finds rows by an encoder, and no place has the file with its SHA-256; `data.sha256`",
    remedy:
      "ask a server that answers with the model, or put the file into .openledger/vectors/SHA256.bin, then try again",
    httpStatus: 503,
  },
  ATT_MODEL_EXISTS: {
    meaning: "the folder has a model already, and a published model never changes",
    remedy: "write to another folder",
  },
  ATT_SERVER_UNREACHABLE: {
    meaning: "a server did not answer, or its reply is malformed",
    remedy: "check its address, then try again",
    httpStatus: 503,
    isRetryable: true,
  },
  ATT_MODEL_MISMATCH: {
    meaning:
      "a published model or settlement differs from its recipe, rows and draws; `data` has the first difference",
    remedy: "do not approve, pay or settle the model",
  },
  ATT_NOT_RECOMPUTED: {
    meaning:
      "nobody but the model's owner has signed that training it again gives the same bytes, or somebody found others; `data.reason`",
    remedy:
      "recompute it (openledger verify model ID --sign), or have somebody do so whom you trust; --skip-recomputation approves it on trust",
    note: "`data.reason` is nobody or differs; `data.leafIds` names who found a difference.",
  },
  ATT_DUPLICATE_ROW: {
    meaning: "two rows have the same content",
    remedy: "leave out the later one; a copy earns nothing",
  },
  ATT_INPUT_INVALID: {
    meaning: "features, queries or matrices have sizes, ranges or definiteness that scores cannot use",
    remedy:
      "follow the message: quantise first, take one model's query and features, raise the damping, or use fewer features",
  },
  ATT_SCORE_MODE_UNAVAILABLE: {
    meaning: "the selected way to compute scores does not run on this machine; no other one ran instead",
    remedy: "install the graphics card's driver, or choose --scores auto or int32",
  },
  ATT_ASK_REFUSED: {
    meaning: "the payer has no account with a key, or its key did not sign this question",
    remedy: "ask with the key of the paying account",
    httpStatus: 422,
  },
  ATT_ANSWER_UNPAID: {
    meaning: "the account has an answer that it has not paid for; `data.receipt` names it",
    remedy:
      "ask that question again and pay, pay for it by `data.receipt` and `data.priceWei` (payReceipt), or wait until `data.expiresAtMs`; where `data.reason` is `left-unpaid`, ask with `isSealed`",
    httpStatus: 409,
  },
  ATT_PAYMENT_REQUIRED: {
    meaning:
      "the question has no payer: it is signed by one, or paid by x402; `data.paymentRequired` has the terms",
    remedy: "sign the question (askModel), or pay by x402: docs/reference/x402.md",
    httpStatus: 402,
  },
  ATT_PAYMENT_REFUSED: {
    meaning:
      "a payment of x402 does not pay for this question's answer, or the sequencer refuses it; `data.reason` says why",
    remedy: "nothing was opened; ask again, and pay what `data.paymentRequired` asks",
    note: "`data.reason` is accepted, receipt or question, or the code of the sequencer's refusal.",
    httpStatus: 402,
  },
  ATT_PAYMENT_NAME_USED: {
    meaning:
      "the payment's `payment-identifier` is of another question's payment by this account, or its answer has too many of them",
    remedy:
      "present the first payment again for its own question, and give each question an identifier of its own",
    httpStatus: 409,
  },
  ATT_MODEL_NOT_PAYABLE: {
    meaning:
      "the ledger takes no payments for the model: it is not approved, not activated, or its epoch has as many as it takes",
    remedy:
      "ask once the Datanet has approved the model and its activation is settled, or once the model's owner has closed the epoch",
    httpStatus: 409,
    isRetryable: true,
  },
  ATT_MODEL_NOT_SERVED: {
    meaning: "the server's model is not the one with this id on the ledger",
    remedy: "start the server with the id of the published model",
  },
  ATT_NOT_FOUND: {
    meaning: "the server has no such receipt or row, or does not publish its rows; `data.reason`",
    remedy: "check the receipt; ask the Datanet's owner for the row",
    httpStatus: 404,
  },
});

/** Makes an error of these codes; the caller throws it. */
export const attributionError = attributionErrors.raise;
