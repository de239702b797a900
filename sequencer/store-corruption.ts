import { sequencerError } from "./sequencer-errors.ts";

export function corrupt(message: string, data: object, cause?: unknown) {
  return sequencerError("SEQ_STORE_CORRUPT", message, { data, ...(cause === undefined ? {} : { cause }) });
}

/** LevelDB's own word for it, or bytes of a value that are not those that were written. */
export function isCorruption(error: unknown): boolean {
  for (let at = error; at instanceof Error; at = at.cause) {
    const { code } = at as { code?: unknown };
    if (code === "LEVEL_CORRUPTION" || code === "LEVEL_DECODING_ERROR") return true;
    // Files that its list names and that are not there.
    if (/corruption|missing files|does not exist/i.test(at.message)) return true;
  }
  return false;
}
