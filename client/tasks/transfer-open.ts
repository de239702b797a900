/**
 * Transfer of OPEN to another leaf of the ledger: every refusal before the signature. The command, the page and the devnet draw it.
 * Amounts are in wei.
 */
import { encodeAmount } from "@openledger/circuits/ledger/amount-float";
import {
  type TransferErrorCode,
  type TransferParameters,
  transfer,
} from "../actions/ledger/account-operations.ts";
import type { SendResult } from "../actions/ledger/send-operation.ts";
import { clientError } from "../client-errors.ts";
import type { LedgerClient } from "../ledger-client.ts";
import { requireAmount, requireBalance, requireSigner } from "./before-signing.ts";

export type TransferOpenErrorCode = "OP_BAD_SIGNATURE" | "OP_BALANCE_TOO_LOW" | TransferErrorCode;

/**
 * Moves OPEN to another leaf, once everything that would refuse it has been looked at.
 * @throws CLI_INPUT_INVALID for no amount, or a transfer to the paying leaf itself; OP_AMOUNT_NOT_REPRESENTABLE, OP_BAD_SIGNATURE,
 *   OP_BALANCE_TOO_LOW; CLI_LEAF_NOT_FOUND, CLI_LEAF_OWNER_CHANGED, CLI_PRECONFIRMATION_INVALID
 * @example
 * ```ts
 * const { l1Owner: expectedOwner } = await getLeaf(client, 7);
 * const { hash } = await transferOpen(client, { to: 7, amountWei: parseOpen("1.5"), expectedOwner });
 * ```
 */
export async function transferOpen(
  client: LedgerClient,
  parameters: TransferParameters,
): Promise<SendResult> {
  const { amountWei, from, to } = parameters;
  requireAmount(amountWei);
  encodeAmount(amountWei);
  const payer = await requireSigner(client, from);
  if (payer.id === to)
    throw clientError("CLI_INPUT_INVALID", `leaf ${to} pays itself: that moves nothing, and costs a fee`, {
      data: { reason: "to-itself", id: to },
    });
  await requireBalance(client, payer, "transfer", amountWei);
  return transfer(client, { ...parameters, from: payer.id });
}
