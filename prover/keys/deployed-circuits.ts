import { readFile } from "node:fs/promises";
import type { DeployedCircuit } from "../../circuits/registry/deployment.ts";
import { parseVerificationKey, type VerificationKey } from "../formats/verification-key.ts";
import { proverError } from "../prover-errors.ts";
import type { ProvingCircuit } from "../proving/prover.ts";

type Named = Pick<DeployedCircuit, "name" | "verificationKeyPath">;

/** The verification key that a deployment record names. @throws PRV_KEY_UNREADABLE, PRV_KEY_INVALID */
export async function loadVerificationKey({ name, verificationKeyPath }: Named): Promise<VerificationKey> {
  let json: unknown;
  try {
    json = JSON.parse(await readFile(verificationKeyPath, "utf8"));
  } catch (cause) {
    throw proverError(
      "PRV_KEY_UNREADABLE",
      `cannot read the verification key of ${name} at ${verificationKeyPath}`,
      { data: { circuit: name, verificationKeyPath }, cause },
    );
  }
  return parseVerificationKey(json);
}

/** Circuits of a deployment record by name, with what a prover needs. @throws PRV_KEY_UNREADABLE, PRV_KEY_INVALID */
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
