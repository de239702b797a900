/** What a watcher finds of a posting when he recomputes it from published files. */
import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex } from "@noble/hashes/utils.js";
import { decodeLeaves, requireRoots } from "../../attribution/disputes/leaf-file.ts";
import type { PostedModel, TreeName } from "../../attribution/disputes/posted-model.ts";
import {
  type AnyFault,
  faultsOf,
  honestPosting,
  type PostableModel,
} from "../../attribution/disputes/posting-kind.ts";
import type { OwnedRow } from "../../attribution/model/owned-rows.ts";
import { digestToField } from "../../circuits/ledger/version-rows.ts";
import { isRollupError } from "../../circuits/rollup-error.ts";
import type { Posting } from "./read-postings.ts";

/** What a model's owner publishes. */
export interface PublishedFiles {
  readonly model: PostableModel;
  /** The version's rows, in its order. */
  readonly rows: readonly OwnedRow[];
  /** The leaves as published; null where the owner publishes none: then they are computed from the model. */
  readonly leaves: Uint8Array | null;
  /** How the model differs from what its recipe makes of the rows, as `verifyModel` says it; null where it does not. */
  readonly mismatch: string | null;
}

export interface Examined {
  /** The first wrong place that L1 will refuse, with what it is shown from; null if there is none. */
  readonly fault: { readonly fault: AnyFault; readonly posted: PostedModel } | null;
  /** A tree whose leaves nobody publishes: its leaves can be demanded. */
  readonly missing: TreeName | null;
  /** Which of its leaves to demand. */
  readonly missingIndex: number;
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
  "clipQuantile",
  "sharesDuplicates",
] as const;

/** Needs `initPoseidon`. @throws ATT_NOT_DISPUTABLE */
export function examinePosting({ statement, modelId }: Posting, files: PublishedFiles): Examined {
  const own = honestPosting(
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
    return { fault: null, missing, missingIndex: 0, warnings };
  }
  const unopened = unopenedRows(posted, files.rows);
  for (const fault of faultsOf(posted, files.rows)) {
    const shown = "other" in fault ? [fault.row, fault.other] : "row" in fault ? [fault.row] : [];
    if (NEEDS_TEXT.has(fault.kind) && shown.some((row) => unopened.has(row))) continue;
    return { fault: { fault, posted }, missing: null, missingIndex: 0, warnings };
  }
  const [missingIndex = null] = unopened;
  return {
    fault: null,
    missing: missingIndex === null ? null : "rows",
    missingIndex: missingIndex ?? 0,
    warnings,
  };
}

/** Challenges that open the row, or compare its digest. */
const NEEDS_TEXT: ReadonlySet<AnyFault["kind"]> = new Set([
  "rowTooLong",
  "tokens",
  "residual",
  "entry",
  "versionRow",
  "duplicate",
]);

/**
 * Attack: a digest plus r is the version's row to L1, and no text opens it. Such a row is demanded. It must not keep the
 * watcher from what else is wrong.
 */
function unopenedRows({ leaves }: PostedModel, rows: readonly OwnedRow[]): ReadonlySet<number> {
  const found = new Set<number>();
  for (const [k, { content }] of rows.entries()) {
    const [posted, digest] = [leaves.rows[k]!, sha256(content)];
    const isSame = bytesToHex(posted) === bytesToHex(digest);
    if (!isSame && digestToField(posted) === digestToField(digest)) found.add(k);
  }
  return found;
}
