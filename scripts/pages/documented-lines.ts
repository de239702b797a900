/** Commands and printed samples in the code blocks of Markdown pages, for scripts/documented-commands.all.test.ts. */
import ts from "typescript";

/** Blocks of a language in a page, without their fences. */
export const blocksOf = (page: string, language: string): string[] =>
  [...page.matchAll(new RegExp(`^ *\`\`\`${language}\\n([\\s\\S]*?)^ *\`\`\`$`, "gm"))].map(
    ([, block]) => block!,
  );

/** Words of each line of the command line `npm run openledger --` in a page's blocks, as a shell splits them. */
export const openledgerLines = (page: string): string[][] =>
  blocksOf(page, "bash").flatMap((block) =>
    block
      .replaceAll("\\\n", " ")
      .split("\n")
      .flatMap((line) => /^(?:.*\s)?npm run openledger -- (.*)$/.exec(line)?.[1] ?? [])
      .map(shellWords),
  );

export function shellWords(line: string): string[] {
  const words: string[] = [];
  for (const [, inDouble, inSingle, bare] of line.matchAll(/"([^"]*)"|'([^']*)'|(\S+)/g)) {
    if (bare?.startsWith("#") || /^(?:\||>|>>|&&?|2>.*)$/.test(bare ?? "")) break;
    words.push(inDouble ?? inSingle ?? bare!);
  }
  return words;
}

/** Form of a text that the sources can print: its literal parts, with anything between them. */
export interface PrintedForm {
  readonly pattern: RegExp;
  /** Letters of the literal parts. */
  readonly letterCount: number;
}

export interface PrintedForms {
  readonly lines: readonly PrintedForm[];
  /** Lists of texts, such as the heads of tables. */
  readonly lists: readonly (readonly string[])[];
}

/** Texts, templates and lists of texts in TypeScript sources. */
export function formsOf(sources: readonly string[]): PrintedForms {
  const lines: PrintedForm[] = [];
  const lists: string[][] = [];
  const visit = (node: ts.Node): void => {
    const parts = literalParts(node);
    if (parts !== null) {
      const pattern = new RegExp(`^${parts.map(escaped).join(".*")}$`);
      lines.push({ pattern, letterCount: parts.join("").replace(/\P{L}/gu, "").length });
    }
    if (ts.isArrayLiteralExpression(node)) {
      const texts = node.elements.flatMap((element) =>
        ts.isStringLiteral(element) ? element.text.trim() : [],
      );
      if (texts.length > 1) lists.push(texts);
    }
    ts.forEachChild(node, visit);
  };
  for (const source of sources) visit(ts.createSourceFile("source.ts", source, ts.ScriptTarget.Latest));
  return { lines, lists };
}

function literalParts(node: ts.Node): string[] | null {
  if (ts.isStringLiteral(node) || ts.isNoSubstitutionTemplateLiteral(node)) return [node.text];
  if (!ts.isTemplateExpression(node)) return null;
  return [node.head.text, ...node.templateSpans.map(({ literal }) => literal.text)];
}

const escaped = (text: string) => text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");

/** Letters that the literal parts need for a match to say something. */
const MIN_LETTERS = 7;

/** Lines of a printed sample that no source prints in this form. A line of "…" stands for any. */
export function unprintedLines(sample: string, { lines, lists }: PrintedForms): string[] {
  let columnCount = 0;
  return sample.split("\n").filter((line) => {
    const text = line.trim();
    if (text === "" || text === "…") return false;
    const cells = text.split(/ {2,}/);
    if (lists.some((list) => list.length === cells.length && list.every((name, i) => name === cells[i]))) {
      columnCount = cells.length;
      return false;
    }
    if (columnCount > 1 && cells.length === columnCount) return false;
    columnCount = 0;
    // A line of a log has its fields after two spaces.
    const message = text.replace(/ {2}[a-zA-Z]+ .*$/, "");
    // "…" stands for the sentences behind the first one.
    const first = text.replace(/; …$/, "");
    return !lines.some(
      ({ letterCount, pattern }) =>
        letterCount >= MIN_LETTERS && [line, text, message, first].some((one) => pattern.test(one)),
    );
  });
}
