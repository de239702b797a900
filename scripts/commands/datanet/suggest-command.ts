import { readModel } from "@openledger/attribution/model/model-directory";
import { fetchAnswering } from "@openledger/attribution/model/model-download";
import { suggestLabels } from "@openledger/client/datanets/suggest-labels";
import { promptOf } from "@openledger/datanets/rows/row-view";
import { modelFamilies } from "@openledger/models/registered/model-families";
import type { Command } from "commander";
import { parseId } from "../../cli/parse-id.ts";
import { onRun, withExample } from "../../cli/run-command.ts";
import { HOST_OPTION, type HostOptions, signerClient } from "./host-options.ts";

interface SuggestOptions extends HostOptions {
  model: string;
  name?: string;
  asDatanet?: boolean;
}

/** A model's word on rows that wait for labels. */
export function addSuggestCommand(datanet: Command): void {
  const command = datanet
    .command("suggest <datanet>")
    .description("have a model suggest labels, signed by a reviewer: labellers see them on request")
    .requiredOption(...HOST_OPTION)
    .requiredOption("--model <place>", "folder of a published model, or the address of a model server")
    .option("--name <text>", "how labellers are told which model it is; default: the place")
    .option("--as-datanet", "sign with the Datanet's own key");
  withExample(
    command,
    "datanet suggest 10 --model .openledger/models/mails --host http://127.0.0.1:8560 --account dave",
  );
  onRun<SuggestOptions>(command, async ({ args, options, output }) => {
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
        return prompt === null ? null : answering.answer(prompt);
      },
      modelName: options.name ?? options.model.slice(0, 200),
      onProgress: (count, total) => output.progress(`${count} of ${total} rows`),
    });
    output.answer(
      [
        `${done.suggestedCount} rows have a suggestion, ${done.skippedCount} cannot be read by the model`,
        "labellers see them with the key p; they decide nothing",
      ],
      { datanetId, ...done },
    );
  });
}
