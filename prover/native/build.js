// Builds the native prover, and the native parts of circuits/ and models/:
//
//   node prover/native/build.js [--all] [--optional] [--sanitize]
//
// Needs a C++17 compiler (CXX, or g++, c++, clang++ on the path) and Node's headers (beside the node binary,
// in /usr/include/node, or where NODE_INCLUDE_DIR points). With --optional, as an install step, a machine
// without them is no failure: a code that ends in NATIVE_UNAVAILABLE says so where one is asked for.
//
// Kernels, the units for one instruction set, are half of the work. Those that are the fastest on this processor are built, and those
// that were built before. --all builds every one: for tests that compare them, and for a folder or an image that runs on other processors.
// A unit is compiled again if its flags or a file that it includes has changed. build.json beside each addon says what it was made of;
// foundation/native-part.ts compares it at each load.
//
// With --sanitize what `npm run fuzz` runs is built beside it, in build/sanitized, under the sanitizers for addresses and
// undefined behaviour.
import { spawn, spawnSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { dirname, join, normalize, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { contentHash } from "@openledger/foundation/load-source";

const root = dirname(fileURLToPath(import.meta.url));
const commonFlags = [
  "-std=c++17",
  "-O3",
  "-fPIC",
  "-fvisibility=hidden",
  "-pthread",
  "-Wall",
  "-Wextra",
  // GCC 12's own AVX-512 headers warn of their undefined operands.
  "-Wno-uninitialized",
  "-Wno-maybe-uninitialized",
];
const isSanitized = process.argv.includes("--sanitize");
const sanitizers = ["-O1", "-g", "-fsanitize=address,undefined", "-fno-sanitize-recover=undefined"];
/**
 * For the units of `glue`, where a process spends no time: they compile in half of it, and as one, since each reads the library's headers
 * for half a second. Kernels stay apart: as one, they may be inlined in another way.
 */
const glueFlags = ["-O1"];
/**
 * `kernels`: units for one instruction set, by its name in src/kernels/processor.h, the fastest first. `choice` is the unit that knows
 * which of them are there.
 */
const addons = [
  {
    what: "prover",
    folder: root,
    file: "bn254-prover.node",
    flags: commonFlags,
    glue: ["addon.cpp", "msm.cpp", "point-table.cpp", "proving-key.cpp", "zkey.cpp"],
    kernels: {
      ifma: ["ifma", "ifma-matrix", "ifma-quotient"].map((name) => `kernels/${name}.cpp`),
      avx2: ["kernels/avx2.cpp"],
    },
    choice: "kernels/choice.cpp",
  },
  {
    what: "witness steps",
    isFuzzed: true,
    folder: join(root, "steps"),
    file: "row-steps.node",
    flags: commonFlags,
    kernels: { ifma: ["ifma-steps.cpp"] },
    choice: "lanes.cpp",
  },
  {
    what: "field arithmetic",
    folder: join(root, "../../circuits/native"),
    file: "field-addon.node",
    // Selections by vectors would wait for the words' stores.
    flags: [...commonFlags, "-fno-tree-vectorize", "-fno-tree-slp-vectorize"],
    kernels: { ifma: ["ifma-lanes.cpp"], avx2: ["avx2-lanes.cpp"] },
    choice: "lanes.cpp",
  },
  {
    what: "kernels of models",
    isFuzzed: true,
    folder: join(root, "../../models/engine/kernels/native"),
    file: "model-kernels.node",
    // A multiplication and an addition are fused only where the source says so: the results are the same bytes everywhere.
    flags: [...commonFlags, "-ffp-contract=off", "-Wno-psabi"],
    glue: ["addon.cpp"],
    kernels: { "avx512-vnni": ["avx512-vnni.cpp"], avx512: ["avx512.cpp"], avx2: ["avx2.cpp"] },
    choice: "sets.cpp",
    architectures: ["x64"],
  },
];

class Missing extends Error {}

function findCompiler() {
  for (const name of [process.env.CXX, "g++", "c++", "clang++"]) {
    if (!name) continue;
    const version = spawnSync(name, ["--version"], { encoding: "utf8" });
    if (version.status === 0) return { name, version: version.stdout.split("\n")[0] };
  }
  throw new Missing("no C++ compiler: install g++ or set CXX");
}

function findHeaders() {
  const candidates = [
    process.env.NODE_INCLUDE_DIR,
    join(dirname(process.execPath), "../include/node"),
    "/usr/include/node",
  ];
  const found = candidates.find((dir) => dir && existsSync(join(dir, "node_api.h")));
  if (found === undefined) throw new Missing("no node_api.h: install Node's headers or set NODE_INCLUDE_DIR");
  return found;
}

/** Names of the kernels that this processor runs; null where that cannot be tried. */
function findProcessorKernels(compiler) {
  const folder = mkdtempSync(join(tmpdir(), "processor-"));
  try {
    const program = join(folder, "processor");
    const source = join(root, "check/processor.cpp");
    const { status } = spawnSync(compiler, ["-std=c++17", "-O0", source, "-o", program]);
    const { stdout, status: ended } = status === 0 ? spawnSync(program, { encoding: "utf8" }) : {};
    return ended === 0 ? stdout.split("\n") : null;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** A record of an earlier build; null if there is none that can be read. */
function readRecord(path) {
  try {
    return JSON.parse(readFileSync(path, "utf8"));
  } catch {
    return null;
  }
}

function writeRecord(path, record) {
  const draft = `${path}.${process.pid}`;
  writeFileSync(draft, JSON.stringify(record));
  renameSync(draft, path);
}

/** A source as foundation/native-part.ts compares it: path from the addon's folder, size, time and hash of its content. */
function sourceOf(buildDir, file, startedAtMs = Number.POSITIVE_INFINITY) {
  const { size, mtimeMs } = statSync(file);
  // A file that changed while it was compiled is none that has been compiled.
  const hash = mtimeMs > startedAtMs ? null : contentHash(readFileSync(file));
  return [relative(buildDir, file), size, mtimeMs, hash];
}

/** The sources with today's times where none has another content; null otherwise. */
function checkSources(buildDir, sources) {
  const found = [];
  for (const source of sources) {
    const [path, size, mtimeMs, hash] = source;
    const file = join(buildDir, path);
    const stats = statSync(file, { throwIfNoEntry: false });
    const now =
      stats?.size === size && stats.mtimeMs === mtimeMs ? source : stats && sourceOf(buildDir, file);
    if (hash === null || now?.[3] !== hash) return null;
    found.push(now);
  }
  return found;
}

/** Files that a unit includes, and itself, from what the compiler lists for make. */
const includesOf = (list) =>
  list
    .replaceAll("\\\n", " ")
    .split(/(?<!\\)\s+/)
    .slice(1)
    .filter((name) => name !== "")
    .map((name) => normalize(name.replaceAll("\\ ", " ")));

const isSame = (a, b) => JSON.stringify(a) === JSON.stringify(b);

async function build(addon, tools) {
  const { architectures = [process.arch], choice, file, folder, glue = [], kernels } = addon;
  if (process.platform === "win32") throw new Missing("Windows is not supported");
  if (!architectures.includes(process.arch)) throw new Missing(`there are none for ${process.arch}`);
  const { compiler, headers, processorKernels } = tools();
  const runtimes = isSanitized ? sanitizers : [];
  const sourceDir = join(folder, "src");
  const buildDir = join(folder, isSanitized ? "build/sanitized" : "build");
  const objectDir = join(buildDir, "objects");
  const target = join(buildDir, file);
  const recordPath = join(buildDir, "build.json");
  const before = readRecord(recordPath);
  mkdirSync(objectDir, { recursive: true });

  const names = Object.keys(kernels);
  const best =
    processorKernels === null ? names : names.filter((name) => processorKernels.includes(name)).slice(0, 1);
  const built = names.filter((name) => best.includes(name) || before?.kernels?.[name]);
  const leftOut = names.filter((name) => !built.includes(name));
  const unitsOf = (some) => some.flatMap((name) => kernels[name]);
  const units = readdirSync(sourceDir, { recursive: true })
    .filter((name) => name.endsWith(".cpp") && !unitsOf(leftOut).includes(name))
    .sort();
  // Of a function that several objects have the linker takes the first: glue comes last.
  const wanted = units.filter((unit) => !glue.includes(unit)).map((unit) => [unit]);
  if (glue.length > 0) wanted.push(glue);

  /** Compiles units as one unless that is done already. */
  async function compile(units) {
    const flags = [
      ...addon.flags,
      ...(units === glue ? glueFlags : []),
      ...runtimes,
      ...(units.includes(choice)
        ? leftOut.map((name) => `-DWITHOUT_${name.toUpperCase().replace("-", "_")}`)
        : []),
    ];
    const key = contentHash(JSON.stringify([compiler, headers, flags, process.arch]));
    const object = join(objectDir, `${units.join("+").replaceAll("/", "-")}.o`);
    const known = readRecord(`${object}.json`);
    const same = known?.key === key && existsSync(object) ? checkSources(buildDir, known.sources) : null;
    if (same !== null) return { object, key, sources: same };
    // Whole, and moved in place: another process may be building too.
    const draft = `${object}.${process.pid}`;
    const list = `${draft}.d`;
    try {
      const startedAtMs = Date.now();
      const inputs = units.map((unit) => join(sourceDir, unit)).flatMap((path) => ["-include", path]);
      inputs[inputs.length - 2] = "-c";
      const paths = ["-isystem", headers, "-MMD", "-MF", list, ...inputs, "-o", draft];
      await run(compiler.name, [...flags, ...paths], unitsOf(names).includes(units[0]));
      const files = includesOf(readFileSync(list, "utf8"));
      const sources = files.map((path) => sourceOf(buildDir, path, startedAtMs));
      renameSync(draft, object);
      writeRecord(`${object}.json`, { key, sources });
      return { object, key, sources };
    } finally {
      for (const path of [draft, list]) rmSync(path, { force: true });
    }
  }

  const compiled = await Promise.allSettled(wanted.map(compile));
  for (const { reason } of compiled) if (reason !== undefined) throw reason;
  const parts = compiled.map(({ value }) => value);
  const bySource = new Map(parts.flatMap(({ sources }) => sources.map((source) => [source[0], source])));
  const record = {
    kernels: Object.fromEntries(names.map((name) => [name, built.includes(name)])),
    // What the library is linked of: the units, their flags and their contents.
    content: contentHash(
      JSON.stringify(
        parts.map(({ key, object, sources }) => [
          key,
          relative(buildDir, object),
          sources.map(([path, , , hash]) => [path, hash]),
        ]),
      ),
    ),
    sources: [...bySource.values()],
  };
  const which = [
    ...(built.length > 0 ? [`kernels: ${built.join(", ")}`] : []),
    ...(leftOut.length > 0 ? [`left out, --all builds them: ${leftOut.join(", ")}`] : []),
  ].join("; ");
  const isCurrent = existsSync(target) && before?.content === record.content;
  if (!isCurrent) {
    const objects = parts.map(({ object }) => object);
    const draft = `${target}.${process.pid}`;
    const link = process.platform === "darwin" ? ["-undefined", "dynamic_lookup"] : [];
    try {
      await run(compiler.name, ["-shared", "-pthread", ...runtimes, ...link, ...objects, "-o", draft]);
      renameSync(draft, target);
    } finally {
      rmSync(draft, { force: true });
    }
  }
  if (!isSame(before, record)) writeRecord(recordPath, record);
  return `${target}${isCurrent ? " is up to date" : `, built with ${compiler.version}`}; ${which}`;
}

let freeCores = availableParallelism();
const waiting = [];
let hasBegun = false;

/** Runs a compiler once a core is free; those of all addons come in turn, dear units first. */
async function run(command, args, isDear = false) {
  if (!hasBegun) console.error("Compiling the native parts: up to a minute of processor time …");
  hasBegun = true;
  if (freeCores > 0) freeCores -= 1;
  else await new Promise((settle) => (isDear ? waiting.unshift(settle) : waiting.push(settle)));
  try {
    await new Promise((settle, fail) => {
      const child = spawn(command, args, { stdio: ["ignore", "inherit", "inherit"] });
      child.once("error", fail);
      child.once("exit", (status) =>
        status === 0
          ? settle()
          : fail(new Error(`${command} ended with status ${status}: ${args.join(" ")}`)),
      );
    });
  } finally {
    const next = waiting.shift();
    if (next === undefined) freeCores += 1;
    else next();
  }
}

/** Finds the tools once; each addon that needs one says which is missing. */
function toolsFinder() {
  let tools;
  return () => {
    if (tools === undefined) {
      const compiler = findCompiler();
      const isWhole = isSanitized || process.argv.includes("--all");
      const processorKernels = isWhole ? null : findProcessorKernels(compiler.name);
      tools = { compiler, headers: findHeaders(), processorKernels };
    }
    return tools;
  };
}

async function report(addon, tools) {
  try {
    console.log(`The native ${addon.what}: ${await build(addon, tools)}`);
  } catch (error) {
    const isOptional = process.argv.includes("--optional");
    console.error(`The native ${addon.what}: not built: ${error.message}`);
    if (isOptional) console.error("Nothing else needs it; `node prover/native/build.js` tries again.");
    else process.exitCode = 1;
  }
}

const tools = toolsFinder();
const chosen = addons.filter(({ isFuzzed }) => !isSanitized || isFuzzed);
await Promise.all(chosen.map((addon) => report(addon, tools)));
