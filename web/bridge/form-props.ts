import type { FeeEstimates, SequencerInfo } from "@openledger/client/sequencer/sequencer-schemas";
import type { Holdings } from "../ledger/holdings.ts";
import type { Live } from "../ledger/live.ts";

/** What each of the three forms is given. */
export interface FormProps {
  readonly live: Live;
  readonly info: SequencerInfo;
  readonly owned: Holdings;
  /** undefined until the sequencer has answered. */
  readonly fees: FeeEstimates | undefined;
}
