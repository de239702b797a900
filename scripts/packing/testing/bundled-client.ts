/** Bundles a program that imports some names of the client package. */
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";

/** Names that a program imports which deposits, transfers and reads. */
export const PAYING = [
  "createLedgerClient",
  "deriveKey",
  "deposit",
  "transfer",
  "waitFor",
  "isClientError",
  "findLeaves",
  "getInfo",
  "getLeaf",
  "getStatus",
  "parseOpen",
  "formatOpen",
] as const;

export interface BundledClient {
  /** Size of what is loaded first, minified and gzipped, in thousands of bytes; without what an action imports when it needs it. */
  readonly gzipKb: number;
  /** Modules of which something is in it: "client/l2-key.js", "zod/v4/core/parse.js". */
  readonly modules: readonly string[];
  readonly exports: readonly string[];
}

/**
 * @param folder of the built package
 * @param names null for all
 * @param isWithViem viem is the caller's own, and so left out otherwise
 */
export async function bundleClient(
  folder: string,
  names: readonly string[] | null,
  isWithViem = false,
): Promise<BundledClient> {
  const { metafile, outputFiles } = await build({
    stdin: {
      contents: `export ${names === null ? "*" : `{ ${names.join(", ")} }`} from "./dist/index.js";`,
      resolveDir: folder,
    },
    nodePaths: [fileURLToPath(new URL("../../node_modules", import.meta.url))],
    external: isWithViem ? [] : ["viem", "viem/*"],
    bundle: true,
    minify: true,
    write: false,
    metafile: true,
    splitting: true,
    outdir: "bundle",
    format: "esm",
    platform: "browser",
    target: "es2022",
    legalComments: "none",
  });
  const [main, { exports }] = Object.entries(metafile.outputs).find(
    ([, { entryPoint }]) => entryPoint === "<stdin>",
  )!;
  const loaded = new Set([main]);
  for (const path of loaded)
    for (const { kind, path: next } of metafile.outputs[path]!.imports)
      if (kind === "import-statement" && next in metafile.outputs) loaded.add(next);
  const used = [...loaded].flatMap((path) => Object.entries(metafile.outputs[path]!.inputs));
  const files = outputFiles.filter(({ path }) => [...loaded].some((name) => path.endsWith(name)));
  return {
    gzipKb: files.reduce((sum, { contents }) => sum + gzipSync(contents).length, 0) / 1_000,
    modules: used
      .filter(([, { bytesInOutput }]) => bytesInOutput > 0)
      .map(([path]) => path.replace(/^.*\/(?:dist|node_modules)\//, "")),
    exports,
  };
}
