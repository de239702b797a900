/** A secret in a file of its own: one value, which nobody but the file's owner may read. */
import { closeSync, fstatSync, openSync, readFileSync } from "node:fs";
import { RollupError } from "./rollup-error.ts";

/** Read, write or execute, for the group or for everybody. */
const OTHERS = 0o077;

/**
 * The value, without the white space around it.
 *
 * @throws CIR_SECRET_FILE_UNREADABLE, CIR_SECRET_FILE_OPEN where others may read it; neither names what is in it
 */
export function readSecretFile(path: string): string {
  let file: number;
  try {
    file = openSync(path, "r");
  } catch (cause) {
    throw new RollupError("CIR_SECRET_FILE_UNREADABLE", `the secret file ${path} cannot be read`, {
      data: { path },
      cause,
    });
  }
  try {
    // Of the opened file: a name may mean another one a moment later.
    const stat = fstatSync(file);
    if (!stat.isFile())
      throw new RollupError("CIR_SECRET_FILE_UNREADABLE", `${path} is no file`, { data: { path } });
    if ((stat.mode & OTHERS) !== 0) {
      const mode = (stat.mode & 0o777).toString(8).padStart(4, "0");
      throw new RollupError(
        "CIR_SECRET_FILE_OPEN",
        `the secret file ${path} has mode ${mode}, so that others than its owner may use it: chmod 600 ${path}`,
        { data: { path, mode } },
      );
    }
    return readFileSync(file, "utf8").trim();
  } finally {
    closeSync(file);
  }
}
