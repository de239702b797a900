/**
 * What is wrong when LevelDB, or a file beside its files, fails: one place for sequencer, full node, bridge and the model
 * server's answers, which give it codes and remedies of their own.
 */

/**
 * locked: another process has it open. corrupt: its files are not what was written; nothing mends that by itself. failed:
 * the machine does not let us (room, rights, a failing disk), and what was acknowledged is there.
 */
export type StoreFault = "locked" | "corrupt" | "failed";

/** Found by our own checks: a file is not what was written. */
export class StoreDamage extends Error {
  constructor(file: string, what: string, cause?: unknown) {
    super(`${file} ${what}`, cause === undefined ? undefined : { cause });
  }
}

/** Of errors of Node's own file calls: the path is not what it was. Anything else is the machine's. */
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
    // Without a code too: LevelDB's "Invalid argument", "Not implemented".
    if (code === "LEVEL_IO_ERROR" || code === undefined) {
      if (DAMAGE_WORDS.test(wordsOf(at.message))) return "corrupt";
    } else if (DAMAGE_ERRNOS.includes(String(code))) return "corrupt";
  }
  return "failed";
}

/** Without the path, which may hold any word. */
const wordsOf = (message: string): string => message.replace(/\S*\/\S*/g, "");

/** What is at the bottom of LevelDB's errors, which wrap each other. */
export function reasonOf(error: unknown): string {
  let at = error;
  while (at instanceof Error && at.cause instanceof Error) at = at.cause;
  return at instanceof Error ? at.message : String(at);
}
