/** `--max-fee`: the most that an entry of L1's queue may burn. Deposits, moves and forced operations take it. */
import { parseOpen } from "@openledger/client/sequencer/open-amount";
import { defineOptions } from "../../cli/options.ts";

export const MAX_FEE_OPTION = defineOptions({
  "--max-fee <amount>": "most OPEN that L1's queue may burn for an entry; default: the current fee",
});

/** Returns `--max-fee` in the form of the client's verbs. @throws CLI_INPUT_INVALID */
export function maxFeeOf({ maxFee }: { readonly maxFee?: string }): { maxFeeWei?: bigint } {
  return maxFee === undefined ? {} : { maxFeeWei: parseOpen(maxFee) };
}
