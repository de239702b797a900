/**
 * Signed operation CommitData: a contributor's promise of rows to a Datanet, by their hash. `contributeRows` sends it.
 */
import type { LedgerClient } from "../../ledger-client.ts";
import type { SigningErrorCode } from "./send-operation.ts";
import { type SendResult, type SigningOptions, signAndSend } from "./send-operation.ts";

export interface CommitDataParameters extends SigningOptions {
  datanetId: number;
  /** Root of the contributed rows (`contributionRoot`). */
  rowsRoot: bigint;
  rowCount: number;
}
export type CommitDataReturnType = SendResult;

export type CommitDataErrorCode = SigningErrorCode;

/**
 * Commits rows to a datanet, by their root alone. `contributeRows` also stores them.
 * @throws CLI_LEAF_NOT_FOUND, CLI_PRECONFIRMATION_INVALID, OP_…
 * @example
 * ```ts
 * // `contributeRows` stores and commits in one call.
 * const { rowsRoot, rowCount } = await storeContribution(store, rows);
 * await commitData(client, { datanetId: 10, rowsRoot, rowCount });
 * ```
 */
export async function commitData(
  client: LedgerClient,
  parameters: CommitDataParameters,
): Promise<CommitDataReturnType> {
  const { datanetId, rowsRoot, rowCount } = parameters;
  return signAndSend(
    client,
    { kind: "commitData", b: datanetId, amountCode: BigInt(rowCount), words: [rowsRoot] },
    parameters,
  );
}
