import { integerScores } from "@openledger/attribution/internal/scores/integer-scores";
import { openCheckable, type Trained } from "@openledger/attribution/model/model-family";
import { decodeModel, encodeModel, publishedModel } from "@openledger/attribution/model/model-files";
import { registerModel } from "@openledger/attribution/model/registration";
import { verifyModel } from "@openledger/attribution/model/verify-model";
import { hashContents } from "@openledger/attribution/rows/labelled-rows";
import { encodeTextRow } from "@openledger/attribution/rows/text-rows";
import { initPoseidon } from "@openledger/circuits/field/poseidon";
import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { passageRows, passages, retrievalRecipeFor } from "../testing/retrieval-world.ts";
import { parseCitations } from "./citations.ts";
import {
  lengthOf,
  parseRetrievalRecipe,
  type RetrievalParts,
  type RetrievalRecipe,
  retrievalFamily,
  rowScores,
} from "./retrieval-family.ts";
import { retrievalTraining } from "./retrieval-training.ts";
import { fillThresholdColumns, mostThreshold, thresholdEntries } from "./threshold-columns.ts";

const SPLIT = { ownerParts: 16_384n, validatorParts: 13_107n };
const code = (name: string) => expect.objectContaining({ code: name });

let recipe: RetrievalRecipe;
let trained: Trained<RetrievalParts>;

beforeAll(async () => {
  await initPoseidon();
  recipe = retrievalRecipeFor(passageRows());
  trained = await retrievalTraining.train(passageRows(), recipe, {});
});

const settled = (query: Int16Array) => {
  const { featureCount, rowCount, values } = trained.features;
  return integerScores({ features: values as Int8Array, rowCount, featureCount, query });
};

describe("columns of the threshold", () => {
  it("take exactly any odd number from every row, with odd entries of eight bits", () => {
    const coarse = fc.integer({ min: 1, max: 64 }).map((half) => 2 * half);
    fc.assert(
      fc.property(coarse, fc.nat(), (columns, any) => {
        const threshold = 2 * (any % ((mostThreshold(columns) + 1) / 2)) + 1;
        const entries = thresholdEntries(threshold, columns);
        expect(entries.every((entry) => Math.abs(entry) % 2 === 1 && Math.abs(entry) <= 255)).toBe(true);
        const features = new Int8Array(columns + 1);
        fillThresholdColumns(features, columns + 1, 0, columns);
        const [score] = integerScores({ features, rowCount: 1, featureCount: columns + 1, query: entries });
        expect(score).toBe(-threshold);
      }),
    );
    expect(thresholdEntries(mostThreshold(4), 4)).toEqual(Int16Array.of(-255, -255, -255, -255, -127));
  });
});

describe("a retrieval model", () => {
  it("has as many bytes as its recipe says", async () => {
    const { parameters, queryMap } = retrievalFamily.encode(trained);
    expect(await retrievalFamily.mostBytes(recipe, trained.rows.length)).toEqual({
      parameters: parameters.length,
      queryMap: queryMap.length,
    });
  });

  it("is the same bytes on every machine", () => {
    const { parameters, queryMap } = retrievalFamily.encode(trained);
    expect({
      parameters: hashContents([parameters]),
      queryMap: hashContents([queryMap]),
      features: hashContents([new Uint8Array(trained.features.values.buffer)]),
    }).toMatchInlineSnapshot(`
      {
        "features": "56b89e57b493ce522ef374580baeef9e1c3054580e652ee9cf0a9f1a46693f75",
        "parameters": "ad860755c1bf1f0c1f40a09a76e8939a8096154db56d94b5fec5b66673434eed",
        "queryMap": "f8eb1da88e07e0ef53fae2007c9e41cf08769097ac3ad31ee282e4631d7b75e1",
      }
    `);
  });

  it("finds each row by half of its words, and pays exactly the rows that it cites", async () => {
    const model = await openCheckable({ ...trained, staticsHash: 1n });
    for (const [row, passage] of passages.entries()) {
      const words = passage.split(" ");
      const prompt = words.filter((_, k) => k % 2 === 0).join(" ");
      const answer = model.answer(prompt);
      const citations = parseCitations(answer.text);
      expect(citations[0]).toMatchObject({
        row,
        contributorId: row < 20 ? 5 : 6,
        validatorId: row < 10 ? 8 : 9,
      });
      expect(citations.length).toBeLessThanOrEqual(recipe.citationCount);
      const scores = settled(answer.query);
      const paid = [...scores.keys()].filter((one) => scores[one]! > 0);
      expect(citations.map((one) => one.row).sort((a, b) => a - b)).toEqual(paid);
      const total = paid.reduce((sum, one) => sum + scores[one]!, 0);
      for (const one of citations)
        expect(one.shareMillionths).toBe(Math.floor((scores[one.row]! * 1e6) / total));
      const own = answer.query.subarray(0, trained.index.dimensions);
      const least = trained.index.threshold * lengthOf(own);
      const below = [...rowScores(trained.index, own).entries()].filter(([, score]) => score <= least);
      expect(below.length).toBeGreaterThan(0);
      expect(below.every(([one]) => scores[one]! <= 0)).toBe(true);
    }
  });

  it("has nothing to sell where no row comes close", async () => {
    const model = await openCheckable({ ...trained, staticsHash: 1n });
    for (const prompt of ["zebra xylophone quantum", "… !!", ""])
      expect(() => model.answer(prompt), prompt).toThrow(code("ATT_NO_ROW_FOUND"));
  });

  it("comes back from its files, and is what its recipe makes of the rows", async () => {
    const size = { rows: 64, features: recipe.columnCount, payees: 16, draws: 4 };
    const model = publishedModel(trained, registerModel(trained, { split: SPLIT }, size), {
      publishRows: true,
    });
    const back = decodeModel(encodeModel(model), [retrievalFamily]);
    expect(back).toEqual(model);
    const facts = { staticsHash: model.staticsHash, rowsRoot: BigInt(recipe.datanet.rowsRoot) };
    const trainings = [retrievalTraining];
    for (const depth of ["train", "features"] as const)
      expect(await verifyModel({ model: back, facts, depth, trainings })).toMatchObject({ payeeCount: 3 });
    const embeddings = trained.index.embeddings.map((x, k) => (k === 700 ? x + 1 : x));
    const other = { ...model, index: { ...trained.index, embeddings } };
    await expect(verifyModel({ model: other, facts, depth: "train", trainings })).rejects.toThrow(
      expect.objectContaining({
        code: "ATT_MODEL_MISMATCH",
        data: expect.objectContaining({ what: "parameters" }),
      }),
    );
  });

  it("refuses files that are cut, of other sizes, or count what cannot be", () => {
    const files = retrievalFamily.encode(trained);
    const decode = (changed: object) => () => retrievalFamily.decode(recipe, { ...files, ...changed });
    const grown = files.parameters.slice();
    new DataView(grown.buffer).setUint32(0, 0xffffffff, true);
    const nan = files.parameters.slice();
    new DataView(nan.buffer).setFloat64(8, Number.NaN, true);
    const words = files.queryMap.slice();
    new DataView(words.buffer).setUint32(16, 0xffffffff, true);
    for (const changed of [
      { parameters: files.parameters.subarray(0, 9) },
      { parameters: files.parameters.subarray(0, -1) },
      { parameters: grown },
      { parameters: nan },
      { queryMap: words },
      { queryMap: files.queryMap.subarray(4) },
    ])
      expect(decode(changed)).toThrow(code("ATT_MODEL_FILE_INVALID"));
  });

  it("says before it is made what it cannot be made of", () => {
    const contents = passageRows().map(({ content }) => content);
    const check = (given: readonly Uint8Array[]) => () => retrievalTraining.requireTrainable(given, recipe);
    expect(check(contents.slice(0, 1))).toThrow(code("ATT_TOO_FEW_ROWS"));
    expect(check([...contents, encodeTextRow({ text: "… !" })])).toThrow(code("ATT_ROW_INVALID"));
    const narrow = { ...recipe, threshold: { quantile: 0.9, columns: 122 } };
    expect(() => parseRetrievalRecipe(narrow)).toThrow(code("ATT_RECIPE_INVALID"));
    const sharing = { ...recipe, rules: { normQuantile: 1, nearDuplicatesShare: true } };
    expect(() => parseRetrievalRecipe(sharing)).toThrow(code("ATT_RECIPE_INVALID"));
  });
});
