import type { Command } from "commander";
import { FROM_BLOCK_OPTION } from "../../cli/common-options.ts";
import { withOptions } from "../../cli/options.ts";
import { onRun, withExample } from "../../cli/run-command.ts";
import { KEYS_OPTION, PROVER_OPTION } from "../../cli/settlement-options.ts";

export function addSubmitQueueCommand(program: Command): void {
  const command = withOptions(
    program
      .command("submit-queue")
      .description(
        "post entries of the L1 queue that the operator has left out for 24 hours; anyone can, from L1 alone, for the gas",
      ),
    {
      ...FROM_BLOCK_OPTION,
      ...KEYS_OPTION,
      ...PROVER_OPTION,
    },
  );
  withExample(
    command,
    "submit-queue --account bob",
    "submit-queue --rpc https://… --rollup 0x… --private-key-file key",
  );
  onRun(command, async (context) => {
    const { runSubmitQueue } = await import("./submit-queue.ts");
    await runSubmitQueue(context);
  });
}
