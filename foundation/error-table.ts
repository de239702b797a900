/**
 * Tables of error codes. Each folder declares its codes once, with `defineErrors`: from the table come the type of the codes,
 * the function that makes an error, the HTTP status, docs/reference/errors.md and what pages and commands say to do.
 */
import { RollupError } from "./rollup-error.ts";

/** What a code means, and what to do about it. */
export interface ErrorRow {
  readonly meaning: string;
  readonly remedy: string;
  /** What a server answers with; 500 where none is given. */
  readonly httpStatus?: number;
  /** True where the same call may succeed later without any change of its arguments. */
  readonly isRetryable?: boolean;
}

export interface ErrorDetails {
  readonly data?: object;
  readonly cause?: unknown;
  /** Where a case differs from its code. */
  readonly isRetryable?: boolean;
}

/** Codes of one prefix. `raise` and `statusOf` know those of every process (`SRV_`) as well. */
export interface ErrorTable<Code extends string = string, Row extends ErrorRow = ErrorRow> {
  readonly rows: Readonly<Record<Code, Row>>;
  /** RollupError with the retryability of its code. */
  raise(code: Code | ProcessErrorCode, message: string, details?: ErrorDetails): RollupError;
  /** HTTP status of a code; undefined for a code of another table. */
  statusOf(code: string): number | undefined;
}

/** Code of a table. */
export type CodeOf<Table> = Table extends ErrorTable<infer Code> ? Code | ProcessErrorCode : never;

/** @param rows every code of the prefix: what it means, what to do, its HTTP status, and whether a retry may help */
export function defineErrors<
  const Prefix extends string,
  const Rows extends Readonly<Record<Prefix extends "" ? string : `${Prefix}_${string}`, ErrorRow>>,
>(_prefix: Prefix, rows: Rows): ErrorTable<keyof Rows & string> {
  const all: Readonly<Record<string, ErrorRow>> = { ...PROCESS_ROWS, ...rows };
  return {
    rows,
    raise: (code, message, details = {}) =>
      new RollupError(code, message, { isRetryable: all[code]!.isRetryable ?? false, ...details }),
    statusOf: (code) => (Object.hasOwn(all, code) ? (all[code]!.httpStatus ?? 500) : undefined),
  };
}

/** Codes that several workspaces raise. */
const PROCESS_ROWS = {
  SRV_BAD_REQUEST: {
    meaning:
      "a field of the request is absent, of the wrong form or out of its range; `data` names it where it is one field",
    remedy: "compare the request with the server's documentation, or with its /openapi.json",
    httpStatus: 400,
  },
  SRV_CONFIG_INVALID: {
    meaning: "environment variables are missing, wrong or unknown; the message lists all of them",
    remedy: "compare the environment with docs/reference/settings.md",
  },
  SRV_MEDIA_TYPE: {
    meaning: "the request's body is compressed, or of a type that the route does not take",
    remedy: "send it as the documentation says, without content-encoding",
    httpStatus: 415,
  },
  SRV_TOO_LARGE: {
    meaning: "a body, a list, a row or a job is above the server's limit; `data` names the limit",
    remedy: "send less at once, or have the operator raise the limit",
    httpStatus: 413,
  },
  SRV_RATE_LIMITED: {
    meaning: "too many requests from this address",
    remedy: "wait as long as Retry-After says, and try again",
    httpStatus: 429,
    isRetryable: true,
  },
  SRV_QUOTA_USED: {
    meaning: "this account, key or address has as much here as one may have; `data` names the limit",
    remedy: "wait until some of it has ended, or delete it; the message says what counts",
    httpStatus: 429,
    isRetryable: true,
  },
  SRV_DISK_FULL: {
    meaning: "the server's folder is as large as its operator allows, or the disk is full",
    remedy: "use another server, or have the operator make room",
    httpStatus: 507,
    isRetryable: true,
  },
  SRV_SEQUENCER_UNREACHABLE: {
    meaning: "the sequencer that the process asks did not answer, not in time, or with a 5xx status",
    remedy: "try again; if it persists, the operator checks the process's …_SEQUENCER_URL",
    httpStatus: 503,
    isRetryable: true,
  },
  SRV_STORE_LOCKED: {
    meaning: "another process has the data directory open",
    remedy: "stop that process first, or give each process a directory of its own",
  },
  SRV_STORE_CORRUPT: {
    meaning:
      "files of the data directory are damaged, missing or changed by somebody else; nothing is served from it. `data.reason` names the file",
    remedy:
      "keep the directory; `data.remedy` says what to go on from, and docs/how-to/operate.md has the steps",
  },
  SRV_STORE_FAILED: {
    meaning:
      "the data directory cannot be opened, read or written (room, rights, a failing disk); the process stops, nothing acknowledged is lost",
    remedy: "mend that and start the process again",
    httpStatus: 503,
    isRetryable: true,
  },
  SRV_INTERNAL: {
    meaning: "the process failed in an unforeseen way",
    remedy: "report it with the log of the process, or with what the command prints with --json",
    httpStatus: 500,
  },
  SRV_UNKNOWN_ROUTE: {
    meaning: "the server has no such route",
    remedy: "check the address, and that the server is of this version",
    httpStatus: 404,
  },
  SRV_UNAUTHORIZED: {
    meaning: "the operator's token is absent or wrong",
    remedy: "send the token that the process was started with",
    httpStatus: 401,
  },
  SRV_OVERLOADED: {
    meaning: "as many requests or clients wait as the server holds",
    remedy: "wait as long as Retry-After says, and try again",
    httpStatus: 503,
    isRetryable: true,
  },
  SRV_STOPPING: {
    meaning: "the server stops, or the thread that does its work failed",
    remedy: "try again after its next start",
    httpStatus: 503,
    isRetryable: true,
  },
  SRV_SEQUENCER_REFUSED: {
    meaning:
      "the sequencer refuses what the process sends, or answers in another form than docs/reference/api.md says; `data.sequencerCode` is its code",
    remedy: "read the sequencer's code; check that both are of one version",
    httpStatus: 502,
    isRetryable: true,
  },
  CMD_USAGE: {
    meaning: "a command's arguments make no sense; the message says which",
    remedy: "add --help to the command",
  },
  CMD_FILE_UNREADABLE: {
    meaning:
      "a file that the command reads is missing or not of its form: a preconfirmation, a list of rows, the provers' payments; `data.path`",
    remedy: "name the right file; never remove the journal of payments, it says what was paid",
  },
  CLI_TOO_EARLY: {
    meaning: "the rules allow this only later; the message says when",
    remedy: "wait as long as the message says, and try again",
    isRetryable: true,
  },
  CLI_CIRCUIT_MISSING: {
    meaning:
      "the rollup has no settlement circuit for a model of this size, or L1 does not say what size a circuit has; `data.circuits` lists those that are known",
    remedy:
      "make the model for the size of a circuit that openledger status lists; name a circuit that L1 does not describe with --circuits",
  },
  CIR_DESCRIPTORS_TOO_FEW: {
    meaning:
      "the process may open fewer files than its connections and its store need: raise `LimitNOFILE=` of its unit (`ulimit -n`), or lower its `…_MAX_CONNECTIONS`; `data.limit`, `data.needed`",
    remedy: "set LimitNOFILE= in the unit of the process (ulimit -n)",
  },
  CIR_SECRET_FILE: {
    meaning:
      "the file of a secret is not there, is no file, may not be read by this user, or may be used by others than its owner; `data.path`, `data.mode`",
    remedy: "name the right file, and chmod 600 it",
  },
} as const satisfies Readonly<Record<string, ErrorRow>>;

/** Code that any process may raise: refused requests, settings, and the data directory. */
export type ProcessErrorCode = keyof typeof PROCESS_ROWS;

export const processErrors = defineErrors("", PROCESS_ROWS);
