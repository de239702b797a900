/** What became of an answer's payment, for programs: its stage, its draws, and whom they paid. */

import { toHex32 } from "@openledger/client/hex";
import type { LedgerClient } from "@openledger/client/ledger-client";
import { isRollupError } from "@openledger/foundation/rollup-error";
import type { RollupCircuit } from "@openledger/verifier/circuits/rollup-circuits";
import type { PublishedEpoch } from "./fetch-published.ts";
import { type PaidOut, type PaymentStatus, paidBy } from "./payment-status.ts";
import { verifySettlement } from "./verify-settlement.ts";

export interface KnownPaid {
  /** null where the payment was not drawn, is not settled, or it cannot be computed here. */
  readonly paid: PaidOut | null;
  /** Why it cannot. */
  readonly paidUnknown: { readonly code: string; readonly message: string } | null;
}

/** Whom the draws of a settled payment paid: from openings and features, compared with what L1 has. */
export async function readPaid(
  { draws, epoch, index, modelId, stage }: PaymentStatus,
  client: LedgerClient,
  {
    circuits,
    published,
  }: { readonly circuits: readonly RollupCircuit[]; readonly published: () => Promise<PublishedEpoch> },
): Promise<KnownPaid> {
  if (stage !== "settled" || draws === null || draws.hits.length === 0)
    return { paid: null, paidUnknown: null };
  try {
    const made = await published();
    const verified = await verifySettlement(client, { modelId, epoch }, { ...made, circuits, keyOf: null });
    return { paid: paidBy(index, verified), paidUnknown: null };
  } catch (error) {
    // A difference is news that nobody may overlook; a server that is away leaves the rest of the answer true.
    const isAway = ["CMD_NO_MODEL_SERVER", "ATT_SERVER_UNREACHABLE"].some((code) =>
      isRollupError(error, code),
    );
    if (!isAway || !isRollupError(error)) throw error;
    return { paid: null, paidUnknown: { code: error.code, message: error.message } };
  }
}

/** As JSON: what a payment came to, and by which settlement. */
export function statusView({ draws, operation, payment, settlement, ...rest }: PaymentStatus) {
  return {
    stage: rest.stage,
    modelId: rest.modelId,
    epoch: rest.epoch,
    index: rest.index,
    hash: payment.hash,
    receipt: toHex32(payment.receipt),
    payerId: payment.payerId,
    amountWei: payment.amountWei,
    batchNumber: payment.batchNumber,
    operationStatus: operation.status,
    l1TransactionHash: operation.l1TransactionHash,
    sealBatch: rest.sealBatch,
    epochPaymentCount: rest.epochPaymentCount,
    epochAmountWei: rest.epochAmountWei,
    isDrawn: draws === null ? null : draws.hits.length > 0,
    drawHits: draws?.hits ?? null,
    drawCount: draws?.count ?? null,
    isByRowCounts: rest.isByRowCounts,
    settlement:
      settlement === null
        ? null
        : {
            status: settlement.status,
            batchNumber: settlement.batchNumber,
            circuit: settlement.circuit,
            settlementHash: toHex32(settlement.settlementHash),
            l1TransactionHash: settlement.l1TransactionHash,
          },
  };
}
