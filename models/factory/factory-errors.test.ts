import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { factoryErrors } from "./factory-errors.ts";

describe("docs/errors.md", () => {
  it("says of every code of models/factory what the table says", () => {
    const documentation = readFileSync(new URL("../../docs/errors.md", import.meta.url), "utf8");
    for (const [code, { meaning, remedy }] of Object.entries(factoryErrors))
      expect(documentation).toContain(
        `| <a id="${code.toLowerCase()}"></a>\`${code}\` | ${meaning} | ${remedy} |`,
      );
  });
});
