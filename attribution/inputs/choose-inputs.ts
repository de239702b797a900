/**
 * Chooses what a model reads of its rows, before it is trained: of texts the words that are counted, of tables the limits between
 * numbers, of pictures the grid, the colours and the ground, or the limits between their numbers. A recipe names the choice
 * (model-inputs.ts). The same rows in the same order give the same choice on every machine. Presets of recipes and the checks of labels
 * call it.
 */
import { isRollupError } from "@openledger/foundation/rollup-error";
import type { DecodedPicture } from "../pictures/decoded-picture.ts";
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
  type NumberInputs,
  numberBuckets,
  SHARED_BUCKETS,
  type TextInputs,
  type VectorsFile,
} from "./model-inputs.ts";
import { NUMBER_BLOCKS, NUMBER_COUNT, pictureNumbers } from "./picture-numbers.ts";
import { vectorBuckets } from "./text-vectors.ts";

/** Kind, fields and labels of rows, as their card states them. */
export interface InputShape {
  readonly kind: InputKind;
  /** Fields of a table, in the card's order. */
  readonly fields?: readonly TableField[];
  /** Fields of a table that are no input: the one that has the labels, and those that somebody leaves out. */
  readonly leftOut?: readonly string[];
  /** Labels of the rows; without it: few. */
  readonly labelCount?: number;
}

export interface InputRoom extends InputBase {
  /** Buckets of the circuit, the base's among them. */
  readonly bucketCount: number;
}

/**
 * The simplest way to count rows: the first of `inputCandidates`.
 * @param rows of the version, in its order; those that no model reads do not count
 */
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
      return chooseGrid(await ofPictures(contents, looksOf), room);
    case "table":
      return chooseFields(shape, contents, room);
    default:
      return shape.kind satisfies never;
  }
}

/**
 * Ways to count rows, the simplest first. model/direct/fitted-inputs.ts chooses by the rows' labels.
 * @param rows of the version, in its order; those that no model reads do not count
 * @param vectors that texts may be counted by; absent: ways without
 */
export async function inputCandidates(
  shape: InputShape,
  rows: readonly Uint8Array[],
  room: InputRoom,
  vectors?: VectorsFile,
): Promise<ModelInputs[]> {
  const contents = rows.map(contentOfRow);
  switch (shape.kind) {
    case "text":
      return textCandidates(contents, room, shape.labelCount ?? 0, vectors);
    case "image":
      return imageCandidates(contents, room);
    case "table":
      return [chooseFields(shape, contents, room)];
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
    return {
      kind: "text",
      words: {
        own: byRows(contents)
          .slice(0, ownCount)
          .map(([word]) => word),
      },
      bucketCount,
    };
  const words = byDifference(contents);
  const own = words.slice(0, ownCount);
  const sharedCount = Math.min(MANY.sharing * (buckets - own.length - NO_WORD_BUCKETS), MAX_WORDS.shared);
  return {
    kind: "text",
    words: { own, shared: words.slice(own.length, own.length + sharedCount) },
    bucketCount,
  };
}

/** Factors of words' counts beside vectors. Few words count three times to be heard beside 64 digits; passages lose by it. */
const WORD_COUNTS = [1, 3] as const;

/**
 * Ways to count these texts that fit the buckets, in order of preference: of equally good ones the first is the simplest. What
 * `chooseInputs` takes of texts is the first. The same texts in the same order give the same ways on every machine.
 * @param contents without salts (`contentOfRow`) @param vectors absent: ways without
 */
export function textCandidates(
  contents: readonly Uint8Array[],
  room: InputRoom,
  labelCount: number,
  vectors?: VectorsFile,
): TextInputs[] {
  const isManyLabels = hasManyLabels(labelCount);
  // The simplest stays where it does not fit: its recipe is refused with what it needs.
  const simplest = chooseTerms(contents, room, isManyLabels);
  const others = [listedByIdf(contents, room)];
  if (vectors !== undefined) {
    const { bucketCount } = room;
    const behind = { ...room, bucketCount: bucketCount - vectorBuckets(vectors.dimensions) };
    others.push({ kind: "text", vectors, wordCount: 0, bucketCount });
    if (behind.bucketCount - behind.baseBuckets >= MIN_WORD_BUCKETS) {
      // Of short texts listed words, since pairs would fill fewer buckets still.
      const { words = listedByIdf(contents, behind).words } = chooseTerms(contents, behind, isManyLabels);
      for (const wordCount of WORD_COUNTS)
        others.push({ kind: "text", vectors, wordCount, words, bucketCount });
    }
  }
  return [simplest, ...others.filter((inputs) => inputsProblem(inputs, room) === null)];
}

/** Buckets of words beside vectors, at least: in fewer nearly every bucket has unlike words. Guess. */
const MIN_WORD_BUCKETS = 64;

/**
 * Lists single words of several rows, which count by their inverse document frequency: round(3 ln(N / n) / ln(N / 2)) for a word of n of
 * N rows, so 3 for one of two rows. Those that would count 0 and all that are not listed do not count. Of descriptions of 70 words with
 * eight labels 66 of 100 are right, where words and pairs in hashed buckets have 46 and listed words without their frequencies 62.
 */
function listedByIdf(contents: readonly Uint8Array[], { baseBuckets, bucketCount }: InputRoom): TextInputs {
  const rowCount = BigInt(contents.length);
  // 6 ln(N / n) ≥ (2 count − 1) ln(N / 2), in integers: logarithms differ in their last bits between machines.
  const isCounted = (rows: number, count: bigint) =>
    rowCount ** 6n * 2n ** (2n * count - 1n) >= rowCount ** (2n * count - 1n) * BigInt(rows) ** 6n;
  const max = Math.min(bucketCount - baseBuckets - SHARED_BUCKETS - NO_WORD_BUCKETS, MAX_WORDS.own);
  const listed = byRows(contents)
    .filter(([, rows]) => isCounted(rows, 1n))
    .slice(0, Math.max(0, max));
  const placeOf = (count: bigint) => {
    const place = listed.findIndex(([, rows]) => isCounted(rows, count));
    return place < 0 ? listed.length : place;
  };
  const own = listed.map(([word]) => word);
  return {
    kind: "text",
    words: { own, shared: [], idf: { twiceFrom: placeOf(2n), thriceFrom: placeOf(3n) } },
    bucketCount,
  };
}

/** Words of several rows with their numbers, first those of the most; of equals the lesser hash. */
function byRows(contents: readonly Uint8Array[]): [word: number, rows: number][] {
  const rowsWith = new Map<number, number>();
  for (const content of contents)
    for (const word of new Set(wordsOf(content, true))) rowsWith.set(word, (rowsWith.get(word) ?? 0) + 1);
  return [...rowsWith].filter(([, count]) => count >= FEW.minRows).sort(([a, x], [b, y]) => y - x || a - b);
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

/** Looks at the pictures that models read, one after another: all their pixels together may be more than a memory. */
async function ofPictures<Result>(
  contents: readonly Uint8Array[],
  look: (picture: DecodedPicture) => Result,
): Promise<Result[]> {
  const read = await openPictures();
  return contents.flatMap((content) => {
    try {
      return [look(read(content))];
    } catch (error) {
      if (error instanceof PictureProblem) return [];
      throw error;
    }
  });
}

/** Sums over a picture's cells. */
interface Looks {
  /** Mean of the channels, of 1. */
  readonly level: number;
  /** Largest less least channel, of 1. */
  readonly difference: number;
}

function looksOf(picture: DecodedPicture): Looks {
  let level = 0;
  let difference = 0;
  const { sums, whole } = gridOf(picture, LOOK_SIDE, 3);
  const cellCount = sums.length / 3;
  for (let cell = 0; cell < cellCount; cell++) {
    const channels = [sums[cell]!, sums[cellCount + cell]!, sums[2 * cellCount + cell]!];
    const [min, largest] = [Math.min(...channels), Math.max(...channels)];
    level += (channels[0]! + channels[1]! + channels[2]!) / (3 * whole);
    difference += (largest - min) / whole;
  }
  return { level, difference };
}

function chooseGrid(looks: readonly Looks[], room: InputRoom): ImageInputs {
  const count = looks.length * LOOK_SIDE ** 2;
  const isColoured = looks.reduce((sum, { difference }) => sum + difference, 0) > MIN_COLOUR * count;
  const isLight = looks.reduce((sum, { level }) => sum + level, 0) > count / 2;
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

/**
 * Blocks of picture numbers that count together, each with its scale, and most knots of a number. Measured on 240 pictures of shapes (of
 * 600 digits), five folds, labels that are right of 100: colours and shape 96 (72), with directions 93 (77), squares alone 13 (88), all 95
 * (86); the grid has 19 (83). All without scales: 87 (80), since the squares drown the others.
 */
const NUMBER_WAYS: readonly Partial<Record<(typeof NUMBER_BLOCKS)[number]["name"], number>>[] = [
  { colours: 3, shape: 3 },
  { directions: 3, colours: 3, shape: 3 },
  { squares: 3 },
  { directions: 3, squares: 2, colours: 4, shape: 4 },
];
/** Maximum knots of a number, and of one of a square's: a hundred of them would take all buckets. */
const NUMBER_KNOTS = 6;
const SQUARE_KNOTS = 2;

/**
 * Ways to count pictures, to choose among by how models of them label rows that they have not seen: the grid first, then those of picture
 * numbers that fit the buckets. The same pictures in the same order give the same ways.
 * @param contents of the version's rows, in its order; those that no model reads do not count
 */
export async function imageCandidates(
  contents: readonly Uint8Array[],
  room: InputRoom,
): Promise<ImageInputs[]> {
  const pictures = await ofPictures(contents, (picture) => ({
    looks: looksOf(picture),
    numbers: pictureNumbers(picture),
  }));
  const grid = chooseGrid(
    pictures.map(({ looks }) => looks),
    room,
  );
  const sorted = Array.from({ length: NUMBER_COUNT }, (_, k) =>
    pictures.map(({ numbers }) => numbers[k]!).sort((a, b) => a - b),
  );
  return [grid, ...NUMBER_WAYS.flatMap((way) => chooseNumbers(way, sorted, room) ?? [])];
}

/** Inputs of these blocks with the most knots that fit; null where none do, or no number differs between rows. */
function chooseNumbers(
  way: (typeof NUMBER_WAYS)[number],
  sorted: readonly (readonly number[])[],
  room: InputRoom,
): NumberInputs | null {
  const blockOf = NUMBER_BLOCKS.flatMap(({ count, name }) => new Array<typeof name>(count).fill(name));
  for (let knotCount = NUMBER_KNOTS; knotCount >= 2; knotCount--) {
    const knots = sorted.map((numbers, k) => {
      const block = blockOf[k]!;
      if (way[block] === undefined || numbers.length === 0) return [];
      const own = knotsAt(numbers, block === "squares" ? SQUARE_KNOTS : knotCount);
      // A number that all rows share tells none apart.
      return own.length > 1 ? own : [];
    });
    if (knots.every((own) => own.length === 0)) return null;
    const inputs: NumberInputs = {
      kind: "image",
      numbers: "1",
      knots,
      scales: NUMBER_BLOCKS.map(({ name }) => way[name] ?? 1),
      bucketCount: room.bucketCount,
    };
    if (inputsProblem(inputs, room) === null) return inputs;
  }
  return null;
}

/** Knots of a number. On Iris eight are within a point of standardised doubles, four or sixteen no better. */
const KNOTS = 8;

function chooseFields(
  { fields = [], leftOut = [] }: InputShape,
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
    fields.map((field, i) => fieldOf(field, { leftOut, knotCount, values: rows.map((row) => row[i]!) }));
  let chosen = withKnots(KNOTS);
  // Hashed values keep half of the buckets, and each field at most its counts.
  const isHashed = chosen.some((field) => !("ignored" in field) && field.type !== "number");
  const forNumbers = isHashed ? buckets / 2 : buckets;
  for (let knots = KNOTS - 1; knots >= 2 && numberBuckets({ fields: chosen }) > forNumbers; knots--)
    chosen = withKnots(knots);
  return { kind: "table", fields: chosen, bucketCount: room.bucketCount };
}

interface FieldRows {
  readonly leftOut: readonly string[];
  readonly knotCount: number;
  readonly values: readonly FieldValue[];
}

function fieldOf({ name, type }: TableField, { knotCount, leftOut, values }: FieldRows): InputField {
  if (leftOut.includes(name)) return { name, type, ignored: true };
  if (type !== "number") return { name, type };
  const numbers = values.filter((value) => typeof value === "number").sort((a, b) => a - b);
  // No row has one, so nothing is learned from those that come.
  if (numbers.length === 0) return { name, type, ignored: true };
  return { name, type, knots: knotsAt(numbers, knotCount) };
}
