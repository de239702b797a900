/** `openledger models serve`: the command that starts an answer server; serve-models.ts runs it. */
import { commandError } from "../../cli/cli-errors.ts";
import { command } from "../../cli/run-command.ts";
import { spanIndexGone } from "../spans/spans-command.ts";
import { SERVE_OPTIONS } from "./serve-options.ts";

export const addModelServeCommand = command({
  usage: "serve [folder]",
  about:
    "serve published models and the openings of their receipts, a base and its LoRA adapters over OpenAI's API, or both",
  options: SERVE_OPTIONS,
  examples: [
    "models serve published",
    "models serve my-model --model 15 --settle --account mia",
    "models serve --base models/smollm2 --adapters adapters",
    "models serve published --base models/smollm2",
  ],
  run: async ({ options, args, output }) => {
    const folder = args[0] ?? process.env.SERVING_PUBLISHED_PATH;
    const { model, settle, spans } = options;
    if (spans !== undefined) throw spanIndexGone();
    if (folder === undefined && (model !== undefined || settle === true))
      throw commandError("CMD_USAGE", "--model and --settle are of published models: name their folder");
    // Loaded here: servers and their stores would make every other command slower.
    const { serveUntilStopped } = await import("./serve-models.ts");
    return serveUntilStopped({ ...options, folder }, output);
  },
});
