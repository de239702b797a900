/** Test support: circuits with statements taken out, to see what refuses beside them. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { repositoryRoot } from "../compiler/compile.ts";

/**
 * The main source with all that it includes in one text, without some statements.
 * @throws Error where a statement is not there exactly once
 */
export function sourceWithout(mainSource: string, statements: readonly string[]): string {
  const seen = new Set<string>();
  const inline = (text: string, folder: string): string =>
    text.replaceAll(/^pragma .*$/gm, "").replaceAll(/^include "(.*)";$/gm, (_line, path: string) => {
      const file = join(folder, path);
      if (seen.has(file)) return "";
      seen.add(file);
      return inline(readFileSync(file, "utf8"), join(file, ".."));
    });
  let source = `pragma circom 2.1.6;\n${inline(mainSource, repositoryRoot)}`;
  for (const statement of statements) {
    const parts = source.split(statement);
    if (parts.length !== 2) throw new Error(`${parts.length - 1} times in the circuit: ${statement}`);
    source = parts.join("");
  }
  return source;
}
