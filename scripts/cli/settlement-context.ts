/** Opens circuits, keys and back ends for commands that prove settlements and exits, and proves with lines of progress. */
import type { Deployment } from "@openledger/circuits/registry/deployment";
import type { PreparedSettlement } from "@openledger/circuits/settlement/settled-model";
import type { ProvableSettlement } from "@openledger/models/settling/prepare-settlement";
import { type ProvedSettlement, proveSettlement } from "@openledger/models/settling/prove-settlement";
import type { BackendName } from "@openledger/prover/backends";
import { BACKEND_CHOICES, type BackendChoice, chooseBackend } from "@openledger/prover/choose-backend";
import { proveWithProgress } from "@openledger/prover/proving/prove-with-progress";
import type { Prover } from "@openledger/prover/proving/prover";
import {
  openProvingCircuit,
  openProvingCircuits,
  type RollupCircuit,
  readRollupCircuits,
} from "@openledger/verifier/circuits/rollup-circuits";
import type { ProveStatement } from "@openledger/verifier/without-operator/prove-statement";
import { commandError } from "./cli-errors.ts";
import { deploymentOf, type GlobalOptions, resolveEndpoints } from "./context.ts";
import type { Output } from "./output.ts";
import type { CircuitOptions } from "./settlement-options.ts";

export interface SettlementContext {
  readonly circuits: readonly RollupCircuit[];
  readonly deployment: Deployment | null;
}

/** @throws CLI_CIRCUIT_MISSING */
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

/** Checks the value of a command's `--prover`. @throws CMD_USAGE */
export function requireBackendChoice(text: string): BackendChoice {
  const choice = BACKEND_CHOICES.find((name) => name === text);
  if (choice !== undefined) return choice;
  throw commandError("CMD_USAGE", `"${text}" is no back end; there are ${BACKEND_CHOICES.join(", ")}`);
}

/**
 * The back end that a command's `--prover` means.
 * @param say told which it is and why, where the machine has chosen. @throws CMD_USAGE
 */
export async function requireBackend(text: string, say: (line: string) => void): Promise<BackendName> {
  const choice = requireBackendChoice(text);
  const { backend, reason } = await chooseBackend(choice);
  if (choice === "auto") say(`proofs by ${reason}`);
  return backend;
}

/**
 * Returns the function by which a command proves with a circuit of the rollup, by its name: opens the keys, and reports each stage in
 * steps of ten per cent.
 */
export const proverByName =
  (
    circuits: readonly RollupCircuit[],
    {
      deployment,
      keys,
      onProgress,
      prover,
    }: {
      readonly deployment: Deployment | null;
      readonly keys: string | undefined;
      readonly onProgress: (text: string) => void;
      readonly prover: Prover;
    },
  ): ProveStatement =>
  async (name, inputs) => {
    const circuit = circuits.find((known) => known.name === name)!;
    const proving = await openProvingCircuit(circuit, deployment, onProgress, keys);
    return proveWithProgress(
      prover,
      { circuit: proving, inputs },
      {
        onProgress: ({ percent, stage }) =>
          onProgress(`${name}: ${stage}, ${10 * Math.floor(percent / 10)} %`),
      },
    );
  };

/** Proves with percentages on stderr. */
export async function proveWithOutput(
  { circuits, prepared }: ProvableSettlement<Pick<PreparedSettlement, "data" | "proofs">>,
  context: SettlementContext & { readonly output: Output; readonly prover: string; readonly keys?: string },
): Promise<ProvedSettlement> {
  const { deployment, output } = context;
  const backend = await requireBackend(context.prover, output.note);
  const proving = await openProvingCircuits(
    circuits,
    deployment,
    () => (text) => output.progress(text),
    context.keys,
  );
  const names = [...new Set(circuits.map(({ name }) => name))].join(" and ");
  return proveSettlement(prepared, proving, {
    backend,
    onProgress: ({ stage, percent }) =>
      output.progress(`proving with ${names}: ${stage}, ${10 * Math.floor(percent / 10)} %`),
  });
}
