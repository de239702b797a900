/**
 * Chooses what a model reads of its rows, before it is trained: of texts the words that are counted, of tables the limits between
 * numbers, of pictures the grid, the colours and the ground. A recipe names the choice (model-inputs.ts). The same rows in the same
 * order give the same choice on every machine. Presets of recipes and the checks of labels call it.
 */
import { isRollupError } from "@openledger/foundation/rollup-error";
import { gridOf } from "../pictures/picture-grid.ts";
import { PictureProblem } from "../pictures/picture-problem.ts";
import { openPictures } from "../pictures/pictures.ts";
import type { InputKind } from "../rows/row-kinds.ts";
import { hasManyLabels } from "../rows/row-rules.ts";
import { contentOfRow } from "../rows/salted-rows.ts";
import { decodeTableRow, type FieldValue, type TableField } from "../rows/table-rows.ts";
import { distinctTerms } from "../rows/text-terms.ts";
import { wordsOf } from "../rows/words.ts";
import { type InputBase, MAX_COUNT } from "./input-counter.ts";
import { knotsAt } from "./knots.ts";
import {
  type ImageInputs,
  type InputField,
  inputsProblem,
  MAX_WORDS,
  type ModelInputs,
  NO_WORD_BUCKETS,
  numberBuckets,
  type TextInputs,
} from "./model-inputs.ts";

/** Kind, fields and labels of rows, as their card states them. */
export interface InputShape {
  readonly kind: InputKind;
  /** Fields of a table, in the card's order. */
  readonly fields?: readonly TableField[];
  /** Field of a table that has the labels, and is no input. */
  readonly labelField?: string;
  /** Labels of the rows; without it: few. */
  readonly labelCount?: number;
}

export interface InputRoom extends InputBase {
  /** Buckets of the circuit, the base's among them. */
  readonly bucketCount: number;
}

/** @param rows of the version, in its order; those that no model reads do not count */
export async function chooseInputs(
  shape: InputShape,
  rows: readonly Uint8Array[],
  room: InputRoom,
): Promise<ModelInputs> {
  const contents = rows.map(contentOfRow);
  switch (shape.kind) {
    case "text":
      return chooseTerms(contents, room, hasManyLabels(shape.labelCount ?? 0));
    case "image":
      return chooseGrid(await showPictures(contents), room);
    case "table":
      return chooseFields(shape, contents, room);
    default:
      return shape.kind satisfies never;
  }
}

/**
 * Maximum part of the buckets that a text's different words and pairs fill on average, for all of them to be hashed into buckets. In
 * fuller buckets single words are chosen. Measured with 1,024 buckets, labels that are right: passages of 300 words in fifteen genres
 * 43 of 100 by words, 27 by words and pairs; e-mails 96 and 92.
 */
const MAX_FILLED = 0.25;
/**
 * Buckets of texts with many labels: half of them have one word each, and the next words share the others, four to a bucket. All other
 * words are left out, since in a bucket of unlike words they are noise. Of the same passages 43 of 100 are right; 41 with words chosen
 * by their number of rows and the others hashed.
 */
const MANY = { ownPart: 0.5, sharing: 4 } as const;
/**
 * Buckets of texts with few labels: a quarter of them have one word each, those of the most rows, and all other words are hashed into
 * the rest. Attack: were other words left out, rows made of the few words that tell two labels apart would earn a quarter more.
 */
const FEW = { ownPart: 0.25, minRows: 2 } as const;

function chooseTerms(
  contents: readonly Uint8Array[],
  { baseBuckets, bucketCount }: InputRoom,
  isManyLabels: boolean,
): TextInputs {
  const total = contents.reduce((sum, content) => sum + distinctTerms(content).size, 0);
  const buckets = bucketCount - baseBuckets;
  if (total <= MAX_FILLED * buckets * contents.length) return { kind: "text", bucketCount };
  const { ownPart } = isManyLabels ? MANY : FEW;
  const ownCount = Math.min(Math.floor(ownPart * buckets), MAX_WORDS.own);
  if (!isManyLabels)
    return { kind: "text", words: { own: byRows(contents).slice(0, ownCount) }, bucketCount };
  const words = byDifference(contents);
  const own = words.slice(0, ownCount);
  const sharedCount = Math.min(MANY.sharing * (buckets - own.length - NO_WORD_BUCKETS), MAX_WORDS.shared);
  return {
    kind: "text",
    words: { own, shared: words.slice(own.length, own.length + sharedCount) },
    bucketCount,
  };
}

/** Words of several rows, first those of the most; of equals the lesser hash. */
function byRows(contents: readonly Uint8Array[]): number[] {
  const rowsWith = new Map<number, number>();
  for (const content of contents)
    for (const word of new Set(wordsOf(content, true))) rowsWith.set(word, (rowsWith.get(word) ?? 0) + 1);
  return [...rowsWith]
    .filter(([, count]) => count >= FEW.minRows)
    .sort(([a, x], [b, y]) => y - x || a - b)
    .map(([word]) => word);
}

/** Words, first those whose counts differ most between rows: by the variance, in whole numbers; of equals the lesser hash. */
function byDifference(contents: readonly Uint8Array[]): number[] {
  const sums = new Map<number, { sum: number; squares: number }>();
  for (const content of contents) {
    const counts = new Map<number, number>();
    for (const word of wordsOf(content, true))
      counts.set(word, Math.min((counts.get(word) ?? 0) + 1, MAX_COUNT));
    for (const [word, count] of counts) {
      const of = sums.get(word) ?? { sum: 0, squares: 0 };
      of.sum += count;
      of.squares += count * count;
      sums.set(word, of);
    }
  }
  return [...sums]
    .map(([word, { squares, sum }]) => ({ word, variance: contents.length * squares - sum * sum }))
    .sort((a, b) => b.variance - a.variance || a.word - b.word)
    .map(({ word }) => word);
}

/**
 * Grids by preference, with steps of a cell. Digits of 28 × 28 pixels: 14 × 14 cells of nine steps are within a point of the pixels as
 * doubles; of six steps, or of 18 × 18 cells with three, within two; a finer grid with fewer steps is worse.
 */
const GREY_GRIDS = [
  { side: 14, levels: 9 },
  { side: 14, levels: 6 },
  { side: 14, levels: 3 },
  { side: 10, levels: 3 },
  { side: 7, levels: 3 },
  { side: 4, levels: 3 },
] as const;
const COLOUR_GRIDS = [
  { side: 14, levels: 3 },
  { side: 10, levels: 3 },
  { side: 7, levels: 3 },
  { side: 4, levels: 3 },
] as const;
/** Pictures have colours where channels differ by this part of their range on average: scans of grey papers are a little yellow. */
const MIN_COLOUR = 0.02;
/** Cells of a side at which pictures are looked at. */
const LOOK_SIDE = 14;

interface Looks {
  readonly isColoured: boolean;
  readonly isLight: boolean;
}

async function showPictures(contents: readonly Uint8Array[]): Promise<Looks> {
  const read = await openPictures();
  let level = 0;
  let difference = 0;
  let count = 0;
  for (const content of contents) {
    try {
      const { sums, whole } = gridOf(read(content), LOOK_SIDE, 3);
      const cellCount = sums.length / 3;
      for (let cell = 0; cell < cellCount; cell++) {
        const channels = [sums[cell]!, sums[cellCount + cell]!, sums[2 * cellCount + cell]!];
        const [min, largest] = [Math.min(...channels), Math.max(...channels)];
        level += (channels[0]! + channels[1]! + channels[2]!) / (3 * whole);
        difference += (largest - min) / whole;
      }
      count += cellCount;
    } catch (error) {
      if (!(error instanceof PictureProblem)) throw error;
    }
  }
  return { isColoured: difference > MIN_COLOUR * count, isLight: level > count / 2 };
}

function chooseGrid({ isColoured, isLight }: Looks, room: InputRoom): ImageInputs {
  const grids: readonly { side: number; levels: number }[] = isColoured ? COLOUR_GRIDS : GREY_GRIDS;
  const all = grids.map(
    ({ levels, side }): ImageInputs => ({
      kind: "image",
      side,
      colours: isColoured ? 3 : 1,
      levels,
      ground: isLight ? "white" : "black",
      bucketCount: room.bucketCount,
    }),
  );
  return all.find((inputs) => inputsProblem(inputs, room) === null) ?? all.at(-1)!;
}

/** Knots of a number. On Iris eight are within a point of standardised doubles, four or sixteen no better. */
const KNOTS = 8;

function chooseFields(
  { fields = [], labelField }: InputShape,
  contents: readonly Uint8Array[],
  room: InputRoom,
): ModelInputs {
  const rows = contents.flatMap((content) => {
    try {
      return [decodeTableRow(fields, content)];
    } catch (error) {
      if (isRollupError(error, "ATT_ROW_INVALID")) return [];
      throw error;
    }
  });
  const buckets = room.bucketCount - room.baseBuckets;
  const withKnots = (knotCount: number) =>
    fields.map((field, i) => fieldOf(field, { labelField, knotCount, values: rows.map((row) => row[i]!) }));
  let chosen = withKnots(KNOTS);
  // Hashed values keep half of the buckets, and each field at most its counts.
  const isHashed = chosen.some((field) => !("ignored" in field) && field.type !== "number");
  const forNumbers = isHashed ? buckets / 2 : buckets;
  for (let knots = KNOTS - 1; knots >= 2 && numberBuckets({ fields: chosen }) > forNumbers; knots--)
    chosen = withKnots(knots);
  return { kind: "table", fields: chosen, bucketCount: room.bucketCount };
}

interface FieldRows {
  readonly labelField: string | undefined;
  readonly knotCount: number;
  readonly values: readonly FieldValue[];
}

function fieldOf({ name, type }: TableField, { knotCount, labelField, values }: FieldRows): InputField {
  if (name === labelField) return { name, type, ignored: true };
  if (type !== "number") return { name, type };
  const numbers = values.filter((value) => typeof value === "number").sort((a, b) => a - b);
  // No row has one, so nothing is learned from those that come.
  if (numbers.length === 0) return { name, type, ignored: true };
  return { name, type, knots: knotsAt(numbers, knotCount) };
}
