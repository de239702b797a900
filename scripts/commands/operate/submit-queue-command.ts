/** `openledger submit-queue`: options of the command; submit-queue.ts runs it. */
import { FROM_BLOCK_OPTION } from "../../cli/common-options.ts";
import { command } from "../../cli/run-command.ts";
import { KEYS_OPTION, PROVER_OPTION } from "../../cli/settlement-options.ts";

export const addSubmitQueueCommand = command({
  usage: "submit-queue",
  about:
    "post entries of the L1 queue that the operator has left out for 24 hours; anyone can, from L1 alone, for the gas",
  options: {
    ...FROM_BLOCK_OPTION,
    ...KEYS_OPTION,
    ...PROVER_OPTION,
  },
  examples: [
    "submit-queue --account bob",
    "submit-queue --rpc https://… --rollup 0x… --private-key-file key",
  ],
  run: async (context) => (await import("./submit-queue.ts")).runSubmitQueue(context),
});
