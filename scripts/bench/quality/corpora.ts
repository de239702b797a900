/** Labelled data sets of `npm run bench -- attribution`, each drawn in an order of its own: e-mails, digits, passages and Iris. */
import { chooseInputs, type InputShape } from "@openledger/attribution/inputs/choose-inputs";
import { SeededRandom } from "@openledger/attribution/maths/seeded-random";
import type { DirectRecipe } from "@openledger/attribution/model/direct/direct-recipe";
import { contentOf, inputOf, type LabelledInput } from "@openledger/attribution/rows/row-content";
import { EMAIL_LABELS, emailContents } from "@openledger/attribution/rows/sample-emails";
import { encodeTableRow } from "@openledger/attribution/rows/table-rows";
import { BROWN_GENRES, brownPassages } from "@openledger/attribution/testing/brown-corpus";
import { digitSource } from "@openledger/attribution/testing/digit-source";
import { irisFlowers } from "@openledger/attribution/testing/iris-flowers";
import { classifierRecipe } from "@openledger/models/tuning/recipe/recipe-presets";

export const CORPUS_NAMES = ["brown", "emails", "digits", "iris"] as const;
export type CorpusName = (typeof CORPUS_NAMES)[number];

/** A data set's rows in random order; a label is a place in `classes`. */
export interface Corpus {
  readonly name: CorpusName;
  readonly shape: InputShape;
  readonly classes: readonly string[];
  readonly rows: readonly LabelledInput[];
}

type Unordered = Omit<Corpus, "name">;

const SOURCES: Record<CorpusName, () => Unordered> = {
  brown: () => ({ shape: { kind: "text" }, classes: BROWN_GENRES, rows: brownPassages() }),
  emails: () => ({
    shape: { kind: "text" },
    classes: EMAIL_LABELS,
    rows: emailContents()
      .map((content) => ({
        input: Buffer.from(content.subarray(0, -1)).toString("utf8"),
        label: content.at(-1)!,
      }))
      .filter(({ input }) => input.trim() !== ""),
  }),
  digits: () => ({ shape: { kind: "image" }, ...digitSource() }),
  iris: () => {
    const { classes, fields, rows } = irisFlowers();
    return {
      shape: { kind: "table", fields },
      classes,
      rows: rows.map(({ label, numbers }) => ({
        input: inputOf("table", encodeTableRow(fields, numbers)),
        label,
      })),
    };
  },
};

/** @param count rows that are needed; without it all */
export function openCorpus(name: CorpusName, count?: number): Corpus {
  const { rows, ...corpus } = SOURCES[name]();
  const order = new SeededRandom(`${name}/split`).permutation(rows.length);
  return { name, ...corpus, rows: Array.from(order.subarray(0, count ?? rows.length), (i) => rows[i]!) };
}

/** Buckets of the usual circuits of direct models. */
const BUCKETS = 1_024;

/** The recipe that the preset makes of these rows, without a base: it pays all rows alike. */
export async function presetOf(
  { classes, shape }: Corpus,
  rows: readonly LabelledInput[],
): Promise<Omit<DirectRecipe, "datanet">> {
  const contents = rows.map(({ input }) => contentOf(shape.kind, input));
  const inputs = await chooseInputs(shape, contents, { bucketCount: BUCKETS, baseBuckets: 0 });
  return classifierRecipe({ inputs, classes, rowCount: rows.length });
}
