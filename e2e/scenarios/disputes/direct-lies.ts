/** Lies about direct models: one for each function of the judges of their family (docs/explanation/disputes.md). */
import { SeededRandom } from "@openledger/attribution/maths/seeded-random";
import type { DirectParts } from "@openledger/attribution/model/direct/direct-family";
import { directTraining } from "@openledger/attribution/model/direct/direct-training";
import type { PublishedModel } from "@openledger/attribution/model/model-files";
import type { OwnedRow } from "@openledger/attribution/model/owned-rows";
import type { FaultName } from "@openledger/challenger/model-commitments/read-windows";
import { registeredDirect } from "@openledger/challenger/model-commitments/testing/direct-case";
import {
  type CommittedModel,
  type Leaves,
  TREES,
  withTrees,
} from "@openledger/challenger/statements/committed-model";
import { directEntry, numberBytes, readNumbers } from "@openledger/challenger/statements/direct-arithmetic";
import { directModelCommitment, mapPlaces } from "@openledger/challenger/statements/direct-model-commitment";
import { int64Bytes, pairBytes, readFact, readInt64s } from "@openledger/challenger/statements/leaf-bytes";
import { countRow } from "@openledger/challenger/statements/row-arithmetic";
import { type Changes, type CommitmentLie, changedFact, clipLies, ONE, type ToldLie, toldOf } from "./lie.ts";

type Model = PublishedModel<DirectParts>;

export interface HonestModel {
  readonly model: Model;
  readonly rows: readonly OwnedRow[];
}

/** The last row is a near-duplicate of an earlier one. */
export interface HonestDirect extends HonestModel {
  /** Of a version with a row that no challenge can show. */
  readonly long: HonestModel;
}

export type DirectLie = CommitmentLie<HonestDirect, Model>;

/** The row that lies are about. */
const LIAR_ROW = 3;
const COPIED_ROW = 1;
const MOST_ENTRY = 511;

/** Of the model that its owner has registered all the same. */
interface Told extends ToldLie {
  readonly isServed?: boolean;
  /** Of every tree but the facts'. */
  roots?(): Uint8Array;
  model?(made: HonestDirect): Model | Promise<Model>;
  /** Of another version; default: of the honest model's. */
  of?(made: HonestDirect): HonestModel;
}

const moved = (place: number, by: bigint) => (leaf: Uint8Array) => {
  const row = readInt64s(leaf, leaf.length / 8)!;
  return int64Bytes(row.map((value, a) => (a === place ? value + by : value)));
};
const widthOf = ({ statement }: CommittedModel) => statement.columnCount;
const zeros = (leaf: Uint8Array) => new Uint8Array(leaf.length);

const told = (name: string, description: string, fault: FaultName, lie: Told): DirectLie => ({
  ...{ name, description, fault, isFought: false, isServed: lie.isServed ?? true },
  async make(made) {
    const of = lie.of?.(made) ?? made;
    const model = (await lie.model?.(made)) ?? of.model;
    const contents = of.rows.map(({ content }) => content);
    return {
      ...{ model, own: null },
      posted(modelId) {
        const { leaves, numbers } = toldOf(directModelCommitment(model, contents, modelId), lie);
        // Of these L1 is given leaves.
        const trees = TREES.filter((tree) => !["facts", "map", "weights"].includes(tree));
        const roots = lie.roots && Object.fromEntries(trees.map((tree) => [tree, lie.roots!()]));
        return withTrees(leaves, numbers, roots);
      },
    };
  },
});

export const DIRECT_LIES: readonly DirectLie[] = [
  told("frequent", "a row of B in the direction of frequent queries, as long as the row was", "Entry", {
    model: (made) => withRow(made, (row) => towards(made, Math.hypot(...row))),
  }),
  told("longest", "the same, as long as entries go", "Lengths", {
    model: (made) => withRow(made, () => towards(made, Number.POSITIVE_INFINITY)),
  }),
  told("copied", "a row of B copied from another", "Entry", {
    model: (made) => withRow(made, () => rowOf(made.model, COPIED_ROW)),
  }),
  told("inverse", "a false row of the curvature's inverse, and a B made of it", "Inverse", {
    model: withFalseInverse,
    changes({ leaves, statement: { columnCount: width } }) {
      const { column, row } = falseInverse(leaves, width);
      return { map: { [mapPlaces(width).inverse + column]: () => int64Bytes(row) } };
    },
  }),
  told("weights", "weights off the optimum, and a B and answers made of them", "Optimum", {
    async model({ model, rows }) {
      const parameters = model.parameters.map((x, k) => (k === 21 ? x + 0.01 : x));
      const features = await directTraining.features({ ...model, parameters }, rows, {});
      return registeredDirect({ ...model, rows, accuracy: null, parameters, features } as never);
    },
  }),
  told("logit", "the logit's row turned around, so that answers are the other class", "Logit", {
    model(made) {
      const { featureCount, rowCount, values } = made.model.features;
      const ofRows = rowCount * featureCount;
      return withMatrix(
        made,
        values.map((entry, place) => (place < ofRows ? entry : -entry)),
      );
    },
  }),
  told("curvature", "an entry of the curvature", "Curvature", {
    changes: (honest) => ({ map: { [mapPlaces(widthOf(honest)).curvature + 3]: moved(9, 5n) } }),
  }),
  told("peak", "a place of the largest entry that there is not", "Peak", {
    changes: () => ({ map: { 0: (leaf) => numberBytes({ ...readNumbers(leaf), peak: 2n ** 200n }) } }),
  }),
  told("tokens", "a token list that is not the text's", "Tokens", {
    changes: () => ({ tokens: { [LIAR_ROW]: () => pairBytes([[1, 1]]) } }),
  }),
  told("size", "how many terms rows have", "Size", { changes: () => ({ map: { 1: zeros } }) }),
  told("residual", "a residual that is off by 2^-35", "Residual", {
    changes: () => ({
      facts: { [LIAR_ROW]: changedFact(({ residual }) => ({ residual: residual + 32n })) },
    }),
  }),
  told("length", "a row said to be half as long as it is", "RowLength", {
    changes: () => ({ facts: { [LIAR_ROW]: changedFact(({ length }) => ({ length: length >> 1 })) } }),
  }),
  ...clipLies(told),
  told("factor", "a factor above its cluster's share", "Factor", {
    changes: () => ({ facts: { [LIAR_ROW]: changedFact(() => ({ factor: 2n * ONE })) } }),
  }),
  told("duplicate", "a near-duplicate that leads itself", "Duplicate", { changes: withoutLeader }),
  told("input", "a column of the inputs", "Input", {
    changes: () => ({ inputs: { 2: () => pairBytes([[0, 3]]) } }),
  }),
  told("cell", "a column of B that its rows do not make", "Cell", {
    changes: () => ({ columns: { 4: (leaf) => new Uint8Array(leaf.length + 2) } }),
  }),
  told("point", "a point that is not its column's", "Point", {
    changes: () => ({ points: { 0: (leaf) => leaf.slice().fill(7, 4 * 64, 5 * 64) } }),
  }),
  told("digest", "a digest of points", "Digest", {
    changes: (honest) => ({
      map: { [mapPlaces(widthOf(honest)).digests]: (leaf) => leaf.slice().fill(0, 32, 64) },
    }),
  }),
  told("statics", "another λ than the recipe's", "Statics", {
    numbers: ({ decay }) => ({ decay: decay + 1n }),
  }),
  told("version", "a row that is not the version's", "VersionRow", {
    changes: ({ leaves }) => ({ rows: { [LIAR_ROW]: () => leaves.rows[LIAR_ROW + 1]! } }),
  }),
  told("long-row", "a row that no transaction can show", "RowTooLong", { of: ({ long }) => long }),
  told("unserved", "a row's entries of B in another order, in a model that is not served", "Unanswered", {
    isServed: false,
    model: (made) =>
      withRow(made, (row) => {
        const order = new SeededRandom("shuffle").permutation(row.length);
        return row.map((_, j) => row[order[j]!]!);
      }),
  }),
  told("random-roots", "roots without openings, of a model that is served", "Unanswered", {
    roots: () => crypto.getRandomValues(new Uint8Array(32)),
  }),
];

const rowOf = ({ features: { featureCount, values } }: Model, k: number): number[] =>
  Array.from(values.subarray(k * featureCount, (k + 1) * featureCount));

function withRow(made: HonestDirect, change: (row: number[]) => number[]): Model {
  const { featureCount, values } = made.model.features;
  const changed = values.slice();
  changed.set(change(rowOf(made.model, LIAR_ROW)), LIAR_ROW * featureCount);
  return withMatrix(made, changed);
}

function withMatrix({ model, rows }: HonestDirect, values: Model["features"]["values"]): Model {
  return registeredDirect({ ...model, rows, accuracy: null, features: { ...model.features, values } });
}

/** What frequent queries have in common: a query is a prompt's counts, and prompts are like rows. */
function towards({ model: { features }, rows }: HonestDirect, wanted: number): number[] {
  const mean = new Float64Array(features.featureCount);
  for (const { content } of rows) {
    const { counts, terms } = countRow(content, features.featureCount - 1);
    for (const [bucket, count] of counts) mean[bucket]! += count;
    mean[features.featureCount - 1]! += Math.sqrt(terms);
  }
  const scale = Math.min(wanted / Math.hypot(...mean), MOST_ENTRY / Math.max(...mean.map(Math.abs)));
  return Array.from(mean, (x) => Math.round(x * scale));
}

/** Every entry of one column fits the false row of the inverse: only its product with the curvature is wrong. */
function withFalseInverse(made: HonestDirect): Model {
  const contents = made.rows.map(({ content }) => content);
  const { leaves, statement } = directModelCommitment(made.model, contents, 0);
  const { bucketCount, columnCount: width } = statement;
  const { column, row } = falseInverse(leaves, width);
  const weights = readInt64s(leaves.weights[0]!, width)!;
  const { unit } = readNumbers(leaves.map[0]!);
  const values = made.model.features.values.slice();
  for (const [k, content] of contents.entries()) {
    const { factor } = readFact(leaves.facts[k]!)!;
    const value = directEntry(countRow(content, bucketCount), weights, row, factor, unit);
    values[k * width + column] = Math.round(Number(value) / 2 ** 40);
  }
  return withMatrix(made, values);
}

/** Beside the largest entry's column, whose place is posted, a row of Q with more on its diagonal: few units of B. */
function falseInverse({ map }: Leaves, width: number): { column: number; row: bigint[] } {
  const column = (Number(readNumbers(map[0]!).peak % BigInt(width)) + 1) % width;
  const row = readInt64s(map[mapPlaces(width).inverse + column]!, width)!;
  return { column, row: row.map((value, a) => (a === column ? value + value / 64n : value)) };
}

/** The shares of its cluster are those of one row less. */
function withoutLeader({ leaves }: CommittedModel): Changes {
  const facts = leaves.facts.map((leaf) => readFact(leaf)!);
  const copy = facts.length - 1;
  const cluster = facts.flatMap(({ leader }, k) => (leader === facts[copy]!.leader && k !== copy ? [k] : []));
  const size = BigInt(cluster.length);
  const share = (factor: bigint, rows: bigint) => (factor * (size + 1n)) / rows;
  return {
    facts: {
      ...Object.fromEntries(
        cluster.map((k) => [k, changedFact(({ factor }) => ({ factor: share(factor, size) }))]),
      ),
      [copy]: changedFact(({ factor }) => ({ leader: copy, factor: share(factor, 1n) })),
    },
  };
}
