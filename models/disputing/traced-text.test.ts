import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { zeroAddress } from "viem";
import { afterAll, beforeAll, expect, test } from "vitest";
import { initPoseidon } from "../../circuits/field/poseidon.ts";
import { folderSource } from "../files/folder-source.ts";
import { describeBase, readFrom } from "../registered/base-files.ts";
import { textFamily } from "../registered/text-family.ts";
import { textTraining } from "../registered/text-training.ts";
import { makeModel, writeMadeModel } from "../testing/made-models.ts";
import { byteConfig, ownedTexts, sampleTexts, textRecipeFor } from "../testing/text-rows.ts";
import { chainKernels } from "../trace/run-trace.ts";
import { claimOf, namesModel, textOf, traceQuery } from "./traced-model.ts";
import { openTracedText } from "./traced-text.ts";

let folder: string;
beforeAll(async () => {
  await initPoseidon();
  folder = await mkdtemp(join(tmpdir(), "openledger-traced-"));
});
afterAll(() => rm(folder, { recursive: true }));

test("the trace of a registered model's answer ends in the query that its receipt would have", async () => {
  await writeMadeModel(folder, makeModel({ ...byteConfig, num_hidden_layers: 1 }, "text"));
  const setting = { bases: [readFrom(folderSource(folder))], kernels: "wasm" as const, threadCount: 1 };
  const family = textFamily(setting);
  const rows = ownedTexts(sampleTexts(8));
  const recipe = textRecipeFor(rows, await describeBase(folderSource(folder), "made"));
  const parts = await textTraining(family, setting).train(rows, recipe, {});
  const opened = await family.open(parts);
  const { query, text: answer } = opened.answer("The union?");
  const traced = await openTracedText({ rollup: zeroAddress, modelId: 9n }, parts, setting);
  const text = traced.textOf("The union?", answer);
  const own = traceQuery(traced.model, text, chainKernels("wasm", traced.model.programs.slice(-1)));
  expect([...own.query]).toEqual([...(query as Int16Array).slice(0, recipe.method.featureCount)]);
  // Whoever reads the claim has the same text, and knows the model by its roots.
  const { statement } = claimOf(traced.model, own);
  expect(textOf(statement)).toEqual(text);
  expect(namesModel(traced.model, statement)).toBe(true);
  expect(namesModel(traced.model, { ...statement, inputs: statement.inputs.toReversed() })).toBe(false);
});
