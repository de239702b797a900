/** Words for the refusals of a task: each code has a meaning and a remedy, and the pages have their own where a remedy names a command. */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const read = (path: string) => readFileSync(fileURLToPath(new URL(`../../${path}`, import.meta.url)), "utf8");

/** Codes for which a command, or a page where one draws the task, would show nothing that a person can act on. */
export function codesWithoutWords(codes: Iterable<string>, { inPage = true } = {}): string[] {
  const table: Record<string, { meaning: string; remedy: string }> = JSON.parse(
    read("docs/reference/errors.json"),
  );
  const forReaders = /FOR_READERS[^=]*= \{([\s\S]*?)\n\};/.exec(read("web/words/problem.tsx"))![1]!;
  return [...new Set(codes)].filter((code) => {
    const words = table[code];
    if (words === undefined || words.meaning === "" || words.remedy === "") return true;
    // A remedy that names a command has other words in the page.
    return inPage && /openledger |--/.test(words.remedy) && !forReaders.includes(`\n  ${code}:`);
  });
}
