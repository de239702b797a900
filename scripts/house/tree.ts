import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";

const isCode = (path: string): boolean => /\.(ts|tsx|js|mjs|circom|sol|cpp|h)$/.test(path);
export const isTest = (path: string): boolean => path.endsWith(".test.ts");
/** Scaffolding: only tests and benchmarks may use it. */
export const isTesting = (path: string): boolean =>
  /(^|\/)testing\//.test(path) || path.endsWith(".fixtures.ts");
/** Written by a program of this repository, and marked so in `.gitattributes`. */
export const isGenerated = (path: string): boolean =>
  /(^|\/)((rollup|governance|disputes|trace)-abi\.ts|eddsa-tables\.circom|poseidon-constants\.circom|wide-kinds\.circom)$/.test(
    path,
  );

export interface SourceFile {
  /** Relative to the repository's root. */
  readonly path: string;
  readonly folder: string;
  readonly text: string;
  /** Files of the repository that it names: imports, includes, workers. */
  readonly imports: readonly string[];
}

const SPECIFIERS = [
  /(?:from|import|loadSource)\s*\(?\s*["'](\.[^"']+)["']/g,
  /new URL\(\s*["']([^"']+)["']\s*,\s*import\.meta\.url/g,
  /^include "([^"]+)"/gm,
  /^#include "([^"]+)"/gm,
];

/** Every tracked source file of the tree at `root`, with what it imports. */
export function readTree(root: string): ReadonlyMap<string, SourceFile> {
  const listed = execFileSync("git", ["ls-files", "--cached", "--others", "--exclude-standard"], {
    cwd: root,
    encoding: "utf8",
    maxBuffer: 1 << 26,
  });
  const paths = new Set(listed.split("\n").filter((path) => path.includes("/") && isCode(path)));
  const files = new Map<string, SourceFile>();
  for (const path of [...paths].sort()) {
    let text: string;
    try {
      text = readFileSync(join(root, path), "utf8");
    } catch {
      continue; // Deleted in the work tree, and not committed yet.
    }
    const found = SPECIFIERS.flatMap((pattern) => [...text.matchAll(pattern)].map(([, target]) => target!));
    const imports = [...new Set(found.map((target) => normalize(join(dirname(path), target))))].filter(
      (target) => paths.has(target) && target !== path,
    );
    files.set(path, { path, folder: dirname(path), text, imports });
  }
  return files;
}

/** `circuits/field/poseidon.ts` stands in the room `circuits/field`; a file at the top of its wing in none. */
export function roomOf(path: string): string | undefined {
  const [wing, room, ...rest] = path.split("/");
  return rest.length === 0 ? undefined : `${wing}/${room}`;
}
