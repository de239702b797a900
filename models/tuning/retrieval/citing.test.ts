/** Tests of language models that cite rows: columns of citations, search of rows, payment. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  type AnsweringModel,
  openCheckable,
  type TrainedModel,
} from "@openledger/attribution/model/model-family";
import {
  decodeModel,
  encodeModel,
  type PublishedModel,
  publishedModel,
} from "@openledger/attribution/model/model-files";
import { isQueryOfBase } from "@openledger/attribution/model/recipe-fields";
import { registerModel } from "@openledger/attribution/model/registration";
import { verifyModel } from "@openledger/attribution/model/verify-model";
import { hashContents } from "@openledger/attribution/rows/labelled-rows";
import { explainEarnings } from "@openledger/attribution/scores/earnings";
import { integerScores } from "@openledger/attribution/scores/integer-scores";
import { initPoseidon } from "@openledger/circuits/field/poseidon";
import { answerHash, modelQueryCommitment, receiptHash } from "@openledger/circuits/ledger/model-query";
import { type AnswerOpening, paymentChain } from "@openledger/circuits/settlement/divide-epoch";
import { settleEpoch } from "@openledger/circuits/settlement/settlement-rules";
import { nameCard } from "@openledger/datanets/card/card";
import { sampleCard } from "@openledger/datanets/testing/sample-card";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { citingWorld, passageRows, passagesOf } from "../../testing/citing-world.ts";
import { completeRecipe } from "../recipe/recipe-presets.ts";
import type { TextParts } from "../recipe/text-family.ts";
import { type CitingTextRecipe, parseTextRecipe } from "../recipe/text-recipe.ts";
import { balance, idleEntry, maxThreshold, thresholdColumns, thresholdEntries } from "./citation-columns.ts";
import { parseCited } from "./citations.ts";
import { rowFinder } from "./find-rows.ts";
import { makeIndex } from "./make-index.ts";
import { decodeIndex, encodeIndex, lengthOf, type ReadIndex, scoreOf } from "./row-index.ts";

const SIZE = { rows: 64, features: 128, payees: 16, payments: 8, draws: 4 };
const SPLIT = { ownerParts: 16_384n, validatorParts: 13_107n };
const passages = passagesOf(32, 14);
const code = (name: string, data: object = {}) =>
  expect.objectContaining({ code: name, data: expect.objectContaining(data) });
const halfOf = (passage: string) =>
  passage
    .split(" ")
    .filter((_, k) => k % 2 === 0)
    .join(" ")
    .slice(0, 110);

let folder: string;
let world: Awaited<ReturnType<typeof citingWorld>>;
let recipe: CitingTextRecipe;
let trained: TrainedModel<TextParts>;
let model: PublishedModel<TextParts>;
let own: AnsweringModel<Int16Array>;
let index: ReadIndex;

beforeAll(async () => {
  await initPoseidon();
  folder = await mkdtemp(join(tmpdir(), "openledger-citing-"));
  world = await citingWorld(folder, passageRows(passages), SIZE.features);
  recipe = world.recipe;
  trained = await world.training.train(passageRows(passages), recipe, {});
  model = publishedModel(trained, registerModel(trained, { split: SPLIT }, SIZE), { publishRows: true });
  own = await openCheckable(model);
  index = makeIndex(passageRows(passages), recipe) as ReadIndex;
});
afterAll(() => rm(folder, { recursive: true }));

const settled = (query: Int16Array, values = trained.features.values as Int8Array) =>
  integerScores({ features: values, rowCount: passages.length, featureCount: SIZE.features, query });
describe("columns of citations", () => {
  it("take exactly any odd number from every row, with odd entries of eight bits", () => {
    const coarse = fc.integer({ min: 1, max: 64 }).map((half) => 2 * half);
    fc.assert(
      fc.property(coarse, fc.nat(), (columns, any) => {
        const threshold = 2 * (any % ((maxThreshold(columns) + 1) / 2)) + 1;
        const entries = thresholdEntries(threshold, columns);
        expect(entries.every((entry) => Math.abs(entry) % 2 === 1 && Math.abs(entry) <= 255)).toBe(true);
        expect(scoreOf(thresholdColumns(columns), entries)).toBe(-threshold);
      }),
    );
  });

  it("are balanced: under idle entries they add up to nothing, and any row is changed by little", () => {
    const row = fc.array(fc.integer({ min: -127, max: 127 }), { minLength: 16, maxLength: 300 });
    fc.assert(
      fc.property(row, fc.nat(64), fc.integer({ min: -254, max: 254 }), (input, first, rest) => {
        const values = Int8Array.from(input);
        const sum = input.reduce((all, value, k) => all + value * idleEntry(first + k), rest);
        balance(values, 0, values.length, first, rest);
        expect(values.reduce((all, value, k) => all + value * idleEntry(first + k), rest)).toBe(0);
        const changed = values.reduce((all, value, k) => all + Math.abs(value - input[k]!), 0);
        expect(changed).toBe(Math.abs(sum));
      }),
    );
  });
});

describe("a model that cites", () => {
  it("is the same bytes on every machine, and as many as its recipe allows", async () => {
    const { adapter, features, queryMap } = trained;
    expect(
      [adapter, queryMap, new Uint8Array(features.values.buffer)].map((file) => hashContents([file])),
    ).toMatchInlineSnapshot(`
      [
        "b7141ca9f069237eb0022329b6ce19944c96b299365dd0d72d00d2816e755be9",
        "8d381c52e99181c3950a933c61d0596a6a235bbd500fe39a1eae49c50e954efa",
        "1fc612424bec87f542603d61e79861c75d7de7a7ae90d6749c403b5994eaf890",
      ]
    `);
    const max = await world.family.maxBytes(recipe, passages.length);
    expect(queryMap.length).toBeLessThanOrEqual(max.queryMap);
  });

  it("finds each row by half of its words, and pays exactly the cited rows, or none by being cited", () => {
    const find = rowFinder(index, { ...recipe, retrieval: { ...recipe.retrieval, citationPermille: 1_000 } });
    for (const [row, passage] of passages.entries()) {
      const { cited, excerpts, query } = find(halfOf(passage));
      const citations = cited!.citations;
      const owners = { contributorId: row < 20 ? 5 : 6, validatorId: row < 10 ? 8 : 9 };
      expect(citations[0]).toMatchObject({ row, ...owners });
      expect(citations.length).toBeLessThanOrEqual(recipe.retrieval.rows);
      expect(excerpts[0]).toBe(passage);
      const scores = settled(query);
      const paid = [...scores.keys()].filter((one) => scores[one]! > 0);
      expect(citations.map((one) => one.row).sort((a, b) => a - b)).toEqual(paid);
      const total = paid.reduce((sum, one) => sum + scores[one]!, 0);
      for (const one of citations)
        expect(one.shareMillionths).toBe(Math.floor((scores[one.row]! * 1e6) / total));
      const from = recipe.method.featureCount;
      const words = query.subarray(from, from + index.rows[0]!.embedding.length);
      const min = index.threshold * lengthOf(words);
      for (const [one, { embedding }] of index.rows.entries())
        if (scoreOf(embedding, words) <= min) expect(scores[one]).toBeLessThanOrEqual(0);
    }
  });

  it("pays by the recipe's part: the prompt decides, and the block that does not pay adds nothing", () => {
    const find = rowFinder(index, recipe);
    const paidBy = passages.map((passage) => find(halfOf(passage)).cited!.paidBy);
    const count = paidBy.filter((by) => by === "citation").length;
    expect(count).toBeGreaterThan(8);
    expect(count).toBeLessThan(24);
    const prompt = halfOf(passages[paidBy.indexOf("influence")]!);
    const { query } = own.answer(prompt);
    const { featureCount } = recipe.method;
    const influence = (trained.features.values as Int8Array).map((value, k) =>
      k % SIZE.features < featureCount ? value : 0,
    );
    expect(settled(query)).toEqual(settled(query, influence));
    expect(settled(find(prompt).query).every((score) => score === 0)).toBe(true);
  });

  it("answers without sources, paid by influence, where no row comes close", () => {
    for (const prompt of ["zebra xylophone quantum", "… !!"]) {
      const { query, text } = own.answer(prompt);
      expect(Object.keys(JSON.parse(text))).toEqual(["text", "tokens"]);
      expect(parseCited(text)).toBeNull();
      expect(own.queryOf!(prompt, text)).toEqual(query);
    }
  });

  it("writes from rows, is generated again by a checker, and a settlement pays by the rule", () => {
    const openings = new Map<bigint, AnswerOpening<Int16Array>>();
    const input = passages.slice(0, 6).map((passage, i) => {
      const prompt = halfOf(passage);
      const { query, text } = own.answer(prompt);
      expect(own.answer(prompt)).toEqual({ label: null, text, query });
      expect(own.queryOf!(prompt, text)).toEqual(query);
      const opening = { answerHash: answerHash(prompt, text), query, salt: BigInt(i) };
      const bound = { statics: model.staticsHash, payerId: 20, ...opening };
      const receipt = receiptHash({ ...bound, queryCommitment: modelQueryCommitment(query) });
      openings.set(receipt, opening);
      return {
        cited: parseCited(text)!,
        payment: { payerId: 20, receipt, cumulativeWei: BigInt(i + 1) * 10n ** 18n },
      };
    });
    const payments = input.map(({ payment }) => payment);
    const openingOf = (i: number) => openings.get(payments[i]!.receipt);
    const ledger = { modelId: 9, statics: model.statics, payees: model.payees, accruedWei: [0n, 0n, 0n] };
    const settlement = settleEpoch({
      size: SIZE,
      model: ledger,
      closed: { chain: paymentChain(payments), epoch: 1n, closingBatch: 5n, amountWei: 6n * 10n ** 18n },
      payments,
      openingOf,
      features: {
        matrix: model.features.values as Int8Array,
        columns: model.columns,
        answeringHash: model.answeringHash,
      },
      seed: 7n,
    });
    expect(settlement.draws.every(({ isValid }) => isValid)).toBe(true);
    const { rows } = explainEarnings(settlement, { model: ledger, payments });
    const drawnBy = settlement.draws.map(({ paymentIndex }, k) => {
      const { citations, paidBy } = input[paymentIndex]!.cited;
      const paid = rows.flatMap(({ draws, row }) =>
        draws
          .filter(({ draw }) => draw === k)
          .map(({ earnedParts }) => ({ row, parts: Number(earnedParts) })),
      );
      const all = paid.reduce((sum, { parts }) => sum + parts, 0);
      if (paidBy === "influence") expect(paid.length).toBeGreaterThan(recipe.retrieval.rows);
      else
        expect(new Map(paid.map(({ parts, row }) => [row, Math.floor((1e6 * parts) / all + 1e-3)]))).toEqual(
          new Map(citations.map(({ row, shareMillionths }) => [row, shareMillionths])),
        );
      return paidBy;
    });
    expect(new Set(drawnBy)).toEqual(new Set(["citation", "influence"]));
  });

  it("refuses an answer that cites another row, another share, another owner or another payment", () => {
    const prompt = halfOf(passages[7]!);
    const { text } = own.answer(prompt);
    const { citations, paidBy, ...rest } = JSON.parse(text);
    const [first, ...others] = citations;
    const changes = [
      ...[{ row: 8 }, { shareMillionths: 999_999 }, { contributorId: 6 }, { digest: "00".repeat(32) }].map(
        (change) => ({ paidBy, citations: [{ ...first, ...change }, ...others] }),
      ),
      { paidBy, citations: [...citations, { ...first, row: 9 }] },
      { paidBy: paidBy === "citation" ? "influence" : "citation", citations },
      {},
    ];
    for (const change of changes) {
      const wrong = JSON.stringify({ ...rest, ...change });
      expect(() => own.queryOf!(prompt, wrong), wrong).toThrow(code("ATT_ANSWER_INVALID"));
    }
  });

  it("comes back from its files, is what its recipe makes of the rows, and pays as the card says", async () => {
    const back = decodeModel(encodeModel(model), [world.family]);
    expect(back).toEqual(model);
    const facts = { staticsHash: model.staticsHash, rowsRoot: BigInt(recipe.datanet.rowsRoot) };
    const cardOf = (citationPermille: number) =>
      nameCard({
        ...sampleCard(),
        rewards: { ...sampleCard().rewards, citationPermille, clipQuantilePermille: 1_000 },
      });
    const verify = (depth: "train" | "features", { policy, text: card }: ReturnType<typeof cardOf>) =>
      verifyModel({ model: back, facts: { ...facts, policy }, card, depth, trainings: [world.training] });
    for (const depth of ["train", "features"] as const)
      expect(await verify(depth, cardOf(500))).toMatchObject({ payeeCount: 3, isBaseOfCard: true });
    const other = verify("features", cardOf(400));
    await expect(other).rejects.toThrow(code("ATT_MODEL_MISMATCH", { what: "retrieval" }));
    const queryMap = model.queryMap.map((byte, k) => (k === model.queryMap.length - 9 ? byte ^ 1 : byte));
    const lying = {
      model: { ...back, queryMap },
      facts,
      depth: "features",
      trainings: [world.training],
    } as const;
    await expect(verifyModel(lying)).rejects.toThrow(code("ATT_MODEL_MISMATCH", { what: "queryMap" }));
    const datanet = { ...recipe.datanet, rowsRoot: facts.rowsRoot };
    const { retrieval } = parseTextRecipe(completeRecipe(recipe, datanet, 128, cardOf(400).text));
    expect(retrieval).toEqual({ ...recipe.retrieval, citationPermille: 400 });
  });

  it("refuses an index that is cut, of other sizes, or counts what cannot be", () => {
    const bytes = encodeIndex(index);
    expect(model.queryMap.subarray(-bytes.length)).toEqual(bytes);
    expect(decodeIndex(bytes, recipe)).toEqual(index);
    const encoded = (change: object) => encodeIndex({ ...index, ...change });
    for (const changed of [
      bytes.subarray(0, -1),
      ...[{ rows: [] }, { threshold: -1 }].map(encoded),
      encoded({ rows: [{ ...index.rows[0], embedding: [1] }] }),
      encoded({ rowsOfBucket: index.rowsOfBucket.slice(1) }),
      encoded({ rowsOfBucket: index.rowsOfBucket.map(() => 33) }),
    ])
      expect(() => decodeIndex(changed, recipe)).toThrow(code("ATT_MODEL_FILE_INVALID"));
  });

  it("has the card's rules: by influence each row has the base, near-duplicates share, and one of them is cited", async () => {
    const [first, later] = [3, 9];
    const near = passages.with(later, `${passages[first]!.slice(0, -1)} so.`);
    const rows = passageRows(near);
    const { recipe: plain, training } = await citingWorld(folder, rows, SIZE.features);
    const cardOf = (changes: object) =>
      nameCard(
        sampleCard({
          rewards: {
            ...sampleCard().rewards,
            basePermille: 600,
            clipQuantilePermille: 1_000,
            nearDuplicates: "share",
            ...changes,
          },
        }),
      );
    const { id, rowsRoot, version } = plain.datanet;
    const datanet = { id, version, rowsRoot: BigInt(rowsRoot) };
    const draft = { ...plain, rules: { ...plain.rules, thresholdPermille: 200 } };
    const based = parseTextRecipe(
      completeRecipe(draft, datanet, SIZE.features, cardOf({}).text),
    ) as CitingTextRecipe;
    expect(based.rules).toMatchObject({ base: { flatPermille: 600 }, nearDuplicatesShare: true });
    const made = await training.train(rows, based, {});
    const values = made.features.values as Int8Array;
    const from = based.method.featureCount;
    const baseOf = (row: number) =>
      values[row * SIZE.features + from]! + values[row * SIZE.features + from + 1]!;
    const usual = baseOf(0);
    expect(usual).toBeGreaterThan(4);
    for (const row of near.keys())
      expect(Math.abs(baseOf(row) - usual / (row === first || row === later ? 2 : 1))).toBeLessThanOrEqual(1);
    const opened = await training.family.open(made);
    const find = rowFinder(makeIndex(rows, based), based);
    const found = new Set<string>();
    for (const [row, passage] of near.entries()) {
      const prompt = halfOf(passage);
      const query = opened.answer(prompt).query as Int16Array;
      const { cited } = find(prompt);
      expect(cited!.citations[0]).toMatchObject({ row: row === later ? first : row });
      expect(isQueryOfBase(based, query)).toBe(true);
      expect(isQueryOfBase(based, query.with(from, 3))).toBe(false);
      const scores = settled(query, values);
      const isBaseLeft = query[from] === 255;
      expect(isBaseLeft).toBe(cited!.paidBy === "influence");
      if (isBaseLeft) {
        const features = values.map((value, k) => (k % SIZE.features < from ? value : 0));
        const own = settled(query, features);
        const added = scores.map((score, at) => score - own[at]!);
        for (const [at, one] of added.entries()) expect(one).toBe(255 * baseOf(at));
      } else {
        const paid = [...scores.keys()].filter((one) => scores[one]! > 0);
        expect(cited!.citations.map((one) => one.row).sort((a, b) => a - b)).toEqual(paid);
        expect(paid).not.toContain(later);
      }
      found.add(cited!.paidBy);
    }
    expect(found).toEqual(new Set(["citation", "influence"]));
    const published = publishedModel(made, registerModel(made, { split: SPLIT }, SIZE), {
      publishRows: true,
    });
    const verify = ({ policy, text: card }: ReturnType<typeof cardOf>) =>
      verifyModel({
        model: published,
        facts: { staticsHash: published.staticsHash, rowsRoot: datanet.rowsRoot, policy },
        card,
        depth: "features",
        trainings: [training],
      });
    await expect(verify(cardOf({}))).resolves.toMatchObject({ isBaseOfCard: true });
    for (const [what, changes] of [
      ["base", { basePermille: 599 }],
      ["nearDuplicates", { nearDuplicates: "keep" }],
      ["normQuantile", { clipQuantilePermille: 900 }],
      ["retrieval", { citationPermille: 400 }],
    ] as const)
      await expect(verify(cardOf(changes))).rejects.toThrow(code("ATT_MODEL_MISMATCH", { what }));
  });

  it("is refused where nothing is left", () => {
    const { retrieval } = recipe;
    for (const changed of [
      { retrieval: { ...retrieval, thresholdColumns: 90 } },
      { retrieval: { ...retrieval, excerptTokens: 70 } },
    ])
      expect(() => parseTextRecipe({ ...recipe, ...changed })).toThrow(code("ATT_RECIPE_INVALID"));
  });
});
