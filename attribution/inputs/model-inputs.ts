/**
 * Inputs of a recipe: the JSON that says how texts, pictures or a table's rows become counts. open-inputs.ts counts by it,
 * choose-inputs.ts makes it of a version's rows.
 */
import { areBuckets } from "@openledger/circuits/ledger/direct-query";
import { z } from "zod";
import { FIELD_TYPES } from "../rows/row-kinds.ts";
import { type InputBase, MAX_COUNT, maxTermsOf } from "./input-counter.ts";
import { MAX_KNOTS } from "./knots.ts";
import { NUMBER_BLOCKS, NUMBER_COUNT } from "./picture-numbers.ts";
import {
  MAX_DIMENSIONS,
  MAX_VECTORS_BYTES,
  MIN_VECTORS_BYTES,
  vectorBuckets,
  vectorsBytes,
} from "./text-vectors.ts";

/** Least and largest side of the grid that pictures are squeezed into. */
const MIN_SIDE = 4;
const MAX_SIDE = 28;
/** Largest scale of a bucket: its weights are penalised 1 / 64 of the others. Guess. */
const MAX_SCALE = 8;
/** Maximum words of a text with buckets of their own, and that share buckets: together 90 of the 128 KiB that a recipe may have. */
export const MAX_WORDS = { own: 1_024, shared: 7_168 } as const;
/** Largest hash of a word. */
const MAX_HASH = 2 ** 32 - 1;
/** Maximum fields of a table, as a card has them. */
const MAX_FIELDS = 60;

const bucketCount = z.number().int().refine(areBuckets, "must be a multiple of 16, at most 4,096");
const name = z.string().min(1).max(60);

const place = z.number().int().min(0).max(MAX_WORDS.own);
const wordList = (max: number) => z.array(z.number().int().min(0).max(MAX_HASH)).max(max);

/** A file of word or token vectors (text-vectors.ts), which is bound by its hash, and read from any place that has it. */
const vectorsFile = z
  .strictObject({
    /** For people; nothing depends on it. */
    name,
    sizeBytes: z.number().int().min(MIN_VECTORS_BYTES).max(MAX_VECTORS_BYTES),
    sha256: z.string().regex(/^[0-9a-f]{64}$/),
    /** Components of a vector, d: its digits have the first 2 d buckets. */
    dimensions: z.number().int().min(1).max(MAX_DIMENSIONS),
    /** The file is of a static encoder and has tokens (token-vectors.ts). Absent: it has words. */
    of: z.literal("tokens").optional(),
  })
  .refine(
    ({ dimensions, of, sizeBytes }) =>
      of === "tokens" || (sizeBytes - vectorsBytes(0, dimensions)) % (5 + dimensions) === 0,
    "has no whole number of words",
  );
export type VectorsFile = z.infer<typeof vectorsFile>;
/** Values with a bucket each: quantiles of the rows. A number between two of them is counted in both. */
const ascending = z
  .array(z.number())
  .max(MAX_KNOTS)
  .refine((knots) => knots.every((knot, i) => i === 0 || knot > knots[i - 1]!), "are not ascending");

const field = z.union([
  z.strictObject({ name, type: z.literal("number"), knots: ascending.min(1) }),
  z.strictObject({ name, type: z.enum(["category", "boolean", "text"]) }),
  /** A field that is in each row and no input: the column of the labels, one that is left out, or numbers that no row has. */
  z.strictObject({ name, type: z.enum(FIELD_TYPES), ignored: z.literal(true) }),
]);
export type InputField = z.infer<typeof field>;

const pictureGrid = z.strictObject({
  kind: z.literal("image"),
  /** Absent: it tells the two ways of counting pictures apart. */
  numbers: z.undefined().optional(),
  /** Cells of a side of the grid. */
  side: z.number().int().min(MIN_SIDE).max(MAX_SIDE),
  /** 1: grey levels. 3: red, green and blue, each with cells of its own. */
  colours: z.union([z.literal(1), z.literal(3)]),
  /** Maximum count of a cell. Above 3 it takes several buckets. */
  levels: z.number().int().min(1).max(12),
  /** Ground of the pictures: on black light pixels count, on white dark ones. */
  ground: z.enum(["black", "white"]),
  bucketCount,
});

const pictureNumbers = z.strictObject({
  kind: z.literal("image"),
  /** Version of picture-numbers.ts. */
  numbers: z.literal("1"),
  /** Knots of each number, in the order of the numbers. A number without knots does not count. */
  knots: z
    .array(ascending)
    .length(NUMBER_COUNT)
    .refine((all) => all.some((knots) => knots.length > 0), "has no number that counts"),
  /** Scale of each block of numbers (bucket-scales.ts). */
  scales: z.array(z.number().int().min(1).max(MAX_SCALE)).length(NUMBER_BLOCKS.length),
  bucketCount,
});

const kinds = z.discriminatedUnion("kind", [
  z
    .strictObject({
      kind: z.literal("text"),
      /** Word vectors, whose digits count in front of the words. */
      vectors: vectorsFile.optional(),
      /** Factor of the words' counts beside vectors, which are 3 at most behind it. 0: words do not count. Absent without vectors. */
      wordCount: z.number().int().min(0).max(MAX_COUNT).optional(),
      /**
       * Words alone count, up to three times each: those with the hashes (rows/words.ts) of `own` in a bucket each, those of `shared` in the
       * buckets behind, in turn. Others do not count; without `shared` they are hashed to the buckets behind. Without `words`, each
       * different word and pair of neighbours counts once.
       */
      words: z
        .strictObject({
          own: wordList(MAX_WORDS.own),
          shared: wordList(MAX_WORDS.shared).optional(),
          /** Inverse document frequency: places in `own` from which a word counts twice, and three times. Absent: each counts once. */
          idf: z.strictObject({ twiceFrom: place, thriceFrom: place }).optional(),
        })
        .refine(
          ({ own, shared = [] }) => new Set([...own, ...shared]).size === own.length + shared.length,
          "has a word twice",
        )
        .refine(
          ({ idf, own }) =>
            idf === undefined || (idf.twiceFrom <= idf.thriceFrom && idf.thriceFrom <= own.length),
          "has places that do not ascend, or are behind the last word",
        )
        .optional(),
      bucketCount,
    })
    .refine(
      ({ vectors, wordCount }) => (vectors === undefined) === (wordCount === undefined),
      "have vectors and wordCount together, or neither",
    )
    .refine(({ wordCount, words }) => wordCount !== 0 || words === undefined, "list words that do not count"),
  z.discriminatedUnion("numbers", [pictureGrid, pictureNumbers]),
  z.strictObject({
    kind: z.literal("table"),
    /** Fields of the Datanet's card, in its order. */
    fields: z
      .array(field)
      .min(1)
      .max(MAX_FIELDS)
      .refine((fields) => new Set(fields.map((one) => one.name)).size === fields.length, "has a name twice")
      .refine((fields) => fields.some((one) => !isIgnored(one)), "has no field that is an input"),
    bucketCount,
  }),
]);
export type ModelInputs = z.infer<typeof kinds>;
export type TextInputs = Extract<ModelInputs, { kind: "text" }>;
export type GridInputs = z.infer<typeof pictureGrid>;
export type NumberInputs = z.infer<typeof pictureNumbers>;
export type ImageInputs = GridInputs | NumberInputs;
export type TableInputs = Extract<ModelInputs, { kind: "table" }>;

/** Fields of a model's table, by its recipe; null for a model of another kind. Forms of questions are made of them. */
export function inputFieldsOf(recipe: object): readonly InputField[] | null {
  const { inputs } = recipe as { readonly inputs?: ModelInputs };
  return inputs?.kind === "table" ? inputs.fields : null;
}

/** Returns true for a field that is no input. */
export const isIgnored = (one: InputField): one is Extract<InputField, { ignored: true }> => "ignored" in one;

/** Field `inputs` of a recipe. That the buckets suffice depends on the base, too: `inputsProblem`. */
export const inputsSchema: z.ZodType<ModelInputs> = kinds;

/** Buckets that a table's hashed values need at least, so that two fields rarely meet. Guess. */
const MIN_HASHED = 16;

/** Buckets of a text for terms that share them, at least. */
export const SHARED_BUCKETS = 1;
/** The last bucket is that of a text with none of the words that alone count: no input is without a count. */
export const NO_WORD_BUCKETS = 1;

/** Buckets that inputs need, without a base's. */
export function neededBuckets(inputs: ModelInputs): number {
  if (inputs.kind === "text") {
    const { vectors, words } = inputs;
    const { own = [], shared } = words ?? {};
    const ofVectors = vectors === undefined ? 0 : vectorBuckets(vectors.dimensions);
    return ofVectors + own.length + SHARED_BUCKETS + (shared === undefined ? 0 : NO_WORD_BUCKETS);
  }
  if (inputs.kind === "image")
    return inputs.numbers === undefined
      ? inputs.colours * inputs.side ** 2 * Math.ceil(inputs.levels / MAX_COUNT) + GROUND_BUCKETS
      : inputs.knots.reduce((sum, knots) => sum + knots.length, 0);
  const isHashed = inputs.fields.some((one) => !isIgnored(one) && one.type !== "number");
  return numberBuckets(inputs) + (isHashed ? MIN_HASHED : 0);
}

/** The bucket that a picture of nothing but its ground has its count in: no input is without one. */
const GROUND_BUCKETS = 1;

/** Buckets of a table's numbers, in front of all others: one for each knot, and one for a missing value. */
export const numberBuckets = ({ fields }: Pick<TableInputs, "fields">): number =>
  fields.reduce((sum, one) => sum + ("knots" in one ? one.knots.length + 1 : 0), 0);

/** Problem of inputs in their circuit, for which a recipe is refused; null: none. */
export function inputsProblem(inputs: ModelInputs, position: InputBase): string | null {
  const needed = neededBuckets(inputs) + position.baseBuckets;
  if (needed > inputs.bucketCount)
    return `need ${needed} buckets${position.baseBuckets > 0 ? ", a base's among them" : ""}; there are ${inputs.bucketCount}`;
  // The numbers of a picture are too few to count as much.
  const isGrid = inputs.kind === "image" && inputs.numbers === undefined;
  const highest = isGrid ? inputs.colours * inputs.side ** 2 * inputs.levels : 0;
  const max = maxTermsOf(position);
  return highest > max ? `count up to ${highest}; ${max} are counted` : null;
}
