/**
 * Signed operations of the owner of a Datanet (a repository of rows with versions): open one, publish a version.
 * Amounts are in wei. Commands, pages and programs call them.
 */
import { encodeAmount } from "@openledger/circuits/ledger/amount-float";
import type { Address } from "viem";
import type { LedgerClient } from "../../ledger-client.ts";
import { getLeaf } from "../../sequencer/ledger-reads.ts";
import type { VersionCommitments } from "../data/version-commitments.ts";
import {
  type SendResult,
  type SigningErrorCode,
  type SigningOptions,
  signAndSend,
} from "./send-operation.ts";

export interface CreateDatanetParameters extends SigningOptions {
  /** Ethereum address that can force and exit the new leaf. */
  l1Owner: Address;
  /** Key that signs for the new leaf; 0 for none. */
  keyX: bigint;
  /** First balance in wei, paid by the signer; default 0. */
  amountWei?: bigint;
}
export type CreateDatanetReturnType = SendResult;

export type CreateDatanetErrorCode = "OP_AMOUNT_NOT_REPRESENTABLE" | "OP_BALANCE_TOO_LOW" | SigningErrorCode;

/**
 * Opens a datanet at the next free id, which the executed operation names as its `b`. The signer also pays the id fee.
 * @throws OP_AMOUNT_NOT_REPRESENTABLE, OP_BALANCE_TOO_LOW, CLI_PRECONFIRMATION_INVALID
 * @example
 * ```ts
 * const { keyX } = await createRandomKey();
 * const { hash } = await createDatanet(client, { l1Owner: account.address, keyX, amountWei: parseOpen("3") });
 * const { operation } = await waitFor(client, { hash }, "acknowledged");
 * console.log(`leaf ${operation!.createdId}`);
 * ```
 */
export async function createDatanet(
  client: LedgerClient,
  parameters: CreateDatanetParameters,
): Promise<CreateDatanetReturnType> {
  const { l1Owner, keyX, amountWei } = parameters;
  return signAndSend(
    client,
    { kind: "createDatanet", amountCode: encodeAmount(amountWei ?? 0n), words: [BigInt(l1Owner), keyX] },
    parameters,
  );
}

export interface PublishVersionParameters extends SigningOptions {
  /** The datanet: it signs for itself. */
  datanetId: number;
  /** Commitments from `commitVersion`. */
  version: Pick<VersionCommitments, "rowsRoot" | "ownersCommitment" | "payeeRoot" | "rowCount">;
  /** Hash of the datanet's card (docs/explanation/datanets.md); default: the present one stays. */
  policy?: bigint;
}
export type PublishVersionReturnType = SendResult;

export type PublishVersionErrorCode = "OP_BAD_SIGNATURE" | "OP_BALANCE_TOO_LOW" | SigningErrorCode;

/**
 * Publishes a version of a datanet: the rows that count, and the owner of each. The client's key must be the datanet's.
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
    version.payeeRoot,
    BigInt(version.rowCount),
    policy ?? (await presentPolicy(client, datanetId)),
  ];
  return signAndSend(client, { kind: "publishVersion", words }, { ...parameters, from: datanetId });
}

async function presentPolicy(client: LedgerClient, datanetId: number): Promise<bigint> {
  return (await getLeaf(client, datanetId)).datanet?.policy ?? 0n;
}
