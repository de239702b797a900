/**
 * Groth16 proofs over bn254 and the two orders of G2's coordinates. A coordinate is x0 + x1 u: snarkjs, the provers, the
 * sequencer and everybody who verifies write the real part x0 first; the EVM and so the contracts (EIP-197) write x1
 * first. The two are different types, so a forgotten conversion does not compile; the conversion is here, and only what
 * writes to the contracts, or reads what they hold, needs it.
 */
declare const ORDER: unique symbol;

type Coordinates = readonly [readonly [bigint, bigint], readonly [bigint, bigint]];

/** An affine point of G1: [x, y], each below the base field's modulus. */
export type G1Point = readonly [bigint, bigint];
/** An affine point of G2: [[x0, x1], [y0, y1]]. */
export type G2RealFirst = Coordinates & { readonly [ORDER]: "real first" };
/** The same, as contracts have it: [[x1, x0], [y1, y0]]. */
export type G2ImaginaryFirst = Coordinates & { readonly [ORDER]: "imaginary first" };

export interface Groth16Proof {
  readonly a: G1Point;
  readonly b: G2RealFirst;
  readonly c: G1Point;
}

/** Proof in the contracts' form. */
export interface ContractProof {
  readonly a: G1Point;
  readonly b: G2ImaginaryFirst;
  readonly c: G1Point;
}

/** Brands coordinates from elsewhere with their order. */
export const realFirst = (x: G1Point, y: G1Point) => [x, y] as unknown as G2RealFirst;
export const imaginaryFirst = (x: G1Point, y: G1Point) => [x, y] as unknown as G2ImaginaryFirst;

/**
 * Points of a key for its public signals, in the contracts' form: the constant, C, y, z, and the halves of a
 * blob's value.
 */
export type ContractIc = readonly [G1Point, G1Point, G1Point, G1Point, G1Point, G1Point];
const IC_COUNT = 6;
const AT_INFINITY: G1Point = [0n, 0n];

/** A circuit with fewer signals has the point at infinity for the last ones. @throws RangeError for more than five signals */
export function toContractIc(ic: readonly G1Point[]): ContractIc {
  if (ic.length > IC_COUNT)
    throw new RangeError(`the contracts take ${IC_COUNT - 1} signals, not ${ic.length - 1}`);
  return Array.from({ length: IC_COUNT }, (_, i) => ic[i] ?? AT_INFINITY) as unknown as ContractIc;
}

/** Points of the circuit's own signals. Drops the points at infinity that `toContractIc` appended. */
export const fromContractIc = (ic: readonly G1Point[]): G1Point[] =>
  ic.filter(([x, y]) => x !== 0n || y !== 0n);

const turned = ([first, second]: G1Point): G1Point => [second, first];

export const toContractOrder = ([x, y]: G2RealFirst) => imaginaryFirst(turned(x), turned(y));
export const fromContractOrder = ([x, y]: G2ImaginaryFirst) => realFirst(turned(x), turned(y));

export const toContractProof = ({ a, b, c }: Groth16Proof): ContractProof => ({
  a,
  b: toContractOrder(b),
  c,
});
export const fromContractProof = ({ a, b, c }: ContractProof): Groth16Proof => ({
  a,
  b: fromContractOrder(b),
  c,
});
