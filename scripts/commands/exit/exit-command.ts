import { join } from "node:path";
import { repositoryRoot } from "@openledger/circuits/compiler/compile";
import type { Command } from "commander";
import { parseBlock, parseId } from "../../cli/parse-id.ts";
import { onRun, withExample } from "../../cli/run-command.ts";
import { PROVER_OPTION } from "../../cli/settlement-options.ts";
import type { ExitCommandOptions } from "./exit.ts";

export function addExitCommand(program: Command): void {
  const command = program
    .command("exit")
    .description(
      "take everything out of a frozen rollup, from an Ethereum node alone: balances, rewards, deposits that wait",
    )
    .option("--owner <address>", "whose money; it goes to that address, whoever pays; default: the account's")
    .option("--all", "everybody's")
    .option("--leaf <id>", "only of this leaf: its balance, and its earners where it is a model", parseId)
    .option("--earner <index>", "only of this earner of the model that --leaf names", parseId)
    .option(
      "--min <amount>",
      "only what is at least this many OPEN: anybody can leave crumbs for you, and each costs gas",
    )
    .option("--dry-run", "only say what there is, frozen or not; needs no account where --owner is given")
    .option(
      "--keys <folder>",
      "keys of a ceremony: what `ceremony export` wrote to <folder>/<circuit>",
      join(repositoryRoot, "keys"),
    )
    .option(
      "--check-keys",
      "see first that the keys are here to prove it all; with --dry-run also before a freeze",
    )
    .option(
      "--snapshot <file>",
      "go on from a snapshot once its root is found among the ones that L1 has accepted",
    )
    .option("--from-block <number>", "the contract's own block; searched for by default", parseBlock)
    .option(...PROVER_OPTION);
  withExample(
    command,
    "exit --account bob",
    "exit --rpc https://… --rollup 0x… --owner 0x… --dry-run",
    "exit --rpc https://… --rollup 0x… --private-key-file key",
  );
  onRun<ExitCommandOptions>(command, async (context) => {
    const { runExit } = await import("./exit.ts");
    await runExit(context);
  });
}
