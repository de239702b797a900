import { type SettlementBody, sendSettlement } from "@openledger/client/actions/l1/send-settlement";
import type { LedgerClient } from "@openledger/client/ledger-client";
import type { LedgerSettlement } from "@openledger/client/sequencer/model-schemas";
import { isRollupError } from "@openledger/foundation/rollup-error";

const ATTEMPTS = 40;
const RETRY_MS = 3_000;

/**
 * Sends a genesis that L1 admits by now: the bridge tells the sequencer so only with one of the next blocks.
 * @throws SEQ_GENESIS_NOT_ADMITTED after two minutes, and what `sendSettlement` throws
 * @internal
 */
export async function sendGenesis(
  client: LedgerClient,
  body: SettlementBody,
  { onWait, signal }: { onWait?: () => void; signal?: AbortSignal } = {},
): Promise<LedgerSettlement> {
  for (let left = ATTEMPTS; ; left--) {
    try {
      return await sendSettlement(client, body);
    } catch (error) {
      if (!isRollupError(error, "SEQ_GENESIS_NOT_ADMITTED") || left === 1) throw error;
      onWait?.();
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
      signal?.throwIfAborted();
    }
  }
}
