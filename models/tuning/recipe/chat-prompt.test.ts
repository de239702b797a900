/** Tests of which text a registered model's chat is, where its question stands, and that rows are trained on in the same form. */
import { initPoseidon } from "@openledger/circuits/field/poseidon";
import { beforeAll, describe, expect, it } from "vitest";
import { memorySource } from "../../engine/files/memory-source.ts";
import { openTokenizer } from "../../engine/tokens/tokenizer.ts";
import { byteTemplate } from "../../testing/chat-fixtures.ts";
import { textRecipeFor } from "../../testing/text-rows.ts";
import { chatPrompt, chatRuleOf, modelChat, promptParts, templateOf } from "./chat-prompt.ts";
import { parseTextRecipe, type TextRecipe } from "./text-recipe.ts";
import { answerText, promptOf, tokensOfRow } from "./text-tokens.ts";

beforeAll(initPoseidon);

const base = { name: "made", files: {} };
const bytesOf = (text: string) => new TextEncoder().encode(text);
const open = (template: string | null) =>
  openTokenizer(
    memorySource("made", new Map(template === null ? [] : [["chat_template.jinja", bytesOf(template)]])),
    256,
  );
const tokens = await open(byteTemplate);
const template = tokens.chat()!;
const chat = { template: template.sha256, question: template.questionMarks! };
const recipeOf = (changed: Partial<TextRecipe> = {}) => parseTextRecipe(textRecipeFor([], base, changed));
const retrieval = {
  bucketBits: 8,
  quantile: 0.5,
  thresholdColumns: 2,
  rows: 1,
  excerptTokens: 8,
  citationPermille: 1_000,
} as const;
const citing = (says?: "row") => ({
  method: { kind: "ek-fac", power: 0.5, damping: 0, featureCount: 16 } as const,
  retrieval: { ...retrieval, ...(says === undefined ? {} : { says }) },
});
const user = (content: string) => ({ role: "user" as const, content });
const turns = [
  { role: "system" as const, content: "Be brief." },
  user("A?"),
  { role: "assistant" as const, content: "B." },
  user("C?"),
];

describe("the canonical text of a chat", () => {
  it("is what the recipe's template makes of it, and is refused where the base has another", async () => {
    const recipe = recipeOf({ chat });
    expect(chatPrompt(tokens, recipe, { messages: turns })).toBe("[s]Be brief.[u]A?[a]B.[u]C?[a]");
    const other = await open("other");
    for (const wrong of [other, await open(null)])
      expect(() => templateOf(wrong, recipe)).toThrow(
        expect.objectContaining({ code: "ATT_RECIPE_INVALID" }),
      );
    expect(templateOf(other, recipeOf())).toBeNull();
  });

  it("has the date of the recipe", async () => {
    const dated = await open("{{ strftime_now('%Y-%m-%d') }} {{ messages[0].content }}");
    const own = { template: dated.chat()!.sha256, date: "2025-01-31" };
    expect(chatPrompt(dated, recipeOf({ chat: own }), { messages: [user("A?")] })).toBe("2025-01-31 A?");
    expect(() => recipeOf({ chat: { ...own, date: "2025-02-30" } })).toThrow();
  });

  it("without a template is the contents one after another, and of a model that says rows the last question", () => {
    expect(chatPrompt(tokens, recipeOf(), { messages: turns })).toBe("Be brief.\n\nA?\n\nB.\n\nC?");
    expect(chatPrompt(tokens, recipeOf(), { messages: [user("A?")] })).toBe("A?");
    expect(chatPrompt(tokens, recipeOf(citing("row")), { messages: turns })).toBe("C?");
    const rules = [
      recipeOf(),
      recipeOf(citing()),
      recipeOf(citing("row")),
      recipeOf({ ...citing("row"), chat }),
    ];
    expect(rules.map(chatRuleOf)).toEqual(["rows", "rows", "question", "template"]);
    expect(chatPrompt(tokens, recipeOf({ ...citing("row"), chat }), { messages: turns })).toBe(
      "[s]Be brief.[u]A?[a]B.[u]C?[a]",
    );
  });

  it("is refused by the field: tools without a place for them, and no question for rows to be found for", () => {
    const tools = [{ type: "function" as const, function: { name: "x" } }];
    for (const [recipe, chatOf, param] of [
      [recipeOf(), { messages: [user("A?")], tools }, "tools"],
      [recipeOf(), { messages: [{ role: "tool" as const, content: "x" }] }, "messages.0.role"],
      [recipeOf({ ...citing(), chat }), { messages: [user("A?")], tools }, "tools"],
      [recipeOf(citing()), { messages: turns.slice(0, 3) }, "messages.2.role"],
      [recipeOf({ chat }), { messages: [] }, "messages"],
    ] as const)
      expect(() => chatPrompt(tokens, recipe, chatOf)).toThrow(
        expect.objectContaining({ code: "MOD_CHAT_REFUSED", data: expect.objectContaining({ param }) }),
      );
  });
});

describe("a chat's question", () => {
  it("stands between the template's marks; any other prompt is one", () => {
    const recipe = recipeOf({ ...citing(), chat });
    const text = chatPrompt(tokens, recipe, { messages: turns });
    expect(promptParts(recipe, text)).toEqual({
      head: "[s]Be brief.[u]A?[a]B.[u]",
      question: "C?",
      tail: "[a]",
    });
    for (const plain of ["C?", "[u]C?", "C?[a]"])
      expect(promptParts(recipe, plain)).toEqual({ head: "", question: plain, tail: "" });
    expect(promptParts(recipeOf(citing()), text).question).toBe(text);
  });
});

describe("a template that writes the begin token", () => {
  it("has it once, before rows that are found, too", () => {
    const recipe = recipeOf({ beginTokens: [1, 2] });
    expect(promptOf(recipe, [1, 2, 9])).toEqual([1, 2, 9]);
    expect(promptOf(recipe, [9])).toEqual([1, 2, 9]);
    expect(promptOf(recipe, [9], [7])).toEqual([1, 2, 7, 9]);
    expect(promptOf(recipe, [9], [7], [1, 2, 8])).toEqual([1, 2, 8, 7, 9]);
  });
});

describe("rows with prompts", () => {
  it("are trained on as chats are asked", () => {
    const plain = recipeOf();
    const own = recipeOf({ chat });
    const textOf = (recipe: TextRecipe, row: Parameters<typeof tokensOfRow>[1]) => {
      const { targets, tokens: read } = tokensOfRow(tokens, row, recipe);
      const first = targets.findIndex((target) => target >= 0);
      return [tokens.decode(read.slice(0, first + 1)), tokens.decode(targets.slice(first))];
    };
    const question = { prompt: "A?", answer: "B." };
    const conversation = { messages: [...turns.slice(1), { role: "assistant" as const, content: "D." }] };
    expect(textOf(own, question)).toEqual(["[u]A?[a]", "B."]);
    expect(textOf(own, conversation as never)).toEqual(["[u]A?[a]B.[u]C?[a]", "D."]);
    expect(textOf(plain, question)).toEqual(["A?", "B."]);
    expect(textOf(plain, conversation as never)).toEqual(["A?\n\nB.\n\nC?", "D."]);
    expect(tokensOfRow(tokens, { text: "A" + "?" }, own)).toEqual(tokensOfRow(tokens, { text: "A?" }, plain));
  });
});

describe("an answer as a message", () => {
  it("has its text, its calls and why it ended", () => {
    const { messageOf, countTokens } = modelChat(tokens, recipeOf({ chat }));
    const answer = (text: string) => answerText(tokens, tokens.encode(text));
    expect(countTokens("Zürich")).toBe(7);
    expect(messageOf(answer("Hello"))).toEqual({
      content: "Hello",
      toolCalls: [],
      finishReason: "stop",
      answerTokens: 5,
    });
    expect(messageOf(answer("Hello, world")).finishReason).toBe("length");
    const said = answerText(tokens, tokens.encode("Hello, world"), {
      cited: null,
      said: "Hello, world of whales",
    });
    expect(messageOf(said)).toMatchObject({ content: "Hello, world of whales", finishReason: "stop" });
  });
});
