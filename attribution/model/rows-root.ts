/**
 * Check of a model's rows and labels against the roots that its recipe names, which are on the ledger. Trainings, verification and
 * readers of published rows call it.
 */
import { sha256 } from "@noble/hashes/sha2.js";
import { hashRow, versionRowsRootSteps } from "@openledger/circuits/ledger/version-rows";
import { hex32 } from "@openledger/foundation/hex";
import { atOnce, type Steps } from "@openledger/foundation/slices";
import { attributionError } from "../attribution-errors.ts";
import { labelsRoot } from "../rows/accepted-labels.ts";
import { hashContentsSteps } from "../rows/labelled-rows.ts";
import { type OwnedRow, versionRows } from "./owned-rows.ts";
import { type RecipeBase, type RecipeVersion, versionsOf } from "./recipe-fields.ts";

/**
 * Requires the recipe's rows and labels.
 * @throws ATT_ROWS_MISMATCH where the rows, in this order and with these owners, are not those of the recipe's
 * versions; ATT_LABELS_MISMATCH where their accepted labels are not those that the recipe names
 */
export function checkRowsRoot(
  rows: readonly OwnedRow[],
  recipe: Pick<RecipeBase, "datanet" | "furtherDatanets">,
): void {
  const versions = versionsOf(recipe);
  atOnce(checkRootsSteps(rows, versions));
  const own = versionRows(rows);
  for (const [index, version] of versions.entries()) checkLabelsRoot(own[index]!, version);
}

/**
 * Requires the versions' rows, in steps that tell the part of the rows that was hashed. Needs `initPoseidon`.
 * @throws ATT_ROWS_MISMATCH
 */
export function* checkRootsSteps(
  rows: readonly OwnedRow[],
  versions: readonly Pick<RecipeVersion, "id" | "rowsRoot" | "version">[],
): Steps<void> {
  const input = versionRows(rows);
  // A row of no version would be trained on and be part of no root.
  if (input.length !== versions.length || input.reduce((sum, { length }) => sum + length, 0) !== rows.length)
    throw attributionError(
      "ATT_ROWS_MISMATCH",
      `rows of ${input.length} datanets were given, the recipe names ${versions.length}`,
    );
  let before = 0;
  for (const [index, version] of versions.entries()) {
    const own = input[index]!;
    for (const share of versionRootSteps(own, version)) yield (before + share * own.length) / rows.length;
    before += own.length;
  }
}

/** Root of the labels of a version's rows, which all have been looked up; null where one has not. */
export const rowLabelsRoot = (rows: readonly OwnedRow[]): bigint | null =>
  rows.every(({ label }) => label !== undefined)
    ? labelsRoot(rows.map(({ content, label }) => ({ digest: sha256(content), label: label ?? null })))
    : null;

function checkLabelsRoot(rows: readonly OwnedRow[], { id, labels, version }: RecipeVersion): void {
  if (labels === undefined) return;
  const root = rowLabelsRoot(rows);
  if (root === BigInt(labels)) return;
  throw attributionError(
    "ATT_LABELS_MISMATCH",
    root === null
      ? `the rows of datanet ${id}, version ${version}, were given without their accepted labels`
      : `the labels of ${rows.length} rows are not the accepted ones that the recipe names for datanet ${id}, version ${version}`,
    { data: { expectedRoot: labels, actualRoot: root === null ? null : hex32(root) } },
  );
}

function* versionRootSteps(
  rows: readonly OwnedRow[],
  datanet: Pick<RecipeVersion, "id" | "rowsRoot" | "version">,
): Steps<void> {
  const root = yield* versionRowsRootSteps(rows.length, (row) => {
    const { content, contributorId, validatorId } = rows[row]!;
    return { rowHash: hashRow(content), contributorId, validatorId };
  });
  if (root === BigInt(datanet.rowsRoot)) return;
  const contents = yield* allDone(hashContentsSteps(rows.map(({ content }) => content)));
  throw attributionError(
    "ATT_ROWS_MISMATCH",
    `${rows.length} rows are not those of datanet ${datanet.id}, version ${datanet.version}`,
    {
      data: {
        expectedRoot: datanet.rowsRoot,
        actualRoot: hex32(root),
        contents,
      },
    },
  );
}

/** Further steps of work that has told its end. */
function* allDone<Result>(work: Steps<Result>): Steps<Result> {
  for (let step = work.next(); ; step = work.next()) {
    if (step.done === true) return step.value;
    yield 1;
  }
}
