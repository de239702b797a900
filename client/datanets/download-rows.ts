/**
 * Downloads from a Datanet host into a `RowStore`: a version or all commits, each list checked against a root of the ledger and
 * each row against its SHA-256.
 */
import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex } from "@noble/hashes/utils.js";
import { versionRowsRoot } from "@openledger/circuits/ledger/version-rows";
import {
  decodeDigests,
  decodeRows,
  decodeVersion,
  type ListedRow,
  versionRowsOf,
} from "@openledger/datanets/rows/row-wire";
import { hex32 } from "@openledger/foundation/hex";
import { isRollupError } from "@openledger/foundation/rollup-error";
import type { ListCommitsErrorCode } from "../actions/data/list-commits.ts";
import { type DatanetCommit, listCommits, readHistory } from "../actions/data/list-commits.ts";
import { storeVersion } from "../actions/data/published-version.ts";
import { type RowStore, readRow, storeContributionList, storeRow } from "../actions/data/row-store.ts";
import { clientError } from "../client-errors.ts";
import type { SequencerAccess } from "../sequencer/sequencer-request.ts";
import { readCommitList } from "./commit-list.ts";
import { hostFalse } from "./host-false.ts";
import {
  askAsReader,
  askHostForBytes,
  type HostAccess,
  type HostCall,
  type HostErrorCode,
  type HostedDatanetLocation,
  hostInfo,
  MAX_DIGESTS_A_REQUEST,
  rowsRequest,
} from "./host-request.ts";
import {
  type FoundWithdrawn,
  findWithdrawn,
  type ListWithdrawalsErrorCode,
  type Withdrawal,
} from "./withdrawals.ts";

export interface DownloadVersionParameters extends HostedDatanetLocation {
  store: RowStore;
  /** Version number; default: the present one. */
  version?: number;
  /** Leaf that signs, where the Datanet is permissioned; default: the client's. */
  from?: number;
  onProgress?: (done: number, rowCount: number) => void;
}
export interface DownloadVersionReturnType {
  version: number;
  rowsRoot: bigint;
  /** Time of publication by the sequencer's word, in Unix milliseconds; null if it does not know it. */
  publishedAtMs: number | null;
  rowCount: number;
  /** Rows received by this call; the others were in the store. */
  receivedCount: number;
  /** Rows of the version that their contributors have withdrawn since: the host has their hashes alone. */
  withdrawn: readonly Withdrawal[];
  /**
   * Rows that the host does not give either, by a withdrawal of a key that their contributor no longer has: its word. Whoever reads
   * one gets CLI_ROWS_MISSING, unless the store has it.
   */
  refused: readonly string[];
}
export type DownloadVersionErrorCode =
  | "CLI_DATANET_HOST_FALSE"
  | "CLI_UNKNOWN"
  | ListCommitsErrorCode
  | ListWithdrawalsErrorCode
  | HostErrorCode;

/**
 * Downloads a version from a host into a row store. Its list is checked against the ledger's root, and every row against
 * the list, so an altered byte is noticed. Rows in the store are not fetched again. `downloadLabels` brings the labels.
 * A row that its contributor has withdrawn leaves a hole, which is named: whoever reads the row gets CLI_ROW_WITHDRAWN.
 * @throws CLI_DATANET_HOST_FALSE, CLI_UNKNOWN, DNT_ACCESS_NOT_GRANTED, DNT_NOT_HOSTED
 * @example
 * ```ts
 * const { rowCount } = await downloadVersion(client, { hostUrl, datanetId: 10, store });
 * ```
 */
export async function downloadVersion(
  client: HostAccess,
  parameters: DownloadVersionParameters,
): Promise<DownloadVersionReturnType> {
  const { datanetId, onProgress, store } = parameters;
  const { publishedAtMs, rowsRoot, version } = await listedVersion(client, datanetId, parameters.version);
  const list = await downloadVersionList(client, { ...parameters, rowsRoot });
  const contributors = new Map(list.map(({ contributorId, digest }) => [digest, new Set([contributorId])]));
  const { receivedCount, refused, withdrawn } = await fetchRows(client, parameters, {
    digests: list.map(({ digest }) => digest),
    contributors,
    onProgress,
  });
  await storeVersion(store, { rowsRoot, storedRows: list });
  return { version, rowsRoot, publishedAtMs, rowCount: list.length, receivedCount, withdrawn, refused };
}

/**
 * Downloads the list behind a version's root, checked against it.
 * @internal
 */
export async function downloadVersionList(
  client: HostAccess,
  { datanetId, from, hostUrl, rowsRoot }: HostedDatanetLocation & { rowsRoot: bigint; from?: number },
): Promise<ListedRow[]> {
  const path = `/v1/datanets/${datanetId}/versions/${hex32(rowsRoot)}`;
  const rows = await readList(
    () => askAsReader(client, { datanetId, hostUrl }, { path, from }, "bytes"),
    decodeVersion,
    { rowsRoot },
  );
  if (versionRowsRoot(versionRowsOf(rows)) !== rowsRoot)
    throw hostFalse("list", `the list of the version ${hex32(rowsRoot)}`, { rowsRoot: hex32(rowsRoot) });
  return rows;
}

export interface DownloadCommitsParameters extends Omit<DownloadVersionParameters, "version"> {
  /** Roots of the commits that are asked for; default: all. */
  only?: ReadonlySet<bigint>;
}
export interface DownloadCommitsReturnType {
  /** Commits whose rows are in the store now. */
  commits: readonly DatanetCommit[];
  /** Commits whose list, or some of whose rows, the host does not have. Anyone may commit, and nobody can make them bring the rows. */
  passedOver: readonly DatanetCommit[];
  /** Rows that the host does not give, by a withdrawal of a key that their contributor no longer has: its word. */
  refused: readonly string[];
}
export type DownloadCommitsErrorCode =
  | "CLI_DATANET_HOST_FALSE"
  | ListCommitsErrorCode
  | ListWithdrawalsErrorCode
  | HostErrorCode;

/** Lists behind commits that are fetched at a time. */
const LISTS_AT_ONCE = 4;

/**
 * Downloads everything that was ever committed to a datanet from a host into a row store, checked against the commits. Commits that
 * the host does not have whole are passed over and named. Rows that their contributors have withdrawn stay out of the store.
 * @throws CLI_DATANET_HOST_FALSE, CLI_COMMITS_INCOMPLETE
 * @example
 * ```ts
 * const { commits, passedOver } = await downloadCommits(client, { hostUrl, datanetId: 10, store });
 * ```
 */
export async function downloadCommits(
  client: HostAccess,
  parameters: DownloadCommitsParameters,
): Promise<DownloadCommitsReturnType> {
  const { datanetId, hostUrl, onProgress, only, store } = parameters;
  const all = await listCommits(client, datanetId);
  const expected = all.filter(({ rowsRoot }) => only?.has(rowsRoot) !== false);
  const listed: ListedCommit[] = [];
  const passedOver = new Set<DatanetCommit>();
  for (let at = 0; at < expected.length; at += LISTS_AT_ONCE) {
    const some = expected.slice(at, at + LISTS_AT_ONCE);
    const lists = await Promise.all(
      some.map((commit) => readCommitList(client, parameters, commit.rowsRoot)),
    );
    for (const [i, list] of lists.entries())
      if (list === null) passedOver.add(some[i]!);
      else listed.push({ commit: some[i]!, digests: decodeDigests(list.bytes) });
  }
  const contributors = new Map<string, Set<number>>();
  for (const { commit, digests } of listed)
    for (const digest of digests) {
      const leaves = contributors.get(digest) ?? new Set();
      contributors.set(digest, leaves.add(commit.contributorId));
    }
  const location = { datanetId, hostUrl, store };
  const refused = new Set<string>();
  const rowCount = listed.reduce((sum, { digests }) => sum + digests.length, 0);
  let doneCount = 0;
  /** False where the host does not have all of them. */
  const fetchSome = async (some: readonly ListedCommit[]): Promise<boolean> => {
    const digests = [...new Set(some.flatMap((one) => one.digests))];
    const from = doneCount;
    try {
      const found = await fetchRows(client, parameters, {
        digests,
        contributors,
        onProgress: (done) => onProgress?.(from + done, rowCount),
      });
      for (const digest of found.refused) if (contributors.has(digest)) refused.add(digest);
      return true;
    } catch (error) {
      if (isAbsent(error)) return false;
      throw error;
    }
  };
  for (const group of groupsOf(listed)) {
    // Together first: ten thousand commits of a row each are a few requests.
    const isWhole = await fetchSome(group);
    for (const one of group)
      if (isWhole || (await fetchSome([one]))) await storeContributionList(location.store, one.digests);
      else passedOver.add(one.commit);
    doneCount += group.reduce((sum, { digests }) => sum + digests.length, 0);
  }
  return {
    commits: expected.filter((commit) => !passedOver.has(commit)),
    passedOver: expected.filter((commit) => passedOver.has(commit)),
    refused: [...refused],
  };
}

interface ListedCommit {
  readonly commit: DatanetCommit;
  readonly digests: readonly string[];
}

const isAbsent = (error: unknown) =>
  isRollupError(error, "DNT_NOT_HOSTED") || isRollupError(error, "DNT_LIST_MISSING");

/** Commits whose rows are asked for together: as many as one request has room for, one at least. */
function groupsOf(listed: readonly ListedCommit[]): ListedCommit[][] {
  const groups: ListedCommit[][] = [];
  let room = 0;
  for (const one of listed) {
    if (groups.length === 0 || one.digests.length > room) {
      groups.push([]);
      room = MAX_DIGESTS_A_REQUEST;
    }
    groups.at(-1)!.push(one);
    room -= one.digests.length;
  }
  return groups;
}

interface FetchedRows {
  readonly digests: readonly string[];
  /** Leaves that may have withdrawn each row, by digest: its contributor by a version, or whoever has committed it. */
  readonly contributors: ReadonlyMap<string, ReadonlySet<number>>;
  readonly onProgress?: DownloadVersionParameters["onProgress"] | undefined;
}

/** Fetches the rows that the store does not have. */
async function fetchRows(
  client: HostAccess,
  parameters: Omit<DownloadVersionParameters, "version" | "onProgress">,
  rows: FetchedRows,
): Promise<FoundWithdrawn & { receivedCount: number }> {
  const { datanetId, hostUrl, store } = parameters;
  const own = new Map(rows.digests.map((digest) => [digest, rows.contributors.get(digest)!]));
  let receivedCount = 0;
  for (let known = -1; ; ) {
    const { refused, withdrawn } = await findWithdrawn(client, { datanetId, hostUrl, store }, own);
    const passed = [...withdrawn.map(({ digest }) => digest), ...refused];
    try {
      receivedCount += await fetchPresent(client, parameters, rows, passed);
      return { receivedCount, withdrawn, refused };
    } catch (error) {
      // Withdrawn in the meantime. A host that says so of a row without a withdrawal is asked in vain.
      if (!isRollupError(error, "DNT_ROW_WITHDRAWN") || passed.length <= known) throw error;
      known = passed.length;
    }
  }
}

/** @returns the number of rows received */
async function fetchPresent(
  client: HostAccess,
  { datanetId, from, hostUrl, store }: Omit<DownloadVersionParameters, "version" | "onProgress">,
  { digests, onProgress }: FetchedRows,
  notInput: readonly string[],
): Promise<number> {
  const passed = new Set(notInput);
  const missing: string[] = [];
  for (const digest of digests) {
    if (passed.has(digest)) continue;
    const isThere = await readRow(store, digest).then(
      () => true,
      () => false,
    );
    if (!isThere) missing.push(digest);
  }
  for (let done = 0; done < missing.length; ) {
    const part = missing.slice(done, done + MAX_DIGESTS_A_REQUEST);
    // A reader without a key may read public Datanets.
    const signing = { from, isSigned: client.l2Key !== null };
    done += await receiveRows(client, { datanetId, hostUrl, store }, part, signing);
    onProgress?.(digests.length - missing.length + done, digests.length);
  }
  return missing.length;
}

/**
 * Requests rows once and stores them; the host may send fewer than requested, from the first on.
 * @param signing by the client's key, or by a header that somebody has signed for `rowsRequest`
 * @returns the number of rows received
 * @internal
 */
export async function receiveRows(
  client: HostAccess,
  { datanetId, hostUrl, store }: HostedDatanetLocation & { store: RowStore },
  requested: readonly string[],
  signing: Pick<HostCall, "from" | "isSigned" | "header">,
): Promise<number> {
  const { limits } = await hostInfo(client, hostUrl);
  const call = { ...rowsRequest(datanetId, requested), ...signing };
  const answer = await askHostForBytes(client, hostUrl, call);
  const rows = await readList(
    async () => answer,
    (bytes) => decodeRows(bytes, limits),
    { datanetId },
  );
  if (rows.length === 0 || rows.length > requested.length)
    throw hostFalse("row", `the answer of ${rows.length} rows`, { datanetId });
  for (const [i, row] of rows.entries()) {
    if (bytesToHex(sha256(row)) !== requested[i])
      throw hostFalse("row", `the row ${requested[i]}`, { datanetId, digest: requested[i] });
    await storeRow(store, row);
  }
  return rows.length;
}

/** Reads a list. One that cannot be read is as false as one of another root. */
async function readList<T>(
  ask: () => Promise<Uint8Array>,
  decode: (bytes: Uint8Array) => T,
  data: { readonly rowsRoot?: bigint; readonly datanetId?: number },
): Promise<T> {
  const bytes = await ask();
  try {
    return decode(bytes);
  } catch {
    throw hostFalse("list", "what the host has sent", data);
  }
}

/** A version by the sequencer's list of operations; times are its word, in Unix milliseconds. @internal */
export interface ListedVersion {
  version: number;
  rowsRoot: bigint;
  rowCount: number;
  /** Hash of the card at that version; 0 for none. */
  policy: bigint;
  /** null if the sequencer does not know it. */
  publishedAtMs: number | null;
  /** Times of the first and the last commit before the version; null if the sequencer does not know them, or there is none. */
  collected: { fromMs: number; toMs: number } | null;
}

/**
 * Number, root and times of a version; the present one's by default.
 * @throws CLI_UNKNOWN
 * @internal
 */
export async function listedVersion(
  client: SequencerAccess,
  datanetId: number,
  version: number | undefined,
): Promise<ListedVersion> {
  const { commits, versions } = await readHistory(client, datanetId);
  const number = version ?? versions.length;
  const found = versions[number - 1];
  if (found === undefined)
    throw clientError("CLI_UNKNOWN", `datanet ${datanetId} has no version ${number}`, {
      data: { reason: "version", datanetId, version: number },
    });
  const { operation, policy, rowCount, rowsRoot } = found;
  const earlier = commits.filter((commit) => commit.operation.opIndex! < operation.opIndex!);
  const [fromMs, toMs] = [earlier[0], earlier.at(-1)].map((commit) => commit?.operation.acknowledgedAtMs);
  return {
    version: number,
    rowsRoot,
    rowCount,
    policy,
    publishedAtMs: operation.acknowledgedAtMs ?? null,
    collected: fromMs == null || toMs == null ? null : { fromMs, toMs },
  };
}
