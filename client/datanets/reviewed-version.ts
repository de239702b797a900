/**
 * Builds a Datanet's version from a host's signed records: the card's rules decide which committed rows count and who validates
 * each. Owners publish such a version; anyone verifies the validators of a published one.
 */
import { type Card, mayVouch } from "@openledger/datanets/card/card";
import type { SignedRecord } from "@openledger/datanets/records/record";
import { outcomeOf, type RecordState } from "@openledger/datanets/records/record-state";
import { drawValidator } from "@openledger/datanets/records/validator-draw";
import { ownLabel } from "@openledger/datanets/rows/own-label";
import { hex32 } from "@openledger/foundation/hex";
import {
  type CollectedVersion,
  type CollectVersionErrorCode,
  collectVersion,
} from "../actions/data/contribute-rows.ts";
import type { DatanetCommit } from "../actions/data/list-commits.ts";
import { listCommits } from "../actions/data/list-commits.ts";
import { readVersion } from "../actions/data/published-version.ts";
import { type RowStore, readContribution, readRow } from "../actions/data/row-store.ts";
import type { CommitVersionOptions } from "../actions/data/version-commitments.ts";
import type { LedgerClient } from "../ledger-client.ts";
import { getLeaf } from "../sequencer/ledger-reads.ts";
import { type GetHostedDatanetErrorCode, getHostedDatanet } from "./datanet-card.ts";
import type { HostedDatanetPlace } from "./host-request.ts";
import { type ReadRecordsErrorCode, readRecords } from "./signed-records.ts";

export interface CollectReviewedParameters extends HostedDatanetPlace, CommitVersionOptions {
  /** Store with all committed rows, as `downloadCommits` brings them. */
  store: RowStore;
}
export interface CollectReviewedReturnType {
  version: CollectedVersion;
  /** Rows that stay out, each with the reason; first commits only. */
  leftOut: readonly { digest: string; contributorId: number; why: string }[];
}
export type CollectReviewedErrorCode =
  | CollectVersionErrorCode
  | ReadRecordsErrorCode
  | GetHostedDatanetErrorCode;

/**
 * Collects the version that follows from the card's rules and a host's records: rows of approved contributions that
 * nobody has left out. With drawn validators a row needs an accepted label, and its validator is drawn among those who
 * gave it; else the validator is the leaf that approved the contribution. Anyone who has the records gets the same
 * version.
 * @throws CLI_ROWS_MISSING, CIR_SETTLEMENT_SIZE, CLI_DATANET_HOST_FALSE
 * @example
 * ```ts
 * const { version, leftOut } = await collectReviewed(client, { hostUrl, datanetId: 10, store });
 * await storeVersion(store, version);
 * await publishVersion(client, { datanetId: 10, version });
 * console.log(leftOut.length);
 * ```
 */
export async function collectReviewed(
  client: LedgerClient,
  { datanetId, hostUrl, shard, store }: CollectReviewedParameters,
): Promise<CollectReviewedReturnType> {
  const { card } = await getHostedDatanet(client, { datanetId, hostUrl });
  const { recordState } = await readRecords(client, { datanetId, hostUrl });
  const leftOut: { digest: string; contributorId: number; why: string }[] = [];
  const ownLabels = await ownLabelsOf(client, { card, datanetId, store });
  const version = await collectVersion(client, {
    datanetId,
    shard,
    store,
    validatorId: (commit, digest) => {
      const rules = { card, recordState, datanetId, domain: client.domain, ownLabels };
      const decided = decide(rules, commit, digest);
      if (typeof decided === "number") return decided;
      leftOut.push({ digest, contributorId: commit.contributorId, why: decided });
      return null;
    },
  });
  return { version, leftOut };
}

/** Labels in the committed rows themselves, for rows that have one; rows from the store. */
async function ownLabelsOf(
  client: LedgerClient,
  { card, datanetId, store }: { card: Card; datanetId: number; store: RowStore },
): Promise<Map<string, string>> {
  const labels = new Map<string, string>();
  for (const { rowsRoot } of await listCommits(client, datanetId)) {
    for (const digest of (await readContribution(store, rowsRoot)).digests) {
      const label = ownLabel(card, await readRow(store, digest));
      if (label !== null) labels.set(digest, label);
    }
  }
  return labels;
}

interface ReviewRules {
  readonly card: Card;
  readonly recordState: RecordState;
  readonly datanetId: number;
  readonly domain: bigint;
  readonly ownLabels: ReadonlyMap<string, string>;
}

const ONLY_OWN = "only its contributor has validated it";

/** The validator's leaf, or the reason that the row stays out. */
function decide(
  { recordState, card, datanetId, domain, ownLabels }: ReviewRules,
  commit: DatanetCommit,
  digest: string,
): number | string {
  const verdict = recordState.verdict(hex32(commit.rowsRoot));
  if (verdict === null) return "the contribution is not approved yet";
  if (verdict.verdict === "reject") return `the contribution was rejected: ${verdict.note}`;
  const outcome = outcomeOf(card, recordState.row(digest));
  if (outcome.state === "leftOut")
    return outcome.note === "" ? outcome.why : `${outcome.why}: ${outcome.note}`;
  // Attack: a row with one label, vouched for by people who have given another.
  const own = ownLabels.get(digest);
  if (outcome.state === "accepted" && own !== undefined && own !== outcome.label)
    return `wrong-label: the row says ${own}, its labellers say ${outcome.label}`;
  const { contributorId } = commit;
  if (card.rewards.validator === "owner")
    return mayVouch(card, verdict.leafId, contributorId) ? verdict.leafId : ONLY_OWN;
  if (outcome.state !== "accepted") return outcome.state === "disputed" ? "disputed" : "waits for labels";
  const others = outcome.accepters.filter((leafId) => mayVouch(card, leafId, contributorId));
  return drawValidator({ domain, datanetId, row: digest }, others) ?? ONLY_OWN;
}

export interface VouchedRow {
  readonly digest: string;
  readonly validatorId: number;
  /**
   * former: signed by a key that the leaf no longer has. notDrawn: the card draws validators, and the hash draws another.
   * contradicted: the row has another label than the accepted one.
   */
  readonly vouching: "former" | "missing" | "notDrawn" | "contradicted";
}

export interface VerifyVouchingReturnType {
  rowCount: number;
  signedCount: number;
  /** Rows without a signature by the present key of the validator whom the card's rules name. */
  exceptions: readonly VouchedRow[];
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
 * host, and are checked here.
 * @throws CLI_ROWS_MISSING, CLI_DATANET_HOST_FALSE, CLI_COMMITS_INCOMPLETE
 * @example
 * ```ts
 * const { exceptions } = await verifyVouching(client, { hostUrl, datanetId: 10, store });
 * ```
 */
export async function verifyVouching(
  client: LedgerClient,
  { datanetId, hostUrl, store }: CollectReviewedParameters,
): Promise<VerifyVouchingReturnType> {
  const { datanet } = await getLeaf(client, datanetId);
  const { rows } = await readVersion(store, datanet?.rowsRoot ?? 0n);
  const { card } = await getHostedDatanet(client, { datanetId, hostUrl });
  const { recordState, records } = await readRecords(client, { datanetId, hostUrl });
  const commitOf = new Map<string, string>();
  for (const { rowsRoot } of await listCommits(client, datanetId))
    for (const digest of (await readContribution(store, rowsRoot)).digests)
      if (!commitOf.has(digest)) commitOf.set(digest, hex32(rowsRoot));
  const signed = vouchingRecords(records);
  const presentKeys = new Map<number, bigint>();
  const exceptions: VouchedRow[] = [];
  for (const { contributorId, digest, validatorId } of rows) {
    const outcome = outcomeOf(card, recordState.row(digest));
    const label = signed.get(`${validatorId}/${digest}`);
    const isAccepted =
      outcome.state === "accepted" && label !== undefined && saidLabel(label) === outcome.label;
    const records = [
      isAccepted ? label : undefined,
      signed.get(`${validatorId}/${commitOf.get(digest)}`),
    ].filter((record) => record !== undefined);
    if (!presentKeys.has(validatorId))
      presentKeys.set(validatorId, (await getLeaf(client, validatorId)).keyX);
    const isPresent = records.some(({ keyX }) => BigInt(keyX) === presentKeys.get(validatorId));
    const isDrawn = card.rewards.validator === "drawn";
    const accepters = (outcome.state === "accepted" ? outcome.accepters : []).filter((leafId) =>
      mayVouch(card, leafId, contributorId),
    );
    const own = ownLabel(card, await readRow(store, digest));
    if (!isPresent)
      exceptions.push({ digest, validatorId, vouching: records.length > 0 ? "former" : "missing" });
    else if (
      isDrawn &&
      drawValidator({ domain: client.domain, datanetId, row: digest }, accepters) !== validatorId
    )
      exceptions.push({ digest, validatorId, vouching: "notDrawn" });
    else if (own !== null && outcome.state === "accepted" && own !== outcome.label)
      exceptions.push({ digest, validatorId, vouching: "contradicted" });
  }
  return { rowCount: rows.length, signedCount: rows.length - exceptions.length, exceptions };
}

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
