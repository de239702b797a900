import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { errorsOfPages, readDictionary } from "./words-plugin.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const docs = (name: string) => readFileSync(join(root, "docs", name), "utf8");

describe("words that pages take from docs/", () => {
  it("are all of the dictionary, as plain text", () => {
    const words = readDictionary(docs("reference/glossary.md"));
    expect(words.batch).toBe("the operations that one proof covers");
    // A row is a line that begins with a bar, less the table's head and its rule.
    expect(Object.keys(words)).toHaveLength(docs("reference/glossary.md").match(/^\|/gm)!.length - 2);
    expect(Object.values(words).join("")).not.toMatch(/`|Code:/);
  });

  it("explain every term that a page names", () => {
    const words = readDictionary(docs("reference/glossary.md"));
    const used = readdirSync(join(root, "web"), { recursive: true, encoding: "utf8" })
      .filter((name) => name.endsWith(".tsx"))
      .map((name) => readFileSync(join(root, "web", name), "utf8"))
      .flatMap((text) => [
        ...[...text.matchAll(/<Term\b[^>]*\bname="([^"]+)"/g)].map(([, word]) => word!),
        ...[...text.matchAll(/term: "([^"]+)"/g)].map(([, word]) => word!),
      ]);
    expect(used.length).toBeGreaterThan(10);
    expect(used.filter((word) => words[word] === undefined)).toEqual([]);
  });

  it("leave out errors of what no page calls", () => {
    const codes = Object.keys(errorsOfPages());
    expect(codes).toEqual(
      expect.arrayContaining(["CLI_WALLET_REJECTED", "SRV_RATE_LIMITED", "DNT_NOT_HOSTED"]),
    );
    expect(codes.filter((code) => /^(CMD|DEV)_/.test(code))).toEqual([]);
  });

  it("say of each error what it means and what to do", () => {
    const errors = errorsOfPages();
    expect(errors.CLI_WALLET_REJECTED).toEqual({
      meaning: "the wallet's owner declined the request",
      remedy: "nothing was signed or sent; ask again when you want to go on",
    });
    expect(errors.OP_BALANCE_TOO_LOW?.meaning).toMatch(/balance is below/);
    expect(errors.CLI_KEYS_MISSING).toEqual({
      meaning: "a circuit has no keys here, so nothing can be checked with it",
    });
    for (const [code, { meaning, remedy }] of Object.entries(errors)) {
      expect([code, meaning.length > 10, remedy?.length !== 0]).toEqual([code, true, true]);
      expect(`${meaning} ${remedy}`).not.toMatch(/`|docs\/|openledger |--[a-z]|\bdata\./);
    }
  });
});
