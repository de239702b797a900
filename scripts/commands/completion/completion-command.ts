import { Argument, type Command } from "commander";
import { onRun, withExample } from "../../cli/run-command.ts";
import { candidatesOf, SHELLS } from "./completion-script.ts";

export function addCompletionCommand(program: Command): void {
  const command = program
    .command("completion")
    .summary("complete commands in your shell")
    .description("print a script that completes commands and options with Tab")
    .addArgument(new Argument("<shell>", "the shell").choices(Object.keys(SHELLS)));
  withExample(command, "completion bash");
  onRun(command, async ({ args, output }) => {
    const shell = args[0] as keyof typeof SHELLS;
    const script = SHELLS[shell](candidatesOf(program));
    output.answer([script.trimEnd()], { shell, script });
  });
}
