import { DEFAULT_MAX_PRIORITY_FEE_GWEI } from "@openledger/contracts/l1/capped-transaction";
import { DEFAULT_MAX_FEE_GWEI } from "@openledger/contracts/l1/fee-policy";
import { Command, InvalidArgumentError } from "commander";
import { parseGwei } from "viem";
import packageJson from "../../package.json" with { type: "json" };
import { withOptions } from "../cli/options.ts";
import { createOutput } from "../cli/output.ts";
import { withExample } from "../cli/run-command.ts";
import { addCompletionCommand } from "./completion/completion-command.ts";

interface FirstLevel {
  /** Its line in the list of commands. */
  readonly summary: string;
  /** Imports what adds the command: what one command imports costs the others nothing. */
  readonly load: () => Promise<(program: Command) => void>;
}

/** Commands of the first level. */
const COMMANDS: Readonly<Record<string, FirstLevel>> = {
  status: {
    summary: "ledger, L1 and your money at a glance",
    load: async () => (await import("./operate/status-command.ts")).addStatusCommand,
  },
  fees: {
    summary: "price of each operation, now and in the next batch",
    load: async () => (await import("./operate/fee-commands.ts")).addFeesCommand,
  },
  account: {
    summary: "keys and balances",
    load: async () => (await import("./account/account-command.ts")).addAccountCommands,
  },
  deposit: {
    summary: "bring OPEN from L1 into the ledger",
    load: async () => (await import("./money/deposit-command.ts")).addDepositCommand,
  },
  transfer: {
    summary: "send OPEN inside the ledger",
    load: async () => (await import("./money/transfer-command.ts")).addTransferCommand,
  },
  withdraw: {
    summary: "take OPEN out of the ledger",
    load: async () => (await import("./money/withdraw-command.ts")).addWithdrawCommand,
  },
  "finalize-withdrawal": {
    summary: "pay out posted withdrawals on L1",
    load: async () => (await import("./money/finalize-withdrawal-command.ts")).addFinalizeWithdrawalCommand,
  },
  datanet: {
    summary: "create, fill, review and publish data sets",
    load: async () => (await import("./datanet/datanet-command.ts")).addDatanetCommands,
  },
  models: {
    summary: "train, register, serve, ask and settle models",
    load: async () => (await import("./models/models-command.ts")).addModelsCommands,
  },
  factory: {
    summary: "fine-tune language models on Datanets",
    load: async () => (await import("./factory/factory-command.ts")).addFactoryCommands,
  },
  rewards: {
    summary: "rewards of your rows, and how they were earned",
    load: async () => (await import("./rewards/rewards-command.ts")).addRewardsCommands,
  },
  verify: {
    summary: "rebuild the ledger from L1 and check every proof",
    load: async () => (await import("./verify/verify-command.ts")).addVerifyCommand,
  },
  challenger: {
    summary: "challenge false models, defend and claim your own",
    load: async () => (await import("./disputes/challenger-command.ts")).addChallengerCommand,
  },
  disputes: {
    summary: "commit, challenge and defend models on L1",
    load: async () => (await import("./disputes/disputes-command.ts")).addDisputesCommands,
  },
  spans: {
    summary: "find rows that a text repeats verbatim",
    load: async () => (await import("./spans/spans-command.ts")).addSpansCommand,
  },
  "submit-queue": {
    summary: "submit queue entries that the operator leaves out",
    load: async () => (await import("./operate/submit-queue-command.ts")).addSubmitQueueCommand,
  },
  freeze: {
    summary: "freeze a rollup whose queue is stuck",
    load: async () => (await import("./exit/freeze-command.ts")).addFreezeCommand,
  },
  exit: {
    summary: "leave a frozen rollup through the escape hatch",
    load: async () => (await import("./exit/exit-command.ts")).addExitCommand,
  },
  vote: {
    summary: "vote with OPEN on the treasury and the next rollup",
    load: async () => (await import("./vote/vote-command.ts")).addVoteCommands,
  },
  migrate: {
    summary: "move your OPEN to the rollup that a vote named",
    load: async () => (await import("./vote/migrate-command.ts")).addMigrateCommand,
  },
  restore: {
    summary: "rebuild a sequencer's data directory",
    load: async () => (await import("./operate/restore-command.ts")).addRestoreCommand,
  },
  deploy: {
    summary: "deploy a rollup to an Ethereum node",
    load: async () => (await import("./operate/deploy-command.ts")).addDeployCommand,
  },
  operator: {
    summary: "set up and pay the processes of a rollup",
    load: async () => (await import("./operate/operator-command.ts")).addOperatorCommands,
  },
  doctor: {
    summary: "check an installation and suggest fixes",
    load: async () => (await import("./operate/operator-command.ts")).addDoctorCommand,
  },
  follow: {
    summary: "run a full node: a read-only copy of the ledger",
    load: async () => (await import("./operate/follow-command.ts")).addFollowCommand,
  },
  snapshot: {
    summary: "save the ledger after a batch as one file",
    load: async () => (await import("./operate/snapshot-command.ts")).addSnapshotCommands,
  },
  receipt: {
    summary: "follow the payment of an answer",
    load: async () => (await import("./verify/receipt-command.ts")).addReceiptCommand,
  },
};

/**
 * The command line. It never ends the process itself: `runProgram` sets the exit status.
 * @param names of the first level's commands that it has
 */
export async function createProgram(names = Object.keys(COMMANDS)): Promise<Command> {
  const program = withGlobalOptions(new Command("openledger"));
  const adders = await Promise.all(names.map((name) => COMMANDS[name]!.load()));
  for (const add of adders) add(program);
  for (const name of names)
    program.commands.find((command) => command.name() === name)!.summary(COMMANDS[name]!.summary);
  return finished(program);
}

/** The list of commands, none of them loaded: enough for help, and to name a command that there is not. */
function createListing(): Command {
  const program = withGlobalOptions(new Command("openledger"));
  for (const [name, { summary }] of Object.entries(COMMANDS)) program.command(name).summary(summary);
  return finished(program);
}

function finished(program: Command): Command {
  withExample(program, "status", "transfer bob 1.5 --account alice");
  addCompletionCommand(program);
  program.configureHelp({ subcommandTerm: (command) => command.name() });
  for (const command of allCommands(program))
    command.exitOverride().configureOutput({ outputError: () => {} });
  return program;
}

function withGlobalOptions(program: Command): Command {
  return withOptions(
    program
      .description("Use an OpenLedger rollup: accounts, transfers, Datanets, models, rewards, verification.")
      .version(packageJson.version, "--version", "print the version"),
    {
      "--json": "print one JSON value, for errors too",
      "--rpc <url>": "URL of an Ethereum node; default: the devnet's",
      "--rollup <address>": "address of the rollup contract; default: the devnet's",
      "--sequencer <url>": "URL of the sequencer; default: the devnet's",
      "--beacon <url>": {
        about: "URL of a beacon node, for batches posted as blobs; repeatable",
        parse: collectUrl,
      },
      "--blobs <place>": {
        about:
          "folder of blobs, or URL of a sequencer or full node that serves them; repeatable. Blobs that are read are kept in the first folder",
        parse: collectPlace,
      },
      "--account <name>": "account that signs: a name in the accounts file",
      "--accounts-file <path>":
        "file with your accounts; default: the devnet's, with alice, bob, carol, dave",
      "--private-key-file <path>": "account that signs: a file with its Ethereum private key",
      "--max-fee-gwei <n>": {
        about: `most to pay on L1 for a unit of gas, in gwei; default: ${DEFAULT_MAX_FEE_GWEI}`,
        parse: parseGweiOption,
      },
      "--max-priority-fee-gwei <n>": {
        about: `most of it as a tip, in gwei; default: ${DEFAULT_MAX_PRIORITY_FEE_GWEI}`,
        parse: parseGweiOption,
      },
    },
  ).showHelpAfterError(false);
}

/** Runs the command line; wrong usage is answered like any other failure, with exit status 2. */
export async function runProgram(argv: readonly string[]): Promise<void> {
  try {
    await (await programFor(argv)).parseAsync([...argv], { from: "user" });
  } catch (error) {
    const { exitCode, code } = error as { exitCode?: number; code?: string };
    // Help and version come as errors, too, and are none.
    if (exitCode === 0 || code === "commander.help") return;
    createOutput({ isJson: argv.includes("--json") }).fail(error);
    process.exitCode = 2;
  }
}

/** With the one command that is named, with all where the tree itself is asked for, else their list. */
async function programFor(argv: readonly string[]): Promise<Command> {
  let operands: string[] = [];
  try {
    ({ operands } = withGlobalOptions(new Command()).parseOptions([...argv]));
  } catch {
    // A wrong value of an option is refused where the line is parsed in earnest.
  }
  const named = operands[0] === "help" ? operands[1] : operands[0];
  if (named === "completion") return createProgram();
  return named !== undefined && Object.hasOwn(COMMANDS, named) ? createProgram([named]) : createListing();
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

/** @returns wei */
function parseGweiOption(text: string): bigint {
  if (!/^\d{1,9}(\.\d{1,9})?$/.test(text)) throw new InvalidArgumentError("not a number of gwei");
  return parseGwei(text);
}
