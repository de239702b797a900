import { initPoseidon } from "@openledger/circuits/field/poseidon";
import { answerHash } from "@openledger/circuits/ledger/model-query";
import { beforeAll, expect, it } from "vitest";
import { directInputs } from "../model/direct/direct-inputs.ts";
import { recipeFor } from "../testing/sample-rows.ts";
import { judgePrompt } from "./drawn-prompts.ts";

beforeAll(initPoseidon);

it("tells counts of the prompt from dictated ones, another prompt, and one that is kept back", async () => {
  const content = new TextEncoder().encode("win");
  const recipe = recipeFor([{ content, label: "spam", contributorId: 5, validatorId: 8 }], 64);
  const prompt = "win a free cruise";
  const text = '{"label":"spam"}';
  const inputs = await directInputs(recipe);
  const query = inputs.queryOf(prompt, text);
  const opening = { answerHash: answerHash(prompt, text), prompt, query };
  expect(await judgePrompt(recipe, opening)).toBe("same");
  expect(await judgePrompt(recipe, { ...opening, prompt: null })).toBe("withheld");
  const { counts } = inputs.queryOf("lunch at noon", text);
  expect(await judgePrompt(recipe, { ...opening, query: { ...query, counts } })).toBe("dictated");
  // The same counts: only the hash tells them apart.
  expect(await judgePrompt(recipe, { ...opening, prompt: "WIN a free cruise" })).toBe("another-prompt");
  expect(await judgePrompt(recipe, { ...opening, query: { ...query, answeredClass: 0 } })).toBe(
    "another-prompt",
  );
  expect(await judgePrompt(recipe, { ...opening, query: { ...query, pair: 1 } })).toBe("another-prompt");
  const blank = { ...opening, prompt: " ", answerHash: answerHash(" ", '{"label":"spam"}') };
  expect(await judgePrompt(recipe, blank)).toBe("dictated");
});
