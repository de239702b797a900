/** What a hostile owner posts: each is a model with one lie, made so that all else of the posting fits it. */
import { pairBytes } from "../../../attribution/disputes/leaf-bytes.ts";
import {
  type Leaves,
  type PostedModel,
  postedModel,
  withTrees,
} from "../../../attribution/disputes/posted-model.ts";
import { SeededRandom } from "../../../attribution/maths/seeded-random.ts";
import type { ClassifierParts } from "../../../attribution/model/classifier-family.ts";
import type { PublishedModel } from "../../../attribution/model/model-files.ts";
import type { OwnedRow } from "../../../attribution/model/owned-rows.ts";
import { registered } from "../../../client/disputing/testing/dispute-fixture.ts";

export interface Falsehood {
  readonly name: string;
  readonly description: string;
  /** The model as its owner registers and publishes it. */
  model(made: HonestModel): PublishedModel<ClassifierParts>;
  /** Leaves that he posts instead of the model's. */
  leaves?(posted: PostedModel): Partial<Leaves>;
}

export interface HonestModel {
  readonly model: PublishedModel<ClassifierParts>;
  readonly rows: readonly OwnedRow[];
  /** Of an epoch. */
  readonly draws: number;
}

const LIAR_ROW = 3;
const COPIED_ROW = 1;

export const FALSEHOODS: readonly Falsehood[] = [
  {
    name: "frequent",
    description: "a row of G in the direction of frequent queries, as long as the row was",
    model: (made) => withRow(made, (row, made) => frequentDirection(made, length(row))),
  },
  {
    name: "longest",
    description: "the same, as long as int8 goes",
    model: (made) => withRow(made, (_, made) => frequentDirection(made, Number.POSITIVE_INFINITY)),
  },
  {
    name: "copied",
    description: "a row of G copied from another",
    model: (made) => withRow(made, (_, { model }) => rowOf(model, COPIED_ROW)),
  },
  {
    name: "shuffled",
    description: "a row's entries in another order",
    model: (made) =>
      withRow(made, (row) => {
        const order = new SeededRandom("shuffle").permutation(row.length);
        return row.map((_, j) => row[order[j]!]!);
      }),
  },
  {
    name: "weights",
    description: "weights off the optimum, and a G made of them",
    model: ({ draws, model, rows }) => {
      const parameters = model.parameters.map((x, k) => (k === 21 ? x + 0.01 : x));
      return registered({ ...model, rows, accuracy: null, parameters }, draws);
    },
  },
  {
    name: "tokens",
    description: "a token list that is not the text's",
    model: ({ model }) => model,
    leaves: ({ leaves }) => ({ tokens: leaves.tokens.with(LIAR_ROW, pairBytes([[1, 1]])) as Uint8Array[] }),
  },
  {
    name: "column",
    description: "a column with another entry than G's row",
    model: ({ model }) => model,
    leaves: ({ leaves }) => {
      const column = leaves.columns[0]!.slice();
      column[LIAR_ROW] = (column[LIAR_ROW]! + 1) & 0xff;
      return { columns: leaves.columns.with(0, column) as Uint8Array[] };
    },
  },
  {
    name: "point",
    description: "a registered point that is not its column's",
    model: ({ model }) => model,
    leaves: ({ leaves }) => ({ points: leaves.points.with(0, leaves.points[1]!) as Uint8Array[] }),
  },
];

/** What he posts for the model's id on the ledger. */
export function postedLie(
  { leaves }: Falsehood,
  model: PublishedModel<ClassifierParts>,
  contents: readonly Uint8Array[],
  modelId: number,
): PostedModel {
  const posted = postedModel(model, contents, modelId);
  if (leaves === undefined) return posted;
  return withTrees({ ...posted.leaves, ...leaves(posted) }, posted.statement);
}

function withRow(
  made: HonestModel,
  change: (row: Int8Array, made: HonestModel) => Int8Array,
): PublishedModel<ClassifierParts> {
  const { draws, model, rows } = made;
  const values = model.features.values.slice();
  values.set(change(rowOf(model, LIAR_ROW), made), LIAR_ROW * model.features.featureCount);
  return registered({ ...model, rows, accuracy: null, features: { ...model.features, values } }, draws);
}

const rowOf = (
  { features: { featureCount, values } }: PublishedModel<ClassifierParts>,
  k: number,
): Int8Array => values.slice(k * featureCount, (k + 1) * featureCount);

const length = (row: Int8Array): number => Math.hypot(...row);

/** The direction that the rows of G have in common, but for their sign: queries are made like rows. */
function frequentDirection({ model }: HonestModel, wanted: number): Int8Array {
  const { featureCount, rowCount } = model.features;
  const mean = new Float64Array(featureCount);
  for (let k = 0; k < rowCount; k++) {
    const row = rowOf(model, k);
    for (const [j, entry] of row.entries()) mean[j]! += entry * Math.sign(row[0]! || 1);
  }
  const most = Math.max(...mean.map(Math.abs));
  const scale = Math.min(wanted / Math.hypot(...mean), 127 / most);
  return Int8Array.from(mean, (x) => Math.round(x * scale));
}
