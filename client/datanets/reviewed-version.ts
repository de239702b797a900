/**
 * Builds a Datanet's version from a host's signed records: the card's rules decide which committed rows count and who validates
 * each. Owners publish such a version; anyone verifies the validators of a published one.
 */
import { type Card, mayVouch } from "@openledger/datanets/card/card";
import type { SignedRecord } from "@openledger/datanets/records/record";
import {
  outcomeOf,
  type RecordState,
  type RowOutcome,
  WITHDRAWN,
} from "@openledger/datanets/records/record-state";
import { drawValidator } from "@openledger/datanets/records/validator-draw";
import { hex32 } from "@openledger/foundation/hex";
import {
  areContested,
  claimRows,
  type IndexedCommit,
  type PublishedRows,
  readCommitted,
} from "../actions/data/committed-rows.ts";
import type { DatanetCommit } from "../actions/data/list-commits.ts";
import { listCommits } from "../actions/data/list-commits.ts";
import { readVersion, type StoredVersionRow } from "../actions/data/published-version.ts";
import type { RowStore } from "../actions/data/row-store.ts";
import { nameVersionLabels, storeVersionLabels, type VersionLabels } from "../actions/data/stored-labels.ts";
import type { CommitVersionOptions } from "../actions/data/version-commitments.ts";
import type { LedgerClient } from "../ledger-client.ts";
import { getLeaf } from "../sequencer/ledger-reads.ts";
import {
  type CollectedVersion,
  type CollectVersionErrorCode,
  collectVersion,
  readPublished,
} from "./contribute-rows.ts";
import { readCountedRecords } from "./counted-records.ts";
import { cardOfVersion, type GetHostedDatanetErrorCode } from "./datanet-card.ts";
import type { HostedDatanetLocation } from "./host-request.ts";
import type { ReadRecordsErrorCode, ReadRecordsReturnType } from "./signed-records.ts";
import { type DroppedRecord, requireAllSigned } from "./sound-records.ts";

/** Reason why a row stays out until somebody settles what its labellers differ in. @internal */
export const DISPUTED = "disputed";
/** Reason why a row stays out until more people have labelled it. @internal */
export const WAITS_FOR_LABELS = "waits for labels";

/** Reason why a row stays out that its contributor has withdrawn. @internal */
export const WITHDRAWN_BY_CONTRIBUTOR = "withdrawn by its contributor";

/** Reason why a row stays out whose bytes no host gives, by a withdrawal that does not count any more. @internal */
export const REFUSED_BY_HOST = "withdrawn by a key that its contributor has replaced, as its host says";

/** Choice of a caller for records that their leaves' keys have not signed. */
export interface UnsignedOptions {
  /**
   * True computes from the signed records where the host shows others, too; default: that is an error, since what a host shows
   * in a leaf's name would have changed the result.
   */
  withoutUnsigned?: boolean;
}

export interface CollectReviewedParameters
  extends HostedDatanetLocation,
    CommitVersionOptions,
    UnsignedOptions {
  /** Store with the committed rows, as `downloadCommits` brings them. */
  store: RowStore;
  /** Rows that hosts do not give by a withdrawal of a replaced key, as `downloadCommits` names them: they stay out. Default: none. */
  refused?: readonly string[];
}
export interface CollectReviewedReturnType {
  version: CollectedVersion;
  /** Records of the host that count for nothing: the present key of their leaf has not signed them. */
  dropped: readonly DroppedRecord[];
  /** Accepted labels of the version's rows. */
  labels: VersionLabels;
  /** Rows that stay out, each with the reason; first commits only. */
  leftOut: readonly { digest: string; contributorId: number; why: string }[];
  /** Commits among `version.passedOver` that the records approve. */
  approvedMissing: readonly IndexedCommit[];
}
export type CollectReviewedErrorCode =
  | "CLI_RECORDS_UNSIGNED"
  | CollectVersionErrorCode
  | ReadRecordsErrorCode
  | GetHostedDatanetErrorCode;

/**
 * Collects the version that follows from the card's rules and a host's records: rows of approved contributions that
 * nobody has left out. With drawn validators a row needs an accepted label, and its validator is drawn among those who
 * gave it, or, where the card has no labels, among those who approved the contribution; else the validator is the leaf
 * that approved it. Anyone who has the records gets the same version. A record counts only if the ledger's key of its leaf has signed
 * it; a host may leave records out.
 * @throws CLI_RECORDS_UNSIGNED where the host shows others that decide, CLI_ROWS_MISSING, CIR_SETTLEMENT_SIZE,
 *   CLI_DATANET_HOST_FALSE
 * @example
 * ```ts
 * const { version, labels, leftOut } = await collectReviewed(client, { hostUrl, datanetId: 10, store });
 * await storeVersion(store, version);
 * await storeVersionLabels(store, labels);
 * await publishVersion(client, { datanetId: 10, version });
 * console.log(leftOut.length);
 * ```
 */
export async function collectReviewed(
  client: LedgerClient,
  { datanetId, hostUrl, refused = [], shard, store, withoutUnsigned }: CollectReviewedParameters,
): Promise<CollectReviewedReturnType> {
  const card = await cardOfVersion(client, { datanetId, hostUrl }, 0n);
  const holes = new Set(refused);
  const firsts = await firstCommits(client, { datanetId, store, holes });
  const contributors = new Map([...firsts].map(([digest, { contributorId }]) => [digest, contributorId]));
  const rules = { card, contributors };
  const { recordState, ...shown } = await readCountedRecords(client, { datanetId, hostUrl }, rules);
  const dropped = await requireAllSigned(client, { datanetId, hostUrl }, shown.dropped, withoutUnsigned);
  const leftOut: { digest: string; contributorId: number; why: string }[] = [];
  const version = await collectVersion(client, {
    datanetId,
    holes,
    shard,
    store,
    validatorId: (commit, digest) => {
      const rules = { card, recordState, datanetId, domain: client.domain };
      const decided = holes.has(digest) ? REFUSED_BY_HOST : decide(rules, commit, digest);
      if (typeof decided === "number") return decided;
      leftOut.push({ digest, contributorId: commit.contributorId, why: decided });
      return null;
    },
  });
  const labels = labelsOfRecords({ card, recordState, rows: version.storedRows });
  const approvedMissing = version.passedOver.filter(
    ({ rowsRoot }) => recordState.verdict(hex32(rowsRoot))?.verdict === "approve",
  );
  return { version, labels, leftOut, dropped, approvedMissing };
}

/** Accepted labels by the card's rules and the records, in the order of the rows. */
const acceptedLabels = (
  card: Card,
  recordState: RecordState,
  rows: readonly StoredVersionRow[],
): (string | null)[] =>
  rows.map(({ contributorId, digest }) => labelOf(outcomeOf(card, recordState.row(digest), contributorId)));

const labelOf = (outcome: RowOutcome) => (outcome.state === "accepted" ? outcome.label : null);

export interface CollectLabelsParameters extends HostedDatanetLocation, UnsignedOptions {
  /** Rows of the version, in its order, as `readVersion` returns them. */
  rows: readonly StoredVersionRow[];
}
export interface CollectLabelsReturnType extends VersionLabels {
  /** Records of the host that count for nothing: the present key of their leaf has not signed them. */
  dropped: readonly DroppedRecord[];
}
export type CollectLabelsErrorCode =
  | "CLI_RECORDS_UNSIGNED"
  | "CLI_LEAF_NOT_FOUND"
  | GetHostedDatanetErrorCode
  | ReadRecordsErrorCode;

/**
 * Computes the accepted labels of a version's rows from the card's rules and a host's records that the ledger's keys of their leaves
 * have signed. A host can leave records out, and make none.
 * @throws CLI_RECORDS_UNSIGNED where the host shows others that decide, CLI_DATANET_HOST_FALSE, DNT_NOT_HOSTED
 * @example
 * ```ts
 * const { rows } = await readVersion(store, rowsRoot);
 * const { labels, root } = await collectLabels(client, { hostUrl, datanetId: 10, rows });
 * ```
 */
export async function collectLabels(
  client: LedgerClient,
  { datanetId, hostUrl, rows, withoutUnsigned }: CollectLabelsParameters,
): Promise<CollectLabelsReturnType> {
  const card = await cardOfVersion(client, { datanetId, hostUrl }, 0n);
  const rules = { card, contributors: contributorsOf(rows) };
  const { recordState, ...shown } = await readCountedRecords(client, { datanetId, hostUrl }, rules);
  const dropped = await requireAllSigned(client, { datanetId, hostUrl }, shown.dropped, withoutUnsigned);
  return { ...labelsOfRecords({ card, rows, recordState }), dropped };
}

/**
 * Computes the accepted labels of rows from records that `readRecords` has read, as `collectLabels` does.
 * @internal
 */
export function labelsOfRecords({
  card,
  recordState,
  rows,
}: Pick<ReadRecordsReturnType, "recordState"> &
  Pick<CollectLabelsParameters, "rows"> & { card: Card }): VersionLabels {
  return nameVersionLabels(rows, acceptedLabels(card, recordState, rows));
}

export interface DownloadLabelsParameters extends HostedDatanetLocation, UnsignedOptions {
  /** Store that has the version, as `downloadVersion` brings it. */
  store: RowStore;
  /** Root of the version's rows. */
  rowsRoot: bigint;
}
export type DownloadLabelsErrorCode = "CLI_ROWS_MISSING" | CollectLabelsErrorCode;

/**
 * Computes the accepted labels of a stored version, as `collectLabels` does, and stores them beside it by their root.
 * @throws CLI_RECORDS_UNSIGNED, CLI_ROWS_MISSING, CLI_DATANET_HOST_FALSE, DNT_NOT_HOSTED
 * @example
 * ```ts
 * const { rowsRoot } = await downloadVersion(client, { hostUrl, datanetId: 10, store });
 * const { root } = await downloadLabels(client, { hostUrl, datanetId: 10, store, rowsRoot });
 * ```
 */
export async function downloadLabels(
  client: LedgerClient,
  { rowsRoot, store, ...place }: DownloadLabelsParameters,
): Promise<CollectLabelsReturnType> {
  const { rows } = await readVersion(store, rowsRoot);
  const labels = await collectLabels(client, { ...place, rows });
  await storeVersionLabels(store, labels);
  return labels;
}

interface ReviewRules {
  readonly card: Card;
  readonly recordState: RecordState;
  readonly datanetId: number;
  readonly domain: bigint;
}

const ONLY_OWN = "only its contributor has validated it";

/** Leaves among which a row's validator is drawn. */
function candidatesOf(
  { card, recordState }: Pick<ReviewRules, "card" | "recordState">,
  {
    accepters,
    commit,
    contributorId,
  }: { accepters: readonly number[]; commit: string; contributorId: number },
): number[] {
  const approvers = recordState
    .verdicts(commit)
    .flatMap(({ leafId, verdict }) => (verdict === "approve" ? [leafId] : []));
  const leaves = card.labels.length === 0 ? approvers : accepters;
  return leaves.filter((leafId) => mayVouch(card, leafId, contributorId));
}

/** The validator's leaf, or the reason that the row stays out. */
function decide(
  { recordState, card, datanetId, domain }: ReviewRules,
  commit: DatanetCommit,
  digest: string,
): number | string {
  const { contributorId, rowsRoot } = commit;
  const verdict = recordState.verdict(hex32(rowsRoot));
  if (verdict === null) return "the contribution is not approved yet";
  if (verdict.verdict === "reject") return `the contribution was rejected: ${verdict.note}`;
  const outcome = outcomeOf(card, recordState.row(digest), contributorId);
  if (outcome.state === "leftOut") {
    const why = outcome.why === WITHDRAWN ? WITHDRAWN_BY_CONTRIBUTOR : outcome.why;
    return outcome.note === "" ? why : `${why}: ${outcome.note}`;
  }
  if (card.rewards.validator === "owner")
    return mayVouch(card, verdict.leafId, contributorId) ? verdict.leafId : ONLY_OWN;
  if (outcome.state !== "accepted") return outcome.state === "disputed" ? DISPUTED : WAITS_FOR_LABELS;
  const location = { accepters: outcome.accepters, commit: hex32(rowsRoot), contributorId };
  const candidates = candidatesOf({ card, recordState }, location);
  return drawValidator({ domain, datanetId, row: digest }, candidates) ?? ONLY_OWN;
}

export interface VouchedRow {
  readonly digest: string;
  readonly validatorId: number;
  /**
   * former: signed by a key that the leaf had, by the ledger. notAccepted: the validator has signed a label, and the signed records
   * accept none for the row. notDrawn: the card draws validators, and the hash draws another.
   */
  readonly vouching: "former" | "missing" | "notAccepted" | "notDrawn";
}

export type VerifyVouchingParameters = Pick<CollectReviewedParameters, "datanetId" | "hostUrl" | "store">;

export interface VerifyVouchingReturnType {
  rowCount: number;
  signedCount: number;
  /** Rows without a signature by the present key of the validator whom the card's rules name. */
  exceptions: readonly VouchedRow[];
  /** Rows that their contributors have withdrawn since the version was published: nobody vouches for them any more. */
  withdrawn: readonly string[];
  /** Accepted labels of the version's rows. */
  labels: VersionLabels;
  /** Records of the host that count for nothing: the present key of their leaf has not signed them. */
  dropped: readonly DroppedRecord[];
}
export type VerifyVouchingErrorCode =
  | "CLI_ROWS_MISSING"
  | "CLI_COMMITS_INCOMPLETE"
  | "CLI_LEAF_NOT_FOUND"
  | GetHostedDatanetErrorCode
  | ReadRecordsErrorCode;

/**
 * Checks that every row's validator has signed for it: the label of the row that was accepted, or the approval of the
 * contribution that the row first came with. Where the card draws validators, each is drawn again. Signatures come from a
 * host, and count only by the keys that the ledger has.
 * @throws CLI_ROWS_MISSING, CLI_DATANET_HOST_FALSE, CLI_COMMITS_INCOMPLETE
 * @example
 * ```ts
 * const { exceptions } = await verifyVouching(client, { hostUrl, datanetId: 10, store });
 * ```
 */
export async function verifyVouching(
  client: LedgerClient,
  { datanetId, hostUrl, store }: VerifyVouchingParameters,
): Promise<VerifyVouchingReturnType> {
  const { datanet } = await getLeaf(client, datanetId);
  const { rows } = await readVersion(store, datanet?.rowsRoot ?? 0n);
  const card = await cardOfVersion(client, { datanetId, hostUrl }, 0n);
  const rules = { card, contributors: contributorsOf(rows) };
  const location = { datanetId, hostUrl };
  const { dropped, recordState, records } = await readCountedRecords(client, location, rules);
  const firsts = await firstCommits(client, { datanetId, store, published: rows });
  const signed = vouchingRecords(records);
  const former = vouchingRecords(dropped.flatMap(({ record, why }) => (why === "former" ? [record] : [])));
  const exceptions: VouchedRow[] = [];
  const withdrawn: string[] = [];
  const accepted: (string | null)[] = [];
  for (const { contributorId, digest, validatorId } of rows) {
    const outcome = outcomeOf(card, recordState.row(digest), contributorId);
    accepted.push(labelOf(outcome));
    if (isWithdrawn(outcome)) {
      withdrawn.push(digest);
      continue;
    }
    const commit = hex32(firsts.get(digest)?.rowsRoot ?? 0n);
    const ofRow = `${validatorId}/${digest}`;
    const ofCommit = `${validatorId}/${commit}`;
    const label = signed.get(ofRow);
    const isAccepted =
      outcome.state === "accepted" && label !== undefined && saidLabel(label) === outcome.label;
    const isSigned = isAccepted || signed.has(ofCommit);
    const isDrawn = card.rewards.validator === "drawn";
    const accepters = outcome.state === "accepted" ? outcome.accepters : [];
    const candidates = candidatesOf({ card, recordState }, { accepters, commit, contributorId });
    if (!isSigned)
      exceptions.push({
        digest,
        validatorId,
        vouching:
          former.has(ofRow) || former.has(ofCommit)
            ? "former"
            : label !== undefined && outcome.state !== "accepted"
              ? "notAccepted"
              : "missing",
      });
    else if (
      isDrawn &&
      drawValidator({ domain: client.domain, datanetId, row: digest }, candidates) !== validatorId
    )
      exceptions.push({ digest, validatorId, vouching: "notDrawn" });
  }
  const labels = nameVersionLabels(rows, accepted);
  const signedCount = rows.length - exceptions.length - withdrawn.length;
  return { rowCount: rows.length, signedCount, exceptions, withdrawn, labels, dropped };
}

/**
 * Contributor of each row of a list, by digest.
 * @internal
 */
export const contributorsOf = (
  rows: readonly { readonly digest: string; readonly contributorId: number }[],
): ReadonlyMap<string, number> => new Map(rows.map(({ contributorId, digest }) => [digest, contributorId]));

/** The commit that each row counts for, by digest (committed-rows.ts), among those that the store has whole. */
async function firstCommits(
  client: LedgerClient,
  {
    datanetId,
    holes,
    published,
    store,
  }: {
    readonly datanetId: number;
    readonly store: RowStore;
    readonly holes?: ReadonlySet<string>;
    /** Rows of the published version; absent: as the store has them. */
    readonly published?: PublishedRows;
  },
): Promise<Map<string, IndexedCommit>> {
  const { read } = await readCommitted(store, await listCommits(client, datanetId), holes);
  const rows = published ?? (await readPublished(client, { datanetId, store }, areContested(read))) ?? [];
  return new Map(
    claimRows(read, rows).flatMap(({ commit, digest, isFirst }) => (isFirst ? [[digest, commit]] : [])),
  );
}

const isWithdrawn = (outcome: RowOutcome) => outcome.state === "leftOut" && outcome.why === WITHDRAWN;

const saidLabel = ({ body }: SignedRecord) => ("label" in body ? body.label : null);

/** The last record by which a leaf vouches for a row or a commit, by "leaf/digest" and "leaf/root". */
function vouchingRecords(records: readonly SignedRecord[]): Map<string, SignedRecord> {
  const latest = new Map<string, SignedRecord>();
  for (const record of records) {
    const { body } = record;
    const about =
      body.kind === "label" || body.kind === "settle"
        ? `${body.leafId}/${body.row}`
        : body.kind === "verdict"
          ? `${body.leafId}/${body.commit}`
          : null;
    if (about === null) continue;
    const held = latest.get(about);
    if (held === undefined || held.body.atMs <= body.atMs) latest.set(about, record);
  }
  for (const [about, { body }] of latest) {
    const isAgainst =
      (body.kind === "verdict" && body.verdict === "reject") ||
      (body.kind === "settle" && body.label === null);
    if (isAgainst) latest.delete(about);
  }
  return latest;
}
