/**
 * Commits a contributor's rows to a Datanet (`contributeRows`), and collects the next version from all commits for the
 * Datanet's owner (`collectVersion`). Commands and pages call them. Rows are bytes in a `RowStore`; the ledger gets roots and
 * counts.
 */
import { isSalted } from "@openledger/attribution/rows/salted-rows";
import type { VersionRow } from "@openledger/circuits/ledger/version-rows";
import type { Card } from "@openledger/datanets/card/card";
import { isRollupError } from "@openledger/foundation/rollup-error";
import { rowNumber } from "@openledger/foundation/row-number";
import {
  areContested,
  claimRows,
  type IndexedCommit,
  type PublishedRows,
  readCommitted,
  rowHashOf,
} from "../actions/data/committed-rows.ts";
import { type DatanetCommit, type ListCommitsErrorCode, listCommits } from "../actions/data/list-commits.ts";
import { readVersion, type StoredVersionRow } from "../actions/data/published-version.ts";
import {
  type RowStore,
  type StoreContributionErrorCode,
  type StoredContribution,
  storeContribution,
} from "../actions/data/row-store.ts";
import { storeContributedLabels } from "../actions/data/stored-labels.ts";
import { storeSignedTerms } from "../actions/data/stored-terms.ts";
import {
  type CommitVersionOptions,
  commitVersion,
  usualShard,
  type VersionCommitments,
} from "../actions/data/version-commitments.ts";
import { readWithdrawn } from "../actions/data/withdrawn-rows.ts";
import { type CommitDataErrorCode, commitData } from "../actions/ledger/commit-data.ts";
import type { SendResult, SigningOptions } from "../actions/ledger/send-operation.ts";
import { clientError } from "../client-errors.ts";
import type { LedgerClient } from "../ledger-client.ts";
import { getLeaf } from "../sequencer/ledger-reads.ts";
import { signTerms } from "./signed-terms.ts";

export interface ContributeRowsParameters extends SigningOptions {
  datanetId: number;
  store: RowStore;
  /** Rows as the Datanet's card says them (`saltByCard`). */
  rows: readonly Uint8Array[];
  /** Contributor's label of each row, null for none: stored here, and signed by `uploadRows` once the host has the rows. */
  labels?: readonly (string | null)[];
  /** Card under whose terms the contributor gives the rows: signed and stored here, and sent by `uploadRows` before them. */
  givenUnder?: Card;
}
export interface ContributeRowsReturnType extends SendResult {
  contribution: StoredContribution;
}

export type ContributeRowsErrorCode = StoreContributionErrorCode | CommitDataErrorCode;

/**
 * Stores rows, then commits their root to the datanet: in this order, so that no root is without its rows.
 * @throws CLI_INPUT_INVALID and the errors of `commitData`
 * @example
 * ```ts
 * const { hash, contribution } = await contributeRows(client, { datanetId: 10, store, rows });
 * ```
 */
export async function contributeRows(
  client: LedgerClient,
  parameters: ContributeRowsParameters,
): Promise<ContributeRowsReturnType> {
  const contribution = await storeRows(client, parameters);
  const { rowsRoot, rowCount } = contribution;
  const sent = await commitData(client, { ...parameters, rowsRoot, rowCount });
  return { ...sent, contribution };
}

export type StoreRowsErrorCode = StoreContributionErrorCode | "CLI_INPUT_INVALID";

/**
 * Stores rows with their contributor's labels and signed terms, as `contributeRows` does before it commits.
 * @throws CLI_INPUT_INVALID for rows that are not as the card says, and for an empty or repeated one
 * @internal
 */
export async function storeRows(
  client: LedgerClient,
  parameters: Omit<ContributeRowsParameters, Exclude<keyof SigningOptions, "from">>,
): Promise<StoredContribution> {
  requireForm(parameters);
  const contribution = await storeContribution(parameters.store, parameters.rows);
  if (parameters.labels !== undefined)
    await storeContributedLabels(parameters.store, contribution, parameters.labels);
  const { rowsRoot } = contribution;
  const { datanetId, from, givenUnder, store } = parameters;
  if (givenUnder !== undefined) {
    const signer = from === undefined ? {} : { from };
    await storeSignedTerms(
      store,
      rowsRoot,
      await signTerms(client, { datanetId, rowsRoot, card: givenUnder, ...signer }),
    );
  }
  return contribution;
}

/** Requires rows as the card says them: a commit of others could not be brought to a host. @throws CLI_INPUT_INVALID */
function requireForm({ givenUnder, rows }: Pick<ContributeRowsParameters, "givenUnder" | "rows">): void {
  if (givenUnder === undefined) return;
  const digests = givenUnder.row.digests ?? null;
  const wrong = rows.findIndex((row) => isSalted(row) !== (digests === "salted"));
  if (wrong >= 0)
    throw clientError(
      "CLI_INPUT_INVALID",
      `row ${rowNumber(wrong)} is not as the card says: write rows by saltByCard`,
      {
        data: { reason: "row-salt", index: wrong, digests },
      },
    );
}

export interface CollectVersionParameters extends CommitVersionOptions {
  datanetId: number;
  store: RowStore;
  /**
   * Leaf that vouches for a row, the second half of its payee; null leaves the row out. A row's digest is its SHA-256.
   */
  validatorId: number | ((commit: DatanetCommit, digest: string) => number | null);
  /** Rows that stay out, by their names in the store (SHA-256), whoever has committed them. */
  leaveOut?: ReadonlySet<string>;
  /** Rows that count as committed although the store does not have their bytes, as `downloadCommits` names them; default: none. */
  holes?: ReadonlySet<string>;
}

/** A version that is not published yet. */
export interface CollectedVersion extends VersionCommitments {
  /** The same rows by the store's names, as `storeVersion` writes them. */
  readonly storedRows: readonly StoredVersionRow[];
  /** Rows that stay out, since the store has noted their contributors' withdrawals: SHA-256. */
  readonly withdrawn: readonly string[];
  /** Commits whose rows the store does not have: none of their rows is in the version. */
  readonly passedOver: readonly IndexedCommit[];
  /**
   * Rows of the published version that none of the other commits has: SHA-256. null where the store does not have that version's list.
   * They matter beside `passedOver`: these commits may be theirs.
   */
  readonly lost: readonly string[] | null;
}

export type CollectVersionErrorCode = "CIR_SETTLEMENT_SIZE" | "CLI_ROWS_MISSING" | ListCommitsErrorCode;

/**
 * Collects a datanet's next version from everything committed to it so far: its rows from the store, checked against the
 * committed roots, in the order of the ledger. A row that was committed twice, behind whatever salt, counts for its first contributor, and is
 * out where their contribution is; a row of the published version stays with whom that names (committed-rows.ts). Commits whose rows the
 * store does not have are passed over and named. Rows that their contributors have withdrawn stay out as far as the store knows it:
 * downloads from a host note them.
 *
 * @throws CLI_COMMITS_INCOMPLETE, CIR_SETTLEMENT_SIZE; CLI_ROWS_MISSING where several leaves have committed the same row, and the store
 *   does not have the published version's list
 * @example
 * ```ts
 * const { passedOver, rowCount } = await collectVersion(client, { datanetId: 10, store, validatorId: 8 });
 * ```
 */
export async function collectVersion(
  client: LedgerClient,
  { datanetId, holes, leaveOut, shard, store, validatorId }: CollectVersionParameters,
): Promise<CollectedVersion> {
  const vouches = typeof validatorId === "number" ? () => validatorId : validatorId;
  const rows: VersionRow[] = [];
  const digestOf = new Map<bigint, string>();
  const noted = new Map(
    (await readWithdrawn(store)).flatMap((row): [string, number][] =>
      row.datanetId === datanetId ? [[row.digest, row.contributorId]] : [],
    ),
  );
  const withdrawn: string[] = [];
  const { passedOver, read } = await readCommitted(store, await listCommits(client, datanetId), holes);
  const published = await readPublished(client, { datanetId, store }, areContested(read));
  const claimed = claimRows(read, published ?? []);
  for (const { commit, digest, isFirst, rowHash } of claimed) {
    if (!isFirst) continue;
    digestOf.set(rowHash, digest);
    const validator = vouches(commit, digest);
    if (noted.get(digest) === commit.contributorId) withdrawn.push(digest);
    else if (validator !== null && leaveOut?.has(digest) !== true)
      rows.push({ rowHash, contributorId: commit.contributorId, validatorId: validator });
  }
  const version = commitVersion(rows, { shard: shard ?? (await usualShard(client, rows)) });
  const storedRows = version.rows.map(({ rowHash, contributorId, validatorId: vouching }) => ({
    digest: digestOf.get(rowHash)!,
    contributorId,
    validatorId: vouching,
  }));
  const known = new Set(claimed.map(({ rowHash }) => rowHash));
  const lost = published?.flatMap(({ digest }) => (known.has(rowHashOf(digest)) ? [] : [digest])) ?? null;
  return { ...version, storedRows, withdrawn, passedOver, lost };
}

/**
 * Rows of the published version from the store, none where nothing is published; null where the store does not have them.
 * @param isNeeded true: that is an error
 * @throws CLI_ROWS_MISSING
 * @internal
 */
export async function readPublished(
  client: LedgerClient,
  { datanetId, store }: { readonly datanetId: number; readonly store: RowStore },
  isNeeded: boolean,
): Promise<PublishedRows | null> {
  const { datanet } = await getLeaf(client, datanetId);
  if (datanet == null || datanet.rowCount === 0) return [];
  try {
    return (await readVersion(store, datanet.rowsRoot)).rows;
  } catch (error) {
    if (isNeeded || !isRollupError(error, "CLI_ROWS_MISSING")) throw error;
    return null;
  }
}
