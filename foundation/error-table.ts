/**
 * Tables of error codes. Each folder declares its codes once, with `defineErrors`. The table is the source of
 * the codes' type, the function that makes an error, the HTTP status, docs/reference/errors.md and the
 * remedies on pages and in commands.
 */
import { RollupError } from "./rollup-error.ts";

/** Meaning of a code, and its remedy. */
export interface ErrorRow {
  /** Text for docs/reference/errors.md; the npm packages leave it out, as `note`. */
  readonly meaning: string;
  readonly remedy: string;
  /** Further facts, below the table of docs/reference/errors.md: values of `data.reason`, say. */
  readonly note?: string;
  /** HTTP status of a server's answer. Default: 500. */
  readonly httpStatus?: number;
  /** True if the same call may succeed later without any change of its arguments. */
  readonly isRetryable?: boolean;
}

export interface ErrorDetails {
  readonly data?: object;
  readonly cause?: unknown;
  /** Overrides the code's own value, as `remedy` does. */
  readonly isRetryable?: boolean;
  readonly remedy?: string;
}

/** Codes of one prefix. `raise` and `statusOf` know those of every process (`SRV_`) as well. */
export interface ErrorTable<Code extends string = string, Row extends ErrorRow = ErrorRow> {
  readonly rows: Readonly<Record<Code, Row>>;
  /** RollupError with the retryability and the remedy of its code. */
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
    raise(code, message, details = {}) {
      const { isRetryable = false, remedy } = all[code]!;
      return new RollupError(code, message, { isRetryable, remedy, ...details });
    },
    statusOf: (code) => (Object.hasOwn(all, code) ? (all[code]!.httpStatus ?? 500) : undefined),
  };
}

/** Codes that several workspaces raise. */
const PROCESS_ROWS = {
  SRV_BAD_REQUEST: {
    meaning: "a field of the request is missing, malformed or out of range; `data` names a single field",
    remedy: "compare the request with the server's documentation or its /openapi.json",
    httpStatus: 400,
  },
  SRV_CONFIG_INVALID: {
    meaning: "environment variables are missing, invalid or unknown; the message lists all of them",
    remedy: "compare the environment with docs/reference/settings.md",
  },
  SRV_MEDIA_TYPE: {
    meaning: "the request's body is compressed, or its content type is not one that the route accepts",
    remedy: "send the content type that the documentation names, without content-encoding",
    httpStatus: 415,
  },
  SRV_TOO_LARGE: {
    meaning: "a body, list, row or job exceeds the server's limit; `data` names the limit",
    remedy: "send less in one request, or ask the operator to raise the limit",
    httpStatus: 413,
  },
  SRV_RATE_LIMITED: {
    meaning: "too many requests from this address",
    remedy: "wait for the time that Retry-After gives, then try again",
    httpStatus: 429,
    isRetryable: true,
  },
  SRV_QUOTA_USED: {
    meaning: "this account, key or address has reached its quota on this server; `data` names the limit",
    remedy: "wait until some of it has ended, or delete some; the message says what counts",
    httpStatus: 429,
    isRetryable: true,
  },
  SRV_ADDRESS_REFUSED: {
    meaning: "this server calls no such address: only https, and only names whose addresses are all public",
    remedy: "name a public https address; for a name inside your network ask the operator",
    httpStatus: 422,
  },
  SRV_DISK_FULL: {
    meaning:
      "the server's folder has reached its configured size, or its disk or its database's disk is full",
    remedy: "use another server, or ask the operator to free space; what was refused may be sent again then",
    httpStatus: 507,
    isRetryable: true,
  },
  SRV_SEQUENCER_UNREACHABLE: {
    meaning: "the sequencer that this process uses did not answer in time, or answered with a 5xx status",
    remedy: "try again; if the error persists, the operator checks the process's …_SEQUENCER_URL",
    httpStatus: 503,
    isRetryable: true,
  },
  SRV_STORE_LOCKED: {
    meaning: "another process has the data directory open",
    remedy: "stop that process first, or give each process its own data directory",
  },
  SRV_WRONG_DIRECTORY: {
    meaning:
      "the data directory belongs to another rollup or process; nothing was written. `data.reason`, `.found`, `.expected`",
    remedy: "name the right directory, or an empty one: docs/how-to/upgrade.md",
  },
  SRV_STORE_FORMAT: {
    meaning:
      "another version wrote the data directory, in a format that this one does not read; nothing was written",
    remedy:
      "start the version that wrote it, or make a new directory as `data.remedy` says: docs/how-to/upgrade.md",
    note: "`data.reason`, `data.found` and `data.expected` name the formats.",
  },
  SRV_STORE_CORRUPT: {
    meaning:
      "files of the data directory are damaged, missing or changed; nothing is served from it. `data.reason` names the file",
    remedy:
      "keep the directory; `data.remedy` names the source to restore from, and docs/how-to/operate.md has the steps",
  },
  SRV_STORE_FAILED: {
    meaning:
      "the data directory cannot be opened, read or written; the process stops, and nothing acknowledged is lost",
    remedy: "fix the disk or its permissions, then start the process again",
    note: "Causes are disk space, permissions and a failing disk.",
    httpStatus: 503,
    isRetryable: true,
  },
  SRV_NATIVE_STALE: {
    meaning:
      "a native part was built from other sources, or without this processor's fastest kernels; `data.source`, `data.kernels`",
    remedy: "run node prover/native/build.js, then start the process again",
    note: "Sources change with a checkout's version. Where a folder or an image runs on other processors, build with --all.",
  },
  SRV_INTERNAL: {
    meaning: "the process failed in an unexpected way",
    remedy: "report it with the log of the process, or with the output of the command under --json",
    httpStatus: 500,
  },
  SRV_UNKNOWN_ROUTE: {
    meaning: "the server has no such route",
    remedy: "check the address and the server's version",
    httpStatus: 404,
  },
  SRV_UNAUTHORIZED: {
    meaning: "the operator's token, or the server's API key, is absent or wrong",
    remedy: "send the token that the process was started with, or a key that its operator has issued",
    httpStatus: 401,
  },
  SRV_DATABASE_UNREACHABLE: {
    meaning:
      "the PostgreSQL database does not answer, refuses connections, or does not start; `data.reason` has its code",
    remedy:
      "start the database, or check OPENLEDGER_DATABASE_URL; a process goes on by itself once it answers",
    note: "A server that the process starts itself has its log beside its data (`data.log`), and is started again by itself where it was killed.",
    httpStatus: 503,
    isRetryable: true,
  },
  SRV_DATABASE_FAILED: {
    meaning: "the PostgreSQL database refused a statement; `data.reason` has its code",
    remedy: "report it with the log of the process",
    httpStatus: 500,
  },
  SRV_DATABASE_ENCODING: {
    meaning: "the PostgreSQL database does not store Unicode text",
    remedy: "make the database again with the encoding UTF8, from the template template0",
  },
  SRV_DATABASE_UNSUITABLE: {
    meaning:
      "the PostgreSQL server is too old, or a pooler before it drops what a connection asks for; nothing was changed. `data.reason`, `data.found`, `data.expected`",
    remedy:
      "use PostgreSQL 15 or later, and name the server itself in OPENLEDGER_DATABASE_URL: docs/how-to/many-machines.md",
  },
  SRV_DATABASE_SCHEMA: {
    meaning:
      "the tables in the PostgreSQL database have another version than this one works with; nothing was changed. `data.found`, `data.expected`",
    remedy:
      "newer: start the version that wrote them, or a later one; older: openledger operator prepare-database (docs/how-to/upgrade.md)",
  },
  SRV_WRONG_DATABASE: {
    meaning:
      "the PostgreSQL database holds another rollup's data; nothing was changed. `data.found`, `data.expected`",
    remedy: "name this rollup's own database in OPENLEDGER_DATABASE_URL, or an empty one",
  },
  SRV_OVERLOADED: {
    meaning: "the server has reached its limit of waiting requests or clients",
    remedy: "wait for the time that Retry-After gives, then try again",
    httpStatus: 503,
    isRetryable: true,
  },
  SRV_STOPPING: {
    meaning: "the server is shutting down, or its worker thread failed",
    remedy: "try again once the server has restarted",
    httpStatus: 503,
    isRetryable: true,
  },
  SRV_SEQUENCER_REFUSED: {
    meaning:
      "the sequencer rejects the process's request, or its reply is malformed; `data.sequencerCode` is its code",
    remedy: "look up the sequencer's code; check that both run the same version",
    httpStatus: 502,
    isRetryable: true,
  },
  CMD_USAGE: {
    meaning: "a command's arguments are invalid; the message says which",
    remedy: "read the command's --help",
  },
  CMD_FILE_UNREADABLE: {
    meaning:
      "a file that the command reads is missing or malformed: a preconfirmation, a list of rows; `data.path`",
    remedy: "name the right file",
  },
  CLI_TOO_EARLY: {
    meaning: "the rules allow this only later; the message says when",
    remedy: "wait for the time that the message gives, then try again",
    isRetryable: true,
  },
  CLI_CIRCUIT_MISSING: {
    meaning:
      "the rollup has no settlement circuit for a model of this size; `data.circuits` lists the known ones",
    remedy:
      "train for the size of a circuit that openledger status lists; name one that L1 does not describe by --circuits",
    note: "L1 does not record the size of every circuit.",
  },
  CIR_DESCRIPTORS_TOO_FEW: {
    meaning:
      "the limit of open files is below what the process needs for its connections and its store; `data.limit`, `data.needed`",
    remedy: "raise LimitNOFILE= in the unit of the process (ulimit -n), or lower its …_MAX_CONNECTIONS",
  },
  CIR_SECRET_FILE: {
    meaning:
      "a secret's file is missing, not regular, not readable, or open to other users; `data.path`, `data.mode`",
    remedy: "name the right file, and run chmod 600 on it",
  },
} as const satisfies Readonly<Record<string, ErrorRow>>;

/** Code that any process may raise: refused requests, settings, and the data directory. */
export type ProcessErrorCode = keyof typeof PROCESS_ROWS;

export const processErrors = defineErrors("", PROCESS_ROWS);
