/** A model that promises claims of its own numbers, opened so that its queries can be traced. */

import { readModel } from "@openledger/attribution/model/model-directory";
import { initPoseidon } from "@openledger/circuits/field/poseidon";
import { textSetting } from "@openledger/models/registered/model-families";
import { type TextParts, textFamily } from "@openledger/models/registered/text-family";
import { type Address, getAddress } from "viem";
import { challengerError } from "../challenger-errors.ts";
import { isTracedBy, tracedOf } from "../games/traced-recipe.ts";
import { openTracedText } from "../games/traced-text.ts";

interface PromisedModel {
  readonly folder: string;
  readonly rollup: Address;
  readonly modelId: number;
  /** Where its base is, if its recipe does not find it. */
  readonly base?: string | undefined;
}

/** Takes as long as `openTracedText`. @throws CMD_USAGE for a model of another kind, and for one without the promise */
export async function openPromisedModel(
  { base, folder, modelId, rollup }: PromisedModel,
  progress: (line: string) => void,
) {
  await initPoseidon();
  const setting = await textSetting({ base });
  const family = textFamily(setting);
  const model = await readModel<TextParts>(folder, [family]);
  if (model.family !== family)
    throw challengerError("CMD_USAGE", "only queries of language models are traced");
  progress("reading the model, and the roots of its numbers");
  const traced = await openTracedText({ rollup, modelId: BigInt(modelId) }, model, setting);
  const { tracing } = model.recipe;
  if (tracing === undefined)
    throw challengerError(
      "CMD_USAGE",
      "the model's recipe promises no claims: openledger models train --claimant 0x… makes one that does",
    );
  if (!isTracedBy(traced, model.recipe))
    throw challengerError(
      "CMD_USAGE",
      "the digest in the model's recipe is of other numbers than its own: do not approve or pay it",
    );
  const terms = tracedOf(traced, model.recipe, getAddress(tracing.claimant));
  return { parts: model, setting, traced, terms };
}
