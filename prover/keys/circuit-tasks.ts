/** Task of a thread that prepares circuits for a deployment beside its caller: e2e/devnet/circuits.ts starts it. */
import { compileCircuit } from "@openledger/circuits/compiler/compile";
import { circuitSpec } from "@openledger/circuits/registry/circuit-registry";
import { developmentVerificationKey } from "./development-setup.ts";

/** Compiles the circuit of this name, and makes the verification key of its development key. */
export const prepareCircuit = async (name: string) => {
  const compiled = await compileCircuit(circuitSpec(name));
  return { compiled, key: await developmentVerificationKey(compiled) };
};
