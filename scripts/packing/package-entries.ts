/** Makes the entry modules of an npm package in memory, from the sources' own exports; build-package.ts compiles them. */
import { join } from "node:path";
import ts from "typescript";
import type { PackageRecipe } from "./packages.ts";
import { type EntrySources, publicFiles } from "./public-names.ts";

/** The text of each entry, by the path that it would have. @param root the repository's */
export function packageEntries(root: string, { entries }: PackageRecipe): ReadonlyMap<string, string> {
  return new Map(
    Object.entries(entries).map(([name, sources]) => [join(root, `${name}.ts`), entryText(root, sources)]),
  );
}

/** A compiler's host that finds these files beside those on the disk. */
export function hostWith(files: ReadonlyMap<string, string>, options: ts.CompilerOptions): ts.CompilerHost {
  const host = ts.createCompilerHost(options);
  const { fileExists, getSourceFile, readFile } = host;
  host.fileExists = (path) => files.has(path) || fileExists(path);
  host.readFile = (path) => files.get(path) ?? readFile(path);
  host.getSourceFile = (path, version, ...rest) => {
    const text = files.get(path);
    return text === undefined
      ? getSourceFile(path, version, ...rest)
      : ts.createSourceFile(path, text, version);
  };
  return host;
}

function entryText(root: string, sources: EntrySources): string {
  return publicFiles(root, sources)
    .flatMap(({ path, types, values }) => [
      ...(values.length === 0 ? [] : [`export { ${values.join(", ")} } from "./${path}";`]),
      ...(types.length === 0 ? [] : [`export type { ${types.join(", ")} } from "./${path}";`]),
    ])
    .join("\n");
}
