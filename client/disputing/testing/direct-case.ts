/** A small direct model of e-mails, and what its honest owner posts, for tests and measurements. */
import { type DirectSource, directPosting } from "../../../attribution/disputes/direct-posting.ts";
import { directRules } from "../../../attribution/disputes/direct-ties.ts";
import { type Leaves, type PostedModel, withTrees } from "../../../attribution/disputes/posted-model.ts";
import { toFixed40 } from "../../../attribution/maths/fixed-point.ts";
import type { DirectRecipe } from "../../../attribution/model/direct-recipe.ts";
import { trainDirect } from "../../../attribution/model/direct-training.ts";
import type { OwnedRow } from "../../../attribution/model/owned-rows.ts";
import { recipeFor, sampleRows } from "../../../attribution/testing/sample-rows.ts";
import { hashTagged, initPoseidon } from "../../../circuits/field/poseidon.ts";
import { directShape } from "../../../circuits/ledger/direct-query.ts";
import { hashStatics, packBinding } from "../../../circuits/ledger/leaf.ts";
import { TAG } from "../../../circuits/protocol.ts";
import { commitDirectColumns } from "../../../circuits/settlement/direct-matrix.ts";
import { featuresCommitment } from "../../../circuits/settlement/feature-commitment.ts";

export interface DirectCase {
  readonly rows: readonly OwnedRow[];
  readonly contents: readonly Uint8Array[];
  readonly source: DirectSource;
  readonly honest: PostedModel;
}

interface DirectOptions {
  readonly bucketCount?: number;
  readonly decay?: number;
  readonly tolerance?: number;
  readonly rules?: DirectRecipe["rules"];
  readonly onProgress?: (text: string) => void;
}

export async function directCase(
  rowCount: number,
  {
    bucketCount = 64,
    decay = 0.01,
    tolerance = 1e-7,
    rules = { normQuantile: 0.9, nearDuplicatesShare: false },
    onProgress = () => {},
  }: DirectOptions = {},
): Promise<DirectCase> {
  await initPoseidon();
  const rows = sampleRows("email", rowCount);
  const recipe = {
    version: 2,
    family: "direct",
    datanet: recipeFor(rows).datanet,
    inputs: { kind: "email", bucketCount },
    seed: "recipe",
    model: { kind: "logistic", decay, tolerance },
    method: { kind: "direct", damping: decay },
    rules,
    columnCount: bucketCount + 1,
  } as DirectRecipe;
  onProgress("training");
  const trained = trainDirect(rows, recipe);
  onProgress("committing");
  const source = registeredSource(recipe, trained.parameters, trained.features as never, rowCount);
  onProgress("posting");
  const contents = rows.map(({ content }) => content);
  return { rows, contents, source, honest: directPosting(source, contents, 11) };
}

/** As an owner registers it. The owners' part of the statics is none of a posting's business. */
export function registeredSource(
  recipe: DirectSource["recipe"],
  parameters: Float64Array,
  features: DirectSource["features"],
  rowCount: number,
): DirectSource {
  const { bucketCount } = recipe.inputs;
  const columns = commitDirectColumns({ rowCount, bucketCount, values: features.values });
  const answering = 77n;
  const rules = directRules({
    bucketCount,
    decay: toFixed40(recipe.model.decay),
    sharesDuplicates: recipe.rules.nearDuplicatesShare,
    damping: toFixed40(recipe.method.damping),
  });
  const statics = {
    featuresCommitment: featuresCommitment(columns, hashTagged(TAG.challenged, [answering, rules])),
    ownersCommitment: 12n,
    earnerRoot: 13n,
    binding: packBinding({
      datanetId: 4n,
      version: 1n,
      rowCount: BigInt(rowCount),
      predecessorId: 0n,
      drawBits: 2n,
      featureCount: BigInt(directShape(bucketCount)),
    }),
    split: 15n,
  };
  return {
    ...{ recipe, parameters, features, columns, statics, answering },
    staticsHash: hashStatics(statics),
  };
}

/** What a hostile owner posts: other leaves. */
export function directLie(made: DirectCase, leaves: Partial<Leaves>): PostedModel {
  return withTrees({ ...made.honest.leaves, ...leaves }, made.honest.statement);
}
