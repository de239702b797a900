/** Builds the pages where their sources changed. The result lies in the cache, named by the hash of what it is made of. */
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { rename, rm } from "node:fs/promises";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { build, type InlineConfig } from "vite";
import { browserTwins } from "./browser-twins.ts";
import { packedConstants } from "./packed-constants.ts";
import { type PageCircuit, verifyingKeys, verifyingKeysText } from "./verifying-keys.ts";
import { wordsOfDocs } from "./words-plugin.ts";

const repositoryRoot = fileURLToPath(new URL("../..", import.meta.url));
const cacheFolder = join(repositoryRoot, ".cache", "web");

/** Whatever may end up in a page. More than what does: a build too many takes seconds, one too few shows old pages. */
const SOURCES = [
  "web",
  "client",
  "circuits",
  "contracts/build",
  "contracts/l1",
  "bridge",
  "prover/wasm",
  "prover/formats",
];
const PAGES_OF_DOCS = [
  "docs/dictionary.md",
  "docs/errors.md",
  "package-lock.json",
  "prover/prover-errors.ts",
];

export interface BuiltPages {
  /** Folder with index.html. */
  readonly path: string;
  /** False where an earlier build was found. */
  readonly isNew: boolean;
}

/** @param circuits whose verifying keys the pages bring along: they check proofs with these, and with no others */
export async function buildPages(circuits: readonly PageCircuit[]): Promise<BuiltPages> {
  const keys = verifyingKeysText(circuits);
  const path = join(cacheFolder, hashSources(keys));
  if (existsSync(join(path, "index.html"))) return { path, isNew: false };
  const draft = `${path}.${process.pid}`;
  await build(pagesConfig(draft, keys));
  // Renamed into place, so that nobody serves half of it; who comes second finds the first one's.
  await rename(draft, path).catch(async (error: unknown) => {
    await rm(draft, { recursive: true, force: true });
    if (!existsSync(join(path, "index.html"))) throw error;
  });
  return { path, isNew: true };
}

function pagesConfig(outDir: string, keys: string): InlineConfig {
  return {
    root: join(repositoryRoot, "web"),
    configFile: false,
    logLevel: "error",
    // Relative addresses: the pages work below any path.
    base: "./",
    plugins: [browserTwins(), packedConstants(), wordsOfDocs(repositoryRoot), verifyingKeys(keys)],
    oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
    build: {
      outDir,
      emptyOutDir: true,
      // Whatever V8 and its like have had since 2023; WebAssembly and BigInt need no older one.
      target: "es2022",
      // A data: address in a page would widen its Content-Security-Policy.
      assetsInlineLimit: 0,
      modulePreload: { polyfill: false },
      rolldownOptions: {
        output: {
          // no-eval.ts has to run before anything makes a schema, in whichever chunk that lands.
          codeSplitting: { groups: [{ name: "zod", test: /node_modules\/zod\/|web\/no-eval\.ts$/ }] },
        },
      },
    },
  };
}

function hashSources(keys: string): string {
  const hash = createHash("sha256").update(keys);
  const files = [...SOURCES.flatMap(filesBelow), ...PAGES_OF_DOCS].sort();
  for (const file of files)
    hash
      .update(`${file}\0`)
      .update(readFileSync(join(repositoryRoot, file)))
      .update("\0");
  return hash.digest("hex").slice(0, 24);
}

function filesBelow(folder: string): string[] {
  return readdirSync(join(repositoryRoot, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /\.(ts|tsx|css|html|svg|woff2|json)$/.test(entry.name))
    .map((entry) => relative(repositoryRoot, join(entry.parentPath, entry.name)))
    .filter((file) => !/\.test\.tsx?$|\/testing\//.test(file));
}
