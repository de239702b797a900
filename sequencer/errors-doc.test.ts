import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { httpStatusOf, operationStatuses } from "./api/http-status.ts";
import { sequencerErrors } from "./sequencer-errors.ts";

const root = fileURLToPath(new URL("..", import.meta.url));
const FOLDERS = (JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { workspaces: string[] })
  .workspaces;
const CODE = /\b(?:OP|ATT|DNT|MOD|CIR|SEQ|PRV|BRG|CON|CLI|CMD|DEV|DRL)_[A-Z][A-Z0-9_]*[A-Z0-9]\b/g;

/** Codes that the code raises: every one that stands in it as a string or as a key of a table. */
function codesInTree(): Set<string> {
  const codes = new Set<string>();
  for (const folder of FOLDERS) {
    for (const entry of readdirSync(join(root, folder), { recursive: true, withFileTypes: true })) {
      if (
        !entry.isFile() ||
        !/\.(tsx?|js)$/.test(entry.name) ||
        entry.parentPath.includes("node_modules") ||
        /\.test\.ts$/.test(entry.name) ||
        /\/testing$/.test(entry.parentPath)
      )
        continue;
      const text = readFileSync(join(entry.parentPath, entry.name), "utf8");
      for (const [quoted] of text.matchAll(
        new RegExp(`(["'\`])${CODE.source}\\1|^\\s*${CODE.source}: `, "gm"),
      )) {
        codes.add(quoted.match(CODE)![0]);
      }
    }
  }
  return codes;
}

const documentation = readFileSync(join(root, "docs/errors.md"), "utf8");
const rows = [...documentation.matchAll(/^\| <a id="([a-z0-9_]+)"><\/a>`([A-Z0-9_]+)` \| ([^|]+) \|/gm)];

describe("docs/errors.md", () => {
  it("lists exactly the codes of the tree, each once and under its anchor", () => {
    const listed = rows.map(([, , code]) => code!);
    expect(listed).toEqual([...new Set(listed)]);
    for (const [, anchor, code] of rows) expect(anchor).toBe(code!.toLowerCase());
    const tree = codesInTree();
    expect({
      missing: [...tree].filter((code) => !listed.includes(code)),
      superfluous: listed.filter((code) => !tree.has(code)),
    }).toEqual({
      missing: [],
      superfluous: [],
    });
  });

  it("states the HTTP status that the sequencer answers with", () => {
    const stated = rows.filter(([, , code]) => /^(OP|SEQ)_/.test(code!));
    for (const [, , code, status] of stated)
      expect(`${code} ${status}`).toBe(`${code} ${httpStatusOf(code!)}`);
    expect(stated).toHaveLength(Object.keys(operationStatuses).length + Object.keys(sequencerErrors).length);
  });
});
