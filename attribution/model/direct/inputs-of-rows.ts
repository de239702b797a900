/**
 * Says whether a recipe's inputs are those that its rows give. Whoever chooses what counts chooses who is paid: a list of words that one
 * friend's rows alone have pays each of them 25 times an honest row, and the model trains, registers and answers as any other.
 */
import { reservedBuckets } from "../../features/direct-base.ts";
import { type InputShape, inputCandidates } from "../../inputs/choose-inputs.ts";
import { isIgnored, type ModelInputs } from "../../inputs/model-inputs.ts";
import { isReleased, RELEASED_VECTORS, vectorsOf } from "../../inputs/released-vectors.ts";
import type { OwnedRow } from "../owned-rows.ts";
import type { DirectRecipe } from "./direct-recipe.ts";

/**
 * True for each way to count that this release makes of the rows, with or without vectors of the release, and for ways that name nothing of
 * any rows (hashed words and pairs, a grid): they favour nobody, whichever of them the builder takes. Other vectors than the release's and
 * lists or limits that somebody wrote are others. Nothing is trained.
 */
export async function areInputsOfRows(
  rows: readonly Pick<OwnedRow, "content">[],
  recipe: DirectRecipe,
): Promise<boolean> {
  const { inputs } = recipe;
  if (areNeutralInputs(inputs)) return true;
  const room = { bucketCount: inputs.bucketCount, baseBuckets: reservedBuckets(recipe) };
  const contents = rows.map(({ content }) => content);
  const own = vectorsOf(inputs);
  const vectors = RELEASED_VECTORS.find(({ sha256 }) => sha256 === own?.sha256);
  const ways = await inputCandidates(shapeOf(recipe), contents, room, vectors);
  return ways.some((way) => JSON.stringify(way) === JSON.stringify(inputs));
}

/** True for ways that no rows decide. */
export function areNeutralInputs(inputs: ModelInputs): boolean {
  if (inputs.kind === "image") return inputs.numbers === undefined;
  if (inputs.kind === "table") return false;
  return inputs.words === undefined && (inputs.vectors === undefined || isReleased(inputs.vectors));
}

/** Kind, fields and labels as the preset took them from the card. */
function shapeOf({ classes, inputs }: DirectRecipe): InputShape {
  const labelCount = classes.length;
  if (inputs.kind !== "table") return { kind: inputs.kind, labelCount };
  const fields = inputs.fields.map(({ name, type }) => ({ name, type }));
  // Which fields count is the builder's open choice: how each is counted is not.
  const leftOut = inputs.fields.filter(isIgnored).map(({ name }) => name);
  return { kind: "table", fields, labelCount, leftOut };
}
