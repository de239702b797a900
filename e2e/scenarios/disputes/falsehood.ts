/** What a hostile owner posts: a model with one lie, made so that all else of the posting fits it. */

import type { OwnedRow } from "@openledger/attribution/model/owned-rows";
import type { Leaves, PostedModel } from "@openledger/challenger/internal/statements/posted-model";
import { type DisputeStatement, withTrees } from "@openledger/challenger/internal/statements/posted-model";
import { honestPosting, type PostableModel } from "@openledger/challenger/internal/statements/posting-kind";

/** Models that can be posted: each kind has a contract of its own. */
export const MODEL_KINDS = ["classifier", "direct"] as const;
export type ModelKind = (typeof MODEL_KINDS)[number];

export interface Falsehood<Model extends PostableModel = PostableModel> {
  readonly kind: ModelKind;
  readonly name: string;
  readonly description: string;
  /** The model as its owner registers and publishes it. */
  model(made: HonestModel<Model>): Model | Promise<Model>;
  /** Leaves that he posts instead of the model's. */
  leaves?(posted: PostedModel): Partial<Leaves>;
  /** What his statement says instead. */
  numbers?(posted: PostedModel): Partial<DisputeStatement>;
}

export interface HonestModel<Model extends PostableModel = PostableModel> {
  readonly model: Model;
  readonly rows: readonly OwnedRow[];
  /** Of an epoch. */
  readonly draws: number;
}

/** The row that lies are about. */
export const LIAR_ROW = 3;

/** What he posts for the model's id on the ledger. */
export function postedLie(
  { leaves, numbers }: Pick<Falsehood, "leaves" | "numbers">,
  model: PostableModel,
  contents: readonly Uint8Array[],
  modelId: number,
): PostedModel {
  const posted = honestPosting(model, contents, modelId);
  if (leaves === undefined && numbers === undefined) return posted;
  const changed = { ...posted.leaves, ...leaves?.(posted) };
  return withTrees(changed, { ...posted.statement, ...numbers?.(posted) });
}
