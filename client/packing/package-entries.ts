/** What people import of the npm package: a module for each entry, made from the sources' own exports. It is no file. */
import { join } from "node:path";
import ts from "typescript";
import { type EntrySources, publicFiles } from "./public-names.ts";

const ENTRIES: Readonly<Record<string, EntrySources>> = {
  index: {
    rooms: [
      "client/sequencer",
      "client/actions/l1",
      "client/actions/forced",
      "client/actions/ledger",
      "client/actions/answers",
    ],
    files: [
      ...["ledger-client", "l2-key", "wallet", "contract-wallet", "l1-proposal", "client-errors"].map(
        (name) => `client/${name}.ts`,
      ),
      "foundation/rollup-error.ts",
      "foundation/secret.ts",
      "contracts/build/rollup-abi.ts",
    ],
  },
  // Rows lie in files: for Node alone.
  rows: { rooms: ["client/actions/data"], files: [] },
  // Hosts of Datanets: downloads end in such files.
  datanets: {
    rooms: ["client/datanets"],
    files: ["card/card", "records/record", "records/record-book", "cleaning/finding"].map(
      (name) => `datanets/${name}.ts`,
    ),
  },
};

/** The text of each entry, by the path that it would have. @param root the repository's */
export function packageEntries(root: string): ReadonlyMap<string, string> {
  return new Map(
    Object.entries(ENTRIES).map(([name, sources]) => [join(root, `${name}.ts`), entryText(root, sources)]),
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
