/**
 * Compiler of circuits, with a cache by content hash: circom source or a composition to R1CS and witness
 * program. Keys, provers, tests and `openledger verify` take every circuit through `compileCircuit`.
 */
import { createHash, randomBytes } from "node:crypto";
import { createReadStream, existsSync, readFileSync, statSync } from "node:fs";
import { mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { lockOf, publishBuild, removeAbandonedBuilds } from "@openledger/foundation/build-cache";
import { whileLocked } from "@openledger/foundation/file-lock";
import { circuitError } from "../circuit-errors.ts";
import { composeCircuit } from "./compose.ts";
import type { Composition } from "./compose-layout.ts";
import { entryName, prebuiltPath, readPrebuiltHeader, unpackPrebuilt } from "./prebuilt.ts";
import { readR1cs } from "./r1cs-reader.ts";
import { runCircom } from "./run-circom.ts";

/** A compiled circuit's files and sizes. */
export interface CompiledCircuit {
  name: string;
  /**
   * SHA-256 over the main source, every included file, the compiler's version and flags, as hex; of a composed circuit
   * see compose.ts.
   */
  contentHash: string;
  r1csPath: string;
  /** circom's witness program; of a composed circuit its description (composed-copies.ts). */
  wasmPath: string;
  /** Path of the symbol file. The file exists only with `keepSym`, and not for a composed circuit. */
  symPath: string;
  constraintCounts: { nonLinear: number; linear: number };
  wireCount: number;
  /** Public outputs and public inputs, without the constant 1. */
  publicCount: number;
}

/** A circuit to compile. */
export interface CircuitSpec {
  name: string;
  /** The text of a circom file with a main component; its includes are relative to the repository root. */
  mainSource: string;
  keepSym?: boolean;
  /**
   * Builds the circuit from parts. circom then never reads the main source, which states what the result must
   * equal.
   */
  composition?: Composition;
}

export interface CompileOptions {
  /** Defaults to .cache/circuits in the repository. */
  cacheDir?: string;
  /**
   * False compiles from source even if the repository or the cache has the prebuilt circuit, and compares
   * both. For users who trust the sources alone: `openledger verify`.
   */
  prebuilt?: boolean;
  onProgress?: (line: string) => void;
}

/** Absolute path of the repository, which include paths are relative to. */
export const repositoryRoot = fileURLToPath(new URL("../..", import.meta.url));

// --O1 keeps the linear constraints that templates state. --O2 would remove them, but takes four times
// as long, dies at 4 GB on large circuits and may drop a public signal that nothing else uses.
const compilerFlags = ["--O1"];
/** Maximum lines of compiler output in an error's text. */
const MAX_LINES = 200;
const requireFrom = createRequire(import.meta.url);

/** Marks a cache entry that was unpacked from a prebuilt file and not compiled here. */
const PREBUILT_MARK = "prebuilt";

/**
 * Takes a compiled circuit from the cache, else from the repository's prebuilt files (prebuilt.ts), else compiled
 * with circom 2 (as WASM, from npm). One with a composition is put together from its parts, which are compiled like
 * others.
 *
 * An entry is built beside the cache and renamed into it, so a kill never leaves half of one. One process builds it,
 * others wait.
 *
 * @throws RollupError CIR_COMPILE_FAILED, CIR_PREBUILT_DAMAGED, CIR_PREBUILT_DIFFERS;
 *   CIR_COMPOSITION_INVALID of a composition
 */
export async function compileCircuit(
  spec: CircuitSpec,
  options: CompileOptions = {},
): Promise<CompiledCircuit> {
  const cacheDir = resolve(repositoryRoot, options.cacheDir ?? ".cache/circuits");
  if (spec.composition !== undefined) {
    const { name, composition } = spec;
    const compilePart = (part: CircuitSpec) => compileCircuit(part, options);
    return composeCircuit({ name, composition }, { cacheDir, compilePart, onProgress: options.onProgress });
  }
  const contentHash = hashCircuit(spec.mainSource);
  const entryDir = join(cacheDir, entryName(spec.name, contentHash));
  const isTaken = () => options.prebuilt !== false || !existsSync(join(entryDir, PREBUILT_MARK));
  const take = async () => (isTaken() ? readEntry(entryDir, spec, contentHash) : null);
  const cached = await take();
  if (cached !== null) return cached;

  const onProgress = options.onProgress ?? (() => {});
  await removeAbandonedBuilds(cacheDir);
  const onWaiting = () => onProgress(`waiting for ${spec.name}: another process builds it`);
  return whileLocked(lockOf(entryDir), onWaiting, async () => {
    const builtMeanwhile = await take();
    if (builtMeanwhile !== null) return builtMeanwhile;
    const buildDir = join(cacheDir, `.build-${process.pid}-${randomBytes(6).toString("hex")}`);
    await mkdir(buildDir, { recursive: true });
    try {
      const { keepSym = false, name } = spec;
      if (options.prebuilt !== false && (await unpackPrebuilt({ name, contentHash, keepSym }, buildDir))) {
        await writeFile(join(buildDir, PREBUILT_MARK), "");
      } else {
        onProgress(`${name} is not prebuilt: circom compiles it`);
        await compileInto(buildDir, spec, contentHash, onProgress);
        await compareWithPrebuilt(buildDir, entryDir, spec, contentHash);
      }
      await publishBuild(buildDir, entryDir, async () => (await take()) !== null);
    } finally {
      await rm(buildDir, { recursive: true, force: true });
    }
    const built = await take();
    if (built !== null) return built;
    throw circuitError(
      "CIR_COMPILE_FAILED",
      `the cache entry of ${spec.name} vanished while it was written`,
      { data: { name: spec.name, entryDir }, isRetryable: true },
    );
  });
}

async function compileInto(
  buildDir: string,
  spec: CircuitSpec,
  contentHash: string,
  onProgress: (line: string) => void,
): Promise<void> {
  await runCompiler(spec, buildDir, onProgress);
  await rename(join(buildDir, "circuit_js/circuit.wasm"), join(buildDir, "circuit.wasm"));
  await rm(join(buildDir, "circuit_js"), { recursive: true });
  const meta = { name: spec.name, contentHash, ...countConstraints(join(buildDir, "circuit.r1cs")) };
  await writeFile(join(buildDir, "meta.json"), `${JSON.stringify(meta, null, 2)}\n`);
}

/**
 * Compares the compiled files with the prebuilt file and the cache entry of the same content hash, because
 * keys may have been made from those.
 * @throws RollupError CIR_PREBUILT_DIFFERS
 */
async function compareWithPrebuilt(
  buildDir: string,
  entryDir: string,
  { name }: CircuitSpec,
  contentHash: string,
): Promise<void> {
  const header = readPrebuiltHeader(prebuiltPath(name, contentHash));
  for (const kind of ["r1cs", "wasm"] as const) {
    const compiled = await sha256OfFile(join(buildDir, `circuit.${kind}`));
    const cachedPath = join(entryDir, `circuit.${kind}`);
    const isUnpacked = existsSync(join(entryDir, PREBUILT_MARK));
    const others = [
      ...(header === null ? [] : [header[kind].sha256]),
      ...(isUnpacked ? [await sha256OfFile(cachedPath)] : []),
    ];
    if (others.every((other) => other === compiled)) continue;
    throw circuitError(
      "CIR_PREBUILT_DIFFERS",
      `circom makes another ${kind} of ${name} than the prebuilt file holds: do not use the prebuilt file, nor keys made with it`,
      { data: { name, contentHash, kind, compiled, others } },
    );
  }
}

async function sha256OfFile(path: string): Promise<string> {
  const hash = createHash("sha256");
  for await (const part of createReadStream(path)) hash.update(part as Buffer);
  return hash.digest("hex");
}

/** Hashes by the main source and the stamps of what it includes: a start of a service asks for the same few again. */
const knownHashes = new Map<string, string>();
const MAX_KNOWN_HASHES = 256;

/** The content hash of a circuit without compiling it. */
export function hashCircuit(mainSource: string): string {
  const included = new Map<string, SourceFile>();
  collectIncludes(includesOf(mainSource), join(repositoryRoot, "main.circom"), included);
  const files = [...included].sort(([a], [b]) => (a < b ? -1 : 1));
  const known = [mainSource, ...files.map(([path, { stamp }]) => `${path} ${stamp}`)].join("\n");
  const hash = knownHashes.get(known) ?? hashSources(mainSource, files);
  if (knownHashes.size >= MAX_KNOWN_HASHES) knownHashes.clear();
  knownHashes.set(known, hash);
  return hash;
}

function hashSources(mainSource: string, files: readonly (readonly [path: string, SourceFile])[]): string {
  const { version } = requireFrom("circom2/package.json") as { version: string };
  const hash = createHash("sha256");
  // Lengths first, so that no two lists of files run together to the same bytes.
  const absorb = (text: string | Buffer) => hash.update(`${Buffer.byteLength(text)}:`).update(text);
  absorb(`circom2@${version} ${compilerFlags.join(" ")}`);
  absorb(mainSource);
  for (const [path, { bytes }] of files) {
    absorb(path);
    absorb(bytes);
  }
  return hash.digest("hex");
}

function collectIncludes(
  includes: readonly string[],
  sourcePath: string,
  files: Map<string, SourceFile>,
): void {
  for (const includePath of includes) {
    // circom looks beside the including file first, then in the -l folders.
    const candidates = [resolve(dirname(sourcePath), includePath), resolve(repositoryRoot, includePath)];
    const found = candidates.find((path) => existsSync(path));
    if (found === undefined) {
      throw circuitError(
        "CIR_COMPILE_FAILED",
        `${sourcePath} includes ${includePath}, which does not exist`,
        {
          data: { reason: "include-missing", sourcePath, includePath },
        },
      );
    }
    const key = relative(repositoryRoot, found);
    if (files.has(key)) continue;
    const file = readSource(found);
    files.set(key, file);
    collectIncludes(file.includes, found, files);
  }
}

function includesOf(source: string): string[] {
  const code = source.replace(/\/\*[\s\S]*?\*\//g, "").replace(/\/\/.*$/gm, "");
  return [...code.matchAll(/\binclude\s+"([^"]+)"/g)].map(([, path]) => path!);
}

interface SourceFile {
  /** Time of the last change, and size. */
  readonly stamp: string;
  readonly bytes: Buffer;
  readonly includes: readonly string[];
}

/** Files that circuits include, some hundred kilobytes: a process hashes many circuits of the same ones. */
const sourceFiles = new Map<string, SourceFile>();

function readSource(path: string): SourceFile {
  const { ctimeMs, mtimeMs, size } = statSync(path);
  const stamp = `${mtimeMs} ${ctimeMs} ${size}`;
  const known = sourceFiles.get(path);
  if (known?.stamp === stamp) return known;
  const bytes = readFileSync(path);
  const file = { stamp, bytes, includes: includesOf(bytes.toString("utf8")) };
  sourceFiles.set(path, file);
  return file;
}

async function readEntry(
  entryDir: string,
  spec: CircuitSpec,
  contentHash: string,
): Promise<CompiledCircuit | null> {
  const symPath = join(entryDir, "circuit.sym");
  let text: string;
  try {
    text = await readFile(join(entryDir, "meta.json"), "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
    throw error;
  }
  if (spec.keepSym === true && !existsSync(symPath)) return null;
  const meta = JSON.parse(text) as Omit<CompiledCircuit, "r1csPath" | "wasmPath" | "symPath">;
  if (meta.contentHash !== contentHash) return null;
  return {
    ...meta,
    r1csPath: join(entryDir, "circuit.r1cs"),
    wasmPath: join(entryDir, "circuit.wasm"),
    symPath,
  };
}

async function runCompiler(
  spec: CircuitSpec,
  buildDir: string,
  onProgress: (line: string) => void,
): Promise<void> {
  const mainPath = join(buildDir, "circuit.circom");
  await writeFile(mainPath, spec.mainSource);
  const outputs = ["--r1cs", "--wasm", ...(spec.keepSym === true ? ["--sym"] : [])];
  // The compiler's sandbox knows paths below the working directory only.
  const toSandbox = (path: string) => relative(repositoryRoot, path);
  const lines: string[] = [];
  let unfinished = "";
  const onOutput = (text: string) => {
    const parts = `${unfinished}${text}`.split("\n");
    unfinished = parts.pop()!;
    for (const line of parts) onProgress(line);
    lines.push(...parts);
    lines.splice(0, lines.length - MAX_LINES);
  };
  const args = [toSandbox(mainPath), ...outputs, ...compilerFlags, "-l", ".", "-o", toSandbox(buildDir)];
  const exit = await runCircom(args, repositoryRoot, onOutput);
  if (exit !== null || !existsSync(join(buildDir, "circuit.r1cs"))) {
    // biome-ignore lint/suspicious/noControlCharactersInRegex: the compiler colours its messages
    const output = [...lines, unfinished].join("\n").replace(/\u001b\[[0-9;]*m/g, "");
    throw circuitError(
      "CIR_COMPILE_FAILED",
      `circom refused ${spec.name} (${exit ?? "no output"}):\n${output}`,
      {
        data: { name: spec.name, exit, output },
      },
    );
  }
}

/** Counts the file's constraints. A constraint is linear if one factor holds no signal. */
function countConstraints(
  r1csPath: string,
): Pick<CompiledCircuit, "constraintCounts" | "wireCount" | "publicCount"> {
  let linear = 0;
  const header = readR1cs(r1csPath, (window, a, b) => {
    const isConstant = (terms: typeof a) =>
      terms.termCount === 0 || (terms.termCount === 1 && window.readUInt32LE(terms.offset) === 0);
    if (isConstant(a) || isConstant(b)) linear++;
  });
  return {
    constraintCounts: { nonLinear: header.constraintCount - linear, linear },
    wireCount: header.wireCount,
    publicCount: header.publicOutputCount + header.publicInputCount,
  };
}
