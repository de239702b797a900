/** Commands about model commitments take a contract of disputes, or a gate with several behind it. */

import type { PublishedModel } from "@openledger/attribution/model/model-files";
import { claimantOf } from "@openledger/attribution/model/recipe-fields";
import { textDisputesAbi } from "@openledger/contracts/build/disputes-abi";
import { promisesRows, type TextRecipe } from "@openledger/models/registered/text-recipe";
import type { Address, PublicClient } from "viem";
import { challengerError } from "../challenger-errors.ts";
import { type GateContract, readGateContracts } from "../model-commitments/gate-contracts.ts";
import {
  MAIL_MODEL_COMMITMENTS,
  type ModelCommitmentKind,
} from "../model-commitments/model-commitment-kind.ts";
import { isDisputable } from "../statements/committed-model.ts";

/** All that take model commitments. @throws CMD_USAGE where there is none */
export async function contractsBehind(
  client: PublicClient,
  address: Address,
): Promise<readonly GateContract[]> {
  if ((await client.getCode({ address })) === undefined)
    throw challengerError("CMD_USAGE", `there is no contract at ${address}: check the address and --rpc`);
  const contracts = await readGateContracts(client, address);
  if (contracts.length === 0) throw challengerError("CMD_USAGE", `the contract at ${address} is no Disputes`);
  return contracts;
}

/** The games over rows that are posted here, where their models are registered, too. */
export const gamesOver = (client: PublicClient, disputes: Address): Promise<Address> =>
  client.readContract({ address: disputes, abi: textDisputesAbi, functionName: "games" });

/** The one that judges models of this kind. @throws CMD_USAGE */
export async function contractFor(
  client: PublicClient,
  address: Address,
  model: Pick<PublishedModel, "recipe">,
): Promise<Address> {
  const kind = contractKindOf(model);
  const found = (await contractsBehind(client, address)).find((one) => one.kind === kind);
  if (found === undefined)
    throw challengerError("CMD_USAGE", `no contract at ${address} judges models of this kind (${kind})`);
  return found.address;
}

/** Whether a model's statics promise that its rows are posted before it begins. */
export const promisesModelCommitment = (model: Pick<PublishedModel, "recipe">): boolean =>
  isDisputable(model) || promisesRows(model.recipe as { readonly tracing?: TextRecipe["tracing"] });

/** Which kind of contract a model's model commitment is for, and its admission without one. */
const contractKindOf = ({ recipe }: Pick<PublishedModel, "recipe">): GateContract["kind"] =>
  claimantOf(recipe) === null ? "direct" : "text";

/** How models of the kind of this one are posted. @param options where the base of a language model is */
export async function modelCommitmentKindOf(
  model: Pick<PublishedModel, "recipe">,
  { base }: { readonly base?: string | undefined },
  onProgress: (line: string) => void,
): Promise<ModelCommitmentKind> {
  if (contractKindOf(model) !== "text") return MAIL_MODEL_COMMITMENTS;
  // Loaded here: engines are much code.
  const [{ OpenedModels }, { TextModelCommitments }] = await Promise.all([
    import("./opened-models.ts"),
    import("./text-model-commitments.ts"),
  ]);
  return new TextModelCommitments(new OpenedModels(base, onProgress), onProgress).kind;
}
