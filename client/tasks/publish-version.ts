/**
 * Publication of a Datanet's version by its owner: rows collected by a host's signed records or by validators of the owner's choice,
 * then stored, published, and brought to the host. The command, the page and the devnet draw it.
 */

import { storeVersion } from "../actions/data/published-version.ts";
import type { RowStore } from "../actions/data/row-store.ts";
import { storeVersionLabels, type VersionLabels } from "../actions/data/stored-labels.ts";
import { type PublishVersionErrorCode, publishVersion } from "../actions/ledger/datanet-operations.ts";
import type { SendResult, SigningOptions } from "../actions/ledger/send-operation.ts";
import {
  type CollectedVersion,
  type CollectVersionErrorCode,
  type CollectVersionParameters,
  collectVersion,
} from "../datanets/contribute-rows.ts";
import { type DownloadCommitsErrorCode, downloadCommits } from "../datanets/download-rows.ts";
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
  | ({ readonly by: "records"; readonly hostUrl: string } & UnsignedOptions)
  | ({ readonly by: "validators" } & Pick<CollectVersionParameters, "leaveOut" | "validatorId">);

export interface PrepareVersionParameters {
  datanetId: number;
  store: RowStore;
  rule: VersionRule;
  /** Leaf that signs requests for permissioned rows; default: the client's. */
  from?: number;
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
}
export type PrepareVersionErrorCode =
  | CollectReviewedErrorCode
  | CollectVersionErrorCode
  | DownloadCommitsErrorCode;

/**
 * Collects the version that follows from everything committed so far. By records, the rows come from the host first; a commit that the
 * host does not have counts if the store has its rows. Rows that contributors have withdrawn stay out. Nothing is signed or stored but
 * rows.
 * @throws CLI_RECORDS_UNSIGNED where the host shows records that nobody has signed, unless `withoutUnsigned` is true;
 *   CLI_ROWS_MISSING, CLI_COMMITS_INCOMPLETE, CIR_SETTLEMENT_SIZE, CLI_DATANET_HOST_FALSE
 * @example
 * ```ts
 * const place = { datanetId: 10, store };
 * const prepared = await prepareVersion(client, { ...place, rule: { by: "records", hostUrl } });
 * console.log(prepared.leftOut.length);
 * await publishPrepared(client, { ...place, prepared, hostUrl });
 * ```
 */
export async function prepareVersion(
  client: LedgerClient,
  { datanetId, from, onProgress, rule, store }: PrepareVersionParameters,
): Promise<PreparedVersion> {
  if (rule.by === "validators") {
    const { leaveOut, validatorId } = rule;
    onProgress?.({ step: "hashing" });
    const version = await collectVersion(client, {
      ...{ datanetId, store, validatorId },
      ...(leaveOut === undefined ? {} : { leaveOut }),
    });
    return { version, labels: null, leftOut: [], dropped: [] };
  }
  const { hostUrl, withoutUnsigned = false } = rule;
  onProgress?.({ step: "rows" });
  await downloadCommits(client, {
    ...{ datanetId, hostUrl, store },
    ...(from === undefined ? {} : { from }),
    // Collecting names what neither the host nor the store has.
    onIncomplete: () => {},
    onProgress: (done, total) => onProgress?.({ step: "rows", done, total }),
  });
  onProgress?.({ step: "records" });
  return collectReviewed(client, { datanetId, hostUrl, store, withoutUnsigned });
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

/** True if the ledger has the version, with the same payees, as the Datanet's present one. */
async function isPresent(
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
