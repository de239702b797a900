import { createHash, randomBytes } from "node:crypto";
import { mkdir, readdir, readFile, rename, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import type { Abi, Hex } from "viem";
import { RollupError } from "../../circuits/rollup-error.ts";

export interface CompiledContract {
  abi: Abi;
  /** Creation code without constructor arguments. */
  bytecode: Hex;
  /** Size of the code on chain; EIP-170 allows 24,576. */
  codeSizeBytes: number;
}

export type CompiledContracts = Readonly<Record<string, CompiledContract>>;

interface CompilerOutput {
  errors?: { severity: string; formattedMessage: string; sourceLocation?: { file: string } }[];
  contracts?: Record<
    string,
    Record<string, { abi: Abi; evm: { bytecode: { object: string }; deployedBytecode: { object: string } } }>
  >;
}

const repositoryRoot = fileURLToPath(new URL("../..", import.meta.url));
/** Where the rollup's Solidity sources lie. */
export const contractsDir = join(repositoryRoot, "contracts/rollup");
/** Folders of sources that are compiled together: a change of one changes no byte of another. */
export type ContractSet = "rollup" | "governance" | "disputes" | "lease";
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
 * Compiles every contract of a folder, or takes the result from the cache.
 *
 * The cache is keyed by the bytes of all sources and imports, the compiler's version and its settings.
 *
 * @throws RollupError CON_IMPORT_MISSING, CON_COMPILE_FAILED
 */
export async function compileContracts(
  options: { cacheDir?: string; set?: ContractSet } = {},
): Promise<CompiledContracts> {
  const cacheDir = resolve(repositoryRoot, options.cacheDir ?? ".cache/contracts");
  const { contentHash, input } = await compilerInput(options.set);
  const entryPath = join(cacheDir, `${contentHash.slice(0, 24)}.json`);
  try {
    return JSON.parse(await readFile(entryPath, "utf8")) as CompiledContracts;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
  }
  const compiled = runCompiler(input);
  await mkdir(cacheDir, { recursive: true });
  // Written beside its place and renamed, so that a kill never leaves half a file.
  const partPath = `${entryPath}.${randomBytes(4).toString("hex")}`;
  await writeFile(partPath, JSON.stringify(compiled));
  await rename(partPath, entryPath);
  return compiled;
}

export interface CompilerInput {
  /** The compiler's standard JSON: every source with its content, and all settings. */
  input: { language: string; sources: Record<string, { content: string }>; settings: object };
  /** sha256 of the input and the compiler's version: contracts of one hash are the same bytes. */
  contentHash: string;
}

/** What the contracts are made of. An explorer makes the same code of it. @throws RollupError CON_IMPORT_MISSING */
export async function compilerInput(set: ContractSet = "rollup"): Promise<CompilerInput> {
  const sources = await collectSources(set);
  const { version } = requireFrom("solc/package.json") as { version: string };
  const input = { language: "Solidity", sources, settings };
  const contentHash = createHash("sha256")
    .update(`solc@${version}\n${JSON.stringify(input)}`)
    .digest("hex");
  return { input, contentHash };
}

/** As explorers name it: "v0.8.37+commit.…". Loads the compiler. */
export function compilerVersion(): string {
  const solc = requireFrom("solc") as { version(): string };
  return `v${solc.version().replace(".Emscripten.clang", "")}`;
}

/** One contract of the set. @throws RollupError CON_CONTRACT_UNKNOWN */
export function pickContract(contracts: CompiledContracts, name: string): CompiledContract {
  const contract = contracts[name];
  if (contract === undefined) {
    throw new RollupError("CON_CONTRACT_UNKNOWN", `there is no contract ${name}`, {
      data: { name, known: Object.keys(contracts) },
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
    throw new RollupError("CON_IMPORT_MISSING", `cannot read the Solidity source ${name}`, {
      data: { name },
      cause,
    });
  }
}

function runCompiler(input: object): CompiledContracts {
  // Loaded on a cache miss only: the compiler is 10 MB of WebAssembly.
  const solc = requireFrom("solc") as { compile(input: string): string };
  const output = JSON.parse(solc.compile(JSON.stringify(input))) as CompilerOutput;
  // Warnings in our own files count: a warning that is let pass once is never read again.
  const problems = (output.errors ?? []).filter(
    ({ severity, sourceLocation }) =>
      severity === "error" || sourceLocation === undefined || sourceLocation.file.startsWith("contracts/"),
  );
  if (problems.length > 0) {
    const text = problems.map((problem) => problem.formattedMessage).join("\n");
    throw new RollupError("CON_COMPILE_FAILED", `the Solidity compiler complains:\n${text}`, {
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
