/** Test that the bases which the factory offers are those of the documentation, with the same sizes and licences. */
import { readFile } from "node:fs/promises";
import { expect, it } from "vitest";
import { parseHubName } from "../recipe/hub-name.ts";
import { KNOWN_BASES } from "./known-bases.ts";

it("offers three small bases by their names on the hub, as the documentation names them", async () => {
  const page = await readFile(
    new URL("../../../docs/explanation/language-models.md", import.meta.url),
    "utf8",
  );
  expect(KNOWN_BASES).toHaveLength(3);
  for (const { licence, name, parameters } of KNOWN_BASES) {
    expect(parseHubName(name)).toEqual({ name, revision: "main" });
    expect(page).toContain(`| \`${name}\` | ${parameters} | ${licence} |`);
  }
});
