/**
 * The models' C++ kernels as WebAssembly, models/engine/kernels/prebuilt/: made of their sources where the compiler is, so that
 * nobody else needs it. scripts/prebuild.ts calls it.
 */
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, relative } from "node:path";
import { repositoryRoot } from "@openledger/circuits/compiler/compile";

const SOURCE = "models/engine/kernels/native/wasm.cpp";
const FOLDER = join(repositoryRoot, "models/engine/kernels/prebuilt");
const WASM = join(FOLDER, "kernels.wasm");
const RECORD = join(FOLDER, "kernels.json");

/** Other versions may compile to other bytes, so this one is asked for by its name. */
const VERSION = 16;
const [COMPILER, LINKER] = [`clang++-${VERSION}`, `wasm-ld-${VERSION}`];
/** Stack that the memory has for a thread, STACK_BYTES in wasm-kernels.ts, less what calls within a kernel need. */
const MAX_FRAME_BYTES = 448 * 1024;
const COMPILER_FLAGS = [
  "--target=wasm32",
  "-std=c++17",
  "-O3",
  ...["-msimd128", "-mrelaxed-simd", "-mbulk-memory", "-matomics", "-mnontrapping-fptoint", "-msign-ext"],
  // A multiplication and an addition are fused only where the source says so: the results are the same bytes everywhere.
  "-ffp-contract=off",
  ...["-fno-math-errno", "-fno-exceptions", "-fno-rtti", "-fvisibility=hidden"],
  ...["-Wall", "-Wextra", "-Werror", `-Wframe-larger-than=${MAX_FRAME_BYTES}`],
];
const LINKER_FLAGS = ["--no-entry", "--strip-all", "--import-memory", "--shared-memory"];
/** 4 GiB, all that 32-bit addresses reach; a memory may be smaller. */
const MEMORY_FLAGS = [
  "--initial-memory=65536",
  "--max-memory=4294967296",
  "--stack-first",
  "-z",
  "stack-size=32768",
];

/** Facts of kernels.wasm, beside it. */
interface KernelsRecord {
  /** Hash of the file, which kernel-module.ts compares. */
  readonly sha256: string;
  /** Hash of the sources and of the compiler's flags. */
  readonly sources: string;
  readonly compiler: string;
}

export const readRecord = (): KernelsRecord => JSON.parse(readFileSync(RECORD, "utf8"));

/** Paths of what the kernels are compiled from: the unit and all that it includes, in the order of its text. */
export function kernelSources(): string[] {
  const paths: string[] = [];
  const take = (path: string) => {
    if (paths.includes(path)) return;
    paths.push(path);
    for (const [, name] of readFileSync(path, "utf8").matchAll(/^#include "([^"]+)"/gm))
      take(join(dirname(path), name!));
  };
  take(join(repositoryRoot, SOURCE));
  return paths;
}

/** Hash of the kernels' sources and of the flags. */
export function hashSources(): string {
  const hash = createHash("sha256").update(JSON.stringify([COMPILER_FLAGS, LINKER_FLAGS, MEMORY_FLAGS]));
  for (const path of kernelSources())
    hash.update(`\0${relative(repositoryRoot, path)}\0`).update(readFileSync(path));
  return hash.digest("hex");
}

/** Compiles the kernels if their sources have changed. @throws Error that names the missing compiler */
export function renewKernels(say: (line: string) => void): void {
  const sources = hashSources();
  if (isCurrent(sources)) return;
  const compiler = compilerVersion();
  if (compiler.missing !== undefined)
    throw new Error(`the models' kernels changed, and ${missingText(compiler.missing)}`);
  const wasm = compileKernels();
  const record: KernelsRecord = { sha256: sha256(wasm), sources, compiler: compiler.version };
  writeFileSync(WASM, wasm);
  writeFileSync(RECORD, `${JSON.stringify(record, null, 2)}\n`);
  say(`kernels of models: ${wasm.length.toLocaleString("en")} bytes, by ${compiler.version}`);
}

/**
 * Compiles the kernels and compares every byte.
 * @returns names of what differs; where the compiler is missing, only the recorded hashes were compared, which `say` tells
 */
export function checkKernels(say: (line: string) => void): string[] {
  const name = "kernels of models";
  if (!isCurrent(hashSources()) || sha256(readFileSync(WASM)) !== readRecord().sha256) return [name];
  const compiler = compilerVersion();
  if (compiler.missing !== undefined) {
    say(`${name}: NOT compiled, only hashes compared: ${missingText(compiler.missing)}`);
    return [];
  }
  if (!compileKernels().equals(readFileSync(WASM))) {
    say(`${name}: compiled by ${compiler.version}, the prebuilt file by ${readRecord().compiler}`);
    return [name];
  }
  say(`${name}: compiled and compared`);
  return [];
}

function isCurrent(sources: string): boolean {
  try {
    return readRecord().sources === sources;
  } catch {
    return false;
  }
}

const missingText = (program: string) =>
  `there is no ${program}: install clang-${VERSION} and lld-${VERSION} (Debian: apt-get install clang-${VERSION} lld-${VERSION})`;

function compilerVersion(): { missing?: undefined; version: string } | { missing: string } {
  let version = "";
  for (const program of [LINKER, COMPILER]) {
    const { status, stdout } = spawnSync(program, ["--version"], { encoding: "utf8" });
    if (status !== 0) return { missing: program };
    version = stdout.split("\n")[0]!;
  }
  return { version };
}

function compileKernels(): Buffer {
  const folder = mkdtempSync(join(tmpdir(), "kernels-"));
  try {
    const [object, wasm] = [join(folder, "kernels.o"), join(folder, "kernels.wasm")];
    run(COMPILER, [...COMPILER_FLAGS, "-c", SOURCE, "-o", object]);
    run(LINKER, [...LINKER_FLAGS, ...MEMORY_FLAGS, object, "-o", wasm]);
    return readFileSync(wasm);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function run(program: string, args: readonly string[]): void {
  const { status, stderr } = spawnSync(program, args, { cwd: repositoryRoot, encoding: "utf8" });
  if (status !== 0) throw new Error(`${program} ended with status ${status}: ${stderr}`);
}

const sha256 = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");
