/** What L1's queue forces of a datanet's rows: their commit, and a version's publication. */
import type { AskedEntry } from "@openledger/circuits/ledger/operation";
import { KIND } from "@openledger/circuits/protocol";
import type { LedgerClient } from "../../ledger-client.ts";
import type { VersionCommitments } from "../data/version-commitments.ts";
import type { QueueResult } from "./queue-result.ts";
import { type ForcedErrorCode, type ForcedOptions, sendForcedEntry } from "./send-forced.ts";

export interface ForceCommitDataParameters extends ForcedOptions {
  /** The contributor; its l1Owner must be the client's L1 account. */
  id: number;
  datanetId: number;
  /** From `storeContribution`. */
  rowsRoot: bigint;
  rowCount: number;
}
export type ForceCommitDataReturnType = QueueResult;

export type ForceCommitDataErrorCode = ForcedErrorCode;

/**
 * Commits rows to a datanet through the L1 queue, which no sequencer can leave out. Keep the rows to yourself until a batch
 * has the entry. Burns the queue's fee.
 * @throws CLI_NOT_CONFIGURED, CLI_QUEUE_FEE_TOO_HIGH, CON_L1_COST_ABOVE_CAP, CLI_L1_REVERTED, CLI_UNREACHABLE
 * @example
 * ```ts
 * const { rowsRoot, rowCount } = await storeContribution(store, rows);
 * await forceCommitData(client, { id: 7, datanetId: 10, rowsRoot, rowCount });
 * ```
 */
export async function forceCommitData(
  client: LedgerClient,
  parameters: ForceCommitDataParameters,
): Promise<ForceCommitDataReturnType> {
  return sendForcedEntry(client, forcedCommitEntry(parameters), parameters);
}

/**
 * What is queued for such a commit.
 * @internal
 */
export function forcedCommitEntry(commit: ForceCommitDataParameters): AskedEntry {
  const { id: a, datanetId: b, rowCount, rowsRoot } = commit;
  return { kind: KIND.forcedCommitData, a, b, amountWei: BigInt(rowCount), word2: rowsRoot };
}

export interface ForcePublishVersionParameters extends ForcedOptions {
  /** The datanet; its l1Owner must be the client's L1 account. */
  datanetId: number;
  /** From `commitVersion`. */
  version: Pick<VersionCommitments, "rowsRoot" | "ownersCommitment" | "payeeRoot" | "rowCount">;
  /** The hash of the datanet's card (docs/explanation/datanets.md); 0 = none. The entry replaces the present one. */
  policy: bigint;
}
export type ForcePublishVersionReturnType = QueueResult;

export type ForcePublishVersionErrorCode = ForcedErrorCode;

/**
 * Publishes a version of a datanet through the L1 queue, which no sequencer can leave out. Burns the queue's fee.
 * @throws CLI_NOT_CONFIGURED, CLI_QUEUE_FEE_TOO_HIGH, CON_L1_COST_ABOVE_CAP, CLI_L1_REVERTED, CLI_UNREACHABLE
 * @example
 * ```ts
 * const version = await collectVersion(client, { datanetId: 10, store, validatorId: 8 });
 * await storeVersion(store, version);
 * const { policy } = (await getLeaf(client, 10)).datanet!;
 * await forcePublishVersion(client, { datanetId: 10, version, policy });
 * ```
 */
export async function forcePublishVersion(
  client: LedgerClient,
  parameters: ForcePublishVersionParameters,
): Promise<ForcePublishVersionReturnType> {
  return sendForcedEntry(client, forcedPublicationEntry(parameters), parameters);
}

/**
 * What is queued for such a publication.
 * @internal
 */
export function forcedPublicationEntry({
  datanetId: a,
  policy: word4,
  version: { ownersCommitment: word2, payeeRoot: word3, rowCount, rowsRoot: word1 },
}: ForcePublishVersionParameters): AskedEntry {
  return { kind: KIND.forcedPublishVersion, a, amountWei: BigInt(rowCount), word1, word2, word3, word4 };
}
