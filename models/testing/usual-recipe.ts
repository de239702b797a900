/** Recipe of a classifier whose Datanet's owner and builder change no setting: the preset, and the rewards of a new card. */
import type { InputShape } from "@openledger/attribution/inputs/choose-inputs";
import { usualRewards } from "@openledger/attribution/model/base-policy";
import { type DirectRecipe, parseDirectRecipe } from "@openledger/attribution/model/direct/direct-recipe";
import { classifierRecipe, completeRecipe, labelsPreset } from "../tuning/recipe/recipe-presets.ts";

interface UsualShape extends Pick<InputShape, "kind" | "fields"> {
  readonly classes: readonly string[];
  /** Buckets of the settlement circuit; default: of the usual ones. */
  readonly bucketCount?: number;
}

/** Buckets of the usual circuits of direct models. */
const USUAL_BUCKETS = 1_024;

/**
 * Makes the recipe of so many rows. Its `datanet` names none.
 * @param contents rows that inputs are chosen by
 */
export async function usualRecipe(
  { bucketCount = USUAL_BUCKETS, classes, fields = [], kind }: UsualShape,
  contents: readonly Uint8Array[],
): Promise<(rowCount: number) => DirectRecipe> {
  const card = JSON.stringify({
    row: { kind, fields },
    labels: classes.map((name) => ({ name })),
    rewards: usualRewards(kind, classes.length),
  });
  const rows = contents.map((content) => ({ content, label: null }));
  const { inputs } = await labelsPreset({ rows, bucketCount, card });
  const nowhere = { id: 1, version: 1, rowsRoot: 0n, labelsRoot: 0n };
  return (rowCount) =>
    parseDirectRecipe(
      completeRecipe(classifierRecipe({ inputs, classes, rowCount }), nowhere, bucketCount + 1, card),
    );
}
