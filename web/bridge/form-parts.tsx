/** Parts that the deposit, transfer and withdrawal forms of the bridge page share. Fees are in wei of OPEN. */
import { likelyFeeWei } from "@openledger/client/sequencer/fees";
import type { FeeEstimates, SequencerInfo } from "@openledger/client/sequencer/sequencer-schemas";
import type { Holdings } from "../ledger/holdings.ts";
import type { Live } from "../ledger/live.ts";
import type { Site } from "../ledger/site.ts";

/** Properties of each of the three forms. */
export interface FormProps {
  readonly live: Live;
  readonly site: Site;
  readonly info: SequencerInfo;
  readonly owned: Holdings;
  /** undefined until the sequencer has answered. */
  readonly fees: FeeEstimates | undefined;
}

/** Maximum fee of an operation in the open batch or the next one; until the next one's fee is known, the open one's. */
export function feeOf(
  kind: "transfer" | "withdraw",
  fees: FeeEstimates | undefined,
  info: SequencerInfo,
): bigint {
  if (fees !== undefined) return likelyFeeWei(fees, kind);
  return BigInt(info.weights[kind] ?? 0) * info.feePerUnitWei;
}

/** Shown in the forms that need an account if there is none. */
export function NoAccountYet() {
  return (
    <p class="soft">You have no account in the ledger yet. A deposit opens one; it takes about a minute.</p>
  );
}
