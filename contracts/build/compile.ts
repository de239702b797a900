/**
 * Compiler of the Solidity contracts, with a cache by content hash: sources to ABI and bytecode. Deployment,
 * tests and the generator of ABIs take every contract through `compileContracts`.
 */
import { createHash } from "node:crypto";
import { mkdir, readdir, readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { brotliCompressSync, brotliDecompressSync } from "node:zlib";
import { circuitError } from "@openledger/circuits/circuit-errors";
import { lockOf } from "@openledger/foundation/build-cache";
import { whileLocked } from "@openledger/foundation/file-lock";
import { writeFileWhole } from "@openledger/foundation/whole-file";
import type { Abi, Hex } from "viem";
import { contractError } from "../contract-errors.ts";

interface CompiledContract {
  abi: Abi;
  /** Creation code without constructor arguments. */
  bytecode: Hex;
  /** Size of the code on chain; EIP-170 allows 24,576. */
  codeSizeBytes: number;
}

export type CompiledContracts = Readonly<Record<string, CompiledContract>>;

/** Fields read from solc's standard JSON output. */
interface CompilerOutput {
  errors?: { severity: string; formattedMessage: string; sourceLocation?: { file: string } }[];
  contracts?: Record<
    string,
    Record<string, { abi: Abi; evm: { bytecode: { object: string }; deployedBytecode: { object: string } } }>
  >;
}

/** Fields read from solc's output where immutables are looked for. */
interface ImmutablesOutput {
  contracts: Record<
    string,
    Record<
      string,
      { evm: { deployedBytecode: { immutableReferences: Record<string, { start: number }[]> } } }
    >
  >;
  sources: Record<string, { ast: { nodes: { nodes?: { id: number; name?: string }[] }[] } }>;
}

const repositoryRoot = fileURLToPath(new URL("../..", import.meta.url));
/** Folder of the rollup's Solidity sources. */
export const contractsDir = join(repositoryRoot, "contracts/rollup");
/** Folders of sources that are compiled together. A change of one set changes no byte of another. */
export const CONTRACT_SETS = ["rollup", "governance", "bond"] as const;
type ContractSet = (typeof CONTRACT_SETS)[number];
/** Compiled contracts by their content hash, so that a fresh clone need not compile them. */
export const prebuiltContractsDir = join(repositoryRoot, "contracts/prebuilt");
const requireFrom = createRequire(import.meta.url);

const settings = {
  // Few deployments, many calls; but code must stay below EIP-170 (a test watches it): 500 runs make it 250 bytes longer.
  optimizer: { enabled: true, runs: 200 },
  viaIR: true,
  evmVersion: "osaka",
  metadata: { bytecodeHash: "none", appendCBOR: false },
  outputSelection: { "*": { "*": ["abi", "evm.bytecode.object", "evm.deployedBytecode.object"] } },
};

/**
 * Takes a folder's contracts from the cache, else from the repository's prebuilt file, else compiles them.
 *
 * All are keyed by the bytes of all sources and imports, the compiler's version and its settings. One process compiles,
 * others wait.
 *
 * @param options prebuilt: false to compile what no cache holds
 * @throws RollupError CON_COMPILE_FAILED, CIR_PREBUILT_DAMAGED
 */
export async function compileContracts(
  options: {
    cacheDir?: string;
    set?: ContractSet;
    prebuilt?: boolean;
    onProgress?: (line: string) => void;
  } = {},
): Promise<CompiledContracts> {
  const { onProgress = () => {}, prebuilt = true, set = "rollup" } = options;
  const cacheDir = resolve(repositoryRoot, options.cacheDir ?? ".cache/contracts");
  const { contentHash, input } = await compilerInput(set);
  const entryPath = join(cacheDir, `${contentHash.slice(0, 24)}.json`);
  const cached = await readIfThere(entryPath);
  if (cached !== null) return parseContracts(cached);
  await mkdir(cacheDir, { recursive: true });
  const onWaiting = () => onProgress(`waiting for the contracts of ${set}: another process compiles them`);
  return whileLocked(lockOf(entryPath), onWaiting, async () => {
    const made = (await readIfThere(entryPath)) ?? (prebuilt ? await readPrebuilt(set, contentHash) : null);
    const text = made ?? Buffer.from(JSON.stringify(runCompiler(input)));
    await writeFileWhole(entryPath, text);
    return parseContracts(text);
  });
}

const parseContracts = (text: Buffer) => JSON.parse(text.toString("utf8")) as CompiledContracts;

/** Path of a set's prebuilt file. */
export const prebuiltContractsPath = (set: ContractSet, contentHash: string) =>
  join(prebuiltContractsDir, `${set}-${contentHash.slice(0, 24)}.json.br`);

/** Contents of the prebuilt file of these contracts. */
export const packContracts = (contracts: CompiledContracts) => brotliCompressSync(JSON.stringify(contracts));

/** Reads the prebuilt file: the JSON that the cache would hold; null if there is no such file. */
async function readPrebuilt(set: ContractSet, contentHash: string): Promise<Buffer | null> {
  const path = prebuiltContractsPath(set, contentHash);
  const packed = await readIfThere(path);
  if (packed === null) return null;
  try {
    const text = brotliDecompressSync(packed);
    parseContracts(text);
    return text;
  } catch (cause) {
    throw circuitError(
      "CIR_PREBUILT_DAMAGED",
      `${path} is damaged. Restore it with git checkout, or delete it: the contracts are compiled then.`,
      { data: { path }, cause },
    );
  }
}

async function readIfThere(path: string): Promise<Buffer | null> {
  try {
    return await readFile(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    return null;
  }
}

interface CompilerInput {
  /** The compiler's standard JSON: every source with its content, and all settings. */
  input: { language: string; sources: Record<string, { content: string }>; settings: object };
  /** sha256 of the input and the compiler's version: contracts of one hash are the same bytes. */
  contentHash: string;
}

/**
 * Compiler input of a set of contracts. An explorer compiles the same code from it. @throws RollupError
 * CON_COMPILE_FAILED
 */
export async function compilerInput(set: ContractSet = "rollup"): Promise<CompilerInput> {
  const sources = await collectSources(set);
  const { version } = requireFrom("solc/package.json") as { version: string };
  const input = { language: "Solidity", sources, settings };
  const contentHash = createHash("sha256")
    .update(`solc@${version}\n${JSON.stringify(input)}`)
    .digest("hex");
  return { input, contentHash };
}

/** Compiler version in explorers' form: "v0.8.37+commit.…". Loads the compiler. */
export function compilerVersion(): string {
  const solc = requireFrom("solc") as { version(): string };
  return `v${solc.version().replace(".Emscripten.clang", "")}`;
}

/** Picks one contract of the set. @throws RollupError CON_COMPILE_FAILED */
export function pickContract(contracts: CompiledContracts, name: string): CompiledContract {
  const contract = contracts[name];
  if (contract === undefined) {
    throw contractError("CON_COMPILE_FAILED", `there is no contract ${name}`, {
      data: { reason: "contract-unknown", name, known: Object.keys(contracts) },
    });
  }
  return contract;
}

async function collectSources(set: ContractSet): Promise<Record<string, { content: string }>> {
  const sources: Record<string, { content: string }> = {};
  const files = await readdir(join(repositoryRoot, "contracts", set));
  const pending = files.filter((file) => file.endsWith(".sol")).sort();
  const queue = pending.map((file) => `contracts/${set}/${file}`);
  for (let name = queue.shift(); name !== undefined; name = queue.shift()) {
    if (name in sources) continue;
    const content = await readSource(name);
    sources[name] = { content };
    for (const [, target] of content.matchAll(/^\s*import\s+(?:[^"';]*?\s+from\s+)?["']([^"']+)["']/gm)) {
      queue.push(target!.startsWith(".") ? join(dirname(name), target!) : target!);
    }
  }
  // Sorted, so that the hash does not depend on the order of discovery.
  return Object.fromEntries(Object.entries(sources).sort(([a], [b]) => (a < b ? -1 : 1)));
}

async function readSource(name: string): Promise<string> {
  const path = name.startsWith("contracts/")
    ? join(repositoryRoot, name)
    : join(repositoryRoot, "node_modules", name);
  try {
    return await readFile(path, "utf8");
  } catch (cause) {
    throw contractError("CON_COMPILE_FAILED", `cannot read the Solidity source ${name}`, {
      data: { reason: "import-missing", name },
      cause,
    });
  }
}

/**
 * Offsets in bytes at which a contract's code on chain holds its immutables, 32 bytes each, by the immutables' names. It
 * runs the compiler: only generate-abi.ts and its test call it.
 */
export async function immutableOffsets(set: ContractSet, name: string): Promise<Record<string, number[]>> {
  const { input } = await compilerInput(set);
  const outputSelection = { "*": { "*": ["evm.deployedBytecode.immutableReferences"], "": ["ast"] } };
  const solc = requireFrom("solc") as { compile(input: string): string };
  const asked = JSON.stringify({ ...input, settings: { ...settings, outputSelection } });
  const { contracts, sources } = JSON.parse(solc.compile(asked)) as ImmutablesOutput;
  const file = `contracts/${set}/${name}.sol`;
  const { immutableReferences } = contracts[file]![name]!.evm.deployedBytecode;
  const members = sources[file]!.ast.nodes.flatMap(({ nodes = [] }) => nodes);
  const named = Object.entries(immutableReferences).map(([id, references]) => {
    const immutable = members.find((member) => member.id === Number(id))!;
    return [immutable.name!, references.map(({ start }) => start).sort((a, b) => a - b)] as const;
  });
  return Object.fromEntries(named.sort(([a], [b]) => (a < b ? -1 : 1)));
}

function runCompiler(input: object): CompiledContracts {
  // Loaded on a cache miss only: the compiler is 10 MB of WebAssembly.
  const solc = requireFrom("solc") as { compile(input: string): string };
  const output = JSON.parse(solc.compile(JSON.stringify(input))) as CompilerOutput;
  // Warnings in our own files count as errors: a tolerated warning is never read again.
  const problems = (output.errors ?? []).filter(
    ({ severity, sourceLocation }) =>
      severity === "error" || sourceLocation === undefined || sourceLocation.file.startsWith("contracts/"),
  );
  if (problems.length > 0) {
    const text = problems.map((problem) => problem.formattedMessage).join("\n");
    throw contractError("CON_COMPILE_FAILED", `the Solidity compiler complains:\n${text}`, {
      data: { problems: problems.map((problem) => problem.formattedMessage) },
    });
  }
  const compiled: Record<string, CompiledContract> = {};
  for (const [file, contracts] of Object.entries(output.contracts ?? {})) {
    if (!file.startsWith("contracts/")) continue;
    for (const [name, { abi, evm }] of Object.entries(contracts)) {
      compiled[name] = {
        abi,
        bytecode: `0x${evm.bytecode.object}`,
        codeSizeBytes: evm.deployedBytecode.object.length / 2,
      };
    }
  }
  return compiled;
}
