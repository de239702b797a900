/** `openledger datanet suggest`: a reviewer has a model label waiting rows, and signs the labels as suggestions. */
import { readModel } from "@openledger/attribution/model/model-directory";
import { fetchAnswering } from "@openledger/attribution/model/model-download";
import type { AnsweringModel } from "@openledger/attribution/model/model-family";
import { suggestLabels } from "@openledger/client/datanets/label-turns";
import { promptOf } from "@openledger/datanets/rows/row-view";
import { counted } from "@openledger/foundation/counted";
import { isRollupError } from "@openledger/foundation/rollup-error";
import { modelFamilies } from "@openledger/models/tuning/recipe/model-families";
import { parseId } from "../../cli/parse-id.ts";
import { command } from "../../cli/run-command.ts";
import { HOST_OPTION, signerClient } from "./host-options.ts";

/** Label of a model; null for what it does not read. */
function labelOf(model: AnsweringModel, prompt: string): string | null {
  try {
    return model.answer(prompt).label;
  } catch (error) {
    if (isRollupError(error, "ATT_ROW_INVALID")) return null;
    throw error;
  }
}

/** Suggests labels of a model for rows that wait for labels. */
export const addSuggestCommand = command({
  usage: "suggest <datanet>",
  about: "add label suggestions of a model, signed by a reviewer; labellers see them on request",
  options: {
    ...HOST_OPTION,
    "--model <place>": { about: "folder of a published model, or URL of an answer server", isRequired: true },
    "--name <text>": "name of the model that labellers see; default: the folder or URL",
    "--as-datanet": "sign with the Datanet's key",
  },
  examples: [
    "datanet suggest 10 --model .openledger/models/mails --host http://127.0.0.1:8560 --account dave",
  ],
  run: async ({ args, options, output }) => {
    const datanetId = parseId(args[0]!);
    const client = await signerClient(options, options.asDatanet === true ? datanetId : null);
    const isUrl = /^https?:\/\//.test(options.model);
    const families = await modelFamilies(isUrl ? { serverUrl: options.model } : {});
    const published = isUrl
      ? await fetchAnswering(options.model, families, {
          onProgress: (file) => output.progress(`fetching ${file}`),
        })
      : await readModel(options.model, families);
    const answering = await published.family.open(published);
    const done = await suggestLabels(client, {
      hostUrl: options.host,
      datanetId,
      labelRow: (content, card) => {
        const prompt = promptOf(card, content);
        return prompt === null ? null : labelOf(answering, prompt);
      },
      modelName: options.name ?? options.model.slice(0, 200),
      onProgress: (count, total) =>
        output.progress(total === null ? counted(count, "row") : `${count} of ${counted(total, "row")}`),
    });
    output.answer(
      [
        `${counted(done.suggestedCount, "row has", "rows have")} a suggestion, ${done.skippedCount} get no label from the model`,
        "labellers see them with the key p; a suggestion decides nothing",
      ],
      { datanetId, ...done },
    );
  },
});
