/**
 * Circuits of a deployment record with their verification keys, as proving processes and verifiers need them; a
 * missing development key is made.
 */
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { compileCircuit } from "@openledger/circuits/compiler/compile";
import { circuitSpec } from "@openledger/circuits/registry/circuit-registry";
import type { DeployedCircuit } from "@openledger/circuits/registry/deployment";
import { parseVerificationKey, type VerificationKey } from "../formats/verification-key.ts";
import { proverError } from "../prover-errors.ts";
import type { ProvingCircuit } from "../proving/prover.ts";
import { developmentSetup, type SetupProgress } from "./development-setup.ts";

type Named = Pick<DeployedCircuit, "name" | "verificationKeyPath">;

/** Reads the verification key that a deployment record names. @throws PRV_KEY_INVALID */
export async function loadVerificationKey({ name, verificationKeyPath }: Named): Promise<VerificationKey> {
  let json: unknown;
  try {
    json = JSON.parse(await readFile(verificationKeyPath, "utf8"));
  } catch (cause) {
    throw proverError(
      "PRV_KEY_INVALID",
      `cannot read the verification key of ${name} at ${verificationKeyPath}`,
      { data: { reason: "key-unreadable", circuit: name, verificationKeyPath }, cause },
    );
  }
  return parseVerificationKey(json);
}

/**
 * Development keys follow from their circuit, so a deployment may have left out the proving keys of circuits that
 * hardly anybody proves with: a missing one is made here. A key of a ceremony, and a circuit that is not this
 * repository's, stays as it is.
 *
 * @throws CIR_COMPILE_FAILED, PRV_WORKER_DIED
 */
export async function makeMissingKey(
  circuit: ProvingCircuit,
  onProgress: (progress: SetupProgress) => void = () => {},
): Promise<ProvingCircuit> {
  if (!circuit.isDevelopment || existsSync(circuit.zkeyPath)) return circuit;
  const compiled = await compileCircuit(circuitSpec(circuit.name));
  if (compiled.contentHash !== circuit.contentHash) return circuit;
  return developmentSetup(compiled, { onProgress });
}

/** Loads the circuits of a deployment record by name, with the files that a prover needs. @throws PRV_KEY_INVALID */
export async function loadDeployedCircuits(
  circuits: readonly DeployedCircuit[],
): Promise<Map<string, ProvingCircuit>> {
  const loaded = new Map<string, ProvingCircuit>();
  for (const circuit of circuits) {
    const { contentHash, isDevelopment, name, wasmPath, zkeyPath } = circuit;
    const verificationKey = await loadVerificationKey(circuit);
    loaded.set(name, { name, wasmPath, zkeyPath, contentHash, isDevelopment, verificationKey });
  }
  return loaded;
}
