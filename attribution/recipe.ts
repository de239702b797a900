import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex } from "@noble/hashes/utils.js";
import { z } from "zod";
import { attributionError } from "./attribution-errors.ts";
import { alignColumns } from "./exact-influence.ts";
import {
  hashContents,
  type LabelledRows,
  pickRows,
  refuseDuplicates,
  relabel,
  splitIndices,
  wrongLabels,
} from "./labelled-rows.ts";
import { logisticModel } from "./logistic-model.ts";
import { mlpModel } from "./mlp-model.ts";
import { loadMnist, MNIST_VERSION } from "./mnist-digits.ts";
import type { Examples, Model } from "./model.ts";
import { provenFeatures, provenQueries } from "./proven-scores.ts";
import { MAX_FEATURE_COUNT, type QuantisedFeatures, type QuantisedQuery } from "./quantise.ts";
import { SeededRandom } from "./seeded-random.ts";
import { EMAILS_VERSION, loadEmails } from "./spam-emails.ts";

const count = z.number().int().positive();
const rate = z.number().positive();

/** Everything that the bytes of a model's features depend on. The same recipe gives the same bytes on every machine. */
export const recipeSchema = z.strictObject({
  version: z.literal(1),
  data: z.discriminatedUnion("source", [
    z.strictObject({ source: z.literal(MNIST_VERSION), side: z.union([z.literal(14), z.literal(28)]) }),
    z.strictObject({ source: z.literal(EMAILS_VERSION), bucketCount: count.max(65_536) }),
  ]),
  /** Which rows are taken, and which others are kept to ask with. */
  rowCount: count,
  queryCount: z.number().int().nonnegative(),
  seed: z.string().min(1).max(64),
  owners: z.strictObject({
    contributorIds: z.array(z.number().int().min(0).max(0xffffff)).min(1),
    validatorIds: z.array(z.number().int().min(0).max(0xffffff)).min(1),
  }),
  /** One contributor's rows get wrong labels: `part` of them. */
  wrongLabels: z.strictObject({ contributorId: z.number().int(), part: z.number().min(0).max(1) }).optional(),
  model: z.discriminatedUnion("kind", [
    z.strictObject({ kind: z.literal("logistic"), decay: rate, tolerance: rate }),
    z.strictObject({
      kind: z.literal("mlp"),
      hiddenCount: count.max(1024),
      decay: rate,
      epochs: count,
      batchSize: count,
      rate,
      momentum: z.number().min(0).max(0.999),
    }),
  ]),
  method: z.strictObject({
    kind: z.literal("influence"),
    damping: rate,
    /** A power of two. */
    featureCount: count.max(MAX_FEATURE_COUNT),
  }),
});

export type Recipe = z.infer<typeof recipeSchema>;

/** A row of the version, with the slot it earns for. */
export interface OwnedRow {
  readonly content: Uint8Array;
  readonly contributorId: number;
  readonly validatorId: number;
}

/** What a recipe makes: the rows in the version's order, and what a model over them registers. */
export interface RegisteredModel {
  readonly recipe: Recipe;
  readonly rows: readonly OwnedRow[];
  /** Of each row its slot: place of its (contributor, validator) pair among all pairs, in ascending order. */
  readonly owners: Int32Array;
  readonly slotCount: number;
  readonly features: QuantisedFeatures;
  readonly hashes: {
    /** SHA-256 of the recipe as JSON with sorted keys. */
    readonly recipe: string;
    /** SHA-256 over the rows' contents, each with its length before it. */
    readonly data: string;
    /** SHA-256 of the parameters, little-endian doubles. */
    readonly parameters: string;
    /** SHA-256 of G, row after row, one byte a feature. */
    readonly features: string;
    /** SHA-256 of the owners, one little-endian 32-bit number a row. */
    readonly owners: string;
  };
  /** Rows that the model has not seen. */
  readonly heldOut: LabelledRows;
  /** The likeliest label of each row. */
  predict(examples: Examples): Int32Array;
  /** The queries of 8 bits that belong to these inputs with these answers. */
  queries(examples: Examples): QuantisedQuery[];
}

/** @throws ATT_RECIPE_INVALID */
export function parseRecipe(json: unknown): Recipe {
  const parsed = recipeSchema.safeParse(json);
  if (!parsed.success) {
    throw attributionError("ATT_RECIPE_INVALID", z.prettifyError(parsed.error), {
      data: { issues: parsed.error.issues.map(({ path, message }) => ({ path: path.join("."), message })) },
      cause: parsed.error,
    });
  }
  return parsed.data;
}

/** @throws ATT_RECIPE_INVALID, ATT_DATA_CHANGED, ATT_DUPLICATE_ROW */
export function registerModel(recipe: Recipe): RegisteredModel {
  const source =
    recipe.data.source === MNIST_VERSION ? loadMnist(recipe.data.side) : loadEmails(recipe.data.bucketCount);
  const { train, test } = splitIndices(
    source.labels.length,
    { trainCount: recipe.rowCount, testCount: recipe.queryCount },
    recipe.seed,
  );
  const { rows, owned, owners, slotCount } = ownedRows(pickRows(source, train), recipe);
  refuseDuplicates(rows.contents);
  const examples = { inputs: rows.features, labels: rows.labels };
  const model = makeModel(recipe, source);
  const parameters = model.train(examples);
  const sensitivities = model.sensitivities(parameters, examples);
  const aligned = alignColumns(sensitivities, sensitivities).rows;
  const proven = provenFeatures(aligned, { ...recipe.method, seed: recipe.seed });
  return {
    recipe,
    rows: owned,
    owners,
    slotCount,
    features: proven.quantised,
    hashes: {
      recipe: hashText(JSON.stringify(sortKeys(recipe))),
      data: hashContents(rows.contents),
      parameters: hashNumbers(8, parameters, (view, at, x) => view.setFloat64(at, x, true)),
      features: bytesToHex(sha256(new Uint8Array(proven.quantised.values.buffer))),
      owners: hashNumbers(4, owners, (view, at, x) => view.setInt32(at, x, true)),
    },
    heldOut: pickRows(source, test),
    predict: (asked) => model.predict(parameters, asked),
    queries: (asked) =>
      provenQueries(proven.map, alignColumns(sensitivities, model.sensitivities(parameters, asked)).queries),
  };
}

function makeModel({ model, seed }: Recipe, source: LabelledRows): Model {
  const common = { inputCount: source.features.columnCount, classCount: source.classCount };
  return model.kind === "logistic"
    ? logisticModel({ ...common, decay: model.decay, tolerance: model.tolerance })
    : mlpModel({ ...common, ...model, sgd: { ...model, seed } });
}

/** Each row gets a contributor and a validator at random; then the version's order: by slot, else as picked. */
function ownedRows(picked: LabelledRows, recipe: Recipe) {
  const random = new SeededRandom(`${recipe.seed}/owners`);
  const { contributorIds, validatorIds } = recipe.owners;
  const drawn = Array.from(picked.labels, (_, index) => ({
    index,
    contributorId: contributorIds[random.nextBelow(contributorIds.length)]!,
    validatorId: validatorIds[random.nextBelow(validatorIds.length)]!,
  }));
  drawn.sort(
    (a, b) => a.contributorId - b.contributorId || a.validatorId - b.validatorId || a.index - b.index,
  );
  let rows = pickRows(
    picked,
    drawn.map(({ index }) => index),
  );
  if (recipe.wrongLabels !== undefined) {
    const { contributorId, part } = recipe.wrongLabels;
    const theirs = [...drawn.keys()].filter((i) => drawn[i]!.contributorId === contributorId);
    const wrong = new SeededRandom(`${recipe.seed}/wrong`)
      .subset(theirs.length, Math.round(part * theirs.length))
      .map((k) => theirs[k]!);
    rows = relabel(rows, wrongLabels(rows, wrong, recipe.seed));
  }
  const owners = new Int32Array(drawn.length);
  for (let i = 1; i < drawn.length; i++) {
    const isSame =
      drawn[i]!.contributorId === drawn[i - 1]!.contributorId &&
      drawn[i]!.validatorId === drawn[i - 1]!.validatorId;
    owners[i] = owners[i - 1]! + (isSame ? 0 : 1);
  }
  const owned = drawn.map(({ contributorId, validatorId }, i): OwnedRow => {
    return { content: rows.contents[i]!, contributorId, validatorId };
  });
  return { rows, owned, owners, slotCount: owners.at(-1)! + 1 };
}

function hashText(text: string): string {
  return bytesToHex(sha256(new TextEncoder().encode(text)));
}

function hashNumbers(
  sizeBytes: number,
  numbers: Float64Array | Int32Array,
  write: (view: DataView, at: number, x: number) => void,
): string {
  const bytes = new Uint8Array(numbers.length * sizeBytes);
  const view = new DataView(bytes.buffer);
  for (const [i, x] of numbers.entries()) write(view, i * sizeBytes, x);
  return bytesToHex(sha256(bytes));
}

function sortKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sortKeys);
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, inner]) => [key, sortKeys(inner)]),
  );
}
