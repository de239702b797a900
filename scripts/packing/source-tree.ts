/** Finds the modules that an npm package's entries reach, and the npm packages that these load, for build-package.ts. */
import { existsSync, readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import ts from "typescript";

export interface SourceFile {
  /** Relative to the repository's root. */
  readonly path: string;
  readonly text: string;
  /** Names of npm packages, not of workspaces or of Node. */
  readonly packages: readonly string[];
}

const SCOPE = "@openledger/";
/** Threads and sources that a module names beside its imports. */
const PLACES = /\b(?:new URL|loadSource)\(\s*"(\.[^"]+\.[jt]s)"\s*,\s*import\.meta\.url/g;
const REQUIRED = /\b(?:require\w*(?:\.resolve)?|createRequire\(import\.meta\.url\))\(\s*["'`]([^"'`]+)/g;

const packageName = (specifier: string) => specifier.split("/", specifier.startsWith("@") ? 2 : 1).join("/");

/** @param entries paths relative to the repository's root @param omitted a module that packages do without */
export function reachedFrom(root: string, entries: readonly string[], omitted: string): SourceFile[] {
  const paths = new Set(entries);
  const files: SourceFile[] = [];
  for (const path of paths) {
    const text = readFileSync(join(root, path), "utf8");
    const imported = ts.preProcessFile(text, true, true).importedFiles.map(({ fileName }) => fileName);
    const positions = Array.from(text.matchAll(PLACES), ([, location]) => location!);
    const modules = [...imported, ...positions];
    for (const module of modules.map((one) => moduleOf(root, path, one)))
      if (module !== null && module !== omitted) paths.add(module);
    const required = Array.from(text.matchAll(REQUIRED), ([, specifier]) => specifier!);
    const foreign = [...imported, ...required].filter((one) => !/^[./]|^node:|^@openledger\//.test(one));
    files.push({ path, text, packages: [...new Set(foreign.map(packageName))] });
  }
  return files;
}

/** @returns null for a module of an npm package, and for a file that is made at run time */
function moduleOf(root: string, from: string, specifier: string): string | null {
  const path = specifier.startsWith(SCOPE)
    ? workspaceModule(root, specifier.slice(SCOPE.length))
    : specifier.startsWith(".")
      ? normalize(join(dirname(from), specifier))
      : null;
  return path !== null && /\.[jt]s$/.test(path) && existsSync(join(root, path)) ? path : null;
}

const workspaceModule = (root: string, name: string) =>
  existsSync(join(root, `${name}.ts`)) ? `${name}.ts` : `${name}.js`;
