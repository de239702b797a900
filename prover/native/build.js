// Builds the native prover, and the native parts of models/: node prover/native/build.js [--optional] [--sanitize]
//
// Needs a C++17 compiler (CXX, or g++, c++, clang++ on the path) and Node's headers (beside the node binary,
// in /usr/include/node, or where NODE_INCLUDE_DIR points). With --optional, as an install step, a machine
// without them is no failure: a code that ends in NATIVE_UNAVAILABLE says so where one is asked for.
// With --sanitize what `npm run fuzz` runs is built beside it, in build/sanitized, under the sanitizers for addresses and
// undefined behaviour.
import { spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

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
/** For the units of `glue`, where a process spends no time: they compile in half of it. */
const glueFlags = ["-O1"];
const addons = [
  {
    what: "prover",
    folder: root,
    file: "bn254-prover.node",
    flags: commonFlags,
    glue: ["addon.cpp", "msm.cpp", "point-table.cpp", "proving-key.cpp", "zkey.cpp"],
  },
  {
    what: "witness steps",
    isFuzzed: true,
    folder: join(root, "steps"),
    file: "row-steps.node",
    flags: commonFlags,
    includes: [
      ...["adx-product.h", "ifma-field.h", "kernels.h"].map((name) => `kernels/${name}`),
      ...["buffer.h", "field.h", "modulus.h", "node-api.h"],
      "../../../circuits/native/src/dot.h",
    ].map((name) => join(root, "src", name)),
  },
  {
    what: "field arithmetic",
    folder: join(root, "../../circuits/native"),
    file: "field-addon.node",
    // Selections by vectors would wait for the words' stores.
    flags: [...commonFlags, "-fno-tree-vectorize", "-fno-tree-slp-vectorize"],
    includes: [
      ...["adx-product.h", "avx2-field.h", "ifma-field.h", "kernels.h"].map((name) => `kernels/${name}`),
      ...["buffer.h", "field.h", "modulus.h", "node-api.h"],
    ].map((name) => join(root, "src", name)),
  },
  {
    what: "kernels of models",
    isFuzzed: true,
    folder: join(root, "../../models/engine/kernels/native"),
    file: "model-kernels.node",
    // A multiplication and an addition are fused only where the source says so: the results are the same bytes everywhere.
    flags: [...commonFlags, "-ffp-contract=off", "-Wno-psabi"],
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

async function build(addon) {
  const { folder, file, includes = [], glue = [], architectures = [process.arch] } = addon;
  const runtimes = isSanitized ? sanitizers : [];
  const flags = [...addon.flags, ...runtimes];
  if (process.platform === "win32") throw new Missing("Windows is not supported");
  if (!architectures.includes(process.arch)) throw new Missing(`there are none for ${process.arch}`);
  const sourceDir = join(folder, "src");
  const buildDir = join(folder, isSanitized ? "build/sanitized" : "build");
  const target = join(buildDir, file);
  const stampPath = join(buildDir, "stamp.txt");
  const compiler = findCompiler();
  const headers = findHeaders();
  const sources = readdirSync(sourceDir, { recursive: true })
    .filter((name) => /\.(cpp|h)$/.test(name))
    .sort();
  const hash = createHash("sha256").update(
    JSON.stringify([compiler, headers, flags, glue, glueFlags, process.arch]),
  );
  for (const name of sources) hash.update(`\0${name}\0`).update(readFileSync(join(sourceDir, name)));
  for (const path of includes) hash.update(`\0${path}\0`).update(readFileSync(path));
  const stamp = hash.digest("hex");
  if (existsSync(target) && existsSync(stampPath) && readFileSync(stampPath, "utf8") === stamp)
    return `${target} is up to date`;

  // In a folder of its own, and moved in place whole: another process may be building too.
  const workDir = join(buildDir, `.work-${process.pid}`);
  mkdirSync(workDir, { recursive: true });
  try {
    const units = sources.filter((name) => name.endsWith(".cpp"));
    const isGlue = (unit) => glue.includes(unit);
    const objectOf = (unit) => join(workDir, `${unit.replaceAll("/", "-")}.o`);
    const compiled = await Promise.allSettled(
      units.map((unit) => {
        const ofUnit = isGlue(unit) ? [...addon.flags, ...glueFlags, ...runtimes] : flags;
        return run(compiler.name, [
          ...ofUnit,
          "-I",
          headers,
          "-c",
          join(sourceDir, unit),
          "-o",
          objectOf(unit),
        ]);
      }),
    );
    for (const { reason } of compiled) if (reason !== undefined) throw reason;
    // Of a function that several units have the linker takes the first: glue comes last.
    const objects = [...units.filter((unit) => !isGlue(unit)), ...units.filter(isGlue)].map(objectOf);
    const library = join(workDir, "out.node");
    const link = process.platform === "darwin" ? ["-undefined", "dynamic_lookup"] : [];
    await run(compiler.name, ["-shared", "-pthread", ...runtimes, ...link, ...objects, "-o", library]);
    renameSync(library, target);
    writeFileSync(stampPath, stamp);
  } finally {
    rmSync(workDir, { recursive: true, force: true });
  }
  return `${target}, built with ${compiler.version}`;
}

let freeCores = availableParallelism();
const waiting = [];

/** Runs a compiler once a core is free; those of all addons come in turn. */
async function run(command, args) {
  if (freeCores > 0) freeCores -= 1;
  else await new Promise((settle) => waiting.push(settle));
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

async function report(addon) {
  try {
    console.log(`The native ${addon.what}: ${await build(addon)}`);
  } catch (error) {
    const isOptional = process.argv.includes("--optional");
    console.error(`The native ${addon.what}: not built: ${error.message}`);
    if (isOptional) console.error("Nothing else needs it; `node prover/native/build.js` tries again.");
    else process.exitCode = 1;
  }
}

await Promise.all(addons.filter(({ isFuzzed }) => !isSanitized || isFuzzed).map(report));
