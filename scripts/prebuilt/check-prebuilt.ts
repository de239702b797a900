/**
 * Check of the prebuilt circuits and contracts for `npx tsx scripts/prebuild.ts --check`: compiles each from source and compares
 * bytes.
 */
import { createHash } from "node:crypto";
import { readFile, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { compileCircuit } from "@openledger/circuits/compiler/compile";
import { CONTRACT_SETS, compileContracts } from "@openledger/contracts/build/compile";
import { isRollupError } from "@openledger/foundation/rollup-error";
import { prebuiltCircuits } from "./prebuilt-circuits.ts";

/**
 * Compiles every prebuilt circuit from source into an empty folder, and compares.
 * @returns names of those that differ, or that today's sources do not make
 */
export async function checkCircuits(cacheDir: string, say: (line: string) => void): Promise<string[]> {
  const different: string[] = [];
  for (const { header, isCurrent } of prebuiltCircuits()) {
    const { mainSource, name } = header;
    const keepSym = header.sym !== undefined;
    try {
      // Compares r1cs and wasm itself.
      const built = await compileCircuit({ name, mainSource, keepSym }, { cacheDir, prebuilt: false });
      const sym = keepSym ? sha256(await readFile(built.symPath)) : undefined;
      if (!isCurrent || sym !== header.sym?.sha256) different.push(name);
      await rm(dirname(built.r1csPath), { recursive: true });
      say(`${name}: compiled and compared`);
    } catch (error) {
      if (!isRollupError(error, "CIR_PREBUILT_DIFFERS")) throw error;
      different.push(name);
    }
  }
  return different;
}

/** Checks the contracts in the same way. */
export async function checkContracts(cacheDir: string, say: (line: string) => void): Promise<string[]> {
  const different: string[] = [];
  for (const set of CONTRACT_SETS) {
    const compiled = await compileContracts({ cacheDir: `${cacheDir}/compiled`, set, prebuilt: false });
    const unpacked = await compileContracts({ cacheDir: `${cacheDir}/unpacked`, set });
    if (JSON.stringify(compiled) !== JSON.stringify(unpacked)) different.push(`contracts of ${set}`);
    say(`contracts of ${set}: compiled and compared`);
  }
  return different;
}

const sha256 = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");
