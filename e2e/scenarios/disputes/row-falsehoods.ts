/** Lies about one row: of what a model registers, G of a classifier and B of a direct model, and of its token list. */

import { SeededRandom } from "@openledger/attribution/maths/seeded-random";
import { pairBytes } from "@openledger/challenger/internal/statements/leaf-bytes";
import type { PostableModel } from "@openledger/challenger/internal/statements/posting-kind";
import { type Falsehood, type HonestModel, LIAR_ROW, type ModelKind } from "./falsehood.ts";

type Integers = Int8Array | Int16Array;

interface RowLiar<Model extends PostableModel> {
  readonly kind: ModelKind;
  /** Before each name. */
  readonly prefix: string;
  /** What rows are of. */
  readonly matrix: string;
  /** Largest entry. */
  readonly most: number;
  /** What frequent queries have in common, of any length. */
  frequentDirection(made: HonestModel<Model>): Float64Array;
  /** The model with another matrix, registered as it is. */
  registeredWith(made: HonestModel<Model>, values: Integers): Model;
}

const COPIED_ROW = 1;

export function rowFalsehoods<Model extends PostableModel>(liar: RowLiar<Model>): Falsehood<Model>[] {
  const { kind, matrix, most, prefix } = liar;
  const towards = (made: HonestModel<Model>, wanted: number): number[] => {
    const direction = liar.frequentDirection(made);
    const scale = Math.min(wanted / Math.hypot(...direction), most / Math.max(...direction.map(Math.abs)));
    return Array.from(direction, (x) => Math.round(x * scale));
  };
  const lies: readonly [string, string, (row: number[], made: HonestModel<Model>) => number[]][] = [
    [
      "frequent",
      `a row of ${matrix} in the direction of frequent queries, as long as the row was`,
      (row, made) => towards(made, Math.hypot(...row)),
    ],
    ["longest", "the same, as long as entries go", (_, made) => towards(made, Number.POSITIVE_INFINITY)],
    ["copied", `a row of ${matrix} copied from another`, (_, { model }) => rowOf(model, COPIED_ROW)],
    [
      "shuffled",
      `a row's entries of ${matrix} in another order`,
      (row) => {
        const order = new SeededRandom("shuffle").permutation(row.length);
        return row.map((_, j) => row[order[j]!]!);
      },
    ],
  ];
  return lies.map(([name, description, change]) => ({
    kind,
    name: `${prefix}${name}`,
    description,
    model(made) {
      const { featureCount, values } = made.model.features;
      const changed = values.slice();
      changed.set(change(rowOf(made.model, LIAR_ROW), made), LIAR_ROW * featureCount);
      return liar.registeredWith(made, changed);
    },
  }));
}

/** The same lie about either kind: its leaves alone are false. */
export function falseTokens<Model extends PostableModel>({
  kind,
  prefix,
}: Pick<RowLiar<Model>, "kind" | "prefix">): Falsehood<Model> {
  return {
    kind,
    name: `${prefix}tokens`,
    description: "a token list that is not the text's",
    model: ({ model }) => model,
    leaves: ({ leaves }) => ({ tokens: leaves.tokens.with(LIAR_ROW, pairBytes([[1, 1]])) as Uint8Array[] }),
  };
}

const rowOf = ({ features: { featureCount, values } }: PostableModel, k: number): number[] =>
  Array.from(values.subarray(k * featureCount, (k + 1) * featureCount));
