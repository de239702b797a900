import { settlementMessage } from "@openledger/circuits/batch/settlement-operation";
import { leafReference } from "@openledger/circuits/ledger/operation";
import { KIND, LEAF_KIND } from "@openledger/circuits/protocol";
import {
  type ProvenSettlement,
  type SettlementBody,
  sendSettlement,
} from "@openledger/client/actions/l1/send-settlement";
import { type LedgerClient, requireL2Key } from "@openledger/client/ledger-client";
import { getStatus } from "@openledger/client/sequencer/ledger-reads";
import type { LedgerModelLeaf, LedgerSettlement } from "@openledger/client/sequencer/model-schemas";
import { isRollupError } from "@openledger/foundation/rollup-error";

export type SignSettlementErrorCode = "CLI_NOT_CONFIGURED";

/**
 * The settlement with the model's consent: to its void draws, since nobody can prove that a receipt cannot be opened, or
 * to its activation, which fixes its cap. `client` signs with the model's key. @throws CLI_NOT_CONFIGURED
 * @example
 * ```ts
 * const signed = signSettlement(client, await getModel(client, 11), settlement);
 * await sendSettlement(client, encodeSettlementBody(signed));
 * ```
 */
export function signSettlement(
  client: LedgerClient,
  leaf: LedgerModelLeaf,
  settlement: ProvenSettlement,
): ProvenSettlement {
  const bRef = leafReference({ l1Owner: BigInt(leaf.l1Owner), kind: LEAF_KIND.model });
  const kind = settlement.kind === "activation" ? KIND.activation : KIND.settle;
  const message = settlementMessage(settlement, { domain: client.domain, bRef }, kind);
  return { ...settlement, signature: requireL2Key(client).sign(message) };
}

const ATTEMPTS = 40;
const RETRY_MS = 3_000;

/**
 * Sends an activation that L1 admits by now: the bridge tells the sequencer so only with one of the next blocks.
 * @param options.admittedAt the block of L1 that admits it, where known: nothing is sent before the sequencer knows that
 * @throws SEQ_NOT_ADMITTED after two minutes, and what `sendSettlement` throws
 * @internal
 */
export async function sendActivation(
  client: LedgerClient,
  body: SettlementBody,
  {
    admittedAt = 0,
    onWait,
    signal,
  }: { admittedAt?: number | undefined; onWait?: () => void; signal?: AbortSignal } = {},
): Promise<LedgerSettlement> {
  for (let left = ATTEMPTS; ; left--) {
    try {
      if (left === 1 || admittedAt === 0 || (await getStatus(client)).l1.blockNumber >= admittedAt)
        return await sendSettlement(client, body);
    } catch (error) {
      if (!isRollupError(error, "SEQ_NOT_ADMITTED") || left === 1) throw error;
    }
    onWait?.();
    await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
    signal?.throwIfAborted();
  }
}
