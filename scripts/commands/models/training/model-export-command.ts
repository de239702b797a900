/** `openledger models export`: writes a classifier as one JSON, with which other programs label inputs. */
import { writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
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
    const [{ readModel }, { directFamilyOf, vectorsFileName }, { exportClassifier }] = await Promise.all([
      import("@openledger/attribution/model/model-directory"),
      import("@openledger/attribution/model/direct/direct-family"),
      import("@openledger/attribution/model/direct/exported-classifier"),
    ]);
    const [{ requireVectors }, { vectorsOf }, { readVectorsFrom }] = await Promise.all([
      import("@openledger/attribution/inputs/open-inputs"),
      import("@openledger/attribution/inputs/released-vectors"),
      import("@openledger/models/tuning/vectors/vector-places"),
    ]);
    const { initPoseidon } = await import("@openledger/circuits/field/poseidon");
    await initPoseidon();
    const exported = exportClassifier(await readModel(args[0]!, [directFamilyOf()]));
    const vectors = vectorsOf(exported.inputs);
    const beside = vectors === null ? null : join(dirname(options.out), vectorsFileName(vectors));
    // First, since the classifier is of no use without.
    if (vectors !== null) await writeFile(beside!, await requireVectors(vectors, readVectorsFrom()));
    await writeFile(options.out, `${JSON.stringify(exported)}\n`);
    const lines = [
      `a classifier of ${exported.labels.length} labels in ${options.out}`,
      ...(beside === null ? [] : [`its word vectors in ${beside}, which it needs beside it`]),
    ];
    output.answer(lines, {
      file: options.out,
      labels: exported.labels,
      kind: exported.inputs.kind,
      ...(beside === null ? {} : { vectors: beside }),
    });
  },
});
