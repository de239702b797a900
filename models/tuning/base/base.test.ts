/** Tests of the language model that this repository ships: its files, texts, tokenizer and losses. */
import { cpSync, mkdtempSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type ArchiveName, archiveVersion } from "@openledger/foundation/archives/package-archive";
import { isWhole } from "@openledger/foundation/testing/test-random";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { rowLoss, textRows } from "../../engine/architecture/loss-gradient.ts";
import { readWhole } from "../../engine/files/byte-source.ts";
import { folderSource } from "../../engine/files/folder-source.ts";
import { type LoadedModel, loadModel, openModel } from "../../engine/files/load-model.ts";
import { readFloats, readTensorEntries } from "../../engine/files/safetensors.ts";
import { tensorTargets } from "../../engine/files/tensor-targets.ts";
import { NONE } from "../../engine/kernels/kernels.ts";
import { openTokenizer } from "../../engine/tokens/tokenizer.ts";
import { trainTokenizer } from "../../engine/tokens/train-tokenizer.ts";
import { oracle } from "../../testing/jax-oracle.ts";
import { testKernels } from "../../testing/test-kernels.ts";
import { BASE_FOLDER, BASE_HASHES, defaultBase } from "./base-address.ts";
import { baseCorpus, CORPUS_PACKAGES, ngramNatsPerByte } from "./base-corpus.ts";
import { baseConfig, PASSES, ROW_TOKENS, tokenizerRecipe, trainingRecipe } from "./base-recipe.ts";

const recipe = JSON.parse(readFileSync(join(BASE_FOLDER, "recipe.json"), "utf8"));
const corpus = baseCorpus();
let loaded: LoadedModel;
beforeAll(async () => {
  const opened = await openModel(defaultBase());
  loaded = await loadModel(opened, {
    kernels: testKernels,
    maxRows: ROW_TOKENS,
    isTraining: true,
    fullBlocks: 1,
  });
  await opened.close();
});

describe("the default base", () => {
  it("is small, and says of itself what it is", () => {
    expect(statSync(join(BASE_FOLDER, "model.safetensors")).size).toBeLessThan(10 * 2 ** 20);
    expect(recipe.sha256).toEqual(BASE_HASHES);
    expect(recipe.training).toEqual({ ...trainingRecipe, steps: recipe.training.steps });
    expect(recipe.passes).toBe(PASSES);
    expect(recipe.tokenizer).toEqual(tokenizerRecipe);
    expect(JSON.parse(readFileSync(join(BASE_FOLDER, "config.json"), "utf8"))).toEqual(baseConfig);
  });

  it("comes from the archives that are pinned", () => {
    for (const name of CORPUS_PACKAGES) {
      const [, packageName, version] = /^(.+)@(.+)$/.exec(name)!;
      expect(archiveVersion(packageName as ArchiveName)).toBe(version);
    }
    expect(recipe.corpus.packages).toEqual([...CORPUS_PACKAGES]);
  });

  it("has the tokenizer that its texts give again", () => {
    // The first merges, which take a tenth of the time; the command compares all.
    const again = JSON.parse(trainTokenizer(corpus.training, { ...tokenizerRecipe, vocabularySize: 450 }));
    const { model } = JSON.parse(readFileSync(join(BASE_FOLDER, "tokenizer.json"), "utf8"));
    expect(model.merges.slice(0, again.model.merges.length)).toEqual(again.model.merges);
    expect(model.vocab).toMatchObject(again.model.vocab);
  });

  it("knows texts that were held out better than counting does", async () => {
    const few = ngramNatsPerByte(corpus.training.slice(0, 12), corpus.heldOut.slice(0, 2), 4);
    expect(few).toBeCloseTo(1.764, 4);
    // Takes 20 seconds.
    const nats = isWhole ? ngramNatsPerByte(corpus.training, corpus.heldOut) : recipe.ngramNatsPerByte;
    expect(recipe.ngramNatsPerByte).toBeCloseTo(nats, 4);
    expect(recipe.heldOutNatsPerByte).toBeLessThan(recipe.ngramNatsPerByte);
    const tokenizer = await openTokenizer(defaultBase(), baseConfig.vocab_size);
    const text = corpus.heldOut.at(-1)!.slice(0, 4_000);
    const rows = textRows(tokenizer.encode(text), ROW_TOKENS).slice(0, 4);
    const loss = rows.reduce((sum, row) => sum + rowLoss(loaded.model, row, null) * row.tokens.length, 0);
    const tokens = rows.flatMap((row) => row.targets);
    expect(loss / Buffer.byteLength(tokenizer.decode(tokens))).toBeLessThan(1.1 * recipe.ngramNatsPerByte);
  });

  it("has the logits, the loss and the gradients of an independent engine", async () => {
    const { model } = loaded;
    const tokenizer = await openTokenizer(defaultBase(), baseConfig.vocab_size);
    const row = textRows(tokenizer.encode("Call me Ishmael. Some years ago, never mind how long"), 12)[0]!;
    const [into] = loaded.fullBlocks as [number];
    model.kernels.arena.fill(0, into, into + model.layout.floatCount);
    const loss = rowLoss(model, row, { parameters: into, adapter: NONE });
    const file = (await defaultBase().open("model.safetensors"))!;
    const tensors = [];
    for (const entry of (await readTensorEntries(file)).values()) {
      const values = await readFloats(
        entry,
        0,
        entry.shape.reduce((product, size) => product * size, 1),
      );
      tensors.push({ name: entry.name, shape: entry.shape, values });
    }
    const expected = await oracle({ config: baseConfig, tensors }, row, { factor: 1, tensors: [] });
    expect(Math.abs(loss - expected.loss)).toBeLessThan(1e-4);
    for (const target of tensorTargets(model.shape, model.layout)) {
      const wish = expected.gradients.get(`model.${target.name}`)!;
      const columns = target.shape.at(-1)!;
      let [largest, difference] = [0, 0];
      for (const [i, value] of wish.entries()) {
        const at =
          target.at + Math.floor(i / columns) * target.rowStride + (i % columns) * target.columnStride;
        largest = Math.max(largest, Math.abs(value));
        difference = Math.max(difference, Math.abs(value - model.kernels.arena[into + at]!));
      }
      expect(difference, target.name).toBeLessThan(1e-4 * largest);
    }
  });
});

describe("a changed file of the base", () => {
  const folder = mkdtempSync(join(tmpdir(), "openledger-base-"));
  afterAll(() => rmSync(folder, { recursive: true }));

  it("is refused before a byte of it is read", async () => {
    const refused = { code: "MOD_FILE_INVALID" };
    cpSync(BASE_FOLDER, folder, { recursive: true });
    const weights = join(folder, "model.safetensors");
    const good = readFileSync(weights);
    const bad = Buffer.from(good);
    bad[1_000_000] = bad[1_000_000]! ^ 1;
    writeFileSync(weights, bad);
    await expect(openModel(defaultBase(folder))).rejects.toMatchObject(refused);
    truncateSync(weights, 100);
    await expect(openModel(defaultBase(folder))).rejects.toMatchObject(refused);
    rmSync(weights);
    await expect(openModel(defaultBase(folder))).rejects.toMatchObject(refused);
    writeFileSync(weights, good);
    await (await openModel(defaultBase(folder))).close();
    expect(await readWhole(defaultBase(folder), "recipe.json", 1e6)).toBe(null);
    expect(await readWhole(folderSource(folder), "recipe.json", 1e6)).not.toBe(null);
  });
});
