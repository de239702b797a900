/**
 * Operations and L1 transactions that are sent once, however often the program that signed them is cut off. The caller stores what is
 * signed (`onSigned`) and passes it again. Pages, gateways, the devnet and the other tasks go on by it.
 */
import { isRollupError, type RollupError } from "@openledger/foundation/rollup-error";
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
  type SigningOptions,
  sendSigned,
} from "../actions/ledger/send-operation.ts";
import type { LedgerClient } from "../ledger-client.ts";
import { getLeaf } from "../sequencer/ledger-reads.ts";

export type ResendOperationErrorCode = SendSignedErrorCode;

/**
 * Result of sending a stored operation: the sequencer has it, or has refused it for good. The refusal is null for one that the
 * sequencer had taken and dropped.
 */
export type Resent =
  | { readonly isTaken: true; readonly result: SendResult }
  | { readonly isTaken: false; readonly refusal: RollupError | null };

/**
 * Sends a stored operation. It may be sent any number of times: the ledger executes it once, since its nonce is used up then. One
 * that was dropped is taken again where it still may be.
 * @throws where nobody knows whether the sequencer has it: CLI_UNREACHABLE, CLI_ANSWER_INVALID, a retryable refusal;
 *   CLI_PRECONFIRMATION_INVALID
 * @example
 * ```ts
 * const stored: SignedSubmission[] = [];
 * await transferOpen(client, { to: 7, amountWei: parseOpen("1"), onSigned: (signed) => void stored.push(signed) });
 * const { isTaken } = await resendOperation(client, stored[0]!);
 * ```
 */
export async function resendOperation(client: LedgerClient, signed: SignedSubmission): Promise<Resent> {
  try {
    const result = await sendSigned(client, signed);
    return result.status === "dropped" ? { isTaken: false, refusal: null } : { isTaken: true, result };
  } catch (error) {
    if (!isRollupError(error) || error.isRetryable || !/^(OP|SEQ)_/.test(error.code)) throw error;
    return { isTaken: false, refusal: error };
  }
}

/**
 * Options by which of two signings at most one can be executed: the nonce of the refused one, as long as the ledger has not used it.
 * @internal
 */
export async function withSameNonce(
  client: LedgerClient,
  leafId: number,
  refused: SignedSubmission | null,
): Promise<Pick<SigningOptions, "nonce">> {
  if (refused === null) return {};
  const { nextNonce } = await getLeaf(client, leafId);
  return nextNonce <= refused.body.nonce ? { nonce: refused.body.nonce } : {};
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
 * @throws as `resendOperation`, the refusal of the earlier one, and what `sign` throws
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
  if (signed === undefined) return sign();
  const sent = await resendOperation(client, signed);
  if (sent.isTaken) return sent.result;
  if (sent.refusal !== null) throw sent.refusal;
  return sign();
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
