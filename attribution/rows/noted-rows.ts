/**
 * Notes of a picture's row: the name of its file, and values of further columns of the table that it came with. They stand in the row's
 * bytes before the picture, behind the salt of a row that has one, so who reads the row reads them, and the row's digest covers them.
 * Models and comparisons read the picture alone (`contentOfRow` in salted-rows.ts).
 */
import { isStorableText } from "@openledger/foundation/database/storable-text";
import { textOfBytes } from "@openledger/foundation/utf8";
import { z } from "zod";

const text = (maxLength: number) =>
  z.string().max(maxLength).refine(isStorableText, "has a NUL or half of a surrogate pair");

export const MAX_NOTED_VALUES = 16;
export const MAX_NOTE_CHARACTERS = 500;
/** Maximum bytes of a row's notes. */
export const MAX_NOTES_BYTES = 65_536;

const notesSchema = z
  .strictObject({
    /** Name of the picture's file, without folders; null for none. */
    file: text(255).min(1).nullable(),
    /** Names with values, in the table's order. */
    values: z
      .array(z.tuple([text(100).min(1), text(MAX_NOTE_CHARACTERS).min(1)]))
      .max(MAX_NOTED_VALUES)
      .refine((values) => new Set(values.map(([name]) => name)).size === values.length, "has a name twice"),
  })
  .refine(({ file, values }) => file !== null || values.length > 0, "says nothing");
export type RowNotes = z.output<typeof notesSchema>;

/** Mark of a row with notes. As the mark of a salt, it begins no UTF-8 and no picture. The last byte is the version. */
const MARK = Uint8Array.of(0xff, 0x4f, 0x4c, 0x6e, 0x6f, 0x74, 0x65, 0x01);
/** Bytes of the length of the notes, big-endian. */
const LENGTH_BYTES = 4;
const BEFORE_NOTES = MARK.length + LENGTH_BYTES;

/** Returns why notes cannot be written; null if they can. */
export function notesProblem(notes: RowNotes): string | null {
  const parsed = notesSchema.safeParse(notes);
  if (!parsed.success) return parsed.error.issues[0]!.message;
  return bytesOf(notes).length > MAX_NOTES_BYTES ? `has more than ${MAX_NOTES_BYTES} bytes of notes` : null;
}

/** Writes a picture's row with notes. @throws RangeError for notes that `notesProblem` names */
export function noteRow(picture: Uint8Array, notes: RowNotes): Uint8Array {
  const problem = notesProblem(notes);
  if (problem !== null) throw new RangeError(problem);
  const written = bytesOf(notes);
  const row = new Uint8Array(BEFORE_NOTES + written.length + picture.length);
  row.set(MARK);
  new DataView(row.buffer).setUint32(MARK.length, written.length);
  row.set(written, BEFORE_NOTES);
  row.set(picture, BEFORE_NOTES + written.length);
  return row;
}

/** Bytes before the picture: 0 for a row without notes. @param unsalted a row's bytes behind its salt */
export function notesHeadBytes(unsalted: Uint8Array): number {
  if (unsalted.length < BEFORE_NOTES || !MARK.every((byte, i) => unsalted[i] === byte)) return 0;
  const length = new DataView(unsalted.buffer, unsalted.byteOffset).getUint32(MARK.length);
  return length > MAX_NOTES_BYTES ? 0 : BEFORE_NOTES + length;
}

/**
 * Reads the notes of a row. Of the same notes there is one form in bytes.
 * @param unsalted a row's bytes behind its salt
 * @returns null for a row without notes, and for bytes that `noteRow` does not write
 */
export function readNotes(unsalted: Uint8Array): RowNotes | null {
  const end = notesHeadBytes(unsalted);
  if (end === 0 || end > unsalted.length) return null;
  const bytes = unsalted.subarray(BEFORE_NOTES, end);
  try {
    const notes = notesSchema.parse(JSON.parse(textOfBytes(bytes)));
    const again = bytesOf(notes);
    return again.length === bytes.length && again.every((byte, i) => byte === bytes[i]) ? notes : null;
  } catch {
    return null;
  }
}

const bytesOf = ({ file, values }: RowNotes) => new TextEncoder().encode(JSON.stringify({ file, values }));
