/** The keys of exits on the machine of whoever leaves, made or read from files. */
import { join } from "node:path";
import type { RegisteredCircuit } from "../../bridge/l1/rollup-contract.ts";
import { compileCircuit } from "../../circuits/compiler/compile.ts";
import { circuitSpec } from "../../circuits/registry/circuit-registry.ts";
import { developmentSetup } from "../../prover/keys/development-setup.ts";
import type { ProvingCircuit } from "../../prover/proving/prover.ts";
import { loadProductionKey } from "../../prover/proving/proving-key.ts";
import { requireRegisteredKey } from "./exit-circuits.ts";

/**
 * The circuit, compiled from this repository, with its keys: development keys follow from the circuit, those of a
 * ceremony are files. The key must be the registered one: proofs by any other convince no one.
 *
 * @param keysFolder `<keysFolder>/<circuit>` is what `ceremony export` writes
 * @throws CLI_KEYS_DIFFER, PRV_KEY_UNREADABLE, PRV_KEY_MISMATCH, CIR_COMPILE_FAILED
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
