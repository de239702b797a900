import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { fileOfSpecifier, readWorkspaces } from "./workspaces.ts";

const isCode = (path: string): boolean => /\.(ts|tsx|js|mjs|circom|sol|cpp|h)$/.test(path);
export const isTest = (path: string): boolean => path.endsWith(".test.ts");
/** Scaffolding: only tests and benchmarks may use it. */
export const isTesting = (path: string): boolean =>
  /(^|\/)testing\//.test(path) || path.endsWith(".fixtures.ts");
const attributes = readFileSync(new URL("../../.gitattributes", import.meta.url), "utf8");
const generated = new Set(
  attributes.split("\n").flatMap((line) => /^(\S+) linguist-generated$/.exec(line)?.slice(1) ?? []),
);
/** Written by a program of this repository, and marked so in `.gitattributes`. */
export const isGenerated = (path: string): boolean => generated.has(path);

export interface SourceFile {
  /** Relative to the repository's root. */
  readonly path: string;
  readonly folder: string;
  readonly text: string;
  /** Files of the repository that it names: imports, includes, workers. */
  readonly imports: readonly string[];
  /** Imports of modules as they are written. */
  readonly named: readonly { readonly specifier: string; readonly target: string }[];
}

const MODULES = /(?:from|import|loadSource|vi\.mock)\s*\(?\s*["'](\.[^"']+|@openledger\/[^"']+)["']/g;
const PLACES = [
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
  const doorOf = fileOfSpecifier(readWorkspaces(root), paths);
  for (const path of [...paths].sort()) {
    let text: string;
    try {
      text = readFileSync(join(root, path), "utf8");
    } catch {
      continue; // Deleted in the work tree, and not committed yet.
    }
    const beside = (target: string) => normalize(join(dirname(path), target));
    const isOther = (target: string | undefined): target is string =>
      target !== undefined && paths.has(target) && target !== path;
    const named = [...text.matchAll(MODULES)]
      .map(([, specifier]) => ({
        specifier: specifier!,
        target: specifier!.startsWith(".") ? beside(specifier!) : doorOf(specifier!),
      }))
      .filter((one): one is { specifier: string; target: string } => isOther(one.target));
    const placed = PLACES.flatMap((pattern) =>
      [...text.matchAll(pattern)].map(([, place]) => beside(place!)),
    );
    const imports = [...new Set([...named.map(({ target }) => target), ...placed.filter(isOther)])];
    files.set(path, { path, folder: dirname(path), text, imports, named });
  }
  return files;
}

/** `circuits/field/poseidon.ts` is in the room `circuits/field`; a file at the top of its wing in none. */
export function roomOf(path: string): string | undefined {
  const [wing, room, ...rest] = path.split("/");
  return rest.length === 0 ? undefined : `${wing}/${room}`;
}
