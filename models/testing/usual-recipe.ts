/** Recipe of a classifier whose Datanet's owner and builder change no setting: the preset, and the rewards of a new card. */
import type { InputShape } from "@openledger/attribution/inputs/choose-inputs";
import { RELEASED_VECTORS } from "@openledger/attribution/inputs/released-vectors";
import { usualRewards } from "@openledger/attribution/model/base-policy";
import { type DirectRecipe, parseDirectRecipe } from "@openledger/attribution/model/direct/direct-recipe";
import { contentOf, type LabelledInput } from "@openledger/attribution/rows/row-content";
import { classifierRecipe, completeRecipe, labelsPreset } from "../tuning/recipe/recipe-presets.ts";
import { readVectorsFrom } from "../tuning/vectors/vector-places.ts";

interface UsualShape extends Pick<InputShape, "kind" | "fields"> {
  readonly classes: readonly string[];
  /** Buckets of the settlement circuit; default: of the usual ones. */
  readonly bucketCount?: number;
  /** False: texts are counted by their words alone. */
  readonly withVectors?: boolean;
}

/** Buckets of the usual circuits of direct models. */
const USUAL_BUCKETS = 1_024;

/**
 * Makes the recipe of so many rows. Its `datanet` names none.
 * @param rows that inputs and weights of labels are chosen by
 */
export async function usualRecipe(
  { bucketCount = USUAL_BUCKETS, classes, fields = [], kind, withVectors = true }: UsualShape,
  rows: readonly LabelledInput[],
): Promise<(rowCount: number) => DirectRecipe> {
  const card = JSON.stringify({
    row: { kind, fields },
    labels: classes.map((name) => ({ name })),
    rewards: usualRewards(kind, classes.length),
  });
  const { inputs } = await labelsPreset({
    rows: rows.map(({ input, label }) => ({ content: contentOf(kind, input), label: classes[label]! })),
    bucketCount,
    card,
    ...(withVectors ? { vectors: RELEASED_VECTORS, readVectors: readVectorsFrom() } : {}),
  });
  const labelCounts = classes.map((_, at) => rows.filter(({ label }) => label === at).length);
  const nowhere = { id: 1, version: 1, rowsRoot: 0n, labelsRoot: 0n };
  return (rowCount) =>
    parseDirectRecipe(
      completeRecipe(
        classifierRecipe({ inputs, classes, labelCounts, rowCount }),
        nowhere,
        bucketCount + 1,
        card,
      ),
    );
}
