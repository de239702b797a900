/** `openledger datanet report`: options of the command; report.ts runs it. */
import { OUT_FILE_OPTION, SERVER_OPTION, STORE_OPTION, VERSION_OPTION } from "../../cli/common-options.ts";
import { withFallback } from "../../cli/options.ts";
import { command } from "../../cli/run-command.ts";
import { TEXT_BASE_OPTION } from "../../cli/text-base-option.ts";
import { workspacePaths } from "../../cli/workspace.ts";
import { HOST_OPTION, UNSIGNED_OPTION } from "./host-options.ts";

export const addReport = command({
  usage: "report <datanet>",
  about:
    "compute whom a version serves and how biased it is: rows, agreement and a model's errors by slice, who is paid, which rows move answers",
  options: {
    ...HOST_OPTION,
    ...UNSIGNED_OPTION,
    ...VERSION_OPTION,
    "--model <model>": "id of a model, whose version and errors the report is about",
    ...SERVER_OPTION,
    ...TEXT_BASE_OPTION,
    ...withFallback(STORE_OPTION, workspacePaths.rows),
    ...OUT_FILE_OPTION,
    "--check <file>": "a report's file: compute it again, and name the first field that differs",
    "--sign <as>": {
      about: "sign that the report is right, as the account or as the Datanet, and bring it to the host",
      choices: ["account", "datanet"] as const,
    },
  },
  examples: [
    "datanet report 10 --host http://127.0.0.1:8560",
    "datanet report 10 --model 13 --out report.json --sign datanet --account alice --host http://127.0.0.1:8560",
    "datanet report 10 --check report.json --sign account --account bob --host http://127.0.0.1:8560",
  ],
  // Loaded here: it would make every other command slower.
  run: async (context) => (await import("./report.ts")).runReport(context),
});
