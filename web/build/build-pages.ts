/**
 * Builds the pages if their sources changed. The result is in the cache, named by the hash of its sources. The devnet, full
 * nodes and `openledger exit --page` call it.
 */
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { copyFile, link, mkdir, rename, rm } from "node:fs/promises";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { BASE_FOLDER, BASE_HASHES } from "@openledger/models/tuning/base/base-address";
import { build, type InlineConfig, type Plugin } from "vite";
import { browserTwins } from "./browser-twins.ts";
import {
  BLOB_WORKER_FILE,
  type ExitPageCircuit,
  exitModules,
  hashExitFiles,
  PROVE_WORKER_FILE,
  packExitFiles,
  type SingleFileFacts,
  type WorkerFile,
  writeExitFiles,
} from "./exit-files.ts";
import { nodeFree } from "./node-free.ts";
import { packedPowers } from "./packed-powers.ts";
import { SINGLE_FILE_NAME, singleFileFacts, singleFileHtml } from "./single-file-page.ts";
import { type PageCircuit, verifyingKeys, verifyingKeysText } from "./verifying-keys.ts";
import { wordsOfDocs } from "./words-plugin.ts";

const repositoryRoot = fileURLToPath(new URL("../..", import.meta.url));
const cacheFolder = join(repositoryRoot, ".cache", "web");

/** Sources of the pages, and more: a build too many takes seconds, one too few shows old pages. */
const SOURCES = [
  "web",
  "client",
  "foundation",
  "circuits",
  "contracts/build",
  "contracts/l1",
  "bridge",
  "verifier",
  "prover/wasm",
  "prover/formats",
  "attribution",
  "datanets",
  "models",
  "prover/proving",
];
const PAGES_OF_DOCS = [
  "docs/reference/glossary.md",
  "docs/reference/errors.json",
  "package-lock.json",
  "prover/prover-errors.ts",
];

interface BuiltPages {
  /** Folder with index.html. */
  readonly path: string;
  /** True if the pages were built now; false if an earlier build was found. */
  readonly isNew: boolean;
}

interface PagesContent {
  /** Circuits whose verifying keys the pages bring along: they check proofs with these, and with no others. */
  readonly circuits: readonly PageCircuit[];
  /** Exits that the pages can prove: all of a deployment's, or none if their proving keys are not on this machine. */
  readonly exits: readonly ExitPageCircuit[];
}

export async function buildPages({ circuits, exits }: PagesContent): Promise<BuiltPages> {
  const keys = verifyingKeysText(circuits);
  const path = join(cacheFolder, hashSources(`${keys}\0${hashExitFiles(exits)}`));
  if (existsSync(join(path, "index.html"))) return { path, isNew: false };
  const draft = `${path}.${process.pid}`;
  const files = packExitFiles(exits);
  const workers = await buildWorkers();
  const singleFile = singleFileHtml({
    ...(await buildScript(new URL("../exit/single-file-main.tsx", import.meta.url), [
      exitModules(exits, null),
    ])),
    workers,
    files,
  });
  await build(pagesConfig(draft, keys, exitModules(exits, singleFileFacts(singleFile))));
  writeExitFiles(join(draft, EXIT_FOLDER), files, workers);
  writeFileSync(join(draft, EXIT_FOLDER, SINGLE_FILE_NAME), singleFile);
  await locationBase(join(draft, BASE_FOLDER_NAME));
  packAssets(join(draft, "assets"));
  // Renamed into place, so that nobody serves half of it; who comes second finds the first one's.
  await rename(draft, path).catch(async (error: unknown) => {
    await rm(draft, { recursive: true, force: true });
    if (!existsSync(join(path, "index.html"))) throw error;
  });
  return { path, isNew: true };
}

/** Writes a compressed copy beside each text, for servers to send: packed once, at the highest level. */
function packAssets(folder: string): void {
  for (const name of readdirSync(folder)) {
    if (!/\.(js|css)$/.test(name)) continue;
    const path = join(folder, name);
    writeFileSync(`${path}.gz`, gzipSync(readFileSync(path), { level: 9 }));
  }
}

const EXIT_FOLDER = "exit";
const WORKERS: Readonly<Record<string, string>> = {
  [PROVE_WORKER_FILE]: "../exit/prove-worker.ts",
  [BLOB_WORKER_FILE]: "../blobs/blob-worker.ts",
};

async function buildWorkers(): Promise<WorkerFile[]> {
  const built: WorkerFile[] = [];
  for (const [name, entry] of Object.entries(WORKERS))
    built.push({ name, script: (await buildScript(new URL(entry, import.meta.url), [])).script });
  return built;
}
/** Folder of the default base, for anyone who tunes it in the page. */
const BASE_FOLDER_NAME = "base";

/** Links the base's files if the cache is on the same disk, else copies: the weights are larger than all pages. */
async function locationBase(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  for (const name of Object.keys(BASE_HASHES)) {
    const [from, to] = [join(BASE_FOLDER, name), join(folder, name)];
    await link(from, to).catch(() => copyFile(from, to));
  }
}

/** Path and facts of the single-file page within built pages. */
export function singleFilePageOf({
  path,
}: Pick<BuiltPages, "path">): SingleFileFacts & { readonly path: string } {
  const file = join(path, EXIT_FOLDER, SINGLE_FILE_NAME);
  return { path: file, ...singleFileFacts(readFileSync(file, "utf8")) };
}

const commonConfig = (): InlineConfig => ({
  root: join(repositoryRoot, "web"),
  configFile: false,
  logLevel: "error",
  // Development would write this machine's paths into every element; tests build what people get.
  oxc: { jsx: { runtime: "automatic", importSource: "preact", development: false } },
});
const commonPlugins = (): Plugin[] => [
  browserTwins(),
  packedPowers(),
  nodeFree(),
  wordsOfDocs(repositoryRoot),
];
// Whatever V8 and its like have had since 2023; WebAssembly and BigInt need no older one.
const TARGET = "es2022";

/** One classic script with all that it imports, and its style with pictures and typefaces in it. */
async function buildScript(entry: URL, plugins: Plugin[]): Promise<{ script: string; style: string }> {
  const result = (await build({
    ...commonConfig(),
    plugins: [...commonPlugins(), ...plugins],
    build: {
      write: false,
      target: TARGET,
      assetsInlineLimit: Number.MAX_SAFE_INTEGER,
      cssCodeSplit: false,
      modulePreload: false,
      rolldownOptions: {
        input: fileURLToPath(entry),
        output: { format: "iife", codeSplitting: false },
      },
    },
  })) as BuildOutput | BuildOutput[];
  const { output } = Array.isArray(result) ? result[0]! : result;
  const scripts = output.filter((part) => part.type === "chunk");
  const styles = output.filter(({ fileName }) => fileName.endsWith(".css"));
  const others = output.length - scripts.length - styles.length;
  if (scripts.length !== 1 || styles.length > 1 || others > 0) {
    throw new Error(`${entry} is built into ${output.map(({ fileName }) => fileName).join(", ")}`);
  }
  return { script: scripts[0]!.code!, style: String(styles[0]?.source ?? "") };
}

/** Result of a build that Vite does not write. */
interface BuildOutput {
  readonly output: readonly {
    readonly type: "chunk" | "asset";
    readonly fileName: string;
    readonly code?: string;
    readonly source?: string | Uint8Array;
  }[];
}

function pagesConfig(outDir: string, keys: string, exits: Plugin): InlineConfig {
  return {
    ...commonConfig(),
    // Relative addresses: the pages work below any path.
    base: "./",
    plugins: [...commonPlugins(), verifyingKeys(keys), exits],
    // Threads that tune an adapter share code with the page, and with one another.
    worker: { format: "es", plugins: () => commonPlugins() },
    build: {
      outDir,
      emptyOutDir: true,
      target: TARGET,
      // A data: address in a page would widen its Content-Security-Policy.
      assetsInlineLimit: 0,
      modulePreload: { polyfill: false },
      rolldownOptions: {
        output: {
          // no-eval.ts has to run before anything makes a schema, in whichever chunk that lands.
          codeSplitting: {
            groups: [
              { name: "zod", test: /node_modules\/zod\/|web\/no-eval\.ts$/ },
              // Parts of every page: one file compresses better than a dozen.
              {
                name: "parts",
                test: /(web\/(design\/(?!choice|money-path)[a-z-]+\.tsx|bridge\/use-action\.ts|ledger\/(holdings|journey-watch|live|session|site|use-answer|wallets)\.ts|words\/(format|links|open|problem)\.tsx?)|client\/sequencer\/(sequencer-schemas|ledger-reads|open-amount)\.ts)$/,
              },
              // Libraries of a wallet and of the ledger's rules: fetched with the first page that needs either.
              {
                name: "ledger",
                test: /(web\/ledger\/(open-wallet|look-once)\.ts|client\/sequencer\/model-reads\.ts|circuits\/settlement\/settlement-(data|size|split|operation)\.ts)$/,
              },
            ],
          },
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
