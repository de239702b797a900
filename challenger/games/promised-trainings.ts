import type { FamilyTraining } from "@openledger/attribution/model/model-family";
import { type BasePlaces, modelTrainings, textSetting } from "@openledger/models/registered/model-families";
import { withPromise } from "./traced-recipe.ts";

/** Trainings of every family; those of language models with what their statics promise of their own numbers. */
export async function trainingsWithPromises(places: BasePlaces): Promise<readonly FamilyTraining[]> {
  const [trainings, setting] = await Promise.all([modelTrainings(places), textSetting(places)]);
  return trainings.map((one) =>
    one.family.name === "text" ? (withPromise(one as never, setting) as FamilyTraining) : one,
  );
}
