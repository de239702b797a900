import { describe, expect, it } from "vitest";
import { parseRecipe } from "../../attribution/recipe.ts";
import { decodeRow, encodeRow } from "../../attribution/row-content.ts";
import { labelledRows } from "./label-rows.ts";
import { completeRecipe, RECIPE_PRESETS } from "./recipe-presets.ts";

const bytes = (text: string) => new TextEncoder().encode(text);

describe("labelledRows", () => {
  it("takes e-mails and digits, and stores them in their one spelling", () => {
    const pixels = Buffer.alloc(784, 7).toString("base64");
    const file = `{"text": "free money",  "label": "spam"}\r\n\n{"label":"7","pixels":"${pixels}"}\n`;
    const [mail, digit] = labelledRows(bytes(file), "rows.jsonl");
    expect(mail).toEqual(encodeRow("email", { label: 1, input: "free money" }));
    expect(decodeRow("digit", digit!)).toEqual({ label: 7, input: pixels });
  });

  it.each([
    ["no JSON", "{label", "rows.jsonl:2 is not JSON"],
    ["no label of the kind", '{"label":"7","text":"x"}', "rows.jsonl:2 needs a label"],
    ["no input", '{"label":"spam"}', "rows.jsonl:2 needs a label"],
  ])("names the line that is %s", (_why, line, message) => {
    const file = `{"label":"ham","text":"hello"}\n${line}\n`;
    expect(() => labelledRows(bytes(file), "rows.jsonl")).toThrow(message);
  });
});

describe("recipe presets", () => {
  const datanet = { id: 10, version: 1, rowsRoot: 5n };

  it.each(Object.entries(RECIPE_PRESETS))("%s is a recipe once the datanet is known", (_name, preset) => {
    const recipe = parseRecipe(completeRecipe(preset, datanet, 256));
    expect(recipe.datanet).toEqual({ id: 10, version: 1, rowsRoot: `0x${"5".padStart(64, "0")}` });
    expect(recipe.columnCount).toBe(256);
  });

  it("leaves what a file says as it is", () => {
    const file = { ...RECIPE_PRESETS.emails!, columnCount: 1024 };
    expect(parseRecipe(completeRecipe(file, datanet, 256)).columnCount).toBe(1024);
  });
});
