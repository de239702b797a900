import { likelyFeeWei } from "@openledger/client/sequencer/fees";
import type { FeeEstimates, SequencerInfo } from "@openledger/client/sequencer/sequencer-schemas";

/** Most that an operation pays in the open batch or the next one; until the next one's fee is known, the open one's. */
export function feeOf(
  kind: "transfer" | "withdraw",
  fees: FeeEstimates | undefined,
  info: SequencerInfo,
): bigint {
  if (fees !== undefined) return likelyFeeWei(fees, kind);
  return BigInt(info.weights[kind] ?? 0) * info.feePerUnitWei;
}
