import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import ts from "typescript";
import { describe, expect, it } from "vitest";
import { allCommands } from "../cli/command-line.ts";
import { ERROR_TABLES } from "../cli/error-tables.ts";
import { createProgram } from "../commands/program.ts";
import { pagesOf } from "./prose.ts";
import { isTest, isTesting, readTree } from "./tree.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));

/** Words that no page, help, error, log or setting uses, and what to write instead. */
const INSTEAD: Readonly<Record<string, string>> = {
  "stands?(?! for\\b)|stood": "is, applies, remains",
  "lies (?:in|on|at|above|below|beyond|behind|beside|between|outside|under)|(?:it|that|node|host|server|sequencer) lies":
    "is in, is false, equivocates",
  anew: "again",
  whoever: "anyone who, or the role",
  "nobody(?:'s)?": "no one",
  anybody: "anyone",
  somebody: "someone",
  everybody: "everyone",
  "for ever": "permanently, without limit",
  "as ever": "still",
  "of no use|no good": "corrupt, invalid",
  "to be had": "available",
  "he|him|his|himself": "they, you, or the role",
  // Words that the glossary has replaced.
  "spares?": "standby (glossary)",
  "followers?": "full node (glossary)",
  "desk|desks|shelf|shelves": "service, store",
  "seals?|sealed|sealing": "close an epoch (glossary), encrypt, authenticate",
  "contradictions?": "equivocation (glossary), inconsistency",
  "demands?|demanded": "data-availability challenge (glossary), requires",
  "earners?": "payee (glossary)",
  "payouts?": "withdrawal finalization (glossary), rewards, settlement",
};
const RULES = Object.entries(INSTEAD).map(
  ([words, better]) => [new RegExp(`(?<![\\w-])(?:${words})(?![\\w-])`, "i"), better] as const,
);
const ANY_WORD = new RegExp(`\\b(?:${Object.keys(INSTEAD).join("|")})\\b`, "i");

/** Texts whose bytes count: a wallet signs them, or a hash begins with them. */
const FIXED = [/^Whoever has this signature can spend that account/, /^openledger sealed answer$/];

interface Text {
  readonly place: string;
  readonly text: string;
}

/** A sentence for each word that a text should not have. */
const brokenWords = (texts: readonly Text[]): string[] =>
  texts.flatMap(({ place, text }) =>
    FIXED.some((fixed) => fixed.test(text))
      ? []
      : RULES.flatMap(([rule, better]) => {
          const found = rule.exec(text);
          return found === null
            ? []
            : [`${place}: "${found[0]}" (write: ${better}) in: ${text.slice(0, 160)}`];
        }),
  );

/** Paragraphs and tables of a page, without what is code. */
function textsOfPage(page: string, markdown: string): Text[] {
  const prose = markdown
    .replace(/^(`{3,}).*\n[\s\S]*?^\1$/gm, (block) => block.replace(/[^\n]/g, ""))
    .replace(/<!--[\s\S]*?-->/g, (comment) => comment.replace(/[^\n]/g, ""))
    .replace(/`[^`\n]+`/g, "code")
    .replace(/\]\([^)\s]*\)/g, "]");
  return prose.split("\n").map((text, i) => ({ place: `${page}:${i + 1}`, text }));
}

/** Texts of three words and more that a source file can show: its strings, templates and JSX. */
function textsOfCode(path: string, source: string): Text[] {
  const file = ts.createSourceFile(path, source, ts.ScriptTarget.Latest, false);
  const texts: Text[] = [];
  const visit = (node: ts.Node): void => {
    let text: string | null = null;
    if (ts.isStringLiteral(node) || ts.isNoSubstitutionTemplateLiteral(node) || ts.isJsxText(node))
      text = node.text;
    else if (ts.isTemplateExpression(node))
      text = [node.head.text, ...node.templateSpans.map(({ literal }) => literal.text)].join("…");
    if (text !== null && (text.match(/[A-Za-z]{2,}/g) ?? []).length >= 3) {
      const { line } = file.getLineAndCharacterOfPosition(node.pos);
      texts.push({ place: `${path}:${line + 1}`, text: text.replace(/\s+/g, " ").trim() });
    }
    ts.forEachChild(node, visit);
  };
  visit(file);
  return texts;
}

/** Product files. The challenger's are still to come. */
const isShown = (path: string) =>
  /^(?!scripts\/bench\/|challenger\/|.*\/(?:watch|challenger)-command).*\.tsx?$/.test(path) &&
  !isTest(path) &&
  !isTesting(path);

/** Only files with such a word outside their comments are parsed. */
const hasWord = (source: string) =>
  ANY_WORD.test(source.replace(/\/\*[\s\S]*?\*\//g, "").replace(/(^|\s)\/\/ .*$/gm, ""));

describe("the words of pages, help, errors and logs", () => {
  it("are those of the field and of the glossary", () => {
    const pages = pagesOf(root)
      .filter((page) => page !== "CHANGELOG.md")
      .flatMap((page) => textsOfPage(page, readFileSync(`${root}/${page}`, "utf8")));
    const files = [...readTree(root).values()].filter(({ path, text }) => isShown(path) && hasWord(text));
    expect(pages.length).toBeGreaterThan(3_000);
    expect(files.length).toBeGreaterThan(10);
    const code = files.flatMap(({ path, text }) => textsOfCode(path, text));
    expect(brokenWords([...pages, ...code])).toEqual([]);
  });

  it("are found in prose, tables, strings, templates and JSX, and not in code", () => {
    const page =
      "He says `whoever`.\n\n| a | it lies here |\n\n```\nnobody\n```\nIt stands for a root, stand-in.";
    expect(brokenWords(textsOfPage("a.md", page))).toEqual([
      'a.md:1: "He" (write: they, you, or the role) in: He says code.',
      'a.md:3: "it lies" (write: is in, is false, equivocates) in: | a | it lies here |',
    ]);
    const source = `const his = \`the \${spare} has been sealed\`; // anew, for ever and a day
      throw new Error("nobody has it"); const a = <p>It is  taken\n anew now.</p>;`;
    expect(brokenWords(textsOfCode("a.tsx", source)).map((text) => text.split(" (")[0])).toEqual([
      'a.tsx:1: "sealed"',
      'a.tsx:2: "nobody"',
      'a.tsx:2: "anew"',
    ]);
  });

  it("name only commands and options that there are, where an error says what to do", async () => {
    const program = await createProgram();
    const options = allCommands(program).flatMap((one) => one.options.map(({ long }) => long));
    const remedies = ERROR_TABLES.flatMap(({ rows }) => Object.entries(rows)).flatMap(
      ([code, { meaning, remedy }]) => [meaning, remedy].map((text) => ({ code, text })),
    );
    for (const { code, text } of remedies) {
      for (const [, first, second] of text.matchAll(/\bopenledger ([a-z][a-z-]*)(?: ([a-z][a-z-]*))?/g)) {
        const command = program.commands.find((one) => one.name() === first);
        expect(command?.name(), `${code}: openledger ${first}`).toBe(first);
        if (second === undefined || command!.commands.length === 0) continue;
        expect(
          command!.commands.map((one) => one.name()),
          `${code}: openledger ${first}`,
        ).toContain(second);
      }
      for (const [option] of text.matchAll(/(?<=[\s`(])--[a-z][a-z-]+/g)) {
        const isEverywhere = option === "--help";
        if (!isEverywhere) expect(options, `${code}: ${option}`).toContain(option);
      }
    }
  });
});
