/**
 * Signed operations of an account: transfer, withdraw, change of key. Each signs with the L2 key and returns the sequencer's
 * promise; amounts are in wei.
 */
import { encodeAmount } from "@openledger/circuits/ledger/amount-float";
import type { Address } from "viem";
import type { LedgerClient } from "../../ledger-client.ts";
import { refuseRollup } from "../l1/refuse-rollup.ts";
import {
  type SendResult,
  type SigningErrorCode,
  type SigningOptions,
  signAndSend,
} from "./send-operation.ts";

export interface TransferParameters extends SigningOptions {
  /** Leaf that receives the OPEN. */
  to: number;
  /** Amount in wei. It must have an exact 40-bit float: up to ten significant digits always have. */
  amountWei: bigint;
  /** Expected owner of the recipient's leaf: the client refuses to pay if it belongs to another address. */
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

export interface WithdrawParameters extends SigningOptions {
  /** Amount in wei, exact. */
  amountWei: bigint;
  /** Address that may finalize it on L1 once the batch is posted. */
  recipient: Address;
}
export type WithdrawReturnType = SendResult;

export type WithdrawErrorCode = "OP_BALANCE_TOO_LOW" | "CLI_INPUT_INVALID" | SigningErrorCode;

/**
 * Takes OPEN out of the ledger; `finalizeWithdrawal` pays it out once its batch is posted.
 * @throws OP_BALANCE_TOO_LOW, CLI_INPUT_INVALID, CLI_PRECONFIRMATION_INVALID
 * @example
 * ```ts
 * const { hash } = await withdraw(client, { amountWei: parseOpen("5"), recipient: account.address });
 * ```
 */
export async function withdraw(
  client: LedgerClient,
  parameters: WithdrawParameters,
): Promise<WithdrawReturnType> {
  const { amountWei, recipient } = parameters;
  refuseRollup(client, recipient);
  return signAndSend(client, { kind: "withdraw", words: [BigInt(recipient), amountWei] }, parameters);
}

export interface SetKeyParameters extends SigningOptions {
  /** New key; 0 leaves the leaf to forced operations alone. */
  keyX: bigint;
}
export type SetKeyReturnType = SendResult;

export type SetKeyErrorCode = "OP_BAD_SIGNATURE" | "OP_BALANCE_TOO_LOW" | SigningErrorCode;

/**
 * Replaces the key of a leaf. The old key signs; without it, use `force` with the type `setKey`.
 * @throws OP_BAD_SIGNATURE, OP_BALANCE_TOO_LOW, CLI_PRECONFIRMATION_INVALID
 * @example
 * ```ts
 * const next = await createRandomKey();
 * await setKey(client, { keyX: next.keyX });
 * ```
 */
export async function setKey(client: LedgerClient, parameters: SetKeyParameters): Promise<SetKeyReturnType> {
  return signAndSend(client, { kind: "setKey", words: [parameters.keyX] }, parameters);
}
