/** Postings of whatever kind of model: with a map, or direct. */
import { type ClassifierParts, classifierFamily } from "../../attribution/model/classifier-family.ts";
import { type DirectParts, directFamily } from "../../attribution/model/direct-family.ts";
import type { ModelFamily } from "../../attribution/model/model-family.ts";
import type { PublishedModel } from "../../attribution/model/model-files.ts";
import type { OwnedRow } from "../../attribution/model/owned-rows.ts";
import { DIRECT } from "../../attribution/model/recipe-fields.ts";
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
