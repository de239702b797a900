/** Tests that notes of pictures have one form in bytes, and that nothing else is read as notes. */
import { describe, expect, it } from "vitest";
import {
  MAX_NOTE_CHARACTERS,
  MAX_NOTED_VALUES,
  MAX_NOTES_BYTES,
  noteRow,
  notesProblem,
  type RowNotes,
} from "./noted-rows.ts";
import { contentOfRow, hasNotes, headBytesOf, notesOfRow, saltRow } from "./salted-rows.ts";

const PICTURE = Uint8Array.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 1, 2]);
const NOTES: RowNotes = {
  file: "heron 4.png",
  values: [
    ["10", "seen"],
    ["by", 'Mia "M" é'],
  ],
};
const salt = new Uint8Array(32).fill(7);

describe("a picture's row with notes", () => {
  it("gives picture and notes back, with a salt and without", () => {
    const row = noteRow(PICTURE, NOTES);
    for (const one of [row, saltRow(row, salt)]) {
      expect(contentOfRow(one)).toEqual(PICTURE);
      expect([hasNotes(one), notesOfRow(one)]).toEqual([true, NOTES]);
      expect(headBytesOf(one)).toBe(one.length - PICTURE.length);
    }
    for (const one of [PICTURE, saltRow(PICTURE, salt)])
      expect([hasNotes(one), notesOfRow(one), contentOfRow(one)]).toEqual([false, null, PICTURE]);
  });

  it.each<[string, RowNotes]>([
    ["nothing", { file: null, values: [] }],
    [
      "a name twice",
      {
        file: null,
        values: [
          ["a", "1"],
          ["a", "2"],
        ],
      },
    ],
    ["an empty value", { file: null, values: [["a", ""]] }],
    ["a NUL", { file: "a\0.png", values: [] }],
    ["half of a surrogate pair", { file: null, values: [["a", "\ud800"]] }],
    ["a long value", { file: null, values: [["a", "x".repeat(MAX_NOTE_CHARACTERS + 1)]] }],
    [
      "many values",
      { file: null, values: Array.from({ length: MAX_NOTED_VALUES + 1 }, (_, i) => [`${i}`, "x"]) },
    ],
  ])("has no notes of %s", (_, notes) => {
    expect(notesProblem(notes)).not.toBeNull();
    expect(() => noteRow(PICTURE, notes)).toThrow(RangeError);
  });

  it("has the largest notes that the limits of their parts allow", () => {
    const values = Array.from({ length: MAX_NOTED_VALUES }, (_, i): [string, string] => [
      `${i}${"\u0001".repeat(98)}`,
      "\u0001".repeat(MAX_NOTE_CHARACTERS),
    ]);
    const notes = { file: "\u0001".repeat(255), values };
    expect(notesProblem(notes)).toBeNull();
    expect(headBytesOf(noteRow(PICTURE, notes))).toBeLessThan(MAX_NOTES_BYTES);
  });

  it("has one form: other bytes that mean the same, and others' fields, are no notes", () => {
    const withNotes = (text: string, length = text.length) => {
      const row = noteRow(PICTURE, NOTES).slice(0, 12);
      new DataView(row.buffer).setUint32(8, length);
      return Uint8Array.from([...row, ...new TextEncoder().encode(text), ...PICTURE]);
    };
    expect(notesOfRow(withNotes('{"file":"a.png","values":[]}'))).toEqual({ file: "a.png", values: [] });
    for (const text of [
      '{"file": "a.png","values":[]}',
      '{"values":[],"file":"a.png"}',
      '{"file":"a.png","values":[],"more":1}',
      '{"file":"\\u0061.png","values":[]}',
      "[]",
      "no JSON",
    ]) {
      const row = withNotes(text);
      expect([text, hasNotes(row), notesOfRow(row)]).toEqual([text, true, null]);
    }
    // A length beyond the row, or beyond the limit.
    expect(notesOfRow(withNotes("{}", 1_000))).toBeNull();
    expect(contentOfRow(withNotes("{}", 1_000))).toHaveLength(0);
    expect(hasNotes(withNotes("{}", MAX_NOTES_BYTES + 1))).toBe(false);
  });
});
