/**
 * Errors DNT_… of Datanet hosts and of the rows, cards and signed records that they store: meaning, remedy and HTTP status.
 * docs/reference/errors.md is written from it by scripts/errors.ts.
 */
import { defineErrors } from "@openledger/foundation/error-table";

/** Codes of datanets/, the store of a Datanet's rows, card, labels and grants beside the ledger. */
export const datanetErrors = defineErrors("DNT", {
  DNT_LEDGER_INCOMPLETE: {
    meaning: "the sequencer's operations do not reproduce the Datanet's hash chain of contributions",
    remedy: "try again; if the error persists, the host's sequencer omits operations",
    httpStatus: 503,
    isRetryable: true,
  },
  DNT_UNKNOWN: {
    meaning: "the ledger has no Datanet with this id, or no commit of it has this root; `data.reason`",
    remedy: "check it: openledger datanet show ID; commit the rows: openledger datanet contribute ID FILES",
    httpStatus: 404,
  },
  DNT_NOT_HOSTED: {
    meaning: "the host does not have this card, version, row or record",
    remedy: "ask another host, or mirror it to this one: openledger datanet upload ID --from URL --host URL",
    httpStatus: 404,
  },
  DNT_ROW_WITHDRAWN: {
    meaning:
      "the contributor has withdrawn the row: the host has erased it, and neither serves it nor takes it again; `data.digests`",
    remedy: "go on without the row; the signed withdrawal: GET /v1/datanets/ID/withdrawals?row=DIGEST",
    note: "A withdrawal is final for the Datanet. Who had the row before may still have it.",
    httpStatus: 410,
  },
  DNT_ROW_SALT: {
    meaning:
      "a row has no salt though the Datanet's card asks for one, or has one though the card does not; `data.index`, `data.digests`",
    remedy: "commit the rows again as the card says: openledger datanet contribute writes the salts",
    httpStatus: 422,
  },
  DNT_CARD_DIGESTS: {
    meaning:
      "the card of a Datanet that is new, or becomes permissioned, is permissioned and asks for no salted digests",
    remedy: 'set `row.digests` of the card to "salted"',
    httpStatus: 422,
  },
  DNT_CARD_INVALID: {
    meaning: "the text is not a valid card: a field is wrong, or its JSON is not canonical",
    remedy: "compare it with docs/explanation/datanets.md; openledger datanet card FILE names the field",
    httpStatus: 422,
  },
  DNT_CARD_EARLIER: {
    meaning:
      "a card, or the newest card of a Datanet in the host's database, has the format of an earlier version: its rows had labels inside, and other kinds",
    remedy:
      "start the host with an empty database; make a card of the present format, publish it and contribute the rows again",
    httpStatus: 422,
  },
  DNT_NOT_ON_LEDGER: {
    meaning:
      "the card's hash is not the Datanet's policy on the ledger, or the commit is not final on Ethereum; `data.reason`",
    remedy:
      "publish the card (openledger datanet card ID FILE --host URL), or wait until the commit is final",
    note: "Before a commit is final, another account could still copy it.",
    httpStatus: 409,
  },
  DNT_LIST_MISMATCH: {
    meaning:
      "a list of rows does not match the ledger's root, or a row does not match its place; `data.index` is the place",
    remedy: "send the list and the rows of exactly this commit or version, in order",
    httpStatus: 422,
  },
  DNT_LIST_MISSING: {
    meaning: "rows were sent for a commit whose list the host does not have",
    remedy: "send the commit's list first",
    httpStatus: 409,
  },
  DNT_REQUEST_UNSIGNED: {
    meaning:
      "the request is unsigned, expired, or signed by another key or for another request or host; `data.reason`",
    remedy:
      "sign method, path and body for the origin of /v1/info with an account's ledger key; check this machine's clock",
    note: "Signed requests: docs/explanation/datanets.md.",
    httpStatus: 401,
  },
  DNT_REQUEST_REPLAYED: {
    meaning: "this signed request was used before",
    remedy: "sign a new request; if you did not send the first one, your traffic has been read",
    httpStatus: 409,
  },
  DNT_SESSION_OTHER: {
    meaning:
      "the request is signed for an earlier session: the host's database has restarted after a crash since",
    remedy: "read the session from /v1/info and sign again",
    httpStatus: 409,
    isRetryable: true,
  },
  DNT_ACCESS_NOT_GRANTED: {
    meaning:
      "the owner of the permissioned Datanet has not granted this leaf access, or the grant has expired; `data.untilMs`",
    remedy: "request access: openledger datanet access ID --purpose TEXT",
    httpStatus: 403,
  },
  DNT_KEY_NOTICE: {
    meaning:
      "the leaf's key, or its card, was set through L1 without the key's signature less than a week ago; `data.untilMs`",
    remedy:
      "wait until `data.untilMs`; if you did not set the key, move what you own to another wallet: docs/how-to/new-wallet.md",
    note: "Until then a host erases no row, grants nothing, takes no signed terms and shows no permissioned rows on the word of the new key. `data.reason` key-unknown: the host still reads a week of the leaf's operations. history-pruned: the sequencer has deleted some of that week; the notice ends when all that is deleted is older than a week (`data.prunedBeforeMs`), or the host reads a full node.",
    httpStatus: 409,
  },
  DNT_RECORD_INVALID: {
    meaning:
      "a record has a malformed field, an old or future time, or a signature not by the named leaf's current key",
    remedy:
      "compare it with docs/explanation/datanets.md and sign with the leaf's current key; `data.why` says what is wrong",
    httpStatus: 422,
  },
  DNT_RECORD_OUTDATED: {
    meaning: "the leaf has signed a newer record on the same subject, so this older one is refused",
    remedy: "sign a new record with a time after `data.atMs`",
    httpStatus: 409,
  },
  DNT_RECORD_NOT_ALLOWED: {
    meaning: "the card does not allow this leaf to sign this record; `data.why` says why",
    remedy: "ask the Datanet's owner to name the leaf in the card",
    httpStatus: 403,
  },
  DNT_REPORT_INVALID: {
    meaning: "the text is no report of bias, or another one than its name says; `data.why`",
    remedy: "write it again: openledger datanet report ID --host URL --out FILE",
    httpStatus: 422,
  },
  DNT_REPORT_UNSIGNED: {
    meaning:
      "a host stores the text of a report only if the Datanet, or a reviewer or labeller whom its card names, has signed it",
    remedy:
      "sign it first: openledger datanet report ID --sign --account OWNER; or publish the text elsewhere",
    httpStatus: 403,
  },
  DNT_REPORT_DIFFERS: {
    meaning:
      "the report, computed again, is another: `data.path` names the first field that differs, `data.stated` and `data.computed` have both",
    remedy:
      "compare the field: rows withdrawn and records or keys changed since then explain counts; else the report is false",
  },
  DNT_TERMS_FORBID: {
    meaning:
      "the terms of a model's rows forbid its use or its licence; `data.forbidding` has the reasons, and names of rows",
    remedy:
      "publish a version without these rows (datanet publish --leave-out), choose another --use or --licence, or ask their contributors",
    note: "A machine's reading of terms, and no legal advice: docs/explanation/datanets.md, Terms.",
    httpStatus: 409,
  },
  DNT_TERMS_UNSIGNED: {
    meaning:
      "the card has contributors sign its terms, `data.licence`, and this one has agreed to none, or to another licence: before a commit, and at a host for one, `data.rowsRoot`, `data.signed`",
    remedy:
      "sign them with the card's licence: openledger datanet contribute ID FILES --terms LICENCE; for committed rows openledger datanet upload ID --host URL --terms LICENCE",
    httpStatus: 409,
  },
  DNT_CHECK_NOT_ALLOWED: {
    meaning: "the leaf is neither the Datanet nor one of its reviewers, who alone have a host check its rows",
    remedy:
      "sign as a reviewer or with the Datanet's key: openledger datanet findings ID --check --account NAME [--as-datanet]",
    httpStatus: 403,
  },
  DNT_CHECK_RUNNING: {
    meaning: "the host is already checking a Datanet's rows; `data` says which one, and its progress",
    remedy: "wait until it is done: GET /v1/datanets/ID/findings has the progress",
    httpStatus: 409,
    isRetryable: true,
  },
  DNT_CHECK_FAILED: {
    meaning:
      "the thread that checks rows ended early, exceeded the host's time limit, or would exceed its memory (`data.reason` too-large)",
    remedy:
      "wait as long as the check ran, then start it again; the host's log has the reason; DATANET_MAX_CHECK_BYTES is the memory",
    isRetryable: true,
  },
  DNT_READING_OPEN: {
    meaning: "a person's files can be read in several ways, and nobody has chosen; `data.decisions`",
    remedy: "choose a reading for each: the option --read that the message names, or the choice in the page",
    httpStatus: 422,
  },
  DNT_READING_UNKNOWN: {
    meaning: "a chosen reading is none of those that the files admit; `data.key`",
    remedy: "take one of the names in the message; openledger datanet preview FILES lists the decisions",
    httpStatus: 422,
  },
  DNT_FILE_UNREADABLE: {
    meaning: "a file to contribute, or a part of it, cannot be read; `data` has file, line and field",
    remedy: "correct the line, say how the file is read (--format, --column), or leave it out (--take-rest)",
    httpStatus: 400,
  },
  DNT_EXPORT_FORMAT: {
    meaning: "rows of this kind are not exported in this format; `data` has the kind and the formats",
    remedy: "export them in one of `data.formats` (--format)",
    httpStatus: 400,
  },
});

export const datanetError = datanetErrors.raise;
