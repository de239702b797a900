/** `openledger models card`: a model's papers, written from ledger, cards and signed records. */
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { delegateLines } from "@openledger/client/safe/leaf-owner";
import { recordLeaves } from "@openledger/datanets/papers/model-facts";
import { defineOptions } from "../../cli/options.ts";
import { parseId } from "../../cli/parse-id.ts";
import { command } from "../../cli/run-command.ts";
import { readerOrSigner } from "../datanet/host-options.ts";
import { PAPER_OPTIONS, paperParameters } from "./model-papers.ts";

const OUT_OPTION = defineOptions({ "--out <folder>": "folder for the papers; default: model-ID-papers" });

export const addModelCardCommand = command({
  usage: "card <model>",
  about:
    "write a model's papers from the ledger: a model card, a summary of its training data after the EU AI Act's template, and a Croissant file of each version",
  options: { ...PAPER_OPTIONS, ...OUT_OPTION },
  examples: ["models card 15", "models card 15 --host http://127.0.0.1:8560 --out papers"],
  run: async ({ args, options, output }) => {
    const modelId = parseId(args[0]!);
    const { writeModelPapers } = await import("@openledger/client/datanets/model-papers");
    const client = await readerOrSigner(options);
    const { facts, papers } = await writeModelPapers(client, await paperParameters(modelId, options, output));
    const folder = options.out ?? `model-${modelId}-papers`;
    await mkdir(folder, { recursive: true });
    const paths: string[] = [];
    for (const { name, text } of papers) {
      const path = join(folder, name);
      await writeFile(path, text);
      paths.push(path);
    }
    const unknown = [
      ...(facts.recipe === null ? ["its recipe is not known: name its server with --server URL"] : []),
      ...facts.datanets.flatMap(({ datanetId, described }) =>
        described === null
          ? [`Datanet ${datanetId}: the host does not have the version; the papers say what the ledger has`]
          : [],
      ),
    ];
    output.answer(
      [
        `papers of model ${modelId}, on ${facts.rowCount} rows:`,
        ...paths.map((path) => `  ${path}`),
        ...unknown,
        ...(await delegateLines(client, recordLeaves(facts))),
        `check them: openledger verify papers ${modelId} ${folder}`,
      ],
      { modelId, rowCount: facts.rowCount, isRecipeKnown: facts.recipe !== null, paths },
    );
  },
});
