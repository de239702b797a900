/** Tests of language models that say rows' answers: own questions, what is cited and paid, and what a client refuses. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openCheckable, type TrainedModel } from "@openledger/attribution/model/model-family";
import {
  decodeModel,
  encodeModel,
  type PublishedModel,
  publishedModel,
} from "@openledger/attribution/model/model-files";
import { registerModel } from "@openledger/attribution/model/registration";
import { encodeTextRow } from "@openledger/attribution/rows/text-rows";
import { integerScores } from "@openledger/attribution/scores/integer-scores";
import { initPoseidon } from "@openledger/circuits/field/poseidon";
import {
  answerHash,
  modelQueryBytes,
  modelQueryCommitment,
  receiptHash,
} from "@openledger/circuits/ledger/model-query";
import { checkAnswer } from "@openledger/client/actions/answers/check-answer";
import { afterAll, beforeAll, expect, it } from "vitest";
import { citingWorld } from "../../testing/citing-world.ts";
import { usualPreset } from "../recipe/plan-model.ts";
import { sayingRetrieval } from "../recipe/recipe-presets.ts";
import type { TextParts } from "../recipe/text-family.ts";
import { type CitingTextRecipe, parseTextRecipe } from "../recipe/text-recipe.ts";
import { parseCited } from "./citations.ts";
import { rowFinder } from "./find-rows.ts";
import { makeIndex } from "./make-index.ts";
import { decodeIndex, encodeIndex } from "./row-index.ts";

const SIZE = { rows: 64, features: 128, payees: 16, payments: 8, draws: 4 };
const SPLIT = { ownerParts: 16_384n, validatorParts: 13_107n };
const QUESTIONS = [
  ["What is gravity?", "The force by which bodies with mass attract each other, as the Earth does an apple."],
  ["Who painted the Mona Lisa?", "Leonardo da Vinci."],
  ["When did the Berlin Wall fall?", "On 9 November 1989."],
  ["What do pandas eat?", "Almost nothing but bamboo."],
  ["How many legs does a spider have?", "Eight; insects have six."],
  ["Why is the sea salty?", "Rivers wash salts out of rocks."],
  ["What is it?", "A question of function words alone."],
  ["Was ist der höchste Berg?", "Der Mount Everest."],
] as const;
const rows = QUESTIONS.map(([prompt, answer], i) => ({
  content: encodeTextRow({ prompt, answer }),
  contributorId: i < 4 ? 5 : 6,
  validatorId: 8,
}));
const code = (name: string) => expect.objectContaining({ code: name });

let folder: string;
let world: Awaited<ReturnType<typeof citingWorld>>;
let recipe: CitingTextRecipe;
let trained: TrainedModel<TextParts>;
let model: PublishedModel<TextParts>;
let own: Awaited<ReturnType<typeof openCheckable<TextParts>>>;

beforeAll(async () => {
  await initPoseidon();
  folder = await mkdtemp(join(tmpdir(), "openledger-saying-"));
  world = await citingWorld(folder, rows, SIZE.features);
  recipe = parseTextRecipe({
    ...world.recipe,
    retrieval: sayingRetrieval(SIZE.features),
  }) as CitingTextRecipe;
  trained = await world.training.train(rows, recipe, {});
  model = publishedModel(trained, registerModel(trained, { split: SPLIT }, SIZE), { publishRows: true });
  own = await openCheckable(model);
});
afterAll(() => rm(folder, { recursive: true }));

it("answers its own questions word for word, longer than the model's own answers, and cites the row alone", () => {
  for (const [row, [prompt, answer]] of QUESTIONS.entries()) {
    const { query, text } = own.answer(prompt);
    expect(JSON.parse(text).text).toBe(answer);
    expect(JSON.parse(text).tokens.length).toBe(
      Math.min(new TextEncoder().encode(answer).length, recipe.answers.answerTokens),
    );
    expect(parseCited(text)!.citations).toMatchObject([
      { row, shareMillionths: 1_000_000, question: prompt },
    ]);
    expect(own.rowQuestionOf!(prompt)).toBe(prompt);
    expect(own.queryOf!(prompt, text)).toEqual(query);
  }
  const other = "Tell me who painted Mona Lisa's portrait";
  expect(JSON.parse(own.answer(other).text).text).toBe(QUESTIONS[1][1]);
  expect(own.rowQuestionOf!(other)).toBe(QUESTIONS[1][0]);
});

it("says the text as it comes, and answers no question that no row answers", () => {
  const told: string[] = [];
  own.answer(QUESTIONS[0][0], (soFar) => told.push(soFar));
  expect(told).toEqual([QUESTIONS[0][1]]);
  for (const prompt of ["zebra xylophone quantum", "… !!", "Who painted Guernica?", "What do koalas eat?"]) {
    expect(() => own.answer(prompt), prompt).toThrow(code("ATT_NO_ROW_ANSWERS"));
    expect(() => own.queryOf!(prompt, '{"text":"","tokens":[]}'), prompt).toThrow(code("ATT_NO_ROW_ANSWERS"));
  }
});

it("shows the nearest questions beside a refusal, with what names their rows", () => {
  const refused = (prompt: string) => {
    try {
      own.rowQuestionOf!(prompt);
    } catch (error) {
      return (error as { data: { nearest: { row: number; question: string }[] } }).data.nearest;
    }
    throw new Error(`${prompt} is answered`);
  };
  const [first, ...others] = refused("Who painted Guernica?");
  expect(first).toMatchObject({ row: 1, question: QUESTIONS[1][0], contributorId: 5 });
  expect(others.length).toBeLessThanOrEqual(2);
  expect(refused("… !!")).toEqual([]);
});

it("refuses an index of an earlier release by name, and says what to do", () => {
  const index = makeIndex(rows, recipe);
  expect(decodeIndex(encodeIndex(index), recipe)).toEqual(index);
  const { polarity: _, rules: __, ...earlier } = JSON.parse(new TextDecoder().decode(encodeIndex(index)));
  expect(() => decodeIndex(new TextEncoder().encode(JSON.stringify(earlier)), recipe)).toThrow(
    /of an earlier release.*train the model again/,
  );
  const later = new TextEncoder().encode(JSON.stringify({ ...index, rules: 3 }));
  expect(() => decodeIndex(later, recipe)).toThrow(code("ATT_MODEL_FILE_INVALID"));
});

it("pays by influence alone where rows have one code", () => {
  const few = {
    ...recipe,
    columnCount: recipe.method.featureCount + recipe.retrieval.thresholdColumns + 1 + 8,
  };
  const find = (count: number) => {
    const many = Array.from({ length: count }, (_, k) => ({
      ...rows[0]!,
      content: encodeTextRow({ prompt: `Number ${k + 10}?`, answer: "Yes." }),
    }));
    const finder = rowFinder(makeIndex(many, few), few);
    return many.map((_, k) => finder(`Number ${k + 10}?`).cited!.paidBy);
  };
  // Eight columns have 70 codes.
  expect(new Set(find(40))).toEqual(new Set(["citation", "influence"]));
  expect(find(400).filter((paidBy) => paidBy === "citation").length).toBeLessThan(40);
});

it("pays the row alone by citation, and by influence no row for being cited", () => {
  for (const citationPermille of [1_000, 0]) {
    const changed = { ...recipe, retrieval: { ...recipe.retrieval, citationPermille } };
    const find = rowFinder(makeIndex(rows, changed), changed);
    for (const [row, [prompt]] of QUESTIONS.entries()) {
      const { cited, query } = find(prompt);
      expect(cited!.paidBy).toBe(citationPermille === 0 ? "influence" : "citation");
      const features = trained.features.values as Int8Array;
      const sizes = { rowCount: rows.length, featureCount: SIZE.features };
      const scores = integerScores({ features, query, ...sizes });
      const paid = [...scores.keys()].filter((one) => scores[one]! > 0);
      expect(paid).toEqual(citationPermille === 0 ? [] : [row]);
    }
  }
});

it("says the first of near-duplicates where they share one reward, and any of them where they do not", () => {
  const [prompt, answer] = QUESTIONS[0];
  const later = encodeTextRow({ prompt, answer: `${answer} Newton.` });
  const near = [...rows, { content: later, contributorId: 6, validatorId: 9 }];
  const citedBy = (nearDuplicatesShare: boolean) => {
    const changed = { ...recipe, rules: { ...recipe.rules, nearDuplicatesShare } };
    return rowFinder(makeIndex(near, changed), changed)(`${prompt} Newton?`).cited?.citations[0]?.row;
  };
  expect([true, false].map(citedBy)).toEqual([0, rows.length]);
});

it("finds own questions where most rows ask the same, or have one answer for several questions", () => {
  const turns = [
    ...QUESTIONS.map(([prompt, answer]) => ({ prompt, answer: `${answer} Indeed.` })),
    ...QUESTIONS.map(([prompt, answer]) => ({ prompt, answer })),
    ...QUESTIONS.map(([prompt, answer]) => ({ prompt: `Please tell me: ${prompt} Really?`, answer })),
  ];
  const many = turns.map((turn) => ({
    content: encodeTextRow(turn),
    contributorId: 5,
    validatorId: 8,
  }));
  const changed = { ...recipe, rules: { ...recipe.rules, nearDuplicatesShare: false } };
  const find = rowFinder(makeIndex(many, changed), changed);
  for (const { prompt } of turns) expect(find(prompt).said, prompt).not.toBeNull();
});

it("is refused by a client where the server says another text, cites another row or leaves tokens out", () => {
  const [prompt, answer] = QUESTIONS[1];
  const { query, text } = own.answer(prompt);
  const { staticsHash } = model;
  const input = (said: string) => {
    const bound = {
      payerId: 4,
      answerHash: answerHash(prompt, said),
      queryCommitment: modelQueryCommitment(query),
      salt: 3n,
    };
    const receipt = receiptHash({ statics: staticsHash, ...bound });
    const estimate = { contributors: [], topRows: [] };
    return { answer: said, label: null, queryBytes: modelQueryBytes(query), receipt, estimate, ...bound };
  };
  const check = (said: string, isAnsweredAgain: boolean) =>
    checkAnswer(own, input(said) as never, { prompt, payerId: 4, staticsHash, isAnsweredAgain });
  for (const isAnsweredAgain of [true, false]) check(text, isAnsweredAgain);
  const json = JSON.parse(text);
  for (const change of [
    { text: "Michelangelo." },
    { text: `${answer} ` },
    { tokens: json.tokens.slice(1) },
    { citations: [{ ...json.citations[0], row: 2 }] },
    { citations: [{ ...json.citations[0], question: "Who painted the Mona Lisa in 1503?" }] },
  ]) {
    const said = JSON.stringify({ ...json, ...change });
    for (const isAnsweredAgain of [true, false])
      expect(() => check(said, isAnsweredAgain), said).toThrow(code("CLI_ANSWER_WRONG"));
  }
});

it("comes back from its files, as small as its recipe allows, and is the usual recipe of questions alone", async () => {
  expect(decodeModel(encodeModel(model), [world.family])).toEqual(model);
  const max = await world.family.maxBytes(recipe, rows.length);
  expect(model.queryMap.length).toBeLessThanOrEqual(max.queryMap);
  const text = { content: encodeTextRow({ text: "a text" }) };
  expect([rows, [...rows, text], [{ content: Uint8Array.of(65) }]].map(usualPreset)).toEqual([
    "cited-answers",
    "texts",
    "labels",
  ]);
});
