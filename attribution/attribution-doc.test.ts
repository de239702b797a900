/** Holds docs/reference/attribution.md against the code: its sample recipe, rows and list of files. */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { parseDirectRecipe } from "./model/direct/direct-recipe.ts";
import { MANIFEST, MODEL_FILES } from "./model/model-manifest.ts";
import { decodeRow, encodeRow, MAX_ROW_BYTES } from "./rows/row-content.ts";

const page = readFileSync(new URL("../docs/reference/attribution.md", import.meta.url), "utf8");

describe("docs/reference/attribution.md", () => {
  it("shows a recipe that is one", () => {
    const [, json] = /```json\n([\s\S]+?)```/.exec(page)!;
    expect(parseDirectRecipe(JSON.parse(json!))).toMatchObject({ version: 2, columnCount: 1025 });
  });

  it("shows rows that are some, of the size that is allowed", () => {
    const [email] = /\{"label":"spam","text":"[^`]+\}/.exec(page)!;
    expect(decodeRow("email", Buffer.from(email!))).toEqual({ label: 1, input: "Win now\nClick here" });
    const digit = encodeRow("digit", { label: 7, input: Buffer.alloc(784).toString("base64") });
    expect(Buffer.from(digit).toString()).toMatch(/^\{"label":"7","pixels":"/);
    expect(page).toContain(`${MAX_ROW_BYTES.toLocaleString("en")} bytes`);
  });

  it("lists the files of a model", () => {
    const listed = [...page.matchAll(/^\| `([a-z-]+\.[a-z]+)` \|/gm)].map(([, name]) => name!);
    expect(listed.sort()).toEqual([MANIFEST, ...MODEL_FILES].sort());
  });
});
