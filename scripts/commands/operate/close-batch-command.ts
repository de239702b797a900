/** `openledger operator close-batch`: has the sequencer close its open batch now, with its data in the place that is named. */
import { DATA_MODES } from "@openledger/circuits/protocol";
import { requireSequencerUrl } from "@openledger/client/sequencer/sequencer-request";
import { readSecretFile } from "@openledger/foundation/secret-file";
import { resolveEndpoints } from "../../cli/context.ts";
import { closeBatch } from "../../cli/operator-routes.ts";
import { command } from "../../cli/run-command.ts";
import { workspaceDir } from "../../cli/workspace.ts";
import { installationPaths } from "./installation/installation.ts";

export const addCloseBatch = command({
  usage: "close-batch",
  about: "close the sequencer's open batch now; with --place, its data in calldata or in a blob",
  options: {
    "--place <place>": {
      about: "place of this batch's data, auto for the cheaper one; default: SEQUENCER_DATA_PLACE",
      choices: DATA_MODES,
    },
    "--token-file <file>": "file with the operator's token, mode 0600; default: that of OPENLEDGER_HOME",
  },
  examples: ["operator close-batch", "operator close-batch --place blob --sequencer https://…"],
  run: async ({ options, output }) => {
    const sequencerUrl = requireSequencerUrl(resolveEndpoints(options));
    const operatorToken = readSecretFile(
      options.tokenFile ?? installationPaths(workspaceDir()).operatorToken,
    );
    const batchNumber = await closeBatch({ sequencerUrl, operatorToken }, options.place);
    output.answer([batchNumber === null ? "the open batch is empty" : `batch ${batchNumber} is closed`], {
      batchNumber,
    });
  },
});
