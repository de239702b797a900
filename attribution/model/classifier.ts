import { labelsOf } from "../rows/row-content.ts";
import { logisticModel } from "./logistic-model.ts";
import { mlpModel } from "./mlp-model.ts";
import type { Model } from "./model.ts";
import type { Recipe } from "./recipe.ts";

/** The recipe's model, untrained. */
export function modelOf({ model, inputs, seed }: Recipe): Model {
  const common = {
    inputCount: inputs.kind === "email" ? inputs.bucketCount : inputs.side ** 2,
    classCount: labelsOf(inputs.kind).length,
  };
  return model.kind === "logistic"
    ? logisticModel({ ...common, decay: model.decay, tolerance: model.tolerance })
    : mlpModel({ ...common, ...model, sgd: { ...model, seed } });
}
