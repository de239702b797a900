/** Holds docs/reference/attribution.md against the code: its sample recipe, rows and list of files. */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { parseDirectRecipe } from "./model/direct/direct-recipe.ts";
import { FIGURE_FILE } from "./model/model-figure.ts";
import { MANIFEST, MODEL_FILES } from "./model/model-manifest.ts";
import { MAX_PICTURE_BYTES } from "./pictures/picture-limits.ts";
import { MAX_ROW_BYTES } from "./rows/row-content.ts";
import { decodeTextRow } from "./rows/text-rows.ts";

const page = readFileSync(new URL("../docs/reference/attribution.md", import.meta.url), "utf8");

describe("docs/reference/attribution.md", () => {
  it("shows a recipe that is one", () => {
    const [, json] = /```json\n([\s\S]+?)```/.exec(page)!;
    expect(parseDirectRecipe(JSON.parse(json!))).toMatchObject({ version: 2, columnCount: 1025 });
  });

  it("shows rows that are some, of the size that is allowed", () => {
    const [line] = /^\| passage \|.+$/m.exec(page)!;
    const passages = [...line.matchAll(/`(\{"(?:text|prompt)":[^`]+\})`/g)].map(([, row]) => row!);
    expect(passages.map((row) => decodeTextRow(Buffer.from(row)))).toHaveLength(2);
    expect(page).toContain(
      `${MAX_ROW_BYTES.toLocaleString("en")} bytes, a picture ${MAX_PICTURE_BYTES.toLocaleString("en")}`,
    );
  });

  it("lists the files of a model", () => {
    const listed = [...page.matchAll(/^\| `([a-z-]+\.[a-z]+)` \|/gm)].map(([, name]) => name!);
    // Who registers the model signs the figure (datanets/records/signed-figure.ts).
    const files = [MANIFEST, ...MODEL_FILES, FIGURE_FILE, "signed-figure.json"];
    expect(listed.sort()).toEqual(files.sort());
  });
});
