import { defineErrors } from "@openledger/foundation/error-table";

/** Codes of datanets/, where a Datanet's rows, card, labels and grants are kept beside the ledger. */
export const datanetErrors = defineErrors("DNT", {
  DNT_LEDGER_INCOMPLETE: {
    meaning: "the operations that the ledger lists do not add up to the Datanet's chain of contributions",
    remedy: "try again; if it stays so, the host's sequencer leaves something out",
    httpStatus: 503,
    isRetryable: true,
  },
  DNT_UNKNOWN: {
    meaning: "the ledger has no Datanet of this id, or no commit to it has this root; `data.reason`",
    remedy:
      "compare the id: openledger datanet show ID; commit the rows first: openledger datanet contribute ID FILES",
    httpStatus: 404,
  },
  DNT_NOT_HOSTED: {
    meaning: "the host has no card, no version, no row or no record of this name",
    remedy: "ask another host, or bring it here: openledger datanet upload ID --from URL --host URL",
    httpStatus: 404,
  },
  DNT_CARD_INVALID: {
    meaning: "the text is no card: a field is wrong, or it is not written canonically",
    remedy: "compare it with docs/explanation/datanets.md; openledger datanet card FILE names the field",
    httpStatus: 422,
  },
  DNT_NOT_ON_LEDGER: {
    meaning:
      "the card's hash is not the Datanet's policy word on the ledger, or the commit is not final on Ethereum yet, so a copyist could still come first; `data.reason`",
    remedy:
      "publish the card first (openledger datanet card ID FILE --host URL), or wait until the commit is final",
    httpStatus: 409,
  },
  DNT_LIST_MISMATCH: {
    meaning:
      "a list of rows does not have the root that the ledger has, or a row is not the one at its place; `data.index` is the place",
    remedy: "send the list and the rows of exactly this commit or version, in its order",
    httpStatus: 422,
  },
  DNT_LIST_MISSING: {
    meaning: "rows come for a commit whose list the host does not have",
    remedy: "send the commit's list first",
    httpStatus: 409,
  },
  DNT_REQUEST_UNSIGNED: {
    meaning:
      "the request is not signed, not by the leaf's key over this request to this host, or its signature has run out; `data.reason`",
    remedy:
      "sign method, path and body for the origin that /v1/info names with an account's ledger key (docs/explanation/datanets.md); compare this machine's clock",
    httpStatus: 401,
  },
  DNT_REQUEST_REPLAYED: {
    meaning: "this very signed request was taken before",
    remedy: "sign a new one; if you did not send the first, somebody has read your traffic",
    httpStatus: 409,
  },
  DNT_SESSION_OTHER: {
    meaning: "the request is signed for another session: the host has started since",
    remedy: "ask /v1/info for the session and sign anew",
    httpStatus: 409,
    isRetryable: true,
  },
  DNT_ACCESS_NOT_GRANTED: {
    meaning:
      "the Datanet is permissioned, and its owner has not granted this leaf access, or the grant has run out; `data.untilMs` says when",
    remedy: "ask for it: openledger datanet access ID --purpose TEXT",
    httpStatus: 403,
  },
  DNT_RECORD_INVALID: {
    meaning:
      "a record has a field of the wrong form, its time is not now, or its signature is not by the present key of the leaf that it names",
    remedy:
      "compare it with docs/explanation/datanets.md and sign with the leaf's key of today; `data.why` says what is wrong",
    httpStatus: 422,
  },
  DNT_RECORD_OUTDATED: {
    meaning: "the leaf has said something newer of the same thing already: an old record, sent again",
    remedy: "sign a new record; its time has to be after `data.atMs`",
    httpStatus: 409,
  },
  DNT_RECORD_NOT_ALLOWED: {
    meaning: "the card does not let this leaf say this; `data.why` says what it may not",
    remedy: "ask the Datanet's owner to name the leaf in the card",
    httpStatus: 403,
  },
  DNT_LOADING: {
    meaning: "the host has started, and has not read back what this request needs; `data` says how far it is",
    remedy: "try again in a while; directory, cards and lists of versions are there at once",
    httpStatus: 503,
    isRetryable: true,
  },
  DNT_CHECK_RUNNING: {
    meaning: "the host looks at a Datanet's rows already; `data` says at which and how far it is",
    remedy: "wait until it is done: GET /v1/datanets/ID/findings says so",
    httpStatus: 409,
    isRetryable: true,
  },
  DNT_CHECK_FAILED: {
    meaning:
      "the thread that looks at rows has ended before it was done, or took longer than the host lets it",
    remedy: "start it again after as long as it took; the host's log has the reason",
    isRetryable: true,
  },
  DNT_FILE_UNREADABLE: {
    meaning: "a file to contribute is not of the format named; `data` has the line or the column",
    remedy: "mend the line, or name the file's format with --format",
    httpStatus: 400,
  },
});

export const datanetError = datanetErrors.raise;
