import type { LedgerClient } from "../../ledger-client.ts";
import type { CommitDataErrorCode } from "../ledger/commit-data.ts";
import { commitData } from "../ledger/commit-data.ts";
import type { SendResult, SigningOptions } from "../ledger/send-operation.ts";
import type { StoreContributionErrorCode } from "./row-store.ts";
import { type RowStore, type StoredContribution, storeContribution } from "./row-store.ts";

export interface ContributeRowsParameters extends SigningOptions {
  datanetId: number;
  store: RowStore;
  rows: readonly Uint8Array[];
}
export interface ContributeRowsReturnType extends SendResult {
  contribution: StoredContribution;
}

export type ContributeRowsErrorCode = StoreContributionErrorCode | CommitDataErrorCode;

/**
 * Stores rows, then commits their root to the datanet: in this order, so that no root is without its rows.
 * @throws CLI_INPUT_INVALID and what `commitData` throws
 * @example
 * ```ts
 * const { hash, contribution } = await contributeRows(client, { datanetId: 10, store, rows });
 * ```
 */
export async function contributeRows(
  client: LedgerClient,
  parameters: ContributeRowsParameters,
): Promise<ContributeRowsReturnType> {
  const contribution = await storeContribution(parameters.store, parameters.rows);
  const { rowsRoot, rowCount } = contribution;
  const sent = await commitData(client, { ...parameters, rowsRoot, rowCount });
  return { ...sent, contribution };
}
