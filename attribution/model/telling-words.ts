/** Words about columns that number the rows or tell the label by themselves, for trainings, commands and pages. */
import { z } from "zod";

/** A column that numbers the rows, or whose values, or one of its words, tell the label. */
export const tellingColumnSchema = z.discriminatedUnion("kind", [
  z.object({
    kind: z.literal("numbers-rows"),
    field: z.string(),
    /** False where the recipe leaves the field out. */
    isCounted: z.boolean(),
  }),
  z.object({
    kind: z.literal("tells-label"),
    field: z.string(),
    /** Part of unseen rows that the field alone labels right, and that the commonest label does. */
    accuracy: z.number(),
    majority: z.number(),
  }),
  z.object({
    kind: z.literal("word-tells-label"),
    /** null where the row is a text. */
    field: z.string().nullable(),
    /** The word in small letters. */
    word: z.string(),
    label: z.string(),
    /** Part of the label's rows that have the word, and part of the rows with the word that have the label. */
    recall: z.number(),
    precision: z.number(),
  }),
]);
export type TellingColumn = z.output<typeof tellingColumnSchema>;

/** Sentence about a column. What to do about it differs by place: a command names an option, a page has a box. */
export function sayTelling(column: TellingColumn): string {
  switch (column.kind) {
    case "numbers-rows":
      return column.isCounted
        ? `Field ${quoted(column.field)} numbers the rows, and counts: a model learns it by heart, and it says nothing of new rows.`
        : `Field ${quoted(column.field)} numbers the rows, so it does not count.`;
    case "tells-label":
      return `Field ${quoted(column.field)} tells the label by itself: it alone labels ${percent(column.accuracy)} of unseen rows right, and the commonest label ${percent(column.majority)}. If it is written once the label is known, no figure here holds for new rows.`;
    case "word-tells-label":
      return `The word ${quoted(column.word)}${column.field === null ? "" : ` of field ${quoted(column.field)}`} tells label ${quoted(column.label)} by itself: ${percent(column.recall)} of the label's rows have it, and ${percent(column.precision)} of the rows with it have the label. If it is written once the label is known, no figure here holds for new rows.`;
    default:
      return column satisfies never;
  }
}

/** True for a column that a figure of unseen rows may stand on. */
export const isSuspect = (column: TellingColumn): boolean =>
  column.kind !== "numbers-rows" || column.isCounted;

const quoted = (name: string) => JSON.stringify(name);
const percent = (part: number) => `${(100 * part).toFixed(1)} %`;
