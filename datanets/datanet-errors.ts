/**
 * datanets/ is where a Datanet's rows, card, labels and grants live beside the ledger, which has their roots alone. It is
 * a folder of its own because nothing of the ledger depends on it: who leaves or is paid needs no host.
 */
import { RollupError } from "@openledger/foundation/rollup-error";

/** Every error code of datanets/: what it means and what to do about it; 400 and no retry where nothing else is said. */
export const datanetErrors = {
  DNT_BAD_REQUEST: {
    meaning: "a field of the request is absent or of the wrong form, or there is no such route",
    remedy: "compare the request with /openapi.json of the host",
  },
  DNT_CONFIG_INVALID: {
    meaning: "a setting of the host is missing, wrong or unknown",
    remedy: "compare the environment with docs/generated/settings.md",
    httpStatus: 500,
  },
  DNT_ENCODING_REFUSED: {
    meaning: "the request's body is compressed, or of a type that the route does not take",
    remedy: "send it as it is, without content-encoding",
    httpStatus: 415,
  },
  DNT_TOO_LARGE: {
    meaning: "a body, a list or a row is above the host's limit; `data` names it",
    remedy: "send smaller pieces; a row above the limit is for another host, /v1/info has the limits",
    httpStatus: 413,
  },
  DNT_RATE_LIMITED: {
    meaning: "too many requests from this address",
    remedy: "wait a moment and try again",
    httpStatus: 429,
    isRetryable: true,
  },
  DNT_QUOTA_USED: {
    meaning: "the key has stored as much today as the host takes from one key",
    remedy: "go on tomorrow (UTC), or use another host",
    httpStatus: 429,
    isRetryable: true,
  },
  DNT_DISK_FULL: {
    meaning: "the host's folder is as large as its operator lets it be",
    remedy: "use another host, or have the operator raise DATANET_MAX_STORE_BYTES",
    httpStatus: 507,
  },
  DNT_LEDGER_UNREACHABLE: {
    meaning: "the sequencer or follower that the host asks did not answer, or not as documented",
    remedy: "try again; if it stays so, the host's operator looks at DATANET_SEQUENCER_URL",
    httpStatus: 503,
    isRetryable: true,
  },
  DNT_LEDGER_INCOMPLETE: {
    meaning: "the operations that the ledger lists do not add up to the Datanet's chain of contributions",
    remedy: "try again; if it stays so, the host's sequencer leaves something out",
    httpStatus: 503,
    isRetryable: true,
  },
  DNT_UNKNOWN_DATANET: {
    meaning: "the ledger has no Datanet of this id",
    remedy: "compare the id: openledger datanet show ID",
    httpStatus: 404,
  },
  DNT_NOT_HOSTED: {
    meaning: "the host has no card, no version, no row or no record of this name",
    remedy: "ask another host, or bring it here: openledger datanet mirror ID --from URL --to URL",
    httpStatus: 404,
  },
  DNT_CARD_INVALID: {
    meaning: "the text is no card: a field is wrong, or it is not written canonically",
    remedy: "compare it with docs/datanets.md; openledger datanet card check FILE names the field",
    httpStatus: 422,
  },
  DNT_CARD_NOT_ON_LEDGER: {
    meaning: "the card's hash is not the Datanet's policy word on the ledger",
    remedy: "publish it first: openledger datanet card publish ID FILE",
    httpStatus: 409,
    isRetryable: true,
  },
  DNT_COMMIT_UNKNOWN: {
    meaning: "no commit to this Datanet has this root",
    remedy: "commit the rows first: openledger datanet contribute ID FILES",
    httpStatus: 404,
  },
  DNT_COMMIT_NOT_FINAL: {
    meaning: "the commit is not final on Ethereum yet, so a copyist could still come first",
    remedy: "wait until the operation is final, then send the rows",
    httpStatus: 409,
    isRetryable: true,
  },
  DNT_LIST_MISMATCH: {
    meaning: "a list of rows does not have the root that the ledger has",
    remedy: "send the list of exactly this commit or version, in its order",
    httpStatus: 422,
  },
  DNT_LIST_MISSING: {
    meaning: "rows come for a commit whose list the host does not have",
    remedy: "send the commit's list first",
    httpStatus: 409,
  },
  DNT_ROW_MISMATCH: {
    meaning:
      "a row is not the one that the commit has at its place, or it is empty; `data.index` is the place",
    remedy: "send the rows of exactly this commit, in its order",
    httpStatus: 422,
  },
  DNT_REQUEST_UNSIGNED: {
    meaning: "the route asks for a signed request",
    remedy: "sign it with an account's ledger key (docs/datanets.md)",
    httpStatus: 401,
  },
  DNT_REQUEST_SIGNATURE: {
    meaning: "the request's signature is not by the leaf's key over this request to this host",
    remedy: "sign method, path and body for the origin that /v1/info names",
    httpStatus: 401,
  },
  DNT_REQUEST_EXPIRED: {
    meaning: "the signed request has run out, or is made for longer than the host allows",
    remedy: "sign it anew; compare this machine's clock",
    httpStatus: 401,
    isRetryable: true,
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
    meaning: "the Datanet is permissioned, and its owner has not granted this leaf access",
    remedy: "ask for it: openledger datanet access ask ID --purpose TEXT",
    httpStatus: 403,
  },
  DNT_GRANT_RUN_OUT: {
    meaning: "the leaf's grant has run out; `data.untilMs` says when",
    remedy: "ask again: openledger datanet access ask ID --purpose TEXT",
    httpStatus: 403,
  },
  DNT_RECORD_INVALID: {
    meaning: "a record has a field of the wrong form, or its time is not now",
    remedy: "compare it with docs/datanets.md; `data.why` says what is wrong",
    httpStatus: 422,
  },
  DNT_RECORD_SIGNATURE: {
    meaning: "the record's signature is not by the present key of the leaf that it names",
    remedy: "sign with the leaf's key of today",
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
    httpStatus: 500,
    isRetryable: true,
  },
  DNT_FILE_UNREADABLE: {
    meaning: "a file to contribute is not of the format named; `data` has the line or the column",
    remedy: "mend the line, or name the file's format with --format",
  },
  DNT_STORE_LOCKED: {
    meaning: "another process has the host's store open",
    remedy: "stop that process, or give each host a folder of its own (DATANET_DATA_PATH)",
    httpStatus: 500,
  },
  DNT_STORE_CORRUPT: {
    meaning: "files of the host's store are missing or damaged",
    remedy: "take the store from a copy, or begin with an empty folder and mirror another host into it",
    httpStatus: 500,
  },
  DNT_STORE_FAILED: {
    meaning: "the host's store failed; it takes no more writes until the host starts again",
    remedy: "read the reason (a full disk, for example), mend it and start the host again",
    httpStatus: 500,
  },
  DNT_INTERNAL: {
    meaning: "the host failed in an unforeseen way",
    remedy: "report it with the host's log",
    httpStatus: 500,
  },
} as const satisfies Record<
  string,
  { meaning: string; remedy: string; httpStatus?: number; isRetryable?: boolean }
>;

export type DatanetErrorCode = keyof typeof datanetErrors;

type Entry = { readonly meaning: string; readonly httpStatus?: number; readonly isRetryable?: boolean };

export function datanetError(
  code: DatanetErrorCode,
  message: string,
  details: { data?: object; cause?: unknown } = {},
): RollupError {
  const { isRetryable = false }: Entry = datanetErrors[code];
  return new RollupError(code, message, { ...details, isRetryable });
}

/** The HTTP status that the host answers a code with. */
export function datanetHttpStatus(code: string): number {
  const table: Readonly<Record<string, Entry>> = datanetErrors;
  const entry = table[code];
  return entry === undefined ? 500 : (entry.httpStatus ?? 400);
}
