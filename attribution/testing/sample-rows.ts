/** Rows of a version for tests and trials, from the packaged data sets: contributors 5, 6 and 7, validators 8 and 9. */

import { hashRow, versionRowsRoot } from "@openledger/circuits/ledger/version-rows";
import { hex32 } from "@openledger/foundation/hex";
import { SeededRandom } from "../maths/seeded-random.ts";
import type { DirectRecipe } from "../model/direct/direct-recipe.ts";
import type { OwnedRow } from "../model/owned-rows.ts";
import type { RecipeBase } from "../model/recipe-fields.ts";
import { encodeRow, type RowKind } from "../rows/row-content.ts";
import { emailContents } from "../rows/spam-emails.ts";
import type { LabelledRows } from "./labelled-rows.ts";
import { loadMnist } from "./mnist-digits.ts";

/** `count` inputs with labels, drawn from the packaged data set without repetition. */
export function sampleInputs(kind: RowKind, count: number, seed: string): { label: number; input: string }[] {
  const source = loadSource(kind);
  return [...new SeededRandom(seed).permutation(source.length).slice(0, count)].map((i) => {
    const bytes = Buffer.from(source[i]!.subarray(0, -1));
    return { label: source[i]!.at(-1)!, input: bytes.toString(kind === "email" ? "utf8" : "base64") };
  });
}

const sources = new Map<RowKind, LabelledRows["contents"]>();

function loadSource(kind: RowKind): LabelledRows["contents"] {
  const source = sources.get(kind) ?? (kind === "email" ? emailContents() : loadMnist(14).contents);
  sources.set(kind, source);
  return source;
}

export function sampleRows(kind: RowKind, count: number, seed = "rows"): OwnedRow[] {
  const random = new SeededRandom(`${seed}/owners`);
  return sampleInputs(kind, count, seed)
    .map((row) => ({
      content: encodeRow(kind, row),
      contributorId: 5 + random.nextBelow(3),
      validatorId: 8 + random.nextBelow(2),
    }))
    .sort((a, b) => a.contributorId - b.contributorId || a.validatorId - b.validatorId);
}

/** Field of a recipe that names a version of these rows. Needs `initPoseidon`. */
export function datanetOf(rows: readonly OwnedRow[]): RecipeBase["datanet"] {
  const root = versionRowsRoot(
    rows.map(({ content, contributorId, validatorId }) => ({
      rowHash: hashRow(content),
      contributorId,
      validatorId,
    })),
  );
  return { id: 4, version: 1, rowsRoot: hex32(root) };
}

/** A small direct model's recipe for these rows. Needs `initPoseidon`. @param bucketCount a multiple of 16 */
export function recipeFor(
  rows: readonly OwnedRow[],
  bucketCount: number,
  changed: Partial<DirectRecipe> = {},
): DirectRecipe {
  return {
    version: 2,
    family: "direct",
    datanet: datanetOf(rows),
    inputs: { kind: "email", bucketCount },
    seed: "recipe",
    model: { kind: "logistic", decay: 0.01, tolerance: 1e-7 },
    method: { kind: "direct", damping: 0.01 },
    rules: { normQuantile: 0.9, nearDuplicatesShare: true },
    columnCount: bucketCount + 1,
    ...changed,
  };
}
