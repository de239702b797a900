/** Commands about model commitments take the registry that a rollup names as its gate. */

import type { PublishedModel } from "@openledger/attribution/model/model-files";
import { claimantOf } from "@openledger/attribution/model/recipe-fields";
import type { FamilyName } from "@openledger/contracts/build/dispute-judges";
import { promisesRows, type TextRecipe } from "@openledger/models/registered/text-recipe";
import type { Address, PublicClient } from "viem";
import { challengerError } from "../challenger-errors.ts";
import {
  MAIL_MODEL_COMMITMENTS,
  type ModelCommitmentKind,
} from "../model-commitments/model-commitment-kind.ts";
import { type Registry, readRegistry } from "../model-commitments/registry.ts";
import { isDisputable } from "../statements/committed-model.ts";
import type { OpenedModels } from "./opened-models.ts";

/** @throws CMD_USAGE where there is none */
export async function requireRegistry(client: PublicClient, address: Address): Promise<Registry> {
  if ((await client.getCode({ address })) === undefined)
    throw challengerError("CMD_USAGE", `there is no contract at ${address}: check the address and --rpc`);
  const registry = await readRegistry(client, address);
  if (registry === null)
    throw challengerError("CMD_USAGE", `the contract at ${address} is no registry of committed models`);
  return registry;
}

/** The number of the model's family. @throws CMD_USAGE where the registry has none with its rules */
export function familyNumberOf(
  { address, families }: Registry,
  model: Pick<PublishedModel, "recipe">,
): number {
  const name = familyNameOf(model);
  const number = families.indexOf(name);
  if (number === -1)
    throw challengerError(
      "CMD_USAGE",
      `the registry at ${address} judges no models of this family (${name})`,
    );
  return number;
}

/** Whether a model's statics promise that its rows are posted before it begins. */
export const promisesModelCommitment = (model: Pick<PublishedModel, "recipe">): boolean =>
  isDisputable(model) || promisesRows(model.recipe as { readonly tracing?: TextRecipe["tracing"] });

const familyNameOf = ({ recipe }: Pick<PublishedModel, "recipe">): FamilyName =>
  claimantOf(recipe) === null ? "direct" : "text";

/** How models of the kind of this one are posted. @param options where the base of a language model is */
export async function modelCommitmentKindOf(
  model: Pick<PublishedModel, "recipe">,
  { base, opened }: { readonly base?: string | undefined; readonly opened?: OpenedModels },
  onProgress: (line: string) => void,
): Promise<ModelCommitmentKind> {
  if (familyNameOf(model) !== "text") return MAIL_MODEL_COMMITMENTS;
  // Loaded here: engines are much code.
  const [{ OpenedModels }, { TextModelCommitments }] = await Promise.all([
    import("./opened-models.ts"),
    import("./text-model-commitments.ts"),
  ]);
  return new TextModelCommitments(opened ?? new OpenedModels(base, onProgress), onProgress).kind;
}
