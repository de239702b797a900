/**
 * Files that the pages bring along for exits: circuits with their proving keys, packed, and two workers, the prover's
 * and the one that checks blobs.
 */
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import type { DeployedCircuit } from "@openledger/circuits/registry/deployment";
import { CIRCUIT_SORT } from "@openledger/circuits/settlement/settlement-data";
import type { Plugin } from "vite";

/** A circuit of exits, whose files are on this machine. */
export type ExitPageCircuit = Pick<DeployedCircuit, "name" | "zkeyPath" | "wasmPath">;

export const PROVE_WORKER_FILE = "prove-worker.js";
export const BLOB_WORKER_FILE = "blob-worker.js";

/** A worker, as one classic script. */
export interface WorkerFile {
  readonly name: string;
  readonly script: string;
}

/** A file of a circuit: `<circuit>.zkey` or `<circuit>.wasm`. */
export interface PackedFile {
  readonly name: string;
  /** gzip. */
  readonly bytes: Buffer;
}

/** The exits among a deployment's circuits. */
export const exitsOfDeployment = (circuits: readonly DeployedCircuit[]): ExitPageCircuit[] =>
  circuits.filter(({ sort }) => sort === CIRCUIT_SORT.exit);

export function hashExitFiles(circuits: readonly ExitPageCircuit[]): string {
  const hash = createHash("sha256");
  for (const { name, wasmPath, zkeyPath } of circuits)
    for (const path of [zkeyPath, wasmPath]) hash.update(`${name}\0`).update(readFileSync(path));
  return hash.digest("hex");
}

export function packExitFiles(circuits: readonly ExitPageCircuit[]): PackedFile[] {
  return circuits.flatMap(({ name, wasmPath, zkeyPath }) => [
    { name: `${name}.zkey`, bytes: gzipSync(readFileSync(zkeyPath), { level: 9 }) },
    { name: `${name}.wasm`, bytes: gzipSync(readFileSync(wasmPath), { level: 9 }) },
  ]);
}

/** Writes the files beside the served pages, for `exit-tools.ts`. */
export function writeExitFiles(
  folder: string,
  files: readonly PackedFile[],
  workers: readonly WorkerFile[],
): void {
  mkdirSync(folder, { recursive: true });
  for (const { name, bytes } of files) writeFileSync(join(folder, `${name}.gz`), bytes);
  for (const { name, script } of workers) writeFileSync(join(folder, name), script);
}

const NAMES = { circuits: "virtual:exit-circuits", singleFile: "virtual:single-file-page" } as const;

/** The page to keep, as the served pages speak of it. */
export interface SingleFileFacts {
  /** Hex. */
  readonly sha256: string;
  readonly byteCount: number;
}

/** @param singleFile null: within the single-file page itself */
export function exitModules(
  circuits: readonly ExitPageCircuit[],
  singleFile: SingleFileFacts | null,
): Plugin {
  const values: Readonly<Record<string, unknown>> = {
    [NAMES.circuits]: circuits.map(({ name }) => name),
    [NAMES.singleFile]: singleFile,
  };
  return {
    name: "exit-modules",
    resolveId: (specifier) => (specifier in values ? `\0${specifier}` : null),
    load: (id) =>
      id.startsWith("\0") && id.slice(1) in values
        ? `export default ${JSON.stringify(values[id.slice(1)])};`
        : null,
  };
}
