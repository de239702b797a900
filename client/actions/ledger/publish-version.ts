import type { LedgerClient } from "../../ledger-client.ts";
import { getLeaf } from "../../sequencer/ledger-reads.ts";
import type { VersionCommitments } from "../data/version-commitments.ts";
import type { SigningErrorCode } from "./send-operation.ts";
import { type SendResult, type SigningOptions, signAndSend } from "./send-operation.ts";

export interface PublishVersionParameters extends SigningOptions {
  /** The datanet: it signs for itself. */
  datanetId: number;
  /** From `commitVersion`. */
  version: Pick<VersionCommitments, "rowsRoot" | "ownersCommitment" | "earnerRoot" | "rowCount">;
  /** The hash of the datanet's card (docs/explanation/datanets.md); default: the present one stays. */
  policy?: bigint;
}
export type PublishVersionReturnType = SendResult;

export type PublishVersionErrorCode = "OP_BAD_SIGNATURE" | "OP_BALANCE_TOO_LOW" | SigningErrorCode;

/**
 * Publishes a version of a datanet: which rows count, and to whom each belongs. The client's key must be the
 * datanet's.
 * @throws OP_BAD_SIGNATURE, OP_BALANCE_TOO_LOW (the datanet's own balance pays the fee), CLI_PRECONFIRMATION_INVALID
 * @example
 * ```ts
 * const version = await collectVersion(client, { datanetId: 10, store, validatorId: 8 });
 * await storeVersion(store, version);
 * await publishVersion(client, { datanetId: 10, version });
 * ```
 */
export async function publishVersion(
  client: LedgerClient,
  parameters: PublishVersionParameters,
): Promise<PublishVersionReturnType> {
  const { datanetId, version, policy } = parameters;
  const words = [
    version.rowsRoot,
    version.ownersCommitment,
    version.earnerRoot,
    BigInt(version.rowCount),
    policy ?? (await presentPolicy(client, datanetId)),
  ];
  return signAndSend(client, { kind: "publishVersion", words }, { ...parameters, from: datanetId });
}

async function presentPolicy(client: LedgerClient, datanetId: number): Promise<bigint> {
  return (await getLeaf(client, datanetId)).datanet?.policy ?? 0n;
}
