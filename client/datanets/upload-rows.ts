/**
 * Uploads to a Datanet host: the rows of a commit in pieces with their contributor's labels, and the list of a published
 * version. The host checks all against the ledger; the command line, the contribute page and mirrors call it.
 */
import type { SignedRecord } from "@openledger/datanets/records/record";
import { encodeDigests, encodeRows, encodeVersion } from "@openledger/datanets/rows/row-wire";
import { hex32 } from "@openledger/foundation/hex";
import { isRollupError, RollupError } from "@openledger/foundation/rollup-error";
import { z } from "zod";
import { readVersion } from "../actions/data/published-version.ts";
import { type RowStore, readContribution, readRow } from "../actions/data/row-store.ts";
import { readContributedLabels, type StoredLabels } from "../actions/data/stored-labels.ts";
import { readSignedTerms } from "../actions/data/stored-terms.ts";
import type { LedgerClient } from "../ledger-client.ts";
import { resolveSigner } from "../sequencer/ledger-reads.ts";
import { findKnownRows } from "./browse-rows.ts";
import { askHost, type HostErrorCode, type HostedDatanetLocation, hostInfo } from "./host-request.ts";
import { missingSchema, type RecordResult, receivedSchema } from "./host-schemas.ts";
import { bringRecords, sayRecords, type UnsignedRecord } from "./signed-records.ts";

/** Rows of a commit, wherever they lie. */
export interface RowSource {
  readonly rowsRoot: bigint;
  /** SHA-256 of each row, in the commit's order. */
  readonly digests: readonly string[];
  row(index: number): Uint8Array | Promise<Uint8Array>;
  /** Rows without bytes, since their contributors have withdrawn them; absent: none. */
  readonly withdrawn?: ReadonlySet<string>;
  /** Labels that their contributor gives to the rows; null or absent: none. */
  readonly labels?: StoredLabels | null;
  /** Terms that their contributor has signed (`signTerms`); null or absent: none, or the host has them. */
  readonly terms?: SignedRecord | null;
}

export interface UploadRowsParameters extends HostedDatanetLocation {
  source: RowSource;
  /** Leaf that signs the requests, and whose quota they use; default: the client's. */
  from?: number;
  onProgress?: (received: number, rowCount: number) => void;
}
export interface UploadRowsReturnType {
  rowCount: number;
  /** Rows sent by this call; the host had the others. */
  sentCount: number;
  /** Rows that were not sent, since their contributors have withdrawn them. */
  withdrawnCount: number;
  /** The contributor's labels that the host has. */
  labelCount: number;
  /** Labels that the host has refused, with the reason: the row has its labels, or there is a newer one. */
  refusedLabels: readonly { digest: string; error: NonNullable<RecordResult["error"]> }[];
}
export type UploadRowsErrorCode =
  | "DNT_NOT_ON_LEDGER"
  | "DNT_RECORD_INVALID"
  | "DNT_TERMS_UNSIGNED"
  | "DNT_UNKNOWN"
  | "SRV_QUOTA_USED"
  | "SRV_TOO_LARGE"
  | "CLI_ROWS_MISSING"
  | HostErrorCode;

/** Maximum rows of one request; the host limits bytes. */
const MAX_ROWS_A_PIECE = 2_000;
/** Pieces that are sent at once: the host reads one while its database stores another. */
const MAX_PIECES_ON_THE_WAY = 2;

/**
 * Uploads the rows of a final commit to a host. Rows that the host has are not sent again, so an interrupted upload goes
 * on where it was; acknowledged rows are on the host's disk. Terms that the contributor has signed go before the rows. Rows that their contributors have withdrawn are passed over. Then it signs the contributor's labels for the rows and sends
 * them, if the signer is their contributor.
 * @throws DNT_NOT_ON_LEDGER until the commit is final, DNT_TERMS_UNSIGNED where the card demands terms, DNT_UNKNOWN, SRV_QUOTA_USED, SRV_TOO_LARGE, CLI_ROWS_MISSING
 * @example
 * ```ts
 * const source = await contributionSource(store, rowsRoot);
 * const { sentCount } = await uploadRows(client, { hostUrl, datanetId: 10, source });
 * ```
 */
export async function uploadRows(
  client: LedgerClient,
  { datanetId, from, hostUrl, onProgress, source }: UploadRowsParameters,
): Promise<UploadRowsReturnType> {
  const { limits } = await hostInfo(client, hostUrl);
  const commit = commitPath(datanetId, source.rowsRoot);
  const put = (path: string, body: Uint8Array) =>
    askHost(client, hostUrl, { method: "PUT", path, body, isSigned: true, from }, receivedSchema);
  await bringList(client, { datanetId, from, hostUrl, ...source });
  if (source.terms != null) await bringTerms(client, { datanetId, hostUrl }, source.terms);
  let [sentCount, received] = [0, 0];
  const withdrawn = new Set(source.withdrawn);
  for (;;) {
    const answer = await askHost(client, hostUrl, { path: `${commit}/missing` }, missingSchema);
    const missing = runsWithout(source.digests, answer.missing, withdrawn);
    if (missing.length === 0) {
      const labelled = await sendLabels(client, { datanetId, hostUrl, from }, source);
      return { rowCount: source.digests.length, sentCount, withdrawnCount: withdrawn.size, ...labelled };
    }
    const pieces = piecesOf(source, missing, limits.maxChunkBytes);
    const sendSome = async () => {
      // A piece that fails ends them for all: the others that are on their way still arrive.
      for await (const { from: index, rows } of pieces) {
        const { receivedCount, rowCount } = await put(`${commit}/rows?from=${index}`, encodeRows(rows));
        sentCount += rows.length;
        // The answers may overtake each other.
        received = Math.max(received, receivedCount);
        onProgress?.(received, rowCount);
      }
    };
    const sent = await Promise.allSettled(Array.from({ length: MAX_PIECES_ON_THE_WAY }, sendSome));
    const failed = sent.find((result) => result.status === "rejected");
    if (failed === undefined) continue;
    // The host names what was withdrawn: the others go on.
    const before = withdrawn.size;
    for (const digest of withdrawnOf(failed.reason)) withdrawn.add(digest);
    if (withdrawn.size === before) throw failed.reason;
  }
}

const commitPath = (datanetId: number, rowsRoot: bigint) =>
  `/v1/datanets/${datanetId}/commits/${hex32(rowsRoot)}`;

/** Brings signed terms before their rows, which the host may demand. A newer record about the commit stays. */
async function bringTerms(
  client: LedgerClient,
  location: HostedDatanetLocation,
  record: SignedRecord,
): Promise<void> {
  const [result] = await bringRecords(client, { ...location, records: [record] });
  const error = result!.error;
  if (error !== null && error.code !== "DNT_RECORD_OUTDATED")
    throw new RollupError(error.code, error.message);
}

/**
 * Brings the list of a final commit to a host; one that is there stays.
 * @internal
 */
export async function bringList(
  client: LedgerClient,
  {
    datanetId,
    digests,
    from,
    hostUrl,
    rowsRoot,
  }: HostedDatanetLocation & Pick<RowSource, "digests" | "rowsRoot"> & { from?: number | undefined },
): Promise<void> {
  const path = `${commitPath(datanetId, rowsRoot)}/list`;
  const body = encodeDigests(digests);
  await askHost(client, hostUrl, { method: "PUT", path, body, isSigned: true, from }, receivedSchema);
}

interface Run {
  readonly from: number;
  readonly count: number;
}

/** Divides runs at the rows that are not to be sent. */
function runsWithout(digests: readonly string[], runs: readonly Run[], without: ReadonlySet<string>): Run[] {
  if (without.size === 0) return [...runs];
  const divided: Run[] = [];
  for (const { count, from } of runs) {
    let start = from;
    for (let index = from; index <= from + count; index++) {
      if (index < from + count && !without.has(digests[index]!)) continue;
      if (index > start) divided.push({ from: start, count: index - start });
      start = index + 1;
    }
  }
  return divided;
}

const withdrawnSchema = z.object({ digests: z.array(z.string()) });

/** Rows that a host's refusal names as withdrawn; none for another error. */
const withdrawnOf = (error: unknown): readonly string[] =>
  isRollupError(error, "DNT_ROW_WITHDRAWN")
    ? (withdrawnSchema.safeParse(error.data).data?.digests ?? [])
    : [];

/** Rows that are missing, in pieces of one request each. */
async function* piecesOf(
  source: RowSource,
  missing: readonly Run[],
  maxBytes: number,
): AsyncGenerator<{ from: number; rows: Uint8Array[] }> {
  for (const { count, from } of missing)
    for (let index = from; index < from + count; ) {
      const rows = await piece(source, index, from + count, maxBytes);
      yield { from: index, rows };
      index += rows.length;
    }
}

/** Rows whose labels are signed and sent at once. */
const LABELS_A_PART = 10_000;

async function sendLabels(
  client: LedgerClient,
  { datanetId, from, hostUrl }: HostedDatanetLocation & { from: number | undefined },
  { digests, labels: contributed = null }: RowSource,
): Promise<Pick<UploadRowsReturnType, "labelCount" | "refusedLabels">> {
  const refusedLabels: { digest: string; error: NonNullable<RecordResult["error"]> }[] = [];
  if (contributed === null) return { labelCount: 0, refusedLabels };
  const { id: leafId } = await resolveSigner(client, from);
  let labelCount = 0;
  for (let first = 0; first < digests.length; first += LABELS_A_PART) {
    const part = digests.slice(first, first + LABELS_A_PART);
    // A row that somebody committed earlier is theirs to label.
    const known = await findKnownRows(client, { datanetId, hostUrl, digests: part });
    const own = known.filter((row) => row.datanetId === datanetId && row.contributorId === leafId);
    const records = own.flatMap(({ place }): (UnsignedRecord & { kind: "label" })[] => {
      const label = contributed.labels[first + place] ?? null;
      return label === null ? [] : [{ kind: "label", row: part[place]!, label, flags: [], note: "" }];
    });
    const { atMs } = contributed;
    const signer = from === undefined ? {} : { from };
    const results = await sayRecords(client, { hostUrl, datanetId, records, atMs, ...signer });
    for (const [i, { error }] of results.entries()) {
      if (error === null) labelCount += 1;
      // They can be taken later: the upload is not over.
      else if (error.code === "SRV_QUOTA_USED") throw new RollupError(error.code, error.message);
      else refusedLabels.push({ digest: records[i]!.row, error });
    }
  }
  return { labelCount, refusedLabels };
}

async function piece(source: RowSource, from: number, end: number, maxBytes: number): Promise<Uint8Array[]> {
  const rows: Uint8Array[] = [];
  let bytes = 0;
  for (let index = from; index < end && rows.length < MAX_ROWS_A_PIECE; index++) {
    const row = await source.row(index);
    bytes += 4 + row.length;
    if (rows.length > 0 && bytes > maxBytes) break;
    rows.push(row);
  }
  return rows;
}

export type ContributionSourceErrorCode = "CLI_ROWS_MISSING";

/**
 * Rows of a contribution in a store, with the labels that `contributeRows` has stored, for `uploadRows`.
 * @throws CLI_ROWS_MISSING
 * @example
 * ```ts
 * const { digests } = await contributionSource(store, rowsRoot);
 * ```
 */
export async function contributionSource(store: RowStore, rowsRoot: bigint): Promise<RowSource> {
  const contribution = await readContribution(store, rowsRoot);
  const { digests, withdrawn } = contribution;
  const [labels, terms] = await Promise.all([
    readContributedLabels(store, contribution),
    readSignedTerms(store, rowsRoot),
  ]);
  return { rowsRoot, digests, labels, terms, withdrawn, row: (index) => readRow(store, digests[index]!) };
}

export interface BringVersionParameters extends HostedDatanetLocation {
  store: RowStore;
  rowsRoot: bigint;
  /** Leaf that signs the request; default: the client's. */
  from?: number;
}
export type BringVersionErrorCode =
  | "CLI_ROWS_MISSING"
  | "DNT_LIST_MISMATCH"
  | "DNT_NOT_HOSTED"
  | HostErrorCode;

/**
 * Brings the list of a published version to a host, which checks it against the ledger. Anybody may.
 * @throws CLI_ROWS_MISSING, DNT_LIST_MISMATCH, DNT_NOT_HOSTED
 * @example
 * ```ts
 * await bringVersion(client, { hostUrl, datanetId: 10, store, rowsRoot });
 * ```
 */
export async function bringVersion(
  client: LedgerClient,
  { datanetId, from, hostUrl, rowsRoot, store }: BringVersionParameters,
): Promise<void> {
  const { rows } = await readVersion(store, rowsRoot);
  const path = `/v1/datanets/${datanetId}/versions/${hex32(rowsRoot)}`;
  const body = encodeVersion(rows);
  await askHost(
    client,
    hostUrl,
    { method: "PUT", path, body, isSigned: true, from },
    z.object({ version: z.int() }),
  );
}
