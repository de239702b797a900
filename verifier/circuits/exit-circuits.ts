/**
 * Finds the circuits for exits (leaving a frozen rollup by a proof) among those that a rollup has registered on L1, and chooses
 * one for a leaf or for a model's payees. Exits, freezes and the exit page use it.
 */
import type { RegisteredCircuit } from "@openledger/bridge/l1/rollup-contract";
import { EXIT_KIND } from "@openledger/circuits/exit/exit-statement";
import { exitCircuitName } from "@openledger/circuits/registry/circuit-sizes";
import { CIRCUIT_SORT } from "@openledger/circuits/settlement/settlement-data";
import { computeCircuitId } from "@openledger/contracts/build/verifying-key";
import { toSolidityKey, type VerificationKey } from "@openledger/prover/formats/verification-key";
import { verifierError } from "../verifier-errors.ts";

/** A registered circuit of exits, by its name in the registry. */
export interface ExitCircuit extends RegisteredCircuit {
  readonly name: string;
}

/** Exit circuits that the contract requires before it freezes (BatchVerifier.sol, `_hasWaysOut`). */
export interface WaysOut {
  readonly hasLeafExit: boolean;
  /** Payees of the largest circuit of payees' exits; 0 if there is none. */
  readonly payees: number;
  readonly neededPayees: number;
}

export function waysOut(registered: readonly RegisteredCircuit[]): WaysOut {
  const exits = exitCircuits(registered);
  const hasShards = registered.some(({ sort }) => sort === CIRCUIT_SORT.shardedSettlement);
  const settlements = registered.filter(
    ({ sort }) => sort === CIRCUIT_SORT.settlement || (hasShards && sort === CIRCUIT_SORT.payeeTable),
  );
  return {
    hasLeafExit: exits.some(({ size0 }) => size0 === EXIT_KIND.leaf),
    payees: Math.max(0, ...exits.map(({ size1 }) => size1)),
    neededPayees: Math.max(0, ...settlements.map(({ size1 }) => size1)),
  };
}

export function exitCircuits(registered: readonly RegisteredCircuit[]): ExitCircuit[] {
  return registered
    .filter(({ sort }) => sort === CIRCUIT_SORT.exit)
    .map((circuit) => ({ ...circuit, name: exitCircuitName(circuit) }));
}

/**
 * A key that is here must be the registered one: proofs by any other convince no one.
 * @throws CLI_KEYS_DIFFER
 * @internal
 */
export function requireRegisteredKey(
  circuit: RegisteredCircuit & { readonly name: string },
  key: VerificationKey,
): void {
  const { isDevelopment, name, size0, size1, sort } = circuit;
  const circuitId = computeCircuitId({
    sort,
    size0,
    size1,
    isDevelopment,
    key: toSolidityKey(key),
  });
  if (circuitId === circuit.circuitId) return;
  throw verifierError("CLI_KEYS_DIFFER", `the rollup has another key for ${name} than is here`, {
    data: { circuit: name, isDevelopment, expected: circuit.circuitId, actual: circuitId },
  });
}

/**
 * The circuit of leaves' exits, or the smallest one of payees' exits with room for a model's payees.
 * @param payeeCount null for a leaf
 * @throws CLI_CIRCUIT_MISSING
 */
export function exitCircuitFor(circuits: readonly ExitCircuit[], payeeCount: number | null): ExitCircuit {
  const [first] = circuits
    .filter(({ size0, size1 }) =>
      payeeCount === null ? size0 === EXIT_KIND.leaf : size0 === EXIT_KIND.payee && size1 >= payeeCount,
    )
    .sort((x, y) => x.size1 - y.size1);
  if (first !== undefined) return first;
  const what = payeeCount === null ? "exits of leaves" : `exits from a table of ${payeeCount} payees`;
  throw verifierError("CLI_CIRCUIT_MISSING", `no circuit of the rollup is for ${what}`, {
    data: { circuits: circuits.map(({ name }) => name) },
  });
}
