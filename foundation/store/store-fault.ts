/**
 * Classes of failures of LevelDB, or of a file beside its files: one place for sequencer, full node, bridge
 * and the model server's answers, which add codes and remedies of their own.
 */

/**
 * Fault of a store.
 * - locked: another process has it open.
 * - corrupt: its files are not what was written; nothing repairs that by itself.
 * - failed: the machine refuses (room, rights, a failing disk); acknowledged writes are there.
 */
export type StoreFault = "locked" | "corrupt" | "failed";

/** Damage that our own checks found: a file is not what was written. */
export class StoreDamage extends Error {
  constructor(file: string, what: string, cause?: unknown) {
    super(`${file} ${what}`, cause === undefined ? undefined : { cause });
  }
}

/**
 * Codes of Node's file errors that mean damage: the path is not what it was. Any other one is the machine's
 * fault.
 */
const DAMAGE_ERRNOS = ["ENOENT", "EISDIR", "ENOTDIR", "EINVAL"];
/**
 * LevelDB passes on the system's words. A table that is shorter than its MANIFEST says is "Invalid argument" to it, a
 * missing one "No such file or directory".
 */
const DAMAGE_WORDS =
  /corruption|missing files|does not exist|does not match|invalid argument|no such file|is a directory|not a directory/i;

export function storeFaultOf(error: unknown): StoreFault {
  for (let at = error; at instanceof Error; at = at.cause) {
    const { code } = at as { code?: unknown };
    if (at instanceof StoreDamage) return "corrupt";
    if (code === "LEVEL_LOCKED") return "locked";
    if (code === "LEVEL_CORRUPTION" || code === "LEVEL_DECODE_ERROR") return "corrupt";
    // LevelDB's "Invalid argument" and "Not implemented" may have no code.
    if (code === "LEVEL_IO_ERROR" || code === undefined) {
      if (DAMAGE_WORDS.test(wordsOf(at.message))) return "corrupt";
    } else if (DAMAGE_ERRNOS.includes(String(code))) return "corrupt";
  }
  return "failed";
}

/** Words of a message without paths, which may hold any word. */
const wordsOf = (message: string): string => message.replace(/\S*\/\S*/g, "");

/** Innermost message of LevelDB's errors, which wrap each other. */
export function reasonOf(error: unknown): string {
  let at = error;
  while (at instanceof Error && at.cause instanceof Error) at = at.cause;
  return at instanceof Error ? at.message : String(at);
}
