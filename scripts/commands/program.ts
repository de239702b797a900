/**
 * The command line `openledger`: a table of its first-level commands, each loaded when it is named, so that help and every
 * command start fast.
 */
import { Command } from "commander";
import packageJson from "../../package.json" with { type: "json" };
import { parseLine, quieted, withGlobalOptions } from "../cli/command-line.ts";
import { withExample } from "../cli/run-command.ts";

interface FirstLevel {
  /** Line of the command in the list of commands. */
  readonly summary: string;
  /** Imports what adds the command: what one command imports costs the others nothing. */
  readonly load: () => Promise<(program: Command) => void>;
}

/** Commands of the first level. */
const COMMANDS: Readonly<Record<string, FirstLevel>> = {
  status: {
    summary: "what is wrong and what to do; ledger, L1 and your money at a glance",
    load: async () => (await import("./operate/status/status-command.ts")).addStatusCommand,
  },
  fees: {
    summary: "price of each operation, now and in the next batch",
    load: async () => (await import("./operate/fees-command.ts")).addFeesCommand,
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
  force: {
    summary: "put any operation into L1's queue, past the operator",
    load: async () => (await import("./money/force-command.ts")).addForceCommand,
  },
  "finalize-withdrawal": {
    summary: "pay out posted withdrawals on L1",
    load: async () => (await import("./money/finalize-withdrawal-command.ts")).addFinalizeWithdrawalCommand,
  },
  datanet: {
    summary: "create, fill, review and publish data sets",
    load: async () => (await import("./datanet/datanet-command.ts")).addDatanetCommands,
  },
  group: {
    summary: "gone: keys that several own together",
    load: async () => (await import("./group/group-command.ts")).addGroupCommands,
  },
  models: {
    summary: "train, register, serve, ask and settle models",
    load: async () => (await import("./models/models-command.ts")).addModelsCommands,
  },
  factory: {
    summary: "fine-tune language models on Datanets",
    load: async () => (await import("./factory/factory-command.ts")).addFactoryCommands,
  },
  gateway: {
    summary: "OpenAI's API on this machine, paid by proof within a budget",
    load: async () => (await import("./gateway/gateway-command.ts")).addGatewayCommand,
  },
  rewards: {
    summary: "rewards of your rows, and how they were earned",
    load: async () => (await import("./rewards/rewards-command.ts")).addRewardsCommands,
  },
  verify: {
    summary: "rebuild the ledger from L1 and check every proof",
    load: async () => (await import("./verify/verify-command.ts")).addVerifyCommand,
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
  ceremony: {
    summary: "make production keys with other people",
    load: async () => (await import("./operate/ceremony-command.ts")).addCeremonyCommands,
  },
  deploy: {
    summary: "deploy a rollup to an Ethereum node",
    load: async () => (await import("./operate/deploy-command.ts")).addDeployCommand,
  },
  operator: {
    summary: "set up and pay the processes of a rollup",
    load: async () => (await import("./operate/operator-command.ts")).addOperatorCommands,
  },
  devnet: {
    summary: "let a day pass on a devnet",
    load: async () => (await import("./operate/devnet-command.ts")).addDevnetCommands,
  },
  follow: {
    summary: "run a full node: a read-only copy of the ledger",
    load: async () => (await import("./operate/follow-command.ts")).addFollowCommand,
  },
  watch: {
    summary: "recompute models and settlements, and sign what was found",
    load: async () => (await import("./operate/watch-command.ts")).addWatchCommand,
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
  const program = openledger();
  const adders = await Promise.all(names.map((name) => COMMANDS[name]!.load()));
  for (const add of adders) add(program);
  for (const name of names)
    program.commands.find((command) => command.name() === name)!.summary(COMMANDS[name]!.summary);
  return finished(program);
}

/** Builds the list of commands without loading any: enough for help, and to name an unknown command. */
function createListing(): Command {
  const program = openledger();
  for (const [name, { summary }] of Object.entries(COMMANDS)) program.command(name).summary(summary);
  return finished(program);
}

const openledger = () =>
  withGlobalOptions(new Command("openledger")).version(packageJson.version, "--version", "print the version");

function finished(program: Command): Command {
  withExample(program, "status", "transfer bob 1.5 --account alice");
  program.configureHelp({ subcommandTerm: (command) => command.name() });
  return quieted(program);
}

/** Runs the command line. */
export const runProgram = (argv: readonly string[]): Promise<void> => parseLine(argv, () => programFor(argv));

/** Builds the program with the one command that is named, else with the list of all commands. */
async function programFor(argv: readonly string[]): Promise<Command> {
  let operands: string[] = [];
  try {
    ({ operands } = quieted(openledger()).parseOptions([...argv]));
  } catch {
    // A wrong value of an option is refused when the line is parsed in earnest.
  }
  const named = operands[0] === "help" ? operands[1] : operands[0];
  return named !== undefined && Object.hasOwn(COMMANDS, named) ? createProgram([named]) : createListing();
}
