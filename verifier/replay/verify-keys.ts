/**
 * Checks that the verification keys on L1 are those of the circuits: `verifyRollup`, full nodes and the exit commands require
 * it.
 */
import type { RegisteredCircuit } from "@openledger/bridge/l1/rollup-contract";
import { shapeName } from "@openledger/circuits/protocol";
import { batchShape, type CircuitSizes, exitCircuitName } from "@openledger/circuits/registry/circuit-sizes";
import { CIRCUIT_SORT } from "@openledger/circuits/settlement/settlement-data";
import {
  fromContractIc,
  fromContractOrder,
  type G1Point,
  type G2RealFirst,
  type Groth16Proof,
  toContractIc,
  toContractOrder,
} from "@openledger/circuits/wire/groth16-proof";
import { computeCircuitId, G2_GENERATOR } from "@openledger/contracts/build/verifying-key";
import { requireSame, verifyDiffers } from "./verify-error.ts";

/** A Groth16 verification key (prover/formats/verification-key.ts has the same form). */
export interface VerifierKey {
  readonly alpha: G1Point;
  readonly beta: G2RealFirst;
  readonly gamma: G2RealFirst;
  readonly delta: G2RealFirst;
  readonly ic: readonly G1Point[];
}

export type VerifyProof = (
  key: VerifierKey,
  proof: Groth16Proof,
  publicSignals: readonly bigint[],
) => boolean | Promise<boolean>;

/** A circuit whose key was derived from the sources, not read from L1. */
export interface DerivedCircuit extends CircuitSizes {
  readonly key: VerifierKey;
  /** Name in the registry; a settlement circuit's spells its rows, features and draws. */
  readonly name?: string;
}

/**
 * Requires every registered circuit to be one of the derived ones, if any are given; recomputes ids in any case.
 * @throws BRG_VERIFY_DIFFERS
 */
export function checkKeys(
  registered: readonly RegisteredCircuit[],
  derived: readonly DerivedCircuit[] | null,
): void {
  for (const circuit of registered) {
    const { index, isDevelopment, key, tableSizes, sort, size0, size1 } = circuit;
    const sizes = { sort, size0, size1, tableSizes };
    const id = computeCircuitId({ ...sizes, isDevelopment, key });
    requireSame(null, `the id of circuit ${index}`, id, circuit.circuitId);
    if (derived === null) continue;
    const name = sizesName(sizes);
    const candidates = derived.filter((d) => sizesName(d) === name);
    if (candidates.length === 0) {
      throw verifyDiffers({
        batchNumber: null,
        what: `circuit ${index}`,
        expected: derived.map(sizesName),
        actual: name,
      });
    }
    const keys = candidates.map((candidate) => onL1(candidate.key));
    const actual = { alpha: key.alpha, beta: key.beta, delta: key.delta, ic: key.ic };
    if (keys.length === 1) requireSame(null, `the verifying key of ${name}`, keys[0], actual);
    else if (!keys.some((k) => isSameKey(k, actual))) {
      throw verifyDiffers({
        batchNumber: null,
        what: `the verifying key of ${name}`,
        expected: "one of the derived ones",
        actual,
      });
    }
  }
}

/**
 * Name of a circuit as far as L1 knows it: a settlement's rows, features and draws are not among its sizes.
 */
function sizesName(sizes: CircuitSizes): string {
  const { size0, size1, sort } = sizes;
  switch (sort) {
    case CIRCUIT_SORT.batch:
      return shapeName(batchShape(sizes));
    case CIRCUIT_SORT.payeeTable:
      return `payee-table-${size1}`;
    case CIRCUIT_SORT.exit:
      return exitCircuitName({ size0, size1 });
    case CIRCUIT_SORT.shardedSettlement:
      return `the draws of ${size0} payments for ${size1} shards`;
    case CIRCUIT_SORT.shard:
      return `a shard of ${size1} payees`;
    default:
      return `a settlement of ${size0} payments and ${size1} payees`;
  }
}

/** Contract form of a derived key. */
function onL1({ alpha, beta, delta, ic }: VerifierKey) {
  return { alpha, beta: toContractOrder(beta), delta: toContractOrder(delta), ic: toContractIc(ic) };
}

/** True if a registered circuit has this derived key. */
export function isKeyOf(derived: VerifierKey, { key }: RegisteredCircuit): boolean {
  const { alpha, beta, delta, ic } = key;
  return isSameKey(onL1(derived), { alpha, beta, delta, ic });
}

function isSameKey(x: object, y: object): boolean {
  try {
    requireSame(null, "the key", x, y);
    return true;
  } catch {
    return false;
  }
}

/** Registered key in the form of verifiers off chain. */
export function verifierKey({ key }: RegisteredCircuit): VerifierKey {
  const { alpha, beta, delta, ic } = key;
  const gamma = fromContractOrder(G2_GENERATOR);
  return {
    alpha,
    beta: fromContractOrder(beta),
    gamma,
    delta: fromContractOrder(delta),
    ic: fromContractIc(ic),
  };
}
