import type { FamilyTraining } from "../../attribution/model/model-family.ts";
import { type BasePlaces, modelTrainings, textSetting } from "../../models/registered/model-families.ts";
import { withPromise } from "./traced-recipe.ts";

/** Trainings of every family; those of language models with what their statics promise of their own numbers. */
export async function trainingsWithPromises(places: BasePlaces): Promise<readonly FamilyTraining[]> {
  const [trainings, setting] = await Promise.all([modelTrainings(places), textSetting(places)]);
  return trainings.map((one) =>
    one.family.name === "text" ? (withPromise(one as never, setting) as FamilyTraining) : one,
  );
}
