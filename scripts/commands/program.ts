import { Command, InvalidArgumentError } from "commander";
import { parseGwei } from "viem";
import { DEFAULT_MAX_PRIORITY_FEE_GWEI } from "../../contracts/l1/capped-transaction.ts";
import { DEFAULT_MAX_FEE_GWEI } from "../../contracts/l1/fee-policy.ts";
import packageJson from "../../package.json" with { type: "json" };
import { createOutput } from "../cli/output.ts";
import { withExample } from "../cli/run-command.ts";
import { addCompletionCommand } from "./completion/completion-command.ts";

/** What adds each command of the first level. Loaded one by one: what a command imports costs the others nothing. */
const COMMANDS: Readonly<Record<string, () => Promise<(program: Command) => void>>> = {
  status: async () => (await import("./operate/status-command.ts")).addStatusCommand,
  fees: async () => (await import("./operate/fee-commands.ts")).addFeesCommand,
  account: async () => (await import("./account/account-command.ts")).addAccountCommands,
  deposit: async () => (await import("./money/deposit-command.ts")).addDepositCommand,
  transfer: async () => (await import("./money/transfer-command.ts")).addTransferCommand,
  withdraw: async () => (await import("./money/withdraw-command.ts")).addWithdrawCommand,
  claim: async () => (await import("./money/claim-command.ts")).addClaimCommand,
  datanet: async () => (await import("./datanet/datanet-command.ts")).addDatanetCommands,
  model: async () => (await import("./model/model-command.ts")).addModelCommands,
  models: async () => (await import("./models/models-command.ts")).addModelsCommands,
  factory: async () => (await import("./factory/factory-command.ts")).addFactoryCommands,
  rewards: async () => (await import("./rewards/rewards-command.ts")).addRewardsCommands,
  verify: async () => (await import("./verify/verify-command.ts")).addVerifyCommand,
  watch: async () => (await import("./verify/watch-command.ts")).addWatchCommand,
  disputes: async () => (await import("./disputes/disputes-command.ts")).addDisputesCommands,
  spans: async () => (await import("./spans/spans-command.ts")).addSpansCommand,
  "submit-queue": async () => (await import("./operate/submit-queue-command.ts")).addSubmitQueueCommand,
  freeze: async () => (await import("./exit/freeze-command.ts")).addFreezeCommand,
  exit: async () => (await import("./exit/exit-command.ts")).addExitCommand,
  "exit-page": async () => (await import("./exit/exit-page-command.ts")).addExitPageCommand,
  vote: async () => (await import("./vote/vote-command.ts")).addVoteCommands,
  migrate: async () => (await import("./vote/migrate-command.ts")).addMigrateCommand,
  restore: async () => (await import("./operate/restore-command.ts")).addRestoreCommand,
  deploy: async () => (await import("./operate/deploy-command.ts")).addDeployCommand,
  operator: async () => (await import("./operate/operator-command.ts")).addOperatorCommands,
  doctor: async () => (await import("./operate/operator-command.ts")).addDoctorCommand,
  follow: async () => (await import("./operate/follow-command.ts")).addFollowCommand,
  snapshot: async () => (await import("./operate/snapshot-command.ts")).addSnapshotCommands,
  receipt: async () => (await import("./verify/receipt-command.ts")).addReceiptCommands,
  preconfirmations: async () =>
    (await import("./verify/preconfirmations-command.ts")).addPreconfirmationsCommand,
  contradiction: async () => (await import("./verify/contradiction-command.ts")).addContradictionCommand,
};

/**
 * The command line. It never ends the process itself: `runProgram` sets the exit status.
 * @param names of the first level's commands that it has
 */
export async function createProgram(names = Object.keys(COMMANDS)): Promise<Command> {
  const program = withGlobalOptions(new Command("openledger"));
  withExample(program, "status", "transfer bob 1.5 --account alice");
  const adders = await Promise.all(names.map((name) => COMMANDS[name]!()));
  for (const add of adders) add(program);
  addCompletionCommand(program);
  for (const command of allCommands(program))
    command.exitOverride().configureOutput({ outputError: () => {} });
  return program;
}

function withGlobalOptions(program: Command): Command {
  return program
    .description(
      "Use an OpenLedger rollup: accounts, deposits, transfers, datanets, models, rewards, verification.",
    )
    .version(packageJson.version, "--version", "which version this is")
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
}

/** Runs the command line; wrong usage is answered like any other failure, with exit status 2. */
export async function runProgram(argv: readonly string[]): Promise<void> {
  try {
    await (await createProgram(wantedOf(argv))).parseAsync([...argv], { from: "user" });
  } catch (error) {
    const { exitCode, code } = error as { exitCode?: number; code?: string };
    // Help and version come as errors, too, and are none.
    if (exitCode === 0 || code === "commander.help") return;
    createOutput({ isJson: argv.includes("--json") }).fail(error);
    process.exitCode = 2;
  }
}

/** The command that is named, where one is: the others need not be loaded. undefined = all of them. */
function wantedOf(argv: readonly string[]): string[] | undefined {
  let named: string | undefined;
  try {
    [named] = withGlobalOptions(new Command()).parseOptions([...argv]).operands;
  } catch {
    // A wrong value of an option is refused where the line is parsed in earnest.
  }
  return named !== undefined && Object.hasOwn(COMMANDS, named) ? [named] : undefined;
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
