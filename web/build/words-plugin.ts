import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Plugin } from "vite";
import errors from "../../docs/reference/errors.json" with { type: "json" };

const NAMES = ["virtual:dictionary", "virtual:errors"] as const;

/** What pages say about terms comes from docs/reference/glossary.md, about errors from the tables of codes (scripts/errors.ts). */
export function wordsOfDocs(root: string, isCeremony = false): Plugin {
  return {
    name: "words-of-docs",
    resolveId: (specifier) => (NAMES.some((name) => name === specifier) ? `\0${specifier}` : null),
    load(id) {
      if (id === "\0virtual:dictionary")
        return exported(readDictionary(readFileSync(join(root, "docs/reference/glossary.md"), "utf8")));
      if (id === "\0virtual:errors") return exported(isCeremony ? pick(/^(SRV|PRV)_/) : errorsOfPages());
      return null;
    },
  };
}

const exported = (value: object) => `export default ${JSON.stringify(value)};`;
const plain = (text: string) => text.replaceAll("`", "").trim();

/** Word by word, its meaning. "record" and "record (of a Datanet)" are two words. */
export function readDictionary(text: string): Record<string, string> {
  const rows = [...text.matchAll(/^\| ([^|]+) \| ([^|]+) \|[^|]*\|$/gm)];
  const words = rows.map(([, word, meaning]) => [plain(word!), plain(meaning!)] as const);
  return Object.fromEntries(words.filter(([word]) => word !== "word" && !/^-+$/.test(word)));
}

/** Of commands, devnet, drills and Datanet hosts: no page calls what raises them. Of ceremonies: they have a page alone. */
const OF_PAGES = /^(?!(CMD|DEV|DNT|DRL|PRV_CEREMONY|PRV_CONTRIBUTION)_)/;

/** Those that a page may have to explain. */
export const errorsOfPages = () => pick(OF_PAGES);

function pick(wanted: RegExp): Record<string, { readonly meaning: string; readonly remedy: string }> {
  return Object.fromEntries(Object.entries(errors).filter(([code]) => wanted.test(code)));
}
