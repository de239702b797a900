/**
 * Says whether a recipe's inputs are those that its rows give. Whoever chooses what counts chooses who is paid: a list of words that one
 * friend's rows alone have pays each of them 25 times an honest row, and the model trains, registers and answers as any other.
 */
import { reservedBuckets } from "../../features/direct-base.ts";
import { chooseInputs, type InputShape } from "../../inputs/choose-inputs.ts";
import { isIgnored, type ModelInputs } from "../../inputs/model-inputs.ts";
import type { ReadVectors } from "../../inputs/open-inputs.ts";
import { isReleased, RELEASED_VECTORS } from "../../inputs/released-vectors.ts";
import type { OwnedRow } from "../owned-rows.ts";
import type { DirectRecipe } from "./direct-recipe.ts";
import { fittedInputs } from "./fitted-inputs.ts";

/**
 * True for the choice of this release by inner folds, for the simplest way, which earlier releases chose, and for ways that name nothing of
 * any rows (hashed words and pairs, a grid): they favour nobody. Other vectors than the release's and lists that somebody wrote are others.
 */
export async function areInputsOfRows(
  rows: readonly Pick<OwnedRow, "content" | "label">[],
  recipe: DirectRecipe,
  readVectors?: ReadVectors,
): Promise<boolean> {
  const { classes, inputs, model } = recipe;
  const room = { bucketCount: inputs.bucketCount, baseBuckets: reservedBuckets(recipe) };
  const shape = shapeOf(recipe);
  const isSame = (other: unknown) => JSON.stringify(other) === JSON.stringify(inputs);
  if (isNeutral(inputs)) return true;
  const contents = rows.map(({ content }) => content);
  if (isSame(await chooseInputs(shape, contents, room))) return true;
  const fitted = await fittedInputs(shape, rows, room, {
    classes,
    decayOf: () => model.decay,
    ...(readVectors === undefined ? {} : { vectors: RELEASED_VECTORS, readVectors }),
  });
  return isSame(fitted);
}

/** Ways that no rows decide. */
function isNeutral(inputs: ModelInputs): boolean {
  if (inputs.kind === "image") return inputs.numbers === undefined;
  if (inputs.kind === "table") return false;
  return inputs.words === undefined && (inputs.vectors === undefined || isReleased(inputs.vectors));
}

/** Kind, fields and labels as the preset took them from the card. */
function shapeOf({ classes, inputs }: DirectRecipe): InputShape {
  const labelCount = classes.length;
  if (inputs.kind !== "table") return { kind: inputs.kind, labelCount };
  const fields = inputs.fields.map(({ name, type }) => ({ name, type }));
  // Of two fields that are no input one may be a number that no row has: the rows say so again.
  const ignored = inputs.fields.filter(isIgnored);
  const labels = ignored.find(({ type }) => type !== "number") ?? ignored[0];
  return { kind: "table", fields, labelCount, ...(labels === undefined ? {} : { labelField: labels.name }) };
}
