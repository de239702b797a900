import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { writeModel } from "@openledger/attribution/model/model-directory";
import { publishedModel } from "@openledger/attribution/model/model-files";
import { registerModel } from "@openledger/attribution/model/registration";
import { initPoseidon } from "@openledger/circuits/field/poseidon";
import { folderSource } from "@openledger/models/engine/files/folder-source";
import { makeModel, writeMadeModel } from "@openledger/models/testing/made-models";
import { byteConfig, ownedTexts, sampleTexts, textRecipeFor } from "@openledger/models/testing/text-rows";
import { describeBase } from "@openledger/models/tuning/recipe/base-files";
import { textSetting } from "@openledger/models/tuning/recipe/model-families";
import { textFamily } from "@openledger/models/tuning/recipe/text-family";
import { textTraining } from "@openledger/models/tuning/recipe/text-training";
import { afterAll, beforeAll, expect, it } from "vitest";
import { runInProcess } from "../testing/run-in-process.ts";

const SIZE = { rows: 64, features: 36, payees: 16, draws: 4 };
const split = { ownerParts: 16_384n, validatorParts: 13_107n };
let folder: string;

beforeAll(async () => {
  await initPoseidon();
  folder = await mkdtemp(join(tmpdir(), "openledger-what-if-"));
  const base = join(folder, "base");
  await writeMadeModel(base, makeModel(byteConfig, "text"));
  const rows = ownedTexts(sampleTexts(12));
  const recipe = textRecipeFor(rows, await describeBase(folderSource(base), "made"), {
    method: { kind: "tangent", fisher: 9, featureCount: 32 },
  });
  const setting = await textSetting({ base });
  const trained = await textTraining(textFamily(setting), setting).train(rows, recipe, {});
  const published = publishedModel(trained, registerModel(trained, { split }, SIZE), { publishRows: true });
  await writeModel(join(folder, "model"), published);
});
afterAll(() => rm(folder, { recursive: true }));

const run = (...words: string[]) =>
  runInProcess("rewards", "what-if", join(folder, "model"), "--base", join(folder, "base"), ...words);

it("leaves rows out of a model in a folder, without a rollup", async () => {
  const { stdout } = await run("--without", "1, 4-6,5", "--prompt", "The navy", "--json");
  const { answers, losses, without } = JSON.parse(stdout);
  // Numbers in words, indices in JSON.
  expect(without).toEqual([0, 3, 4, 5]);
  expect(losses.map(({ of }: { of: string }) => of)).toEqual(["answer", "left-out rows", "other rows"]);
  expect(losses[1].without).toBeGreaterThan(losses[1].tuned);
  expect(losses[1].predicted).toBeGreaterThan(0);
  const lines = (await run("--without", "1,4-6", "--prompt", "The navy")).stdout;
  expect(lines).toContain("without 4 of 12 rows");
  expect(lines).toContain(answers[0].textWithout);
  expect(lines).toMatch(
    /left-out rows +\d\.\d{4} +\d\.\d{4} +\+0\.\d{4} +\+0\.\d{4} +\d\.\d{3} and \d\.\d{3}/,
  );
});

it("says which rows there are, and how they are named", async () => {
  for (const [input, code] of [
    ["10-99999999", "MOD_INPUT_INVALID"],
    ["13", "MOD_INPUT_INVALID"],
    ["0", "CMD_USAGE"],
    ["0-2", "CMD_USAGE"],
    ["7-3", "CMD_USAGE"],
    ["one", "CMD_USAGE"],
  ] as const)
    expect(JSON.parse((await run("--without", input, "--json")).stdout).error, input).toMatchObject({ code });
  const beyond = JSON.parse((await run("--without", "13", "--json")).stdout).error;
  expect(beyond.message).toContain("there is no row 13: rows are 1 to 12");
  const { error } = JSON.parse((await run("--json")).stdout);
  expect(error).toMatchObject({ code: "CMD_USAGE", message: expect.stringContaining("--without") });
});
