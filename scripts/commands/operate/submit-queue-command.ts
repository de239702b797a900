import type { Command } from "commander";
import { parseBlock } from "../../cli/parse-id.ts";
import { onRun, withExample } from "../../cli/run-command.ts";
import { KEYS_OPTION, PROVER_OPTION } from "../../cli/settlement-options.ts";
import type { SubmitQueueCommandOptions } from "./submit-queue.ts";

export function addSubmitQueueCommand(program: Command): void {
  const command = program
    .command("submit-queue")
    .description(
      "carry on a queue that the operator leaves for more than 24 hours; anyone may, from L1 alone, for the gas",
    )
    .option("--from-block <number>", "the contract's own block; searched for by default", parseBlock)
    .option(...KEYS_OPTION)
    .option(...PROVER_OPTION);
  withExample(
    command,
    "submit-queue --account bob",
    "submit-queue --rpc https://… --rollup 0x… --private-key-file key",
  );
  onRun<SubmitQueueCommandOptions>(command, async (context) => {
    const { runSubmitQueue } = await import("./submit-queue.ts");
    await runSubmitQueue(context);
  });
}
