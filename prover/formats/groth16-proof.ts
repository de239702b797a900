/** Affine coordinates below the base field's modulus; `b` has the real part first, as snarkjs has it. */
export interface Groth16Proof {
  a: readonly [bigint, bigint];
  b: readonly [readonly [bigint, bigint], readonly [bigint, bigint]];
  c: readonly [bigint, bigint];
}
