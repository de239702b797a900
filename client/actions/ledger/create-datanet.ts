import { encodeAmount } from "@openledger/circuits/ledger/amount-float";
import type { Address } from "viem";
import type { LedgerClient } from "../../ledger-client.ts";
import type { SigningErrorCode } from "./send-operation.ts";
import { type SendResult, type SigningOptions, signAndSend } from "./send-operation.ts";

export interface CreateDatanetParameters extends SigningOptions {
  /** The Ethereum address that can force and exit the new leaf. */
  l1Owner: Address;
  /** The key that signs for it; 0 for none. */
  keyX: bigint;
  /** Its first balance, paid by the signer; default 0. */
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
