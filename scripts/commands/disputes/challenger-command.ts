import type { Command } from "commander";
import { withOptions } from "../../cli/options.ts";
import { onRun, withExample } from "../../cli/run-command.ts";
import { CHALLENGER_OPTIONS } from "./disputes-options.ts";

export function addChallengerCommand(program: Command): void {
  const command = withOptions(
    program
      .command("challenger <disputes>")
      .description(
        "recompute what is posted and claimed about models and refute what is false on L1 (watch), make your moves in games and show leaves that are asked of your model commitments (defend), claim what is drawn of your models (propose); without --account it only looks",
      ),
    CHALLENGER_OPTIONS,
  );
  withExample(
    command,
    "challenger 0x… --account walt --every 10",
    "challenger 0x… --role defend --models published --account walt --every 10",
  );
  onRun(command, async (context) => {
    // Loaded here: training would make every other command slower.
    const { runChallenger } = await import("./run-challenger.ts");
    await runChallenger(context);
  });
}
