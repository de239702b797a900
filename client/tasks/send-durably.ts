/**
 * Operations that are stored before they are sent: sent again after a cut, or signed again with the same nonce, so that at most one of
 * both is ever executed. Accounts of programs (funded-account.ts) and gateways go on by it.
 */
import { isRollupError, type RollupError } from "@openledger/foundation/rollup-error";
import {
  type SendResult,
  type SendSignedErrorCode,
  type SignedSubmission,
  type SigningOptions,
  sendSigned,
} from "../actions/ledger/send-operation.ts";
import type { LedgerClient } from "../ledger-client.ts";
import { getLeaf } from "../sequencer/ledger-reads.ts";

/** Result of a sending: the sequencer has the operation, or has refused it for good. */
export type Sent =
  | { readonly isTaken: true; readonly result: SendResult }
  | { readonly isTaken: false; readonly refusal: RollupError | null };
export type SendDurablyErrorCode = SendSignedErrorCode;

/**
 * Sends a stored operation. It may be sent any number of times: the ledger executes it once, since its nonce is used up then.
 * @throws where nobody knows whether the sequencer has it: CLI_UNREACHABLE, CLI_ANSWER_INVALID, a retryable refusal
 * @example
 * ```ts
 * const stored: SignedSubmission[] = [];
 * await transfer(client, { to: 7, amountWei: parseOpen("1"), onSigned: (signed) => void stored.push(signed) });
 * const { isTaken } = await sendDurably(client, stored[0]!);
 * ```
 */
export async function sendDurably(client: LedgerClient, signed: SignedSubmission): Promise<Sent> {
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
