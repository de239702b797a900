/**
 * Vite plugin of the pages' build: turns the glossary and the error tables into two virtual modules, which `<Term>` and
 * `ProblemNotice` read.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Plugin } from "vite";
import errors from "../../docs/reference/errors.json" with { type: "json" };

const NAMES = ["virtual:dictionary", "virtual:errors"] as const;

/**
 * Provides the pages' words: of terms from docs/reference/glossary.md, of errors from the tables of codes
 * (scripts/errors.ts).
 */
export function wordsOfDocs(root: string): Plugin {
  return {
    name: "words-of-docs",
    resolveId: (specifier) => (NAMES.some((name) => name === specifier) ? `\0${specifier}` : null),
    load(id) {
      if (id === "\0virtual:dictionary")
        return exported(readDictionary(readFileSync(join(root, "docs/reference/glossary.md"), "utf8")));
      if (id === "\0virtual:errors") return exported(errorsOfPages());
      return null;
    },
  };
}

const exported = (value: object) => `export default ${JSON.stringify(value)};`;
const plain = (text: string) => text.replaceAll("`", "").trim();
/** Removes what only readers of the source need. */
const withoutCode = (text: string) => text.replace(/\. (Code|On the wire): .*$/s, "");

/** Word by word, its meaning. "record" and "record (of a Datanet)" are two words. */
export function readDictionary(text: string): Record<string, string> {
  const rows = [...text.matchAll(/^\| ([^|]+) \| ([^|]+) \|[^|]*\|$/gm)];
  const words = rows.map(([, word, meaning]) => [plain(word!), withoutCode(plain(meaning!))] as const);
  return Object.fromEntries(words.filter(([word]) => word !== "word" && !/^-+$/.test(word)));
}

/** All but those of commands, devnet, drills and ceremonies: no page calls what raises them. */
const OF_PAGES = /^(?!(CMD|DEV|DRL|PRV_CEREMONY)_)/;

/** Errors that a page may have to explain. */
export const errorsOfPages = () => pick(OF_PAGES);

interface ErrorWords {
  readonly meaning: string;
  /** Absent if the table's is for a command line, and for nobody else. */
  readonly remedy?: string;
}

function pick(target: RegExp): Record<string, ErrorWords> {
  const found = Object.entries(errors).filter(([code]) => target.test(code));
  return Object.fromEntries(found.map(([code, { meaning, remedy }]) => [code, wordsFor(meaning, remedy)]));
}

/** Commands, options, settings, files, routes and fields of answers: nothing that a reader of pages has. */
const FOR_PROGRAMS = /`|docs\/|openledger|--[a-z]|_[A-Z]{2}|\/v1\/|repository|\bnpm |\bnode |g\+\+/;

/** Drops the clauses for programs, and returns the rest as plain text. */
function clausesForReaders(text: string): string {
  return text
    .replaceAll(/ \([^()]*\)/g, (part) => (FOR_PROGRAMS.test(part) ? "" : part))
    .split(/;\s+|(?<=\.)\s+/)
    .map((clause) => clause.replace(/: (openledger|docs\/|GET ).*$/s, ""))
    .filter((clause) => !FOR_PROGRAMS.test(clause) && !/\bwith$/.test(clause))
    .join("; ");
}

function wordsFor(meaning: string, remedy: string): ErrorWords {
  // Every error means something: if nothing else is left, its first clause does.
  const meaningText =
    clausesForReaders(meaning) || plain(meaning.split(/[;:(]|\s`| in another form than/)[0]!);
  const todo = clausesForReaders(remedy);
  return todo === "" ? { meaning: meaningText } : { meaning: meaningText, remedy: todo };
}
