// Makes JavaScript of the sources that processes begin with: node scripts/bundle/build.js
//
// Through tsx a command takes two seconds of a core before it does anything, from these files a third of one. As an
// install step it never fails: foundation/load-source.js runs the sources where there is no bundle. The files of earlier
// builds stay for processes that run from them and load more of them later: as long as one of them runs here. Processes
// that share the folder and not the process numbers (containers) have an hour, and the last two builds for longer.
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { contentHash, fingerprint, leasedBuilds } from "@openledger/foundation/load-source";

const root = fileURLToPath(new URL("../../", import.meta.url));
const folder = fileURLToPath(new URL("build/", import.meta.url));
const KEPT_BUILDS = 2;
/** Milliseconds for which older bundles stay: a whole run of the tests starts processes while somebody edits sources. */
const KEPT_MS = 3_600_000;

/**
 * Entries that people and supervisors start; tests start and kill the last ones. Threads and child processes add theirs:
 * `*-tasks.ts`, and what each `*-entry.js` loads.
 */
const MAINS = [
  "scripts/openledger.ts",
  "e2e/devnet.ts",
  "sequencer/main.ts",
  "bridge/main.ts",
  "prover/process/main.ts",
  "prover/queue/main.ts",
  "datanets/host/main.ts",
  "models/factory/main.ts",
  "models/factory/worker/main.ts",
  "models/testing/model-server.ts",
];
const ROOMS_OF_ENTRIES = [
  "circuits",
  "prover",
  "datanets",
  "bridge",
  "models",
  "gateway",
  "sequencer",
  "scripts/commands/watch",
];

/** The workspaces, and pure JavaScript that nearly every process loads, hundreds of files each. Everything else is resolved when it runs. */
const BUNDLED =
  /^(@openledger|viem|zod|commander|micro-eth-signer|@bitauth\/libauth|@noble\/(curves|hashes))(\/|$)/;

/** Says which packages are installed, those among them that are in the bundle. */
const INSTALLED = "node_modules/.package-lock.json";

function findEntries() {
  return ROOMS_OF_ENTRIES.flatMap((room) =>
    readdirSync(join(root, room), { recursive: true })
      .filter((name) => /-(entry\.js|tasks\.ts)$/.test(name) && !/testing\/|node_modules/.test(name))
      .map((name) => {
        if (name.endsWith("-tasks.ts")) return join(room, name);
        const [, source] = /loadSource\("([^"]+)"/.exec(readFileSync(join(root, room, name), "utf8")) ?? [];
        if (source === undefined) throw new Error(`${room}/${name} loads nothing by loadSource`);
        return join(room, name, "..", source);
      }),
  );
}

/** @throws where a source cannot be read or translated, or the folder not be written */
export async function buildBundle() {
  // Before all the work, which would be for nothing.
  const workDir = join(folder, `.work-${process.pid}`);
  mkdirSync(workDir, { recursive: true });
  try {
    const { build } = await import("esbuild");
    const sources = new Map();
    for (const path of ["scripts/bundle/build.js", "foundation/load-source.js", INSTALLED])
      if (statSync(join(root, path), { throwIfNoEntry: false }) !== undefined)
        sources.set(path, fingerprint(path));
    const mains = [...MAINS, ...findEntries()];
    const { outputFiles } = await build({
      absWorkingDir: root,
      entryPoints: mains.map((path) => ({
        in: `./${path}`,
        out: path.replace(/\.ts$/, "").replaceAll("/", "-"),
      })),
      outdir: workDir,
      bundle: true,
      splitting: true,
      format: "esm",
      platform: "node",
      target: "node20",
      sourcemap: true,
      sourcesContent: false,
      write: false,
      tsconfigRaw: { compilerOptions: { verbatimModuleSyntax: true } },
      // Packages in CommonJS ask for Node's own modules by require.
      banner: {
        js: 'import { createRequire as requireOf } from "node:module"; const require = requireOf(import.meta.url);',
      },
      plugins: [{ name: "sources", setup: (builder) => readSources(builder, sources) }],
      logLevel: "silent",
    });
    const name = contentHash(outputFiles.map(({ hash }) => hash).join());
    for (const { path, contents } of outputFiles) writeFileSync(path, contents);
    placeBuild(workDir, join(folder, name));
    const entries = mains.map((path) => [
      path,
      `${name}/${path.replace(/\.ts$/, ".js").replaceAll("/", "-")}`,
    ]);
    const manifest = {
      entries: Object.fromEntries(entries),
      sources: [...sources].map(([path, { size, mtimeMs, hash }]) => [path, size, mtimeMs, hash]),
    };
    const manifestPath = join(folder, `.manifest-${process.pid}`);
    writeFileSync(manifestPath, JSON.stringify(manifest));
    renameSync(manifestPath, join(folder, "manifest.json"));
    dropOldBuilds();
    return `${sources.size} sources`;
  } finally {
    rmSync(workDir, { recursive: true, force: true });
  }
}

/** Notes what is read, and keeps each module's own place: beside it are its threads, circuits and native parts. */
function readSources(builder, sources) {
  builder.onResolve({ filter: /^[^./]/ }, ({ path, importer, kind }) => {
    // An import of JSON loses its attribute here, without which Node does not load it.
    const isBundled = BUNDLED.test(path) || path.endsWith(".json");
    if (kind === "entry-point" || importer.includes("/node_modules/") || isBundled) return undefined;
    return { path, external: true };
  });
  // A third of zod are its messages in sixty languages, of which it takes one.
  builder.onLoad({ filter: /\/zod\/v4\/locales\/index\.js$/ }, () => ({
    contents: 'export { default as en } from "./en.js";',
  }));
  builder.onLoad({ filter: /\.(ts|js|json)$/ }, ({ path: file }) => {
    if (file.includes("/node_modules/")) return undefined;
    const path = relative(root, file);
    const { size, mtimeMs } = statSync(file);
    const text = readFileSync(file, "utf8");
    sources.set(path, { size, mtimeMs, hash: contentHash(text) });
    const place = `new URL(${JSON.stringify(`../../../../${path}`)}, import.meta.url).href`;
    const extension = /[a-z]+$/.exec(file)[0];
    return { contents: text.replaceAll("import.meta.url", place), loader: extension };
  });
}

/** Leaves the same files of another process's build in their place: processes may be loading them. */
function placeBuild(made, target) {
  try {
    renameSync(made, target);
  } catch (error) {
    if (!existsSync(target)) throw error;
    const now = new Date();
    utimesSync(target, now, now);
  }
}

function dropOldBuilds() {
  const builds = readdirSync(folder)
    .filter((name) => !name.startsWith(".") && name !== "manifest.json")
    .map((name) => ({ name, mtimeMs: statSync(join(folder, name)).mtimeMs }))
    .sort((a, b) => b.mtimeMs - a.mtimeMs);
  const inUse = leasedBuilds();
  const old = builds
    .slice(KEPT_BUILDS)
    .filter(({ mtimeMs, name }) => mtimeMs < Date.now() - KEPT_MS && !inUse.has(name));
  for (const { name } of old) rmSync(join(folder, name), { recursive: true, force: true });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  try {
    console.log(`The bundle of the processes: ${await buildBundle()}`);
  } catch (error) {
    console.error(`The bundle of the processes: not built, so they start from the sources: ${error.message}`);
  }
}
