import type { Command } from "commander";
import { EVERY_OPTION, SERVER_OPTION } from "../../cli/common-options.ts";
import { withOptions } from "../../cli/options.ts";
import { onRun, withExample } from "../../cli/run-command.ts";
import { TEXT_BASE_OPTION } from "../../cli/text-base-option.ts";

export function addChallengerCommand(program: Command): void {
  const command = withOptions(
    program
      .command("challenger <disputes>")
      .description(
        "recompute what is posted and claimed about models and refute what is false on L1 (watch), make your moves in games and show leaves that are asked of your model commitments (defend), claim what is drawn of your models (propose); without --account it only looks",
      ),
    {
      "--role <roles>": { about: "watch, defend, propose, or some of them with commas", fallback: "watch" },
      "--model <folder>": "a published model, instead of where it is served",
      "--models <folder>": "published models, each in a folder named by its id",
      ...SERVER_OPTION,
      ...TEXT_BASE_OPTION,
      ...EVERY_OPTION,
      "--answers <folder>":
        "to propose: the answers that the server of --models or --model has kept (models serve --data); it must not run meanwhile",
      "--most-fees <ether>": {
        about:
          "at most, of one model commitment, for challenges of leaves that nobody publishes: a fee comes back unless its leaf is shown; 0 for none",
        fallback: "0.5",
      },
    },
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
