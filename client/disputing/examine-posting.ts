/** What a watcher finds of a posting when he recomputes it from published files. */
import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex } from "@noble/hashes/utils.js";
import {
  knownLeaves,
  type LeafPlace,
  type ShownLeaf,
  wantedOf,
} from "../../attribution/disputes/known-leaves.ts";
import { readLeaves } from "../../attribution/disputes/leaf-file.ts";
import type { Leaves, PostedModel } from "../../attribution/disputes/posted-model.ts";
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
  /** The first wrong place, what all of them are shown from, and those after it. null if there is none. */
  readonly fault: {
    readonly fault: AnyFault;
    readonly posted: PostedModel;
    readonly others: Iterable<AnyFault>;
  } | null;
  /** Leaves to demand, the first one first: nobody publishes them, or they have no room in a challenge. */
  readonly wanted: readonly LeafPlace[];
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

/** Needs `initPoseidon`. @param shown answers to demands @throws ATT_NOT_DISPUTABLE */
export function examinePosting(
  { statement, modelId }: Posting,
  files: PublishedFiles,
  shown: readonly ShownLeaf[] = [],
): Examined {
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
  const known = knownLeaves(statement, own, publishedLeaves(files), shown);
  const wanted = wantedOf(known, statement);
  const { posted } = known;
  if (posted === null) return { fault: null, wanted, warnings };
  const unopened = unopenedRows(posted, files.rows);
  const faults = challengeable(faultsOf(posted, files.rows), unopened);
  const first = faults.next();
  const fault = first.done === true ? null : { fault: first.value, posted, others: faults };
  const rows = Array.from(unopened, (index) => ({ tree: "rows" as const, index }));
  return { fault, wanted: [...wanted, ...rows], warnings };
}

/** null where there are none that can be read. */
function publishedLeaves({ leaves }: PublishedFiles): Leaves | null {
  if (leaves === null) return null;
  try {
    return readLeaves(leaves);
  } catch (error) {
    if (!isRollupError(error, "ATT_LEAVES_MISMATCH")) throw error;
    return null;
  }
}

function* challengeable(faults: Iterable<AnyFault>, unopened: ReadonlySet<number>): Generator<AnyFault> {
  for (const fault of faults) {
    const shown = "other" in fault ? [fault.row, fault.other] : "row" in fault ? [fault.row] : [];
    if (NEEDS_TEXT.has(fault.kind) && shown.some((row) => unopened.has(row))) continue;
    yield fault;
  }
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
