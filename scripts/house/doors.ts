import type { SourceFile } from "./tree.ts";

/** Packages that a text loads, of those that are known. */
export function packagesIn({ text }: SourceFile, known: ReadonlyMap<string, string>): string[] {
  const load =
    /(?:\bfrom\s|\bimport\s|\bimport\(|\brequire\w*(?:\.resolve)?\(|\bcreateRequire\(import\.meta\.url\)(?:\.resolve)?\(|\bload\(|\binclude\s|\burl\()\s*["'`]((?:\.\.\/)*node_modules\/)?(@[\w-]+\/[\w.-]+|[\w.-]+)/g;
  return [...text.matchAll(load)].map(([, , name]) => name!).filter((name) => known.has(name));
}
