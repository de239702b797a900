/** Test support: circuits with statements taken out, to see what refuses beside them. */
import { readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { repositoryRoot } from "../../compiler/compile.ts";

const INCLUDE = /^include "(.*)";$/gm;

/**
 * The main source without some statements of what it includes. Files that hold one, and those that include such files, are
 * in its text; all others it includes.
 * @param isWhole every file is in its text, for anyone who changes more of it
 * @throws Error if a statement is not there exactly once
 */
export function sourceWithout(mainSource: string, statements: readonly string[], isWhole = false): string {
  const touched = new Map<string, boolean>();
  const isTouched = (file: string): boolean => {
    const known = touched.get(file);
    if (known !== undefined) return known;
    const text = readFileSync(file, "utf8");
    const answer =
      isWhole ||
      statements.some((statement) => text.includes(statement)) ||
      [...text.matchAll(INCLUDE)].some(([, path]) => isTouched(join(file, "..", path!)));
    touched.set(file, answer);
    return answer;
  };
  const seen = new Set<string>();
  // circom wants them before all else.
  const includes: string[] = [];
  const inline = (text: string, folder: string): string =>
    text.replaceAll(/^pragma .*$/gm, "").replaceAll(INCLUDE, (_line, path: string) => {
      const file = join(folder, path);
      if (seen.has(file)) return "";
      seen.add(file);
      if (!isTouched(file)) {
        includes.push(`include "${relative(repositoryRoot, file)}";\n`);
        return "";
      }
      return inline(readFileSync(file, "utf8"), join(file, ".."));
    });
  const text = inline(mainSource, repositoryRoot);
  let source = `pragma circom 2.1.6;\n${includes.join("")}${text}`;
  for (const statement of statements) {
    const parts = source.split(statement);
    if (parts.length !== 2) throw new Error(`${parts.length - 1} times in the circuit: ${statement}`);
    source = parts.join("");
  }
  return source;
}
