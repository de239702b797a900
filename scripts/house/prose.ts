import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** A sentence that is longer holds two thoughts. Guides to plain English name 25 to 30 words as the most. */
export const MAX_WORDS = 30;
/** Half of a page's sentences have at most so many words: 15 to 20 is what those guides ask of the average. */
export const MAX_MEDIAN_WORDS = 18;

export interface PageProse {
  readonly page: string;
  readonly sentenceCount: number;
  readonly medianWords: number;
  /** Sentences above the limit, as they are counted: each piece of code is the one word "code". */
  readonly longSentences: readonly string[];
}

/** The rooms of docs/, by purpose. */
const DOCS = ["tutorials", "how-to", "reference", "explanation", "adr"];

/** Pages: those at the top, those of docs/, and the doors of the wings. */
export function pagesOf(root: string): string[] {
  const top = readdirSync(root, { withFileTypes: true });
  const wings = top
    .filter((entry) => entry.isDirectory() && !entry.name.startsWith(".") && entry.name !== "node_modules")
    .flatMap(({ name }) => [name, ...(name === "docs" ? DOCS.map((room) => `docs/${room}`) : [])])
    .filter((folder) => existsSync(join(root, folder)))
    .flatMap((folder) => readdirSync(join(root, folder)).map((file) => `${folder}/${file}`));
  return [
    ...top.flatMap((entry) => (entry.isFile() && entry.name.endsWith(".md") ? [entry.name] : [])).sort(),
    ...wings.filter((path) => /^docs\/.*\.md$|\/README\.md$/.test(path)).sort(),
  ];
}

export function measureProse(root: string): PageProse[] {
  return pagesOf(root).map((page) => {
    const sentences = sentencesOf(readFileSync(join(root, page), "utf8"));
    const lengths = sentences.map(wordsOf).sort((a, b) => a - b);
    return {
      page,
      sentenceCount: sentences.length,
      medianWords: lengths[lengths.length >> 1] ?? 0,
      longSentences: sentences.filter((sentence) => wordsOf(sentence) > MAX_WORDS),
    };
  });
}

/** The sentences of a Markdown page, without its code blocks, tables, headings and comments. */
export function sentencesOf(page: string): string[] {
  const paragraphs: string[] = [];
  let isOpen = false;
  const prose = page
    .replace(/^(`{3,}).*\n[\s\S]*?^\1$/gm, "")
    .replace(/<!--[\s\S]*?-->/g, "")
    .replace(/`[^`]+`/g, "code")
    .replace(/\[([^\]]+)\]\([^)]*\)/g, "[$1]");
  for (const line of prose.split("\n")) {
    const text = line.trim();
    // What is indented behind an empty line is code, too.
    if (text === "" || /^[|#]/.test(text) || (!isOpen && line.startsWith("    "))) {
      isOpen = false;
      continue;
    }
    const item = /^(?:[-*>]|\d+\.)\s+(.*)$/.exec(text);
    if (item !== null || !isOpen) paragraphs.push(item?.[1] ?? text);
    else paragraphs[paragraphs.length - 1] += ` ${text}`;
    isOpen = true;
  }
  return paragraphs.flatMap((paragraph) =>
    paragraph
      .replace(/\b(e\.g|i\.e|etc|vs|est)\./g, "$1")
      .split(/(?<=[.!?][*_)"”]*)\s+(?=[*_("“[]*[\p{Lu}\d]|[*_("“]*(?:\[|code\b))/u)
      .filter((sentence) => /\p{L}/u.test(sentence)),
  );
}

/** What is between spaces and has a letter or a digit is a word. */
export function wordsOf(sentence: string): number {
  return sentence.split(/\s+/).filter((word) => /[\p{L}\p{N}]/u.test(word)).length;
}
