/** What a watcher finds of a posting when he recomputes it from published files. */
import { type Fault, findFaults } from "../../attribution/disputes/find-faults.ts";
import { decodeLeaves, requireRoots } from "../../attribution/disputes/leaf-file.ts";
import { type PostedModel, postedModel, type TreeName } from "../../attribution/disputes/posted-model.ts";
import type { ClassifierParts } from "../../attribution/model/classifier-family.ts";
import type { PublishedModel } from "../../attribution/model/model-files.ts";
import { isRollupError } from "../../circuits/rollup-error.ts";
import type { Posting } from "./read-postings.ts";

/** What a model's owner publishes. */
export interface PublishedFiles {
  readonly model: PublishedModel<ClassifierParts>;
  /** Contents of the version's rows, in its order. */
  readonly contents: readonly Uint8Array[];
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
  "rowCount",
  "bucketCount",
  "columnCount",
  "decay",
  "clipLength",
] as const;

/** @throws ATT_NOT_DISPUTABLE */
export function examinePosting({ statement, modelId }: Posting, files: PublishedFiles): Examined {
  const own = postedModel(files.model, files.contents, modelId);
  const warnings: string[] = COMPARED.filter((name) => statement[name] !== own.statement[name]).map(
    (name) => `${name} is ${statement[name]}, the model's is ${own.statement[name]}`,
  );
  if (files.mismatch !== null) warnings.push(files.mismatch);
  const areRowsOther = Buffer.compare(own.statement.roots.rows, statement.roots.rows) !== 0;
  if (areRowsOther) warnings.push("its rows are not the version's");
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
  // Nobody can show the text behind another row's hash.
  if (areRowsOther) return { fault: null, missing: "rows", warnings };
  const { value: fault } = findFaults(posted, files.contents).next();
  return { fault: fault === undefined ? null : { fault, posted }, missing: null, warnings };
}
