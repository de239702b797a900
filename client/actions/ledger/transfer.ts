import { encodeAmount } from "@openledger/circuits/ledger/amount-float";
import type { Address } from "viem";
import type { LedgerClient } from "../../ledger-client.ts";
import type { SigningErrorCode } from "./send-operation.ts";
import { type SendResult, type SigningOptions, signAndSend } from "./send-operation.ts";

export interface TransferParameters extends SigningOptions {
  /** The payee's leaf. */
  to: number;
  /** Must have an exact 40-bit float: up to ten significant digits always have. */
  amountWei: bigint;
  /** Refuse to pay unless the payee's leaf belongs to this address. */
  expectedOwner?: Address;
}
export type TransferReturnType = SendResult;

export type TransferErrorCode = "OP_AMOUNT_NOT_REPRESENTABLE" | SigningErrorCode;

/**
 * Moves OPEN to another leaf.
 * @throws OP_AMOUNT_NOT_REPRESENTABLE, CLI_LEAF_NOT_FOUND, CLI_LEAF_OWNER_CHANGED, CLI_PRECONFIRMATION_INVALID, OP_…
 * @example
 * ```ts
 * const { hash } = await transfer(client, { to: 7, amountWei: parseOpen("1.5") });
 * await waitFor(client, { hash }, "posted");
 * ```
 */
export async function transfer(
  client: LedgerClient,
  parameters: TransferParameters,
): Promise<TransferReturnType> {
  const { to, amountWei, expectedOwner } = parameters;
  return signAndSend(
    client,
    { kind: "transfer", b: to, amountCode: encodeAmount(amountWei), expectedOwner },
    parameters,
  );
}
