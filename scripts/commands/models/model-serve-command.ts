import { commandError } from "../../cli/cli-errors.ts";
import { command } from "../../cli/run-command.ts";
import { SERVE_OPTIONS } from "./serve-options.ts";

export const addModelServeCommand = command({
  usage: "serve [folder]",
  about:
    "serve a published model and the openings of its receipts; without a folder, serve one base and its LoRA adapters over OpenAI's API",
  options: SERVE_OPTIONS,
  examples: [
    "models serve spam-model --model 15 --port 8797 --data answers",
    "models serve spam-model --model 15 --settle --account mia",
    "models serve --base models/smollm2 --adapters adapters --port 8798",
    "models serve --base models/smollm2 --adapters adapters --registered published",
  ],
  run: async ({ options, args, output }) => {
    const [folder] = args;
    const { adapters, batch, kernels, model, registered, settle, threads } = options;
    // Loaded here: servers and their stores would make every other command slower.
    if (folder === undefined) {
      if (model !== undefined || settle === true)
        throw commandError("CMD_USAGE", "--model and --settle are of one published model: name its folder");
      const { serveUntilStopped } = await import("./serve-adapters.ts");
      return serveUntilStopped(options, output);
    }
    if ([adapters, batch, kernels, registered, threads].some((given) => given !== undefined))
      throw commandError("CMD_USAGE", "--adapters and its options are of a base, which has no folder before");
    if (model === undefined) throw commandError("CMD_USAGE", "say which model it is with --model ID");
    const { servePublished } = await import("./serve-published.ts");
    return servePublished({ ...options, model, folder }, output);
  },
});
