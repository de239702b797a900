/**
 * Frame of every command: `command` declares usage, options and examples, `onRun` parses, runs and answers in lines or JSON.
 * Also the wait for a stage with its progress.
 */
import type { LedgerClient } from "@openledger/client/ledger-client";
import {
  type WaitProgress,
  type WaitResult,
  type WaitStage,
  type WaitTarget,
  waitFor,
} from "@openledger/client/sequencer/wait-for";
import type { RollupError } from "@openledger/foundation/rollup-error";
import { type Command, Option } from "commander";
import { commandError } from "./cli-errors.ts";
import type { GlobalOptions } from "./context.ts";
import {
  defineOptions,
  type OptionsOf,
  type OptionTable,
  type TypedCommand,
  withOptions,
} from "./options.ts";
import { createOutput, type Output } from "./output.ts";

export interface CommandContext<Options extends object> {
  options: GlobalOptions & Options;
  args: readonly string[];
  output: Output;
}

/**
 * Gives a command its action: options of the whole program and of the command, and an output of the wanted form.
 * A failure is answered in that form, and the process ends with status 1.
 */
export function onRun<Options extends object>(
  command: TypedCommand<Options>,
  action: (context: CommandContext<Options>) => Promise<void>,
): void;
export function onRun(command: Command, action: (context: CommandContext<object>) => Promise<void>): void;
export function onRun<Options extends object>(
  command: Command,
  action: (context: CommandContext<Options>) => Promise<void>,
): void {
  command.action(async () => {
    const options = command.optsWithGlobals<GlobalOptions & Options>();
    const output = createOutput({ isJson: options.json === true });
    try {
      await action({ options, args: command.args, output });
    } catch (error) {
      output.fail(error);
      process.exitCode = 1;
    }
  });
}

/** The example that every command's help ends with. */
export function withExample<C extends Command>(command: C, ...lines: string[]): C {
  const text = lines.map((line) => `  $ npm run openledger -- ${line}`).join("\n");
  command.addHelpText("after", `\nExample:\n${text}`);
  return command;
}

interface CommandSpec<Table extends OptionTable> {
  /** Name and arguments of the command: "show <model>". */
  readonly usage: string;
  readonly about: string;
  readonly options?: Table;
  /** Example lines at the end of its help. */
  readonly examples: readonly string[];
  /** Successor of the `--forced` that earlier versions had: the words after `openledger`, with which the option is refused. */
  readonly forcedAs?: string;
  /** Loads what only this command needs: the others stay quick. */
  readonly run: (context: CommandContext<OptionsOf<Table>>) => Promise<void>;
}

/** Defines a command by its name, options and action. @returns a function that adds it to its group */
export const command =
  <const Table extends OptionTable = Record<never, never>>({
    about,
    examples,
    forcedAs,
    options,
    run,
    usage,
  }: CommandSpec<Table>) =>
  (group: Command): void => {
    const added = withOptions(group.command(usage).description(about), options ?? ({} as Table));
    if (forcedAs !== undefined)
      for (const flag of ["--forced", "--unchecked"]) added.addOption(new Option(flag).hideHelp());
    onRun(withExample(added, ...examples), async (context) => {
      if (forcedAs !== undefined && "forced" in context.options) throw forcedGone(added, forcedAs);
      await run(context);
    });
  };

/** The error CMD_FORCED_GONE: nothing was changed. */
function forcedGone(command: Command, forcedAs: string): RollupError {
  const names: string[] = [];
  for (let at: Command | null = command; at !== null; at = at.parent) names.unshift(at.name());
  return commandError("CMD_FORCED_GONE", `${names.join(" ")} --forced is gone: openledger ${forcedAs}`, {
    data: { instead: `openledger ${forcedAs}` },
  });
}

const STAGES: readonly WaitStage[] = ["acknowledged", "closed", "proven", "posted", "final", "finalizable"];

/** `--wait <stage>`, for everything that goes through the sequencer. */
export const WAIT_OPTION = defineOptions({
  // Known before anything is sent.
  "--wait <stage>": { about: "stage to wait for", choices: STAGES, fallback: "acknowledged" },
});

/** Waits with a line of progress for each stage. @throws CMD_USAGE for an unknown stage */
export async function waitWithProgress(
  client: LedgerClient,
  target: WaitTarget,
  stage: string,
  output: Output,
): Promise<WaitResult> {
  const targetStage = STAGES.find((known) => known === stage);
  if (targetStage === undefined)
    throw commandError("CMD_USAGE", `"${stage}" is no stage; there are ${STAGES.join(", ")}`);
  const onProgress = ({ stage: reached, remainingMs }: WaitProgress) => {
    const estimate = remainingMs === null ? "" : `, about ${Math.ceil(remainingMs / 1000)} s to go`;
    output.progress(`${reached}, waiting for ${targetStage}${estimate}`);
  };
  return waitFor(client, target, targetStage, { onProgress });
}
