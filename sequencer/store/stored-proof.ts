/** A Groth16 proof in the prover's order: the real part of G2's coordinates first. */
export interface StoredProof {
  readonly a: readonly [bigint, bigint];
  readonly b: readonly [readonly [bigint, bigint], readonly [bigint, bigint]];
  readonly c: readonly [bigint, bigint];
}
