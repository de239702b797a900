/** A small direct model of e-mails, and what its honest owner posts, for tests and measurements. */

import type { DirectParts } from "@openledger/attribution/model/direct/direct-family";
import type { DirectRecipe } from "@openledger/attribution/model/direct/direct-recipe";
import { trainDirect } from "@openledger/attribution/model/direct/direct-training";
import type { Trained } from "@openledger/attribution/model/model-family";
import { type PublishedModel, publishedModel } from "@openledger/attribution/model/model-files";
import type { OwnedRow } from "@openledger/attribution/model/owned-rows";
import { registerModel } from "@openledger/attribution/model/registration";
import { recipeFor, sampleRows } from "@openledger/attribution/testing/sample-rows";
import { initPoseidon } from "@openledger/circuits/field/poseidon";
import type { CommittedModel } from "../../statements/committed-model.ts";
import { directModelCommitment } from "../../statements/direct-model-commitment.ts";
import { MOST_COMPARED_BYTES } from "../../statements/find-faults.ts";

export interface DirectCase {
  readonly rows: readonly OwnedRow[];
  readonly contents: readonly Uint8Array[];
  readonly trained: Trained<DirectParts>;
  readonly model: PublishedModel<DirectParts>;
  readonly honest: CommittedModel;
}

interface DirectOptions {
  readonly bucketCount?: number;
  readonly decay?: number;
  readonly tolerance?: number;
  readonly rules?: DirectRecipe["rules"];
  readonly onProgress?: (text: string) => void;
}

/** E-mails that may be posted where near-duplicates share, too. */
export const shortEmails = (count: number) =>
  sampleRows("email", 2 * count)
    .filter(({ content }) => content.length <= MOST_COMPARED_BYTES)
    .slice(0, count);

/** A model of these rows, or of this many e-mails. */
export async function directCase(
  given: number | readonly OwnedRow[],
  {
    bucketCount = 64,
    decay = 0.01,
    tolerance = 1e-7,
    rules = { normQuantile: 0.9, nearDuplicatesShare: false },
    onProgress = () => {},
  }: DirectOptions = {},
): Promise<DirectCase> {
  await initPoseidon();
  const rows = typeof given === "number" ? sampleRows("email", given) : given;
  const recipe = recipeFor(rows, bucketCount, {
    model: { kind: "logistic", decay, tolerance },
    method: { kind: "direct", damping: decay },
    ...{ rules, isChallengeable: true },
  });
  onProgress("training");
  const trained = trainDirect(rows, recipe);
  onProgress("registering");
  const model = registeredDirect(trained);
  onProgress("modelCommitment");
  const contents = rows.map(({ content }) => content);
  return { rows, contents, trained, model, honest: directModelCommitment(model, contents, 11) };
}

/** As its owner registers and publishes it. */
export function registeredDirect(trained: Trained<DirectParts>): PublishedModel<DirectParts> {
  const size = {
    rows: trained.rows.length,
    payees: trained.payees.length,
    features: trained.recipe.inputs.bucketCount,
    isDirect: true,
    draws: 4,
  };
  const terms = { split: { ownerParts: 13_107n, validatorParts: 8_192n } };
  return publishedModel(trained, registerModel(trained, terms, size), { publishRows: true });
}
