import { Command, InvalidArgumentError } from "commander";
import { parseGwei } from "viem";
import { DEFAULT_MAX_PRIORITY_FEE_GWEI } from "../../contracts/l1/capped-transaction.ts";
import { DEFAULT_MAX_FEE_GWEI } from "../../contracts/l1/fee-policy.ts";
import { createOutput } from "../cli/output.ts";
import { withExample } from "../cli/run-command.ts";
import { addAccountCommands } from "./account/account-command.ts";
import { addDatanetCommands } from "./datanet/datanet-command.ts";
import { addDisputesCommands } from "./disputes/disputes-command.ts";
import { addExitCommand } from "./exit/exit-command.ts";
import { addExitPageCommand } from "./exit/exit-page-command.ts";
import { addFreezeCommand } from "./exit/freeze-command.ts";
import { addFactoryCommands } from "./factory/factory-command.ts";
import { addModelCommands } from "./model/model-command.ts";
import { addModelsCommands } from "./models/models-command.ts";
import { addClaimCommand } from "./money/claim-command.ts";
import { addDepositCommand } from "./money/deposit-command.ts";
import { addTransferCommand } from "./money/transfer-command.ts";
import { addWithdrawCommand } from "./money/withdraw-command.ts";
import { addDeployCommand } from "./operate/deploy-command.ts";
import { addFeesCommand } from "./operate/fee-commands.ts";
import { addFollowCommand } from "./operate/follow-command.ts";
import { addDoctorCommand, addOperatorCommands } from "./operate/operator-command.ts";
import { addRestoreCommand } from "./operate/restore-command.ts";
import { addSnapshotCommands } from "./operate/snapshot-command.ts";
import { addStatusCommand } from "./operate/status-command.ts";
import { addSubmitQueueCommand } from "./operate/submit-queue-command.ts";
import { addRewardsCommands } from "./rewards/rewards-command.ts";
import { addSpansCommand } from "./spans/spans-command.ts";
import { addContradictionCommand } from "./verify/contradiction-command.ts";
import { addPreconfirmationsCommand } from "./verify/preconfirmations-command.ts";
import { addReceiptCommands } from "./verify/receipt-command.ts";
import { addVerifyCommand } from "./verify/verify-command.ts";
import { addWatchCommand } from "./verify/watch-command.ts";
import { addMigrateCommand } from "./vote/migrate-command.ts";
import { addVoteCommands } from "./vote/vote-command.ts";

/** The whole command line. It never ends the process itself: `runProgram` sets the exit status. */
export function createProgram(): Command {
  const program = new Command("openledger")
    .description(
      "Use an OpenLedger rollup: accounts, deposits, transfers, datanets, models, rewards, verification.",
    )
    .option("--json", "answer with one JSON value, errors too")
    .option("--rpc <url>", "Ethereum node; default: the devnet's")
    .option("--rollup <address>", "the rollup's contract; default: the devnet's")
    .option("--sequencer <url>", "the sequencer; default: the devnet's")
    .option(
      "--beacon <url>",
      "beacon node, for batches that stand in blobs; may be given several times",
      collectUrl,
    )
    .option(
      "--blobs <place>",
      "folder of blobs, or URL of a sequencer or follower that serves them; may be given several times. The first folder keeps what is read",
      collectPlace,
    )
    .option("--account <name>", "who signs: a name in the accounts file")
    .option("--accounts-file <path>", "default: the devnet's, which knows alice, bob, carol and dave")
    .option("--private-key-file <path>", "who signs: a file with an Ethereum private key")
    .option(
      "--key-index <n>",
      "which ledger key of the wallet; default: the newest that the accounts file knows",
      parseIndex,
    )
    .option(
      "--max-fee-gwei <n>",
      `most to pay on L1 for a unit of gas, whatever the node asks; default: ${DEFAULT_MAX_FEE_GWEI}`,
      parseGweiOption,
    )
    .option(
      "--max-priority-fee-gwei <n>",
      `most of it as a tip; default: ${DEFAULT_MAX_PRIORITY_FEE_GWEI}`,
      parseGweiOption,
    )
    .showHelpAfterError(false);
  withExample(program, "status", "transfer bob 1.5 --account alice");
  addStatusCommand(program);
  addFeesCommand(program);
  addAccountCommands(program);
  addDepositCommand(program);
  addTransferCommand(program);
  addWithdrawCommand(program);
  addClaimCommand(program);
  addDatanetCommands(program);
  addModelCommands(program);
  addModelsCommands(program);
  addFactoryCommands(program);
  addRewardsCommands(program);
  addVerifyCommand(program);
  addWatchCommand(program);
  addDisputesCommands(program);
  addSpansCommand(program);
  addSubmitQueueCommand(program);
  addFreezeCommand(program);
  addExitCommand(program);
  addExitPageCommand(program);
  addVoteCommands(program);
  addMigrateCommand(program);
  addRestoreCommand(program);
  addDeployCommand(program);
  addOperatorCommands(program);
  addDoctorCommand(program);
  addFollowCommand(program);
  addSnapshotCommands(program);
  addReceiptCommands(program);
  addPreconfirmationsCommand(program);
  addContradictionCommand(program);
  for (const command of allCommands(program))
    command.exitOverride().configureOutput({ outputError: () => {} });
  return program;
}

/** Runs the command line; wrong usage is answered like any other failure, with exit status 2. */
export async function runProgram(argv: readonly string[]): Promise<void> {
  try {
    await createProgram().parseAsync([...argv], { from: "user" });
  } catch (error) {
    const { exitCode, code } = error as { exitCode?: number; code?: string };
    // Help and version come as errors, too, and are none.
    if (exitCode === 0 || code === "commander.help") return;
    createOutput({ isJson: argv.includes("--json") }).fail(error);
    process.exitCode = 2;
  }
}

export function allCommands(command: Command): Command[] {
  return [command, ...command.commands.flatMap((child) => allCommands(child as Command))];
}

/** @param before what was given already */
function collectUrl(text: string, before: string[] = []): string[] {
  if (!/^https?:$/.test(URL.parse(text)?.protocol ?? ""))
    throw new InvalidArgumentError("not an http(s) URL");
  return [...before, text];
}

function collectPlace(text: string, before: string[] = []): string[] {
  if (text.includes("://")) return collectUrl(text, before);
  if (text === "") throw new InvalidArgumentError("neither a folder nor a URL");
  return [...before, text];
}

function parseIndex(text: string): number {
  if (!/^\d{1,6}$/.test(text)) throw new InvalidArgumentError("not a number");
  return Number(text);
}

/** @returns wei */
function parseGweiOption(text: string): bigint {
  if (!/^\d{1,9}(\.\d{1,9})?$/.test(text)) throw new InvalidArgumentError("not a number of gwei");
  return parseGwei(text);
}
