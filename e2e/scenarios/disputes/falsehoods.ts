/** Lies about direct models, which the judges of their family refute. */

import { directTraining } from "@openledger/attribution/model/direct/direct-training";
import { registeredDirect } from "@openledger/challenger/internal/model-commitments/testing/direct-case";
import { factBytes, type Leaves } from "@openledger/challenger/internal/statements/committed-model";
import { directEntry, readNumbers } from "@openledger/challenger/internal/statements/direct-arithmetic";
import {
  directModelCommitment,
  mapPlaces,
} from "@openledger/challenger/internal/statements/direct-model-commitment";
import { int64Bytes, readFact, readInt64s } from "@openledger/challenger/internal/statements/leaf-bytes";
import { countRow } from "@openledger/challenger/internal/statements/row-arithmetic";
import { type Falsehood, type HonestModel, LIAR_ROW, type Model } from "./falsehood.ts";
import { FALSE_TOKENS, rowFalsehoods } from "./row-falsehoods.ts";

type Values = Model["features"]["values"];

const MOST_ENTRY = 511;

export const FALSEHOODS: readonly Falsehood[] = [
  ...rowFalsehoods({
    most: MOST_ENTRY,
    /** A query is a prompt's counts, and prompts are like rows. */
    frequentDirection({ model: { features }, rows }) {
      const mean = new Float64Array(features.featureCount);
      for (const { content } of rows) {
        const { counts, terms } = countRow(content, features.featureCount - 1);
        for (const [bucket, count] of counts) mean[bucket]! += count;
        mean[features.featureCount - 1]! += Math.sqrt(terms);
      }
      return mean;
    },
    registeredWith: (made, values) => registeredWith(made, values),
  }),
  {
    name: "inverse",
    description: "a false row of the curvature's inverse, and a B made of it",
    model: withFalseInverse,
    leaves: ({ leaves, statement }) => {
      const { columnCount: width } = statement;
      const { column, row } = falseInverse(leaves, width);
      return { map: leaves.map.with(mapPlaces(width).inverse + column, int64Bytes(row)) as Uint8Array[] };
    },
  },
  {
    name: "weights",
    description: "weights off the optimum, and a B and answers made of them",
    async model({ model, rows }) {
      const parameters = model.parameters.map((x, k) => (k === 21 ? x + 0.01 : x));
      const features = await directTraining.features({ ...model, parameters }, rows, {});
      return registeredDirect({ ...model, rows, accuracy: null, parameters, features } as never);
    },
  },
  {
    name: "logit",
    description: "the logit's row turned around, so that answers are the other class",
    model(made) {
      const { featureCount, rowCount, values } = made.model.features;
      return registeredWith(
        made,
        values.map((entry, place) => (place < rowCount * featureCount ? entry : -entry)),
      );
    },
  },
  FALSE_TOKENS,
  {
    name: "length",
    description: "a row said to be half as long as it is",
    model: ({ model }) => model,
    leaves: ({ leaves }) => {
      const fact = readFact(leaves.facts[LIAR_ROW]!)!;
      const short = factBytes({ ...fact, length: Math.floor(fact.length / 2) });
      return { facts: leaves.facts.with(LIAR_ROW, short) as Uint8Array[] };
    },
  },
  {
    name: "clip",
    description: "a clip twice as long as the recipe's quantile makes it",
    model: ({ model }) => model,
    numbers: ({ statement }) => ({ clipLength: 2 * statement.clipLength }),
  },
];

function registeredWith({ model, rows }: HonestModel, values: Values): Model {
  return registeredDirect({ ...model, rows, accuracy: null, features: { ...model.features, values } });
}

/** Every entry of one column fits the false row of the inverse: only its product with the curvature is wrong. */
function withFalseInverse(made: HonestModel): Model {
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
  return registeredWith(made, values);
}

/** Beside the largest entry's column, whose place is posted, a row of Q with more on its diagonal: few units of B. */
function falseInverse({ map }: Leaves, width: number): { column: number; row: bigint[] } {
  const column = (Number(readNumbers(map[0]!).peak % BigInt(width)) + 1) % width;
  const row = readInt64s(map[mapPlaces(width).inverse + column]!, width)!;
  return { column, row: row.map((value, a) => (a === column ? value + value / 64n : value)) };
}
