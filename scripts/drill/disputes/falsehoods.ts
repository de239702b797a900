/** Lies about classifiers of e-mails, which the contract Disputes judges. */
import type { ClassifierParts } from "@openledger/attribution/model/classifier-family";
import type { PublishedModel } from "@openledger/attribution/model/model-files";
import { registered } from "@openledger/challenger/internal/postings/testing/dispute-fixture";
import { type Falsehood, LIAR_ROW } from "./falsehood.ts";
import { falseTokens, rowFalsehoods } from "./row-falsehoods.ts";

type Model = PublishedModel<ClassifierParts>;

const kind = "classifier";

export const FALSEHOODS: readonly Falsehood<Model>[] = [
  ...rowFalsehoods<Model>({
    ...{ kind, prefix: "", matrix: "G", most: 127 },
    /** The direction that the rows of G have in common, but for their sign: queries are made like rows. */
    frequentDirection({ model: { features } }) {
      const { featureCount, rowCount, values } = features;
      const mean = new Float64Array(featureCount);
      for (let k = 0; k < rowCount; k++) {
        const row = values.subarray(k * featureCount, (k + 1) * featureCount);
        for (const [j, entry] of row.entries()) mean[j]! += entry * Math.sign(row[0]! || 1);
      }
      return mean;
    },
    registeredWith: ({ draws, model, rows }, values) =>
      registered(
        { ...model, rows, accuracy: null, features: { ...model.features, values: values as Int8Array } },
        draws,
      ),
  }),
  {
    kind,
    name: "weights",
    description: "weights off the optimum, and a G made of them",
    model: ({ draws, model, rows }) => {
      const parameters = model.parameters.map((x, k) => (k === 21 ? x + 0.01 : x));
      return registered({ ...model, rows, accuracy: null, parameters }, draws);
    },
  },
  falseTokens({ kind, prefix: "" }),
  {
    kind,
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
    kind,
    name: "point",
    description: "a registered point that is not its column's",
    model: ({ model }) => model,
    leaves: ({ leaves }) => ({ points: leaves.points.with(0, leaves.points[1]!) as Uint8Array[] }),
  },
];
