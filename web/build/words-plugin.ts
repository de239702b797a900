import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Plugin } from "vite";

const NAMES = ["virtual:dictionary", "virtual:errors"] as const;

/** What pages say about terms and errors stands in docs/ once: the build reads the tables there. */
export function wordsOfDocs(root: string, isCeremony = false): Plugin {
  const page = (name: string) => join(root, "docs", name);
  return {
    name: "words-of-docs",
    resolveId: (specifier) => (NAMES.some((name) => name === specifier) ? `\0${specifier}` : null),
    load(id) {
      if (id === "\0virtual:dictionary")
        return exported(readDictionary(readFileSync(page("dictionary.md"), "utf8")));
      if (id === "\0virtual:errors") {
        const text = readFileSync(page("errors.md"), "utf8");
        return exported(isCeremony ? pick(text, (code) => code.startsWith("PRV_")) : errorsOfPages(text));
      }
      return null;
    },
  };
}

const exported = (value: object) => `export default ${JSON.stringify(value)};`;
const plain = (text: string) => text.replaceAll("`", "").trim();

/** Word by word, its meaning. "claim (on L1)" and "claim (of rewards)" are two words. */
export function readDictionary(text: string): Record<string, string> {
  const rows = [...text.matchAll(/^\| ([^|]+) \| ([^|]+) \|[^|]*\|$/gm)];
  const words = rows.map(([, word, meaning]) => [plain(word!), plain(meaning!)] as const);
  return Object.fromEntries(words.filter(([word]) => word !== "word" && !/^-+$/.test(word)));
}

/** Of commands, devnet, drills and Datanet hosts: no page calls what raises them. Of ceremonies: they have a page alone. */
const OF_OTHERS = /^(CMD|DEV|DNT|DRL)_/;
const OF_CEREMONIES = /^PRV_(CEREMONY|CONTRIBUTION)_/;

/** Those that a page may have to explain. */
export function errorsOfPages(text: string): ReturnType<typeof readErrors> {
  return pick(text, (code) => !OF_OTHERS.test(code) && !OF_CEREMONIES.test(code));
}

function pick(text: string, isWanted: (code: string) => boolean): ReturnType<typeof readErrors> {
  return Object.fromEntries(Object.entries(readErrors(text)).filter(([code]) => isWanted(code)));
}

/** Code by code: what it means, and what to do where the table says so. */
export function readErrors(text: string): Record<string, { meaning: string; remedy?: string }> {
  const rows = [...text.matchAll(/^\| <a id="[a-z0-9_]+"><\/a>`([A-Z0-9_]+)` \|(.*)\|$/gm)];
  return Object.fromEntries(
    rows.map(([, code, rest]) => {
      const cells = rest!.split("|").map(plain);
      const sentences = cells.filter((cell) => !/^(\d{3}|yes|no)?$/.test(cell));
      const [meaning, remedy] = sentences;
      return [code!, remedy === undefined ? { meaning: meaning! } : { meaning: meaning!, remedy }];
    }),
  );
}
