/**
 * Sends an operation that is on disk already. A gateway that was killed sends it again; the ledger executes it once, since its
 * nonce is used up then.
 */
import {
  type SendResult,
  type SignedSubmission,
  sendSigned,
} from "@openledger/client/actions/ledger/send-operation";
import type { LedgerClient } from "@openledger/client/ledger-client";
import { isRollupError, type RollupError } from "@openledger/foundation/rollup-error";

/** Result of a sending: the sequencer has the operation, or has refused it for good. */
export type Sent =
  | { readonly isTaken: true; readonly result: SendResult }
  | { readonly isTaken: false; readonly refusal: RollupError | null };

/** @throws where nobody knows whether the sequencer has it: CLI_UNREACHABLE, CLI_ANSWER_INVALID, a retryable refusal */
export async function sendDurably(client: LedgerClient, signed: SignedSubmission): Promise<Sent> {
  try {
    const result = await sendSigned(client, signed);
    return result.status === "dropped" ? { isTaken: false, refusal: null } : { isTaken: true, result };
  } catch (error) {
    if (!isRollupError(error) || error.isRetryable || !/^(OP|SEQ)_/.test(error.code)) throw error;
    return { isTaken: false, refusal: error };
  }
}
