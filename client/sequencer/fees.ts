/**
 * Fees of operations, and the operator's earnings and costs, as the sequencer reports them. Fees are in wei, by kind of
 * operation.
 */
import { requestSequencer, type SequencerAccess } from "./sequencer-request.ts";
import {
  type FeeEstimates,
  feesSchema,
  type OperatorResult,
  operatorResultSchema,
} from "./sequencer-schemas.ts";

/** Explanation of fees in one sentence, for commands. */
export const WHO_PAYS =
  "An operation costs its weight times the batch's fee, in OPEN; a forced operation or deposit pays Ethereum's gas and the queue's fee instead.";

/**
 * Reads the fee of a unit now and in the next batch, which is announced before that batch opens, and the resulting cost
 * of each kind of operation. An operation that allows `suggestedMaxFeePerUnitWei` is not refused for four more batches,
 * however the fee rises.
 * @throws SEQ_READ_ONLY at a full node; CLI_UNREACHABLE, CLI_ANSWER_INVALID
 */
export function estimateFees(client: SequencerAccess): Promise<FeeEstimates> {
  return requestSequencer(client, "/v1/fees", feesSchema);
}

/** Maximum fee of such an operation in the open batch or in the next one, in wei of OPEN. */
export function likelyFeeWei(fees: FeeEstimates, kind: "createDatanet" | "transfer" | "withdraw"): bigint {
  const costs = fees.operations[kind];
  const isFalling = costs.feeWei > costs.nextFeeWei;
  return isFalling ? costs.feeWei : costs.nextFeeWei;
}

/**
 * Reads the operator's earnings and costs over the last batches that L1 has.
 * @throws as estimateFees
 */
export function getOperatorResult(client: SequencerAccess): Promise<OperatorResult> {
  return requestSequencer(client, "/v1/operator/account", operatorResultSchema);
}
