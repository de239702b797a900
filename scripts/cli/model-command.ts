import type { Command } from "commander";
import { addModelServeCommand } from "./model-serve-command.ts";
import { withExample } from "./run-command.ts";

export function addModelCommands(program: Command): void {
  const model = program
    .command("model")
    .description("train, register, serve, ask and settle models whose rows are paid");
  withExample(model, "model show 15");
  addModelServeCommand(model);
}
