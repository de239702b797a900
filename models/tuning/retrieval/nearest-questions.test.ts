/** Tests of the questions that are shown for nothing where no row answers. */
import { readFile } from "node:fs/promises";
import { ENGLISH_VECTORS } from "@openledger/attribution/inputs/released-vectors";
import { readTextVectors } from "@openledger/attribution/inputs/text-vectors";
import { expect, it } from "vitest";
import { packagedPath } from "../vectors/vector-places.ts";
import { languageWordsOf } from "./function-words.ts";
import { MAX_NEAR_CHARACTERS, nearestQuestions } from "./nearest-questions.ts";

const TURNS = [
  { prompt: "What does a day ticket for adults cost?", answer: "It costs 84 kronor." },
  { prompt: "Can I bring my dog on the ferry?", answer: "Dogs travel on the rear deck." },
  { prompt: "Where is the nearest pharmacy?", answer: "In Lindgatan 12." },
  { prompt: "Who is the captain of the Måsen?", answer: "Pia Lund." },
  null,
  { prompt: `Which ${"very ".repeat(MAX_NEAR_CHARACTERS)} long dog?`, answer: "This one." },
  { prompt: " ", answer: "The dog on the ferry." },
];
const { functionWords } = languageWordsOf(
  TURNS.flatMap((turn) => (turn === null ? [] : [turn.prompt, turn.answer])),
);

it("ranks questions by parts of words: three at most, none that is empty or too long, none without a common part", () => {
  const near = nearestQuestions(TURNS, functionWords, null);
  expect(near("Are ferries for dogs?")[0]).toBe(1);
  expect(near("day tickets, ferry captain, dogs and pharmacies")).toHaveLength(3);
  expect(near("Pharmacie la plus proche")).toEqual([2]);
  for (const prompt of ["", "???", "xyzzy"]) expect(near(prompt), prompt).toEqual([]);
  expect(nearestQuestions([], [], null)("dogs")).toEqual([]);
});

it("ranks by meaning where the rows are English and vectors are at hand", async () => {
  const vectors = readTextVectors(await readFile(packagedPath(ENGLISH_VECTORS)!));
  const digitsOf = (text: string) => vectors.digitsOf(new TextEncoder().encode(text));
  const near = nearestQuestions(TURNS, functionWords, digitsOf);
  expect(near("Are pets allowed on the boat?")[0]).toBe(1);
  expect(near("Where could I buy medicine close by?")[0]).toBe(2);
  const asked: string[] = [];
  const counting = (text: string) => {
    asked.push(text);
    return digitsOf(text);
  };
  nearestQuestions([{ prompt: "Wo ist der Hund?", answer: "Hier." }], ["der", "ist", "wo"], counting)("Hund");
  expect(asked).toEqual([]);
});
