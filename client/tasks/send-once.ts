/**
 * Operations and L1 transactions that are sent once, however often the program that signed them is cut off. The caller stores what is
 * signed (`onSigned`) and passes it again. Pages, the devnet and the other tasks go on by it.
 */
import type { L1Result } from "../actions/l1/l1-result.ts";
import {
  type SendTransactionErrorCode,
  type SignedTransaction,
  sendTransaction,
} from "../actions/l1/l1-transaction.ts";
import {
  type SendResult,
  type SendSignedErrorCode,
  type SignedSubmission,
  sendSigned,
} from "../actions/ledger/send-operation.ts";
import type { LedgerClient } from "../ledger-client.ts";
import { getOperation } from "../sequencer/ledger-reads.ts";

export type ResendOperationErrorCode = SendSignedErrorCode;

/**
 * Sends a stored operation again, which the sequencer executes once. Null where the sequencer has dropped it: it is never executed,
 * and has to be signed anew.
 * @throws CLI_PRECONFIRMATION_INVALID, CLI_UNREACHABLE, OP_… as the sequencer refuses it
 * @example
 * ```ts
 * const stored: SignedSubmission[] = [];
 * await transferOpen(client, { to: 7, amountWei: parseOpen("1"), onSigned: (signed) => void stored.push(signed) });
 * for (const signed of stored) await resendOperation(client, signed);
 * ```
 */
export async function resendOperation(
  client: LedgerClient,
  signed: SignedSubmission,
): Promise<SendResult | null> {
  const known = await getOperation(client, signed.hash);
  return known?.status === "dropped" ? null : sendSigned(client, signed);
}

export interface OperateOnceParameters {
  /** Operation of an earlier call, as `onSigned` has handed it over. */
  signed: SignedSubmission | undefined;
  /** Signs and sends, where no earlier call has, or the sequencer has dropped what it sent. */
  sign: () => Promise<SendResult>;
}
export type OperateOnceErrorCode = ResendOperationErrorCode;

/**
 * Sends the operation that an earlier call has signed, else signs one.
 * @throws as `resendOperation`, and what `sign` throws
 * @example
 * ```ts
 * let signed: SignedSubmission | undefined;
 * const keep = (fresh: SignedSubmission) => void (signed = fresh);
 * const sign = () => transferOpen(client, { to: 7, amountWei: parseOpen("1"), onSigned: keep });
 * await operateOnce(client, { signed, sign });
 * ```
 */
export async function operateOnce(
  client: LedgerClient,
  { sign, signed }: OperateOnceParameters,
): Promise<SendResult> {
  const sent = signed === undefined ? null : await resendOperation(client, signed);
  return sent ?? sign();
}

export interface TransactOnceParameters {
  /** Transaction of an earlier call, as `onSigned` has handed it over. */
  signed: SignedTransaction | undefined;
  sign: () => Promise<L1Result>;
}
export type TransactOnceErrorCode = SendTransactionErrorCode;

/**
 * Sends the L1 transaction that an earlier call has signed, and waits for its receipt; else signs one.
 * @throws CLI_L1_REVERTED, CLI_L1_REFUSED, CLI_UNREACHABLE, and what `sign` throws
 * @example
 * ```ts
 * let signed: SignedTransaction | undefined;
 * const keep = (fresh: SignedTransaction) => void (signed = fresh);
 * await transactOnce(client, { signed, sign: () => finalizeWithdrawals(client, { onSigned: keep }) });
 * ```
 */
export function transactOnce(
  client: LedgerClient,
  { sign, signed }: TransactOnceParameters,
): Promise<L1Result> {
  return signed === undefined ? sign() : sendTransaction(client, signed);
}
