/** What the commands about settlements share: the rollup's circuits and keys, and proving with progress. */
import type { Deployment } from "../../circuits/registry/deployment.ts";
import type { PreparedSettlement } from "../../circuits/settlement/settled-model.ts";
import {
  openProvingCircuit,
  type RollupCircuit,
  readRollupCircuits,
} from "../../client/circuits/rollup-circuits.ts";
import { type ProvedSettlement, proveSettlement } from "../../client/settling/prove-settlement.ts";
import { BACKEND_NAMES, type BackendName } from "../../prover/backends.ts";
import { commandError } from "./cli-errors.ts";
import { deploymentOf, type GlobalOptions, resolveEndpoints } from "./context.ts";
import type { Output } from "./output.ts";
import type { CircuitOptions } from "./settlement-options.ts";

export interface SettlementContext {
  readonly circuits: readonly RollupCircuit[];
  readonly deployment: Deployment | null;
}

/** @throws CLI_CIRCUIT_UNNAMED */
export async function openSettlementContext(
  options: Pick<CircuitOptions, "circuits"> & GlobalOptions,
): Promise<SettlementContext> {
  const { rpcUrl, rollupAddress } = resolveEndpoints(options);
  const deployment = deploymentOf(rollupAddress);
  const circuits = await readRollupCircuits({
    rpcUrl,
    rollupAddress,
    circuitNames: options.circuits,
    deployment,
  });
  return { circuits, deployment };
}

/** @throws CMD_USAGE */
export function requireBackend(text: string): BackendName {
  const backend = BACKEND_NAMES.find((name) => name === text);
  if (backend !== undefined) return backend;
  throw commandError("CMD_USAGE", `"${text}" is no back end; there are ${BACKEND_NAMES.join(", ")}`);
}

/** Proves with percentages on stderr. */
export async function proveWithOutput(
  prepared: Pick<PreparedSettlement, "data" | "earnerCount" | "privateElements" | "inputs">,
  circuit: RollupCircuit,
  context: SettlementContext & { readonly output: Output; readonly prover: string; readonly keys?: string },
): Promise<ProvedSettlement> {
  const { deployment, output } = context;
  const backend = requireBackend(context.prover);
  const proving = await openProvingCircuit(
    circuit,
    deployment,
    (text) => output.progress(text),
    context.keys,
  );
  return proveSettlement(
    prepared,
    { circuitId: circuit.circuitId, proving },
    {
      backend,
      onProgress: ({ stage, percent }) =>
        output.progress(`proving with ${circuit.name}: ${stage}, ${10 * Math.floor(percent / 10)} %`),
    },
  );
}
