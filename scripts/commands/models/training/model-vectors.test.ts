/** Tests of `models vectors`, and of what commands say and write of a model that counts texts by word vectors. */
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { inputsSchema, type VectorsFile } from "@openledger/attribution/inputs/model-inputs";
import { openInputs } from "@openledger/attribution/inputs/open-inputs";
import {
  ENGLISH_VECTORS,
  GERMAN_VECTORS,
  vectorsWords,
} from "@openledger/attribution/inputs/released-vectors";
import { directTrainingOf } from "@openledger/attribution/model/direct/direct-training";
import { writeModel } from "@openledger/attribution/model/model-directory";
import { publishedModel } from "@openledger/attribution/model/model-files";
import { registerModel } from "@openledger/attribution/model/registration";
import { recipeFor } from "@openledger/attribution/testing/sample-rows";
import { tinyVectors } from "@openledger/attribution/testing/tiny-vectors";
import { initPoseidon } from "@openledger/circuits/field/poseidon";
import { encodeTensors } from "@openledger/models/engine/files/safetensors";
import { readVectorsFrom } from "@openledger/models/tuning/vectors/vector-places";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { approvalWords } from "../../datanet/approval-terms.ts";
import { runInProcess } from "../../testing/run-in-process.ts";
import { lineOfVectors } from "../line-of-vectors.ts";

let folder: string;
beforeAll(async () => {
  await initPoseidon();
  folder = await mkdtemp(join(tmpdir(), "model-vectors-"));
});
afterAll(() => rm(folder, { recursive: true }));

const BUCKETS = 144;
const SIZE = { rows: 16, features: BUCKETS, payees: 16, draws: 4, isDirect: true } as const;
const tiny = tinyVectors({ refund: [100, 1], invoice: [90, -9], boat: [5, 100], sail: [-5, 90] });

/** Folder of a model that counts by a file of vectors. */
async function modelOf(name: string, file: VectorsFile, readVectors = readVectorsFrom()): Promise<string> {
  const rows = ["refund", "invoice", "boat", "sail"].map((text, k) => ({
    content: new TextEncoder().encode(text),
    label: k < 2 ? "money" : "water",
    contributorId: 5,
    validatorId: 8,
  }));
  const inputs = { kind: "text", vectors: file, wordCount: 0, bucketCount: BUCKETS } as const;
  const recipe = recipeFor(rows, BUCKETS, { classes: ["money", "water"], inputs });
  const trained = await directTrainingOf(readVectors).train(rows, recipe, { withHeldOut: false });
  const registration = registerModel(trained, { split: { ownerParts: 1n, validatorParts: 1n } }, SIZE);
  await writeModel(join(folder, name), publishedModel(trained, registration, { publishRows: true }));
  return join(folder, name);
}

describe("models vectors", () => {
  it("compares the file that ships with the release", async () => {
    const { status, stdout } = await runInProcess("models", "vectors", "--json");
    const { sha256, sizeBytes } = ENGLISH_VECTORS;
    expect([status, JSON.parse(stdout)]).toEqual([
      0,
      expect.objectContaining({ sha256, sizeBytes, isSame: true }),
    ]);
  });

  it("compares the German file too, and derives it from no other dictionary", async () => {
    const german = await runInProcess("models", "vectors", "--language", "german", "--json");
    expect(JSON.parse(german.stdout)).toMatchObject({ sha256: GERMAN_VECTORS.sha256, isSame: true });
    const out = join(folder, "german.bin");
    const derive = ["models", "vectors", "--language", "german", "--derive", out, "--dictionary"];
    const missing = await runInProcess(...derive, join(folder, "none"));
    expect(missing.stderr).toContain("trans-de-en 1.9-6");
    await writeFile(join(folder, "other"), "a :: b");
    const other = await runInProcess(...derive, join(folder, "other"));
    expect(other.stderr).toContain("[MOD_FILE_INVALID]");
    expect([missing.status, other.status]).not.toContain(0);
    expect(await readdir(folder)).not.toContain("german.bin");
  });
});

describe("models vectors --add", () => {
  it("makes a file of a static encoder, which a recipe can name, and refuses another folder", async () => {
    const [fixture] = JSON.parse(
      await readFile(
        new URL("../../../../models/testing/encoders/static-encoders.json", import.meta.url),
        "utf8",
      ),
    ) as [{ tokenizer: object; table: number[][] }];
    const place = join(folder, "tiny-encoder");
    await mkdir(place);
    await writeFile(join(place, "tokenizer.json"), JSON.stringify(fixture.tokenizer));
    const values = Float32Array.from(fixture.table.flat());
    const shape = [fixture.table.length, 12];
    await writeFile(join(place, "model.safetensors"), encodeTensors([{ name: "embeddings", shape, values }]));
    const before = process.cwd();
    process.chdir(folder);
    try {
      const added = await runInProcess("models", "vectors", "--add", place, "--dimensions", "8", "--json");
      const { file, vectors } = JSON.parse(added.stdout);
      expect(file).toBe(`.openledger/vectors/${vectors.sha256}.bin`);
      expect(vectors).toMatchObject({ name: "tiny-encoder", dimensions: 8, of: "tokens" });
      const inputs = inputsSchema.parse({ kind: "text", vectors, wordCount: 0, bucketCount: 32 });
      const { countsOf } = await openInputs(inputs, { baseBuckets: 0 }, readVectorsFrom());
      expect(countsOf("the boats")).toHaveLength(32);
    } finally {
      process.chdir(before);
    }
    const none = await runInProcess("models", "vectors", "--add", join(folder, "nowhere"));
    expect(none.stderr).toContain("[MOD_SOURCE_UNREADABLE]");
    const wrong = await runInProcess("models", "vectors", "--add", place, "--dimensions", "x");
    expect(wrong.stderr).toContain("[CMD_USAGE]");
  });
});

describe("models vectors --add of a sentence encoder", () => {
  const place = fileURLToPath(new URL("../../../../models/testing/encoders/qwen3", import.meta.url));
  const add = (...more: string[]) => runInProcess("models", "vectors", "--add", place, "--json", ...more);

  it("makes its file, which a recipe names, by all components or the first, and refuses more", async () => {
    const before = process.cwd();
    process.chdir(folder);
    try {
      const { encoder, file } = JSON.parse((await add()).stdout);
      expect(file).toBe(`.openledger/vectors/${encoder.sha256}.bin`);
      expect(encoder).toEqual({
        name: "qwen3",
        sizeBytes: (await readFile(file)).length,
        sha256: expect.stringMatching(/^[0-9a-f]{64}$/),
        dimensions: 32,
      });
      const first = JSON.parse((await add("--dimensions", "16")).stdout);
      expect(first.encoder).toEqual({ ...encoder, dimensions: 16 });
      const more = await runInProcess("models", "vectors", "--add", place, "--dimensions", "33");
      expect(more.status).not.toBe(0);
      expect(more.stderr).toContain("[CMD_USAGE]");
    } finally {
      process.chdir(before);
    }
  });

  it("names what it does not compute", async () => {
    const other = join(folder, "xlm");
    await mkdir(other);
    await writeFile(join(other, "config.json"), JSON.stringify({ model_type: "xlm-roberta" }));
    const { status, stderr } = await runInProcess("models", "vectors", "--add", other);
    expect(status).not.toBe(0);
    expect(stderr).toContain("[MOD_CONFIG_UNSUPPORTED]");
    expect(stderr).toContain("xlm-roberta");
  });

  it("is told to whoever approves or pays", () => {
    const encoder = { name: "tiny", sizeBytes: 9, sha256: "a".repeat(64), dimensions: 8 };
    const own = vectorsWords({ family: "text", retrieval: { says: "row", encoder } });
    expect(lineOfVectors(own)).toEqual([
      `⚠ it finds rows by its owner's own sentence encoder "tiny", SHA-256 ${"a".repeat(64)}: such a file can decide whose rows are paid, and no figure of accuracy shows it`,
    ]);
  });
});

describe("models export", () => {
  it("writes the file of vectors beside the classifier", async () => {
    const model = await modelOf("english", ENGLISH_VECTORS);
    const out = join(folder, "english.json");
    const { status, stderr } = await runInProcess("models", "export", model, "--out", out);
    expect([status, stderr]).toEqual([0, ""]);
    const beside = await readFile(join(folder, `${ENGLISH_VECTORS.sha256}.bin`));
    expect(beside.length).toBe(ENGLISH_VECTORS.sizeBytes);
    expect(JSON.parse(await readFile(join(folder, "english.json"), "utf8")).inputs.vectors).toEqual(
      ENGLISH_VECTORS,
    );
  });

  it("writes nothing of a model whose file nobody has here", async () => {
    const model = await modelOf("tiny", tiny.file, tiny.read);
    const out = join(folder, "tiny.json");
    const { status, stderr } = await runInProcess("models", "export", model, "--out", out);
    expect(status).not.toBe(0);
    expect(stderr).toContain(`.openledger/vectors/${tiny.file.sha256}.bin`);
    expect(await readdir(folder)).not.toContain("tiny.json");
  });
});

describe("commands", () => {
  const inputs = { kind: "text", wordCount: 0, bucketCount: 144 } as const;
  const grounds = { terms: null, isRecipeRead: true, byRecipe: null };

  it("say that vectors are the release's, or their owner's, whatever name they have", () => {
    const released = vectorsWords({ inputs: { ...inputs, vectors: ENGLISH_VECTORS } });
    expect(lineOfVectors(released)).toEqual([
      "it counts texts by the word vectors english-50k-64, which are of this release",
    ]);
    const own = vectorsWords({
      inputs: { ...inputs, vectors: { ...tiny.file, name: ENGLISH_VECTORS.name } },
    });
    const [line] = lineOfVectors(own);
    expect(line).toMatch(
      /^⚠ it counts texts by its owner's own word vectors "english-50k-64", SHA-256 [0-9a-f]{64}: /,
    );
    expect(approvalWords(4, { ...grounds, vectors: own })).toContain(line);
    for (const recipe of [{}, { inputs: { kind: "text", bucketCount: 64 } }, { family: "text" }]) {
      expect(vectorsWords(recipe)).toBeNull();
      expect(approvalWords(4, { ...grounds, vectors: vectorsWords(recipe) })).toEqual(
        approvalWords(4, { ...grounds, vectors: null }),
      );
    }
  });
});
