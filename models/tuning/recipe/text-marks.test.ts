/** Tests that a recipe binds where rows, prompts and answers begin and end. */
import { initPoseidon } from "@openledger/circuits/field/poseidon";
import { beforeAll, describe, expect, it } from "vitest";
import { memorySource } from "../../engine/files/memory-source.ts";
import { encodeTensors } from "../../engine/files/safetensors.ts";
import { byteTokens, openTokenizer } from "../../engine/tokens/tokenizer.ts";
import { trainTokenizer } from "../../engine/tokens/train-tokenizer.ts";
import { makeModel } from "../../testing/made-models.ts";
import { byteConfig, textRecipeFor } from "../../testing/text-rows.ts";
import { textPreset } from "./recipe-presets.ts";
import { endTokensOf, parseTextRecipe, type TextRecipe } from "./text-recipe.ts";
import { answerTokens, promptOf, questionRow, requireRecipeTokens, tokensOfRow } from "./text-tokens.ts";

const base = { name: "made", files: {} };
const recipeOf = (changed: Partial<TextRecipe>, answers: Partial<TextRecipe["answers"]> = {}): TextRecipe => {
  const plain = textRecipeFor([], base, changed);
  return parseTextRecipe({ ...plain, answers: { ...plain.answers, ...answers } });
};

beforeAll(initPoseidon);

describe("a recipe's marks", () => {
  it("stand once before each row, and before what a prompt reads", () => {
    const recipe = recipeOf({ beginTokens: [200], rowsEnd: true }, { endToken: 201 });
    expect(tokensOfRow(byteTokens, { text: "ab" }, recipe)).toMatchObject({
      tokens: [200, 97, 98],
      targets: [97, 98, 201],
    });
    expect(tokensOfRow(byteTokens, { prompt: "a", answer: "b" }, recipe)).toMatchObject({
      tokens: [200, 97, 98],
      targets: [-1, 98, 201],
    });
    expect(promptOf(recipe, [97], [49, 10])).toEqual([200, 49, 10, 97]);
    // Recipes that were written before have none.
    expect(promptOf(recipeOf({}), [97])).toEqual([97]);
    expect(() => requireRecipeTokens(recipe, 201)).toThrow(
      expect.objectContaining({ code: "ATT_RECIPE_INVALID" }),
    );
    expect(() => requireRecipeTokens(recipe, 202)).not.toThrow();
  });

  it("that end an answer are all known to who checks it, and count as the end token", () => {
    const recipe = recipeOf({}, { endToken: 1, furtherEndTokens: [2] });
    expect(endTokensOf(recipe)).toEqual([1, 2]);
    const text = (tokens: number[]) => JSON.stringify({ text: byteTokens.decode(tokens), tokens });
    expect(answerTokens(byteTokens, text([97]), recipe, 256)).toEqual([97]);
    for (const end of [1, 2])
      expect(() => answerTokens(byteTokens, text([97, end]), recipe, 256)).toThrow(
        expect.objectContaining({ code: "ATT_ANSWER_INVALID" }),
      );
    expect(questionRow([97], [98], recipe).targets.slice(-2)).toEqual([98, 1]);
    expect(() => recipeOf({}, { endToken: null, furtherEndTokens: [2] })).toThrow(
      expect.objectContaining({ code: "ATT_RECIPE_INVALID" }),
    );
  });

  it("are those of the base's files in a preset: a turn of a chat ends, too", async () => {
    const { config, tensors } = makeModel({ ...byteConfig, eos_token_id: 250 }, "text");
    const tokenizer = {
      post_processor: {
        type: "TemplateProcessing",
        single: [{ SpecialToken: { id: "<s>" } }, { Sequence: { id: "A" } }],
        special_tokens: { "<s>": { ids: [249] } },
      },
      added_tokens: [{ id: 251, content: "<|eot_id|>", special: true }],
    };
    const files = new Map<string, Uint8Array>([
      ["model.safetensors", encodeTensors(tensors)],
      ...Object.entries({
        "config.json": config,
        "generation_config.json": { eos_token_id: [250, 252] },
        "tokenizer_config.json": { eos_token: "<|eot_id|>" },
        "tokenizer.json": tokenizer,
      }).map(([name, json]): [string, Uint8Array] => [name, Buffer.from(JSON.stringify(json))]),
    ]);
    const preset = await textPreset(memorySource("base", files), "made", { rowCount: 60, columnCount: 36 });
    expect(preset.beginTokens).toEqual([249]);
    expect(preset.answers).toMatchObject({ endToken: 250, furtherEndTokens: [252, 251] });
    expect(preset.chat).toBeUndefined();
  });

  it("are those of the base's chat template in a preset, whose own end comes first", async () => {
    const { config, tensors } = makeModel({ ...byteConfig, vocab_size: 260, eos_token_id: 256 }, "text");
    const marks = ["<|endoftext|>", "<|im_start|>", "<|im_end|>", "<s>"];
    const chatml =
      "{{ bos_token }}{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}" +
      "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}";
    const presetOf = async (template: string, inConfig: boolean) => {
      const tokenizer = {
        ...JSON.parse(trainTokenizer([], { vocabularySize: 260, specialTokens: marks })),
        post_processor: {
          type: "TemplateProcessing",
          single: [{ SpecialToken: { id: "<s>" } }, { Sequence: { id: "A" } }],
          special_tokens: { "<s>": { ids: [3] } },
        },
      };
      const files = new Map<string, Uint8Array>([
        ["model.safetensors", encodeTensors(tensors)],
        ...Object.entries({
          "config.json": { ...config, eos_token_id: 0 },
          "tokenizer_config.json": { bos_token: "<s>", ...(inConfig ? { chat_template: template } : {}) },
          "tokenizer.json": tokenizer,
        }).map(([name, json]): [string, Uint8Array] => [name, Buffer.from(JSON.stringify(json))]),
        ...(inConfig ? [] : [["chat_template.jinja", Buffer.from(template)] as const]),
      ]);
      const source = memorySource("base", files);
      const preset = await textPreset(source, "made", { rowCount: 60, columnCount: 36 });
      const tokens = await openTokenizer(source, 260);
      return { preset, recipe: recipeOf(preset as Partial<TextRecipe>, preset.answers), tokens };
    };
    for (const inConfig of [true, false]) {
      const { preset, recipe, tokens } = await presetOf(chatml, inConfig);
      expect(preset.answers).toMatchObject({ endToken: 2, furtherEndTokens: [0] });
      expect(preset.chat).toEqual({
        template: tokens.chat()!.sha256,
        question: { before: "<|im_start|>user\n", after: "<|im_end|>\n<|im_start|>assistant\n" },
      });
      expect("chat_template.jinja" in preset.base.files).toBe(!inConfig);
      // Begin and end of a row once each, with the template's marks between.
      const { targets, tokens: read } = tokensOfRow(tokens, { prompt: "a", answer: "b" }, recipe);
      expect([read[0], read.filter((token) => token === 3).length, targets.at(-1)]).toEqual([3, 1, 2]);
      expect(read.filter((token) => token === 1)).toHaveLength(2);
    }
    const dated = await presetOf(`{{ strftime_now("%Y") }}${chatml}`, true);
    expect(dated.preset.chat!.date).toMatch(/^\d{4}-\d{2}-\d{2}$/);
  });
});
