/**
 * Reader of a secret in a file of its own: one value, which only the file's owner may read. Settings with
 * `…_FILE` and the commands read keys by it.
 */
import { closeSync, fstatSync, openSync, readFileSync } from "node:fs";
import { processErrors } from "./error-table.ts";

/** Permission bits of the group and of everybody: read, write or execute. */
const OTHERS = 0o077;

/**
 * The value, without the white space around it.
 *
 * @throws CIR_SECRET_FILE if others may read it; neither names what is in it
 */
export function readSecretFile(path: string): string {
  let file: number;
  try {
    file = openSync(path, "r");
  } catch (cause) {
    throw processErrors.raise("CIR_SECRET_FILE", `the secret file ${path} cannot be read`, {
      data: { reason: "unreadable", path },
      cause,
    });
  }
  try {
    // Status of the opened file: a name may mean another file a moment later.
    const stat = fstatSync(file);
    if (!stat.isFile())
      throw processErrors.raise("CIR_SECRET_FILE", `${path} is no file`, {
        data: { reason: "unreadable", path },
      });
    if ((stat.mode & OTHERS) !== 0) {
      const mode = (stat.mode & 0o777).toString(8).padStart(4, "0");
      throw processErrors.raise(
        "CIR_SECRET_FILE",
        `the secret file ${path} has mode ${mode}, so that others than its owner may use it: chmod 600 ${path}`,
        { data: { reason: "open", path, mode } },
      );
    }
    return readFileSync(file, "utf8").trim();
  } finally {
    closeSync(file);
  }
}
