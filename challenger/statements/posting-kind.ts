/** Postings of whatever kind of model: with a map, or direct. */
import { type ClassifierParts, classifierFamily } from "@openledger/attribution/model/classifier-family";
import { type DirectParts, directFamily } from "@openledger/attribution/model/direct-family";
import type { ModelFamily } from "@openledger/attribution/model/model-family";
import type { PublishedModel } from "@openledger/attribution/model/model-files";
import type { OwnedRow } from "@openledger/attribution/model/owned-rows";
import { DIRECT } from "@openledger/attribution/model/recipe-fields";
import { type DirectFault, findDirectFaults } from "./direct-faults.ts";
import { directPosting, isDirectStatement } from "./direct-posting.ts";
import { type Fault, findFaults } from "./find-faults.ts";
import { type PostedModel, postedModel } from "./posted-model.ts";

export type AnyFault = Fault | DirectFault;

/** Models of which an owner may post what they are made of. */
export type PostableModel = PublishedModel<ClassifierParts> | PublishedModel<DirectParts>;

/** For reading such a model: its recipe says which of both it is. */
export const POSTABLE_FAMILIES = [
  classifierFamily,
  directFamily,
] as readonly object[] as readonly ModelFamily<ClassifierParts>[];

/** What an honest owner posts. Needs `initPoseidon`. @throws ATT_NOT_DISPUTABLE */
export function honestPosting(
  model: PostableModel,
  contents: readonly Uint8Array[],
  modelId: number,
): PostedModel {
  return isOfDirect(model)
    ? directPosting(model, contents, modelId)
    : postedModel(model as PublishedModel<ClassifierParts>, contents, modelId);
}

/** Every wrong place that L1 would refuse, cheap rules first. Needs `initPoseidon`. @param owned the version's rows */
export function faultsOf(posted: PostedModel, owned: readonly OwnedRow[]): Generator<AnyFault> {
  return isDirectStatement(posted.statement) ? findDirectFaults(posted, owned) : findFaults(posted, owned);
}

function isOfDirect(model: PostableModel): model is PublishedModel<DirectParts> {
  return (model.recipe as { family?: string }).family === DIRECT;
}
