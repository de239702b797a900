/**
 * Publication of a Datanet's version by its owner: rows collected by a host's signed records or by validators of the owner's choice,
 * then stored, published, and brought to the host. The command, the page and the devnet draw it.
 */

import { counted } from "@openledger/foundation/counted";
import { hex32 } from "@openledger/foundation/hex";
import { isRollupError } from "@openledger/foundation/rollup-error";
import type { IndexedCommit } from "../actions/data/committed-rows.ts";
import { readVersion, storeVersion } from "../actions/data/published-version.ts";
import type { RowStore } from "../actions/data/row-store.ts";
import { storeVersionLabels, type VersionLabels } from "../actions/data/stored-labels.ts";
import { type PublishVersionErrorCode, publishVersion } from "../actions/ledger/datanet-operations.ts";
import type { SendResult, SigningOptions } from "../actions/ledger/send-operation.ts";
import { clientError } from "../client-errors.ts";
import {
  type CollectedVersion,
  type CollectVersionErrorCode,
  type CollectVersionParameters,
  collectVersion,
} from "../datanets/contribute-rows.ts";
import {
  type DownloadCommitsErrorCode,
  type DownloadCommitsParameters,
  downloadCommits,
  downloadVersionList,
} from "../datanets/download-rows.ts";
import {
  type CollectReviewedErrorCode,
  collectReviewed,
  type UnsignedOptions,
} from "../datanets/reviewed-version.ts";
import type { DroppedRecord } from "../datanets/sound-records.ts";
import { type BringVersionErrorCode, bringVersion } from "../datanets/upload-rows.ts";
import type { LedgerClient } from "../ledger-client.ts";
import { getLeaf } from "../sequencer/ledger-reads.ts";
import { type WaitResult, waitFor } from "../sequencer/wait-for.ts";

/** Step of the task, for those who watch it. `done` of `total` rows, where the step counts them. */
export interface PublishProgress {
  readonly step: "rows" | "records" | "hashing" | "signing" | "host";
  readonly done?: number;
  readonly total?: number;
}

/** Rows that count: by the card and a host's signed records, or by validators and a list of the owner's. */
export type VersionRule =
  | ({
      readonly by: "records";
      readonly hostUrl: string;
      /** Further hosts that are asked for the rows of commits that the host does not have; default: none. */
      readonly mirrorUrls?: readonly string[];
    } & UnsignedOptions)
  | ({ readonly by: "validators" } & Pick<CollectVersionParameters, "leaveOut" | "validatorId">);

export interface PrepareVersionParameters {
  datanetId: number;
  store: RowStore;
  rule: VersionRule;
  /** Leaf that signs requests for permissioned rows; default: the client's. */
  from?: number;
  /** True goes on without rows that were approved or published, and that are nowhere to be had; default: that is an error. */
  withoutMissing?: boolean;
  onProgress?: (progress: PublishProgress) => void;
}
export interface PreparedVersion {
  readonly version: CollectedVersion;
  /** Accepted labels of its rows; null where no records say any. */
  readonly labels: VersionLabels | null;
  /** Rows that stay out by the records, each with the reason. */
  readonly leftOut: readonly { digest: string; contributorId: number; why: string }[];
  /** Records of the host that count for nothing: the present key of their leaf has not signed them. */
  readonly dropped: readonly DroppedRecord[];
  /** Commits whose rows are nowhere to be had: the version has none of them. Callers name them before or after the signature. */
  readonly passedOver: readonly IndexedCommit[];
  /** Mirrors that did not help, with the error's code. */
  readonly failedMirrors: readonly { readonly hostUrl: string; readonly code: string }[];
}
export type PrepareVersionErrorCode =
  | "CLI_COMMITS_MISSING"
  | CollectReviewedErrorCode
  | CollectVersionErrorCode
  | DownloadCommitsErrorCode;

/**
 * Collects the version that follows from everything committed so far. By records, the rows come from the host first, then from mirrors;
 * a commit that none of them has counts if the store has its rows, else it is passed over and named. Rows that contributors have
 * withdrawn stay out. Nothing is signed or stored but rows.
 * @throws CLI_COMMITS_MISSING where commits that were approved, or rows of the published version, would be passed over, unless
 *   `withoutMissing` is true; CLI_RECORDS_UNSIGNED where the host shows records that nobody has signed, unless `withoutUnsigned` is true;
 *   CLI_ROWS_MISSING, CLI_COMMITS_INCOMPLETE, CIR_SETTLEMENT_SIZE, CLI_DATANET_HOST_FALSE
 * @example
 * ```ts
 * const place = { datanetId: 10, store };
 * const prepared = await prepareVersion(client, { ...place, rule: { by: "records", hostUrl } });
 * console.log(prepared.leftOut.length, prepared.passedOver.length);
 * await publishPrepared(client, { ...place, prepared, hostUrl });
 * ```
 */
export async function prepareVersion(
  client: LedgerClient,
  { datanetId, from, onProgress, rule, store, withoutMissing = false }: PrepareVersionParameters,
): Promise<PreparedVersion> {
  if (rule.by === "validators") {
    const { leaveOut, validatorId } = rule;
    onProgress?.({ step: "hashing" });
    const version = await collectVersion(client, {
      ...{ datanetId, store, validatorId },
      ...(leaveOut === undefined ? {} : { leaveOut }),
    });
    const { passedOver } = version;
    if (!withoutMissing) requireNothingLost(datanetId, version, []);
    return { version, labels: null, leftOut: [], dropped: [], passedOver, failedMirrors: [] };
  }
  const { hostUrl, withoutUnsigned = false } = rule;
  const signer = from === undefined ? {} : { from };
  onProgress?.({ step: "rows" });
  const onRows = (done: number, total: number) => onProgress?.({ step: "rows", done, total });
  const brought = await bringRows(client, { datanetId, ...signer, store, onProgress: onRows }, rule);
  onProgress?.({ step: "records" });
  const location = { datanetId, hostUrl, store };
  const collected = await collectReviewed(client, { ...location, refused: brought.refused, withoutUnsigned });
  const { approvedMissing, ...reviewed } = collected;
  if (!withoutMissing) requireNothingLost(datanetId, reviewed.version, approvedMissing);
  const { passedOver } = reviewed.version;
  return { ...reviewed, passedOver, failedMirrors: brought.failedMirrors };
}

/** Brings the commits' rows, and the published version's list, from the host, and what it does not have from its mirrors. */
async function bringRows(
  client: LedgerClient,
  location: Omit<DownloadCommitsParameters, "hostUrl" | "only">,
  { hostUrl, mirrorUrls = [] }: Extract<VersionRule, { by: "records" }>,
): Promise<{ refused: readonly string[] } & Pick<PreparedVersion, "failedMirrors">> {
  const first = await downloadCommits(client, { ...location, hostUrl });
  let isListHere = await bringPublishedList(client, { ...location, hostUrl });
  let missing = first.passedOver;
  const failedMirrors: { hostUrl: string; code: string }[] = [];
  for (const mirrorUrl of mirrorUrls) {
    if (mirrorUrl === hostUrl || (missing.length === 0 && isListHere)) continue;
    try {
      const only = new Set(missing.map(({ rowsRoot }) => rowsRoot));
      missing = (await downloadCommits(client, { ...location, hostUrl: mirrorUrl, only })).passedOver;
      isListHere ||= await bringPublishedList(client, { ...location, hostUrl: mirrorUrl });
    } catch (error) {
      // A mirror that is away, or lies, is no reason to stop: what it does not bring is named.
      if (!isRollupError(error)) throw error;
      failedMirrors.push({ hostUrl: mirrorUrl, code: error.code });
    }
  }
  return { refused: first.refused, failedMirrors };
}

/** Brings the list of the published version into the store. @returns false where the host does not have it */
async function bringPublishedList(
  client: LedgerClient,
  { datanetId, from, hostUrl, store }: DownloadCommitsParameters,
): Promise<boolean> {
  const { datanet } = await getLeaf(client, datanetId);
  if (datanet == null || datanet.rowCount === 0) return true;
  const { rowsRoot } = datanet;
  const isHere = await readVersion(store, rowsRoot).then(
    () => true,
    () => false,
  );
  if (isHere) return true;
  const location = { datanetId, hostUrl, rowsRoot, ...(from === undefined ? {} : { from }) };
  try {
    await storeVersion(store, { rowsRoot, storedRows: await downloadVersionList(client, location) });
    return true;
  } catch (error) {
    if (isRollupError(error, "DNT_NOT_HOSTED")) return false;
    throw error;
  }
}

/** Maximum commits that an error names. */
const MAX_NAMED = 20;

/**
 * Passes if nothing is passed over but what a stranger may have committed. Attack: a host hides the lists of contributions that it has
 * shown before, so that they go from the next version. An approval, or the published version, tells them from a stranger's commits,
 * which nobody approves: a host takes no approval without the list.
 * @throws CLI_COMMITS_MISSING
 */
function requireNothingLost(
  datanetId: number,
  { lost, passedOver, rowCount }: CollectedVersion,
  approvedMissing: readonly IndexedCommit[],
): void {
  if (passedOver.length === 0) return;
  const isUnknown = lost === null;
  const lostCount = lost?.length ?? 0;
  if (approvedMissing.length === 0 && !isUnknown && lostCount === 0 && rowCount > 0) return;
  const named = approvedMissing.length > 0 ? approvedMissing : passedOver;
  const commits = named.slice(0, MAX_NAMED).map(({ committedAtMs, contributorId, rowsRoot, ...one }) => ({
    ...{ contributorId, committedAtMs, rowsRoot: hex32(rowsRoot), rowCount: one.rowCount },
  }));
  const why =
    approvedMissing.length > 0
      ? `${counted(approvedMissing.length, "approved commit has", "approved commits have")} rows that are nowhere to be had`
      : isUnknown
        ? "the list of the published version is nowhere to be had, nor are rows of commits"
        : lostCount > 0
          ? `${counted(lostCount, "row")} of the published version would go: they may be of commits whose rows are nowhere to be had`
          : "no commit's rows are to be had";
  throw clientError(
    "CLI_COMMITS_MISSING",
    `${why}: ${commits[0]!.rowsRoot} of leaf ${commits[0]!.contributorId}${named.length > 1 ? ", …" : ""}`,
    { data: { datanetId, count: named.length, lostCount, commits } },
  );
}

export interface PublishPreparedParameters<Outcome> extends Pick<SigningOptions, "onSigned"> {
  datanetId: number;
  store: RowStore;
  prepared: Pick<PreparedVersion, "labels" | "version">;
  /** Host that gets the version's list; absent: none. */
  hostUrl?: string;
  /** Leaf that signs the request to the host; default: the client's. */
  from?: number;
  /** Publishes in another way, such as L1's queue, and waits; default: signed by the Datanet's key. */
  publish?: (version: CollectedVersion) => Promise<Outcome>;
  /** Waits for the signed publication before its list goes to the host; default: until the sequencer has executed it. */
  wait?: (sent: SendResult) => Promise<Outcome>;
  onProgress?: (progress: PublishProgress) => void;
}
export interface PublishPreparedReturnType<Outcome> {
  /** The signed publication; null where `publish` did it, or the ledger had this very version already. */
  readonly sent: SendResult | null;
  /** Result of `publish` or `wait`; null where neither was called. */
  readonly outcome: Outcome | null;
  /** True if the ledger had this very version already: nothing was signed, and no day begins anew. */
  readonly wasPublished: boolean;
}
export type PublishPreparedErrorCode = BringVersionErrorCode | PublishVersionErrorCode;

/**
 * Stores a prepared version with its labels, publishes it, and brings its list to the host. A second call goes on after an interruption:
 * where the ledger has this very version as the present one, only the list is brought.
 * @throws OP_BAD_SIGNATURE, OP_BALANCE_TOO_LOW, CLI_PRECONFIRMATION_INVALID; DNT_LIST_MISMATCH, DNT_NOT_HOSTED as the host refuses
 * @example
 * ```ts
 * const rule = { by: "validators", validatorId: 8 } as const;
 * const prepared = await prepareVersion(client, { datanetId: 10, store, rule });
 * const { sent } = await publishPrepared(client, { datanetId: 10, store, prepared });
 * ```
 */
export async function publishPrepared<Outcome = WaitResult>(
  client: LedgerClient,
  parameters: PublishPreparedParameters<Outcome>,
): Promise<PublishPreparedReturnType<Outcome>> {
  const { datanetId, from, hostUrl, onProgress, prepared, publish, store, wait } = parameters;
  const { labels, version } = prepared;
  await storeVersion(store, version);
  if (labels !== null) await storeVersionLabels(store, labels);
  const wasPublished = await isPresent(client, datanetId, version);
  let sent: SendResult | null = null;
  let outcome: Outcome | null = null;
  if (!wasPublished) {
    onProgress?.({ step: "signing" });
    if (publish !== undefined) outcome = await publish(version);
    else {
      const { onSigned } = parameters;
      sent = await publishVersion(client, { datanetId, version, ...(onSigned && { onSigned }) });
      if (wait !== undefined) outcome = await wait(sent);
      else await waitFor(client, { hash: sent.hash }, "acknowledged");
    }
  }
  if (hostUrl !== undefined) {
    onProgress?.({ step: "host" });
    const signer = from === undefined ? {} : { from };
    await bringVersion(client, { datanetId, hostUrl, store, rowsRoot: version.rowsRoot, ...signer });
  }
  return { sent, outcome, wasPublished };
}

export interface BringPublishedParameters
  extends Pick<PrepareVersionParameters, "datanetId" | "from" | "onProgress" | "store"> {
  hostUrl: string;
  /** Further hosts that are asked for the list, and for rows; default: none. */
  mirrorUrls?: readonly string[];
}
export type BringPublishedErrorCode = PrepareVersionErrorCode | BringVersionErrorCode;

/**
 * Brings the list of the ledger's present version to a host that does not have it, as after a publication that was cut off. The list is
 * the store's, else a mirror's, else made again by the host's signed records. Nothing is signed for the ledger.
 * @throws CLI_ROWS_MISSING where none of them has the very list; as `prepareVersion` and `bringVersion`
 * @example
 * ```ts
 * await bringPublished(client, { datanetId: 10, store, hostUrl });
 * ```
 */
export async function bringPublished(
  client: LedgerClient,
  { datanetId, from, hostUrl, mirrorUrls = [], onProgress, store }: BringPublishedParameters,
): Promise<void> {
  const { datanet } = await getLeaf(client, datanetId);
  if (datanet == null || datanet.rowCount === 0) return;
  const { rowsRoot, version } = datanet;
  const signer = from === undefined ? {} : { from };
  const location = { datanetId, store, ...signer };
  if (!(await isListAt(client, location, [hostUrl, ...mirrorUrls]))) {
    // Which rows count is told by the root alone: a list of another one is not brought.
    const rule = { by: "records", hostUrl, mirrorUrls, withoutUnsigned: true } as const;
    const progress = onProgress === undefined ? {} : { onProgress };
    const prepared = await prepareVersion(client, { ...location, rule, withoutMissing: true, ...progress });
    if (prepared.version.rowsRoot !== rowsRoot)
      throw clientError(
        "CLI_ROWS_MISSING",
        `version ${version} of Datanet ${datanetId} has other rows than the records make now, and its list is not here`,
        { data: { root: hex32(rowsRoot) } },
      );
    await storeVersion(store, prepared.version);
  }
  onProgress?.({ step: "host" });
  await bringVersion(client, { datanetId, hostUrl, store, rowsRoot, ...signer });
}

/** Brings the list of the published version into the store, from the first host that has it. @returns false where none has it */
async function isListAt(
  client: LedgerClient,
  location: Omit<DownloadCommitsParameters, "hostUrl" | "only">,
  hostUrls: readonly string[],
): Promise<boolean> {
  for (const hostUrl of hostUrls)
    try {
      if (await bringPublishedList(client, { ...location, hostUrl })) return true;
    } catch (error) {
      if (!isRollupError(error)) throw error;
    }
  return false;
}

/**
 * Says whether the ledger has the version, with the same payees, as the Datanet's present one.
 * @internal
 */
export async function isPresent(
  client: LedgerClient,
  datanetId: number,
  { ownersCommitment, payeeRoot, rowCount, rowsRoot }: CollectedVersion,
): Promise<boolean> {
  const { datanet } = await getLeaf(client, datanetId);
  return (
    datanet != null &&
    datanet.version > 0 &&
    datanet.rowsRoot === rowsRoot &&
    datanet.rowCount === rowCount &&
    datanet.ownersCommitment === ownersCommitment &&
    datanet.payeeRoot === payeeRoot
  );
}
