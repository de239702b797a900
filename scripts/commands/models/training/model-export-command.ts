/** `openledger models export`: writes a classifier as one JSON, with which other programs label inputs. */
import { writeFile } from "node:fs/promises";
import { OUT_FILE_OPTION } from "../../../cli/common-options.ts";
import { required } from "../../../cli/options.ts";
import { command } from "../../../cli/run-command.ts";

export const addModelExportCommand = command({
  usage: "export <folder>",
  about: "write a classifier in a model's folder as one JSON, with which other programs label inputs",
  options: required(OUT_FILE_OPTION),
  examples: ["models export my-model --out my-model.json"],
  run: async ({ args, options, output }) => {
    // Loaded here: they would make every other command slower.
    const [{ readModel }, { directFamily }, { exportClassifier }] = await Promise.all([
      import("@openledger/attribution/model/model-directory"),
      import("@openledger/attribution/model/direct/direct-family"),
      import("@openledger/attribution/model/direct/exported-classifier"),
    ]);
    const { initPoseidon } = await import("@openledger/circuits/field/poseidon");
    await initPoseidon();
    const exported = exportClassifier(await readModel(args[0]!, [directFamily]));
    await writeFile(options.out, `${JSON.stringify(exported)}\n`);
    output.answer([`a classifier of ${exported.labels.length} labels in ${options.out}`], {
      file: options.out,
      labels: exported.labels,
      kind: exported.inputs.kind,
    });
  },
});
