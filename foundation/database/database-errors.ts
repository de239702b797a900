/** Turns errors of PostgreSQL and its driver into the project's own codes, for everything that uses the database. */
import { processErrors } from "../error-table.ts";
import { isRollupError, type RollupError } from "../rollup-error.ts";

/** SQLSTATE of a transaction that another one got in the way of: serialization, deadlock. */
const LOST_RACE = ["40001", "40P01"];
const DISK_FULL = "53100";
/** Words of a full disk for which PostgreSQL has no code of its own: a quota, the largest size of a file. */
const DISK_FULL_WORDS = /no space left|quota exceeded|file too large/i;
/** Classes of a server that cannot be asked: connection, credential, database's name, resources. */
const UNREACHABLE_CLASSES = ["08", "28", "3D", "53"];
/**
 * Codes of the same: shutdown, start, a cancelled statement, a lock that was waited for too long, a transaction that the process
 * left alone, and a server that takes no writes for now: a standby, or one that its provider has made read-only.
 */
const UNREACHABLE_STATES = ["57P01", "57P02", "57P03", "57P05", "57014", "55P03", "25P03", "25006"];
/** Words of the driver's errors without a code. */
const UNREACHABLE_WORDS = /timeout|terminated|connection|not queryable/i;

/** Codes of the operating system, as ECONNREFUSED; Node's own begin with ERR_. Several addresses fail without an errno. */
const SYSTEM_CODE = /^E(?!RR_)/;
/** A SQLSTATE; EPIPE, which has as many letters, is the operating system's. */
const SQLSTATE = /^[0-9FHPX][0-9A-Z]{4}$/;

const stateOf = (error: unknown): string | undefined => {
  const { code } = error as { code?: unknown };
  return typeof code === "string" && SQLSTATE.test(code) ? code : undefined;
};

/** PostgreSQL's SQLSTATE behind an error of `Database`; null where the server named none. */
export function sqlStateOf(error: unknown): string | null {
  return (isRollupError(error) ? stateOf(error.cause ?? {}) : undefined) ?? null;
}

/** True if another transaction was faster, and the same one may be tried again. */
export const isLostRace = (error: unknown): boolean => LOST_RACE.includes(sqlStateOf(error) ?? "");

/** True for an error of a database that does not answer for now. */
export const isUnreachable = (error: unknown): boolean =>
  isRollupError(error) && error.code === "SRV_DATABASE_UNREACHABLE";

/** True for an error that ends by itself once the database answers, or its disk has room: the same call may succeed then. */
export const isPassing = (error: unknown): boolean =>
  isUnreachable(error) || isRollupError(error, "SRV_DISK_FULL");

/** True for an error of the driver that says: nobody has answered in time. */
export const isSilence = (error: unknown): boolean =>
  error instanceof Error && /timeout|ETIMEDOUT/.test(`${(error as { code?: string }).code} ${error.message}`);

/** True if a row with the same key is there already. */
export const isDuplicate = (error: unknown): boolean => sqlStateOf(error) === "23505";

/** The driver's error as SRV_DATABASE_UNREACHABLE, SRV_DISK_FULL or SRV_DATABASE_FAILED, with it as the cause. */
export function databaseError(cause: unknown): RollupError {
  if (isRollupError(cause)) return cause;
  const state = stateOf(cause);
  const message = cause instanceof Error ? cause.message : String(cause);
  const { code } = cause as { code?: unknown };
  const data = { reason: code ?? null };
  // Servers answer strangers with the message: it names no address and no statement. The cause has both.
  if (state === DISK_FULL || (state !== undefined && DISK_FULL_WORDS.test(message)))
    return processErrors.raise("SRV_DISK_FULL", "the database's disk is full", { data, cause });
  const isAway =
    state === undefined
      ? SYSTEM_CODE.test(String(code)) || UNREACHABLE_WORDS.test(message)
      : UNREACHABLE_CLASSES.includes(state.slice(0, 2)) || UNREACHABLE_STATES.includes(state);
  return isAway
    ? processErrors.raise("SRV_DATABASE_UNREACHABLE", "the database does not answer", { data, cause })
    : processErrors.raise("SRV_DATABASE_FAILED", "the database refused a statement", { data, cause });
}

/** Words of a pooler that does not pass a connection's settings on. */
const REFUSED_OPTIONS = /unsupported startup parameter/;

/** The same error with the driver's words, for the operator of a process that cannot start. */
export function explained(error: unknown): unknown {
  if (!isRollupError(error) || !(error.cause instanceof Error)) return error;
  const { cause, code, data, message } = error;
  const words = `${message}: ${cause.message}`;
  if (REFUSED_OPTIONS.test(cause.message))
    return processErrors.raise(
      "SRV_DATABASE_UNSUITABLE",
      `what is between this process and the server takes no options (${cause.message}): name the server itself in OPENLEDGER_DATABASE_URL`,
      { data: { reason: "options-refused" }, cause },
    );
  return code === "SRV_DATABASE_UNREACHABLE" || code === "SRV_DATABASE_FAILED"
    ? processErrors.raise(code, words, { data, cause })
    : error;
}
