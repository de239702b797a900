/** What a watcher finds of a posting when he recomputes it from published files. */
import { type Fault, findFaults } from "../../attribution/disputes/find-faults.ts";
import { decodeLeaves, requireRoots } from "../../attribution/disputes/leaf-file.ts";
import { type PostedModel, postedModel, type TreeName } from "../../attribution/disputes/posted-model.ts";
import type { ClassifierParts } from "../../attribution/model/classifier-family.ts";
import type { PublishedModel } from "../../attribution/model/model-files.ts";
import type { OwnedRow } from "../../attribution/model/owned-rows.ts";
import { isRollupError } from "../../circuits/rollup-error.ts";
import type { Posting } from "./read-postings.ts";

/** What a model's owner publishes. */
export interface PublishedFiles {
  readonly model: PublishedModel<ClassifierParts>;
  /** The version's rows, in its order. */
  readonly rows: readonly OwnedRow[];
  /** The leaves as published; null where the owner publishes none: then they are computed from the model. */
  readonly leaves: Uint8Array | null;
  /** How the model differs from what its recipe makes of the rows, as `verifyModel` says it; null where it does not. */
  readonly mismatch: string | null;
}

export interface Examined {
  /** The first wrong place that L1 will refuse, with what it is shown from; null if there is none. */
  readonly fault: { readonly fault: Fault; readonly posted: PostedModel } | null;
  /** A tree whose leaves nobody publishes: its leaves can be demanded. */
  readonly missing: TreeName | null;
  /** What is wrong, but has no challenge: whoever approves the model has to refuse it. */
  readonly warnings: readonly string[];
}

const COMPARED = [
  "staticsHash",
  "rowsRoot",
  "answering",
  "ownersCommitment",
  "earnerRoot",
  "binding",
  "split",
  "rowCount",
  "bucketCount",
  "columnCount",
  "decay",
  "clipLength",
  "sharesDuplicates",
] as const;

/** Needs `initPoseidon`. @throws ATT_NOT_DISPUTABLE */
export function examinePosting({ statement, modelId }: Posting, files: PublishedFiles): Examined {
  const own = postedModel(
    files.model,
    files.rows.map(({ content }) => content),
    modelId,
  );
  const warnings: string[] = COMPARED.filter((name) => statement[name] !== own.statement[name]).map(
    (name) => `${name} is ${statement[name]}, the model's is ${own.statement[name]}`,
  );
  if (files.mismatch !== null) warnings.push(files.mismatch);
  if (Buffer.compare(own.statement.roots.map, statement.roots.map) !== 0)
    warnings.push("its map is not the published one");
  let posted: PostedModel;
  try {
    posted = files.leaves === null ? requireRoots(own, statement) : decodeLeaves(files.leaves, statement);
  } catch (error) {
    if (!isRollupError(error, "ATT_LEAVES_MISMATCH")) throw error;
    const missing = ((error.data as { tree?: TreeName }).tree ?? "features") as TreeName;
    return { fault: null, missing, warnings };
  }
  const { value: fault } = findFaults(posted, files.rows).next();
  return { fault: fault === undefined ? null : { fault, posted }, missing: null, warnings };
}
