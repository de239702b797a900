/**
 * Rows with a salt: their bytes begin with a mark and 32 random bytes of their contributor's, and the content follows. So a row's
 * digest, SHA-256 of all its bytes, tells nobody what the row says who could guess its content, and who holds the row holds its
 * salt. Readers of rows read through `contentOfRow` (docs/adr/0023-salted-rows.md).
 */
import { notesHeadBytes, type RowNotes, readNotes } from "./noted-rows.ts";

/**
 * Mark of a salted row. 0xff is in no UTF-8, and no picture that hosts know begins so: a row without a salt never has it. The last
 * byte is the version.
 */
export const SALT_MARK = Uint8Array.of(0xff, 0x4f, 0x4c, 0x73, 0x61, 0x6c, 0x74, 0x01);
export const SALT_BYTES = 32;
/** Bytes of a salted row before its content. */
export const SALTED_HEAD_BYTES = SALT_MARK.length + SALT_BYTES;

/** Writes a row with a salt. @param salt 32 bytes that nobody can guess */
export function saltRow(content: Uint8Array, salt: Uint8Array): Uint8Array {
  if (salt.length !== SALT_BYTES) throw new RangeError(`a salt has ${SALT_BYTES} bytes, not ${salt.length}`);
  const row = new Uint8Array(SALTED_HEAD_BYTES + content.length);
  row.set(SALT_MARK);
  row.set(salt, SALT_MARK.length);
  row.set(content, SALTED_HEAD_BYTES);
  return row;
}

/** Returns true for a row that has the mark, and a salt behind it. */
export const isSalted = (row: Uint8Array): boolean =>
  row.length >= SALTED_HEAD_BYTES && SALT_MARK.every((byte, i) => row[i] === byte);

/** Bytes of a row before its content: of a salt, of a picture's notes, or of both; 0 for a row that is its content alone. */
export function headBytesOf(row: Uint8Array): number {
  const behindSalt = unsalted(row);
  return row.length - behindSalt.length + notesHeadBytes(behindSalt);
}

/** Content of a row: its bytes behind salt and notes, or all of them where it has neither. */
export const contentOfRow = (row: Uint8Array): Uint8Array => {
  const headBytes = headBytesOf(row);
  return headBytes === 0 ? row : row.subarray(headBytes);
};

const unsalted = (row: Uint8Array) => (isSalted(row) ? row.subarray(SALTED_HEAD_BYTES) : row);

/** Returns true for a row that has the mark of notes behind its salt, readable or not. */
export const hasNotes = (row: Uint8Array): boolean => notesHeadBytes(unsalted(row)) > 0;

/** Notes of a picture's row (noted-rows.ts); null for none. */
export const notesOfRow = (row: Uint8Array): RowNotes | null => readNotes(unsalted(row));
