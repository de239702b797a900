/** Signed operation that opens an account in the ledger, paid by the signer. Amounts are in wei. */
import { encodeAmount } from "@openledger/circuits/ledger/amount-float";
import type { Address } from "viem";
import type { LedgerClient } from "../../ledger-client.ts";
import type { SigningErrorCode } from "./send-operation.ts";
import { type SendResult, type SigningOptions, signAndSend } from "./send-operation.ts";

export interface CreateAccountParameters extends SigningOptions {
  /** Ethereum address that can force and exit the new leaf. */
  l1Owner: Address;
  /** Key that signs for the new leaf; 0 for none. */
  keyX: bigint;
  /** First balance in wei, paid by the signer; default 0. */
  amountWei?: bigint;
}
export type CreateAccountReturnType = SendResult;

export type CreateAccountErrorCode = "OP_AMOUNT_NOT_REPRESENTABLE" | "OP_BALANCE_TOO_LOW" | SigningErrorCode;

/**
 * Opens an account at the next free id, which the executed operation names as its `b`. The signer also pays the id fee.
 * @throws OP_AMOUNT_NOT_REPRESENTABLE, OP_BALANCE_TOO_LOW, CLI_PRECONFIRMATION_INVALID
 * @example
 * ```ts
 * const { keyX } = await createRandomKey();
 * const { hash } = await createAccount(client, { l1Owner: account.address, keyX });
 * const { operation } = await waitFor(client, { hash }, "acknowledged");
 * console.log(`leaf ${operation!.createdId}`);
 * ```
 */
export async function createAccount(
  client: LedgerClient,
  parameters: CreateAccountParameters,
): Promise<CreateAccountReturnType> {
  const { l1Owner, keyX, amountWei } = parameters;
  return signAndSend(
    client,
    { kind: "createAccount", amountCode: encodeAmount(amountWei ?? 0n), words: [BigInt(l1Owner), keyX] },
    parameters,
  );
}
