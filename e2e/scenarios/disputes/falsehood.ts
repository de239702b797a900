/** What a hostile owner posts: a model with one lie, made so that all else of the model commitment fits it. */

import type { DirectParts } from "@openledger/attribution/model/direct/direct-family";
import type { PublishedModel } from "@openledger/attribution/model/model-files";
import type { OwnedRow } from "@openledger/attribution/model/owned-rows";
import type { CommittedModel, Leaves } from "@openledger/challenger/internal/statements/committed-model";
import { type DisputeStatement, withTrees } from "@openledger/challenger/internal/statements/committed-model";
import { directModelCommitment } from "@openledger/challenger/internal/statements/direct-model-commitment";

export type Model = PublishedModel<DirectParts>;

export interface Falsehood {
  readonly name: string;
  readonly description: string;
  /** The model as its owner registers and publishes it. */
  model(made: HonestModel): Model | Promise<Model>;
  /** Leaves that he posts instead of the model's. */
  leaves?(posted: CommittedModel): Partial<Leaves>;
  /** What his statement says instead. */
  numbers?(posted: CommittedModel): Partial<DisputeStatement>;
}

export interface HonestModel {
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
  model: Model,
  contents: readonly Uint8Array[],
  modelId: number,
): CommittedModel {
  const posted = directModelCommitment(model, contents, modelId);
  if (leaves === undefined && numbers === undefined) return posted;
  const changed = { ...posted.leaves, ...leaves?.(posted) };
  return withTrees(changed, { ...posted.statement, ...numbers?.(posted) });
}
