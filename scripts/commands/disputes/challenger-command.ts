import { command } from "../../cli/run-command.ts";
import { CHALLENGER_OPTIONS } from "./disputes-options.ts";

export const addChallengerCommand = command({
  usage: "challenger <disputes>",
  about:
    "recompute what is posted and claimed about models and refute what is false on L1 (watch), make your moves in games and show leaves that are asked of your model commitments (defend), claim what is drawn of your models (propose); without --account it only looks",
  options: CHALLENGER_OPTIONS,
  examples: [
    "challenger 0x… --account walt --every 10",
    "challenger 0x… --role defend --models published --account walt --every 10",
  ],
  // Loaded here: training would make every other command slower.
  run: async (context) => (await import("./run-challenger.ts")).runChallenger(context),
});
