/**
 * Near-duplicates among rows of any kind, by their bytes: texts and passages by their words, pictures by grey levels at one size, tables
 * with texts by the words of all fields, and tables without by their values. Trainings, checks and previews compare by it.
 */
import { textOfBytes } from "@openledger/foundation/utf8";
import { gridOf, stepOf } from "../pictures/picture-grid.ts";
import { PictureProblem } from "../pictures/picture-problem.ts";
import { openPictures, type ReadPicture } from "../pictures/pictures.ts";
import { nearDuplicates } from "./near-duplicates.ts";
import type { RowKind } from "./row-kinds.ts";
import { COMPARISON_VERSION, type ComparisonVersion, type NearDuplicate } from "./row-rules.ts";
import { contentOfRow } from "./salted-rows.ts";
import { decodeTableRow, hasTexts, type TableField, tableText } from "./table-rows.ts";
import { decodeTextRow, wholeText } from "./text-rows.ts";

/** Kind and fields of rows, as their card states them. */
export interface ComparedShape {
  readonly kind: RowKind;
  /** Fields of a table, in the card's order. */
  readonly fields: readonly TableField[];
}

/** Similarities from which rows are near-duplicates, where they are not the usual ones (ROW_RULES). */
export interface Similarities {
  readonly text?: number;
  readonly image?: number;
}

/** Pixels of a side at which pictures are compared. At the size of a model's grid, noise of single pixels would hide a copy. */
const COMPARED_SIDE = 28;
const MAX_LEVEL = 255;

/**
 * Finds near-duplicates among rows in the order of contribution; those that are no row of the kind are near to none.
 * @param labels only rows of one label are compared
 */
export type CompareRows = (
  contents: readonly Uint8Array[],
  labels: ArrayLike<string | number | null>,
  similarities?: Similarities,
) => NearDuplicate[];

/**
 * Ready to compare rows of a card. Decoders of pictures are loaded where they are needed.
 * @param version of the comparison, as a recipe names it
 */
export async function openComparison(
  { fields, kind }: ComparedShape,
  version: ComparisonVersion = COMPARISON_VERSION,
): Promise<CompareRows> {
  if (kind === "image") {
    const read = await openPictures();
    return (contents, labels, { image } = {}) =>
      among(
        contents.map((content) => greyLevels(read, content)),
        labels,
        (found, numbers) =>
          nearDuplicates({
            kind,
            labels: numbers,
            version,
            contents: found,
            width: COMPARED_SIDE,
            height: COMPARED_SIDE,
            ...(image !== undefined && { threshold: image }),
          }),
      );
  }
  if (kind === "table" && !hasTexts(fields))
    return (contents, labels) =>
      among(
        contents.map((content) => orNull(() => decodeTableRow(fields, content))),
        labels,
        (rows, numbers) => nearDuplicates({ kind, labels: numbers, rows, version }),
      );
  const encoder = new TextEncoder();
  return (contents, labels, { text } = {}) =>
    among(
      contents.map((content) => orNull(() => encoder.encode(textOf({ fields, kind }, content)))),
      labels,
      (found, numbers) =>
        nearDuplicates({
          kind: "text",
          labels: numbers,
          version,
          hasWordSets: version !== 1 && kind !== "passage",
          contents: found,
          ...(text !== undefined && { threshold: text }),
        }),
    );
}

/** Compares the rows that can be. */
function among<Compared>(
  rows: readonly (Compared | null)[],
  labels: ArrayLike<string | number | null>,
  find: (rows: Compared[], labels: Int32Array) => NearDuplicate[],
): NearDuplicate[] {
  const positions = [...rows.keys()].filter((i) => rows[i] !== null);
  const names = new Map<string | number | null, number>();
  const numbers = Int32Array.from(positions, (i) => {
    const label = labels[i]!;
    if (!names.has(label)) names.set(label, names.size);
    return names.get(label)!;
  });
  return find(
    positions.map((i) => rows[i]!),
    numbers,
  ).map(({ earlier, later, similarity }) => ({
    earlier: positions[earlier]!,
    later: positions[later]!,
    similarity,
  }));
}

function textOf({ fields, kind }: ComparedShape, content: Uint8Array): string {
  if (kind === "passage") return wholeText(decodeTextRow(content));
  return kind === "table"
    ? tableText(fields, decodeTableRow(fields, content))
    : textOfBytes(contentOfRow(content));
}

/** Grey levels of a picture at the size of comparison; null for a file that no model reads. */
function greyLevels(read: ReadPicture, content: Uint8Array): Uint8Array | null {
  try {
    const { sums, whole } = gridOf(read(contentOfRow(content)), COMPARED_SIDE, 1);
    return Uint8Array.from(sums, (sum) => stepOf(sum, whole, MAX_LEVEL));
  } catch (error) {
    if (error instanceof PictureProblem) return null;
    throw error;
  }
}

/** Rows are their contributors' choice: one that is none stops no check of the others. */
function orNull<Result>(read: () => Result): Result | null {
  try {
    return read();
  } catch {
    return null;
  }
}
