/**
 * Opens a circuit that a rollup has registered on L1, with its proving key, on the machine of somebody who leaves or settles
 * without the operator.
 */
import { join } from "node:path";
import type { RegisteredCircuit } from "@openledger/bridge/l1/rollup-contract";
import { compileCircuit } from "@openledger/circuits/compiler/compile";
import { circuitSpec } from "@openledger/circuits/registry/circuit-registry";
import { developmentSetup } from "@openledger/prover/keys/development-setup";
import type { ProvingCircuit } from "@openledger/prover/proving/prover";
import { loadProductionKey } from "@openledger/prover/proving/proving-key";
import { requireRegisteredKey } from "./exit-circuits.ts";

/**
 * The circuit, compiled from this repository, with its keys: development keys follow from the circuit, those of a
 * ceremony are files. The key must be the registered one: proofs by any other convince no one.
 *
 * @param keysFolder `<keysFolder>/<circuit>` is what `openledger ceremony` writes
 * @throws CLI_KEYS_DIFFER, PRV_KEY_INVALID, CIR_COMPILE_FAILED
 */
export async function openRegisteredCircuit(
  circuit: RegisteredCircuit & { readonly name: string },
  keysFolder: string,
  onProgress: (text: string) => void,
): Promise<ProvingCircuit> {
  const { isDevelopment, name } = circuit;
  onProgress(`compiling ${name}, once, then cached`);
  const compiled = await compileCircuit(circuitSpec(name));
  const proving = isDevelopment
    ? await developmentSetup(compiled, {
        onProgress: ({ stage, done, total }) =>
          onProgress(`keys of ${name}: ${stage} ${10 * Math.floor((10 * done) / Math.max(1, total))} %`),
      })
    : await loadProductionKey(compiled, join(keysFolder, name));
  requireRegisteredKey(circuit, proving.verificationKey);
  return proving;
}
