/** Which tests a change touches. */

import { tierOf } from "../house/tiers.ts";
import { isTest, type SourceFile } from "../house/tree.ts";

/**
 * Tests of `npm run test:all` alone that reach a changed file by imports, includes and the workers they name.
 *
 * What other programs read by its path (a circuit, a contract, a lockfile) is seen by nobody's imports: then it is all of
 * them. Pages of prose touch none.
 *
 * @param changed paths relative to the root of the repository
 */
export function relatedToChange(tree: ReadonlyMap<string, SourceFile>, changed: readonly string[]): string[] {
  const all = [...tree.values()].filter(({ path }) => isTest(path) && tierOf(path) === "all");
  const code = changed.filter((path) => !path.endsWith(".md"));
  if (code.some((path) => !/\.tsx?$/.test(path))) return all.map(({ path }) => path);
  const wanted = new Set(code);
  return all.filter((test) => reaches(tree, test, wanted)).map(({ path }) => path);
}

function reaches(
  tree: ReadonlyMap<string, SourceFile>,
  test: SourceFile,
  wanted: ReadonlySet<string>,
): boolean {
  const seen = new Set([test.path]);
  for (const path of seen) {
    if (wanted.has(path)) return true;
    for (const next of tree.get(path)?.imports ?? []) seen.add(next);
  }
  return false;
}
