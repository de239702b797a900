/**
 * Checks and hashes common to all kinds of rows, which are bytes here: errors that name a row, copies, one SHA-256 over a whole
 * list. Trainings and the sample data sets use them.
 */
import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex } from "@noble/hashes/utils.js";
import { rowNumber } from "@openledger/foundation/row-number";
import { atOnce, type Steps } from "@openledger/foundation/slices";
import { attributionError } from "../attribution-errors.ts";
import { contentOfRow } from "./salted-rows.ts";

/** Runs `work` on a row. @throws ATT_ROW_INVALID naming the row that it refuses */
export function atRow<Result>(index: number, work: () => Result): Result {
  try {
    return work();
  } catch (cause) {
    throw attributionError("ATT_ROW_INVALID", `row ${rowNumber(index)} is ${(cause as Error).message}`, {
      data: { index },
      cause,
    });
  }
}

/** @throws ATT_DUPLICATE_ROW where two rows say the same byte for byte, behind whatever salts: a datanet takes only the first. */
export function refuseDuplicates(contents: readonly Uint8Array[]): void {
  const seen = new Map<string, number>();
  for (const [index, content] of contents.entries()) {
    const digest = bytesToHex(sha256(contentOfRow(content)));
    const first = seen.get(digest);
    if (first !== undefined) {
      throw attributionError(
        "ATT_DUPLICATE_ROW",
        `row ${rowNumber(index)} is row ${rowNumber(first)} again`,
        {
          data: { index, first, digest },
        },
      );
    }
    seen.set(digest, index);
  }
}

/** SHA-256 over all rows, each with its length in bytes before it (32 bits, big-endian). Hex without 0x. */
export const hashContents = (contents: readonly Uint8Array[]): string => atOnce(hashContentsSteps(contents));

/** `hashContents` in steps, of a row each. */
export function* hashContentsSteps(contents: readonly Uint8Array[]): Steps<string> {
  const hash = sha256.create();
  const length = new Uint8Array(4);
  for (const [i, content] of contents.entries()) {
    new DataView(length.buffer).setUint32(0, content.length);
    hash.update(length);
    hash.update(content);
    yield (i + 1) / contents.length;
  }
  return bytesToHex(hash.digest());
}
