/** Lies about one row: of the registered matrix, and of its token list. */

import { SeededRandom } from "@openledger/attribution/maths/seeded-random";
import { pairBytes } from "@openledger/challenger/internal/statements/leaf-bytes";
import { type Falsehood, type HonestModel, LIAR_ROW, type Model } from "./falsehood.ts";

export interface RowLiar {
  /** Largest entry. */
  readonly most: number;
  /** What frequent queries have in common, of any length. */
  frequentDirection(made: HonestModel): Float64Array;
  /** The model with another matrix, registered as it is. */
  registeredWith(made: HonestModel, values: Int16Array): Model;
}

const COPIED_ROW = 1;

export function rowFalsehoods(liar: RowLiar): Falsehood[] {
  const { most } = liar;
  const towards = (made: HonestModel, wanted: number): number[] => {
    const direction = liar.frequentDirection(made);
    const scale = Math.min(wanted / Math.hypot(...direction), most / Math.max(...direction.map(Math.abs)));
    return Array.from(direction, (x) => Math.round(x * scale));
  };
  const lies: readonly [string, string, (row: number[], made: HonestModel) => number[]][] = [
    [
      "frequent",
      "a row of B in the direction of frequent queries, as long as the row was",
      (row, made) => towards(made, Math.hypot(...row)),
    ],
    ["longest", "the same, as long as entries go", (_, made) => towards(made, Number.POSITIVE_INFINITY)],
    ["copied", "a row of B copied from another", (_, { model }) => rowOf(model, COPIED_ROW)],
    [
      "shuffled",
      "a row's entries of B in another order",
      (row) => {
        const order = new SeededRandom("shuffle").permutation(row.length);
        return row.map((_, j) => row[order[j]!]!);
      },
    ],
  ];
  return lies.map(([name, description, change]) => ({
    name,
    description,
    model(made) {
      const { featureCount, values } = made.model.features;
      const changed = values.slice();
      changed.set(change(rowOf(made.model, LIAR_ROW), made), LIAR_ROW * featureCount);
      return liar.registeredWith(made, changed);
    },
  }));
}

/** Its leaves alone are false. */
export const FALSE_TOKENS: Falsehood = {
  name: "tokens",
  description: "a token list that is not the text's",
  model: ({ model }) => model,
  leaves: ({ leaves }) => ({ tokens: leaves.tokens.with(LIAR_ROW, pairBytes([[1, 1]])) as Uint8Array[] }),
};

const rowOf = ({ features: { featureCount, values } }: Model, k: number): number[] =>
  Array.from(values.subarray(k * featureCount, (k + 1) * featureCount));
