/** Labelled data sets of `npm run bench -- attribution`, each drawn in an order of its own: e-mails, digits, passages and Iris. */
import type { InputShape } from "@openledger/attribution/inputs/choose-inputs";
import { SeededRandom } from "@openledger/attribution/maths/seeded-random";
import type { DirectRecipe } from "@openledger/attribution/model/direct/direct-recipe";
import type { LabelledInput } from "@openledger/attribution/rows/row-content";
import { BROWN_GENRES, brownPassages } from "@openledger/attribution/testing/brown-corpus";
import { digitSource } from "@openledger/attribution/testing/digit-source";
import { irisSource } from "@openledger/attribution/testing/iris-flowers";
import { EMAIL_LABELS, emailContents } from "@openledger/attribution/testing/sample-emails";
import { usualRecipe } from "@openledger/models/testing/usual-recipe";

export const CORPUS_NAMES = ["brown", "emails", "digits", "iris"] as const;
export type CorpusName = (typeof CORPUS_NAMES)[number];

/** A data set's rows in random order; a label is a place in `classes`. */
export interface Corpus {
  readonly name: string;
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
    const source = irisSource();
    return { ...source, shape: source };
  },
};

/** @param count rows that are needed; without it all */
export function openCorpus(name: CorpusName, count?: number): Corpus {
  const { rows, ...corpus } = SOURCES[name]();
  const order = new SeededRandom(`${name}/split`).permutation(rows.length);
  return { name, ...corpus, rows: Array.from(order.subarray(0, count ?? rows.length), (i) => rows[i]!) };
}

/** The recipe of these rows by the default: the preset, and the rewards of a new card. */
export async function usualRecipeOf(
  { classes, shape }: Corpus,
  rows: readonly LabelledInput[],
): Promise<DirectRecipe> {
  const recipeOf = await usualRecipe({ ...shape, classes }, rows);
  return recipeOf(rows.length);
}
