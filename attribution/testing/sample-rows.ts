/** Rows of a version for tests and trials, from the packaged data sets: contributors 5, 6 and 7, validators 8 and 9. */

import { hashRow, versionRowsRoot } from "@openledger/circuits/ledger/version-rows";
import { hex32 } from "@openledger/foundation/hex";
import { SeededRandom } from "../maths/seeded-random.ts";
import type { DirectRecipe } from "../model/direct/direct-recipe.ts";
import type { OwnedRow } from "../model/owned-rows.ts";
import type { RecipeVersion } from "../model/recipe-fields.ts";
import { rowLabelsRoot } from "../model/rows-root.ts";
import { contentOf, type LabelledInput } from "../rows/row-content.ts";
import { digitContents, digitFile } from "./mnist-digits.ts";
import { EMAIL_LABELS, emailContents } from "./sample-emails.ts";

/** Kinds of rows that there is a data set of. */
export type SampleKind = "text" | "image";

/** Labels of the data sets; an input's class number is a position in them. */
export const SAMPLE_CLASSES: Readonly<Record<SampleKind, readonly string[]>> = {
  text: EMAIL_LABELS,
  image: ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"],
};

/** `count` inputs with labels, drawn from the packaged data set without repetition. */
export function sampleInputs(kind: SampleKind, count: number, seed: string): LabelledInput[] {
  const source = kind === "text" ? emailContents() : digitContents();
  return [...new SeededRandom(seed).permutation(source.length).slice(0, count)].map((i) => {
    const bytes = source[i]!.subarray(0, -1);
    const input =
      kind === "text"
        ? Buffer.from(bytes).toString("utf8")
        : Buffer.from(digitFile(bytes)).toString("base64");
    return { label: source[i]!.at(-1)!, input };
  });
}

/** A row's bytes with its label's name. */
export const labelledRow = (kind: SampleKind, { input, label }: LabelledInput) => ({
  content: contentOf(kind, input),
  label: SAMPLE_CLASSES[kind][label]!,
});

export function sampleRows(kind: SampleKind, count: number, seed = "rows"): OwnedRow[] {
  const random = new SeededRandom(`${seed}/owners`);
  return sampleInputs(kind, count, seed)
    .map((row) => ({
      ...labelledRow(kind, row),
      contributorId: 5 + random.nextBelow(3),
      validatorId: 8 + random.nextBelow(2),
    }))
    .sort((a, b) => a.contributorId - b.contributorId || a.validatorId - b.validatorId);
}

/** Field of a recipe that names a version of these rows, with their labels where they have some. Needs `initPoseidon`. */
export function datanetOf(rows: readonly OwnedRow[]): RecipeVersion {
  const root = versionRowsRoot(
    rows.map(({ content, contributorId, validatorId }) => ({
      rowHash: hashRow(content),
      contributorId,
      validatorId,
    })),
  );
  const labels = rowLabelsRoot(rows);
  return { id: 4, version: 1, rowsRoot: hex32(root), ...(labels === null ? {} : { labels: hex32(labels) }) };
}

/** A small direct model's recipe for these rows. Needs `initPoseidon`. @param bucketCount a multiple of 16 */
export function recipeFor(
  rows: readonly OwnedRow[],
  bucketCount: number,
  changed: Partial<DirectRecipe> = {},
): DirectRecipe {
  const inputs = changed.inputs ?? { kind: "text", bucketCount };
  return {
    version: 2,
    family: "direct",
    datanet: datanetOf(rows),
    inputs,
    // No packaged data set is a table.
    classes: inputs.kind === "table" ? [] : [...SAMPLE_CLASSES[inputs.kind]],
    seed: "recipe",
    model: { kind: "logistic", decay: 0.01, tolerance: 1e-7 },
    method: { kind: "direct", damping: 0.01 },
    rules: { normQuantile: 0.9, nearDuplicatesShare: true },
    columnCount: bucketCount + 1,
    ...changed,
  };
}
