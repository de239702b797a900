/**
 * A Groth16 simulator for tests of the contracts: it makes keys whose secrets it knows, and with them valid proofs
 * of *any* statement, true or false. That is what makes it useful here: the contracts can be driven into every state
 * without a circuit, and what they refuse, they refuse on their own. It proves nothing and has no other use.
 * Its keys are marked as development keys, which the contracts refuse on any chain but 31337.
 */
import { randomBytes } from "node:crypto";
import { bn254 } from "@noble/curves/bn254.js";
import { isBlobShape } from "@openledger/circuits/protocol";
import { batchShape, type CircuitSizes } from "@openledger/circuits/registry/circuit-sizes";
import { CIRCUIT_SORT } from "@openledger/circuits/settlement/settlement-data";
import {
  type ContractProof,
  type G1Point,
  type G2ImaginaryFirst,
  imaginaryFirst,
  toContractIc,
} from "@openledger/circuits/wire/groth16-proof";
import { type CircuitConfig, computeCircuitId } from "../build/verifying-key.ts";

export interface SimulatedCircuit extends CircuitConfig {
  readonly circuitId: bigint;
  /**
   * Makes a valid proof for these inputs: C, y, z, and the halves of a blob's value if there is one. Each
   * call makes another proof.
   */
  forge(inputs: readonly bigint[]): ContractProof;
}

export interface SharedSecrets {
  readonly alpha: bigint;
  readonly beta: bigint;
}

const { Fr } = bn254.fields;
/** The base without a table. */
const plainBase = bn254.G1.Point.fromAffine(bn254.G1.Point.BASE.toAffine());
// Multiplications are the slow part. Proofs may share B, and keys all but delta: one of each a process is enough.
const proofB = randomScalar();
const proofBPoint = toG2(proofB);
const allIc = Array.from({ length: 6 }, randomScalar);
const allIcPoints = allIc.map(toG1);
/** Number of proofs so far, and the scalar of the last one's A: a small one is multiplied at once. */
let proofCount = 0n;

export const sharedSecrets: SharedSecrets = { alpha: randomScalar(), beta: randomScalar() };
const sharedPoints = { alpha: toG1(sharedSecrets.alpha), beta: toG2(sharedSecrets.beta) };

/** Makes a circuit with known secrets. Overrides let a test build keys that the contracts must refuse. */
export function simulateCircuit(
  sizes: CircuitSizes,
  overrides: { delta?: bigint; shared?: SharedSecrets } = {},
): SimulatedCircuit {
  const { alpha, beta } = overrides.shared ?? sharedSecrets;
  const delta = overrides.delta ?? randomScalar();
  const hasBlob = sizes.sort === CIRCUIT_SORT.batch && isBlobShape(batchShape(sizes));
  const icCount = hasBlob ? 6 : 4;
  const ic = allIc.slice(0, icCount);
  const config: CircuitConfig = {
    sort: sizes.sort,
    size0: sizes.size0,
    size1: sizes.size1,
    tableSizes: sizes.tableSizes,
    isDevelopment: true,
    key: {
      alpha: alpha === sharedSecrets.alpha ? sharedPoints.alpha : toG1(alpha),
      beta: beta === sharedSecrets.beta ? sharedPoints.beta : toG2(beta),
      delta: toG2(delta),
      ic: toContractIc(allIcPoints.slice(0, icCount)),
    },
  };
  return {
    ...config,
    circuitId: computeCircuitId(config),
    forge(inputs) {
      // c from the verification equation in the exponent: a b = alpha beta + Σ ic_i x_i + c delta.
      const a = ++proofCount;
      const statement = inputs.reduce((sum, input, i) => sum + (ic[i + 1] ?? 0n) * input, ic[0]!);
      const c = Fr.div(Fr.create(a * proofB - alpha * beta - statement), delta);
      return { a: toG1(a), b: proofBPoint, c: toG1(c) };
    },
  };
}

function toG1(scalar: bigint): G1Point {
  // Nobody's secret is to be guarded here: half of the time. The table's windows are all added, however short the scalar is.
  const base = scalar < 2n ** 32n ? plainBase : bn254.G1.Point.BASE;
  const { x, y } = base.multiplyUnsafe(scalar).toAffine();
  return [x, y];
}

export function toG2(scalar: bigint): G2ImaginaryFirst {
  const { x, y } = bn254.G2.Point.BASE.multiplyUnsafe(scalar).toAffine();
  return imaginaryFirst([x.c1, x.c0], [y.c1, y.c0]);
}

function randomScalar(): bigint {
  // 0 has no use here and no chance, and nothing depends on the rest.
  return BigInt(`0x${randomBytes(8).toString("hex")}`);
}
