/**
 * Poseidon's permutation for nine elements by its definition, and its inverse, over bigint: for tests, and for threads in
 * which circomlibjs cannot be loaded (its thread package seizes their message port). 0.7 ms each.
 */
import { readFileSync } from "node:fs";
import { repositoryRoot } from "../compiler/compile.ts";
import { invertMod } from "../inverse.ts";
import { FIELD_ORDER } from "../protocol.ts";
import { powMod } from "./modular.ts";

const modulo = (value: bigint) => ((value % FIELD_ORDER) + FIELD_ORDER) % FIELD_ORDER;

// circomlibjs' unoptimised constants.
const WIDTH = 9;
const PARTIAL_ROUNDS = 63;
interface Constants {
  readonly C: readonly bigint[];
  readonly M: readonly (readonly bigint[])[];
}
let loaded: Constants | undefined;
function constants(): Constants {
  if (loaded !== undefined) return loaded;
  const path = `${repositoryRoot}/node_modules/circomlibjs/src/poseidon_constants.json`;
  const all = JSON.parse(readFileSync(path, "utf8")) as { C: string[][]; M: string[][][] };
  loaded = { C: all.C[WIDTH - 2]!.map(BigInt), M: all.M[WIDTH - 2]!.map((row) => row.map(BigInt)) };
  return loaded;
}

const isFullRound = (round: number) => round < 4 || round >= 4 + PARTIAL_ROUNDS;
const mix = (matrix: readonly (readonly bigint[])[], state: readonly bigint[]) =>
  matrix.map((row) => modulo(row.reduce((sum, m, j) => sum + m * state[j]!, 0n)));

export function permute(input: readonly bigint[]): bigint[] {
  const { C, M } = constants();
  let state = [...input];
  for (let round = 0; round < 8 + PARTIAL_ROUNDS; round++) {
    state = state.map((value, i) => modulo(value + C[round * WIDTH + i]!));
    state = state.map((value, i) => (isFullRound(round) || i === 0 ? powMod(value, 5n, FIELD_ORDER) : value));
    state = mix(M, state);
  }
  return state;
}

export function unpermute(output: readonly bigint[]): bigint[] {
  const { C, M } = constants();
  const unmix = invert(M);
  // x ↦ x^5 is undone by the exponent 1/5 modulo r − 1.
  const fifthRoot = invertMod(5n, FIELD_ORDER - 1n);
  let state = [...output];
  for (let round = 7 + PARTIAL_ROUNDS; round >= 0; round--) {
    state = mix(unmix, state);
    state = state.map((value, i) =>
      isFullRound(round) || i === 0 ? powMod(value, fifthRoot, FIELD_ORDER) : value,
    );
    state = state.map((value, i) => modulo(value - C[round * WIDTH + i]!));
  }
  return state;
}

/** Gauss–Jordan over the field; Poseidon's matrices have no zero pivot. */
function invert(matrix: readonly (readonly bigint[])[]): bigint[][] {
  const n = matrix.length;
  const rows = matrix.map((row, i) => [...row, ...row.map((_, j) => (i === j ? 1n : 0n))]);
  for (let pivot = 0; pivot < n; pivot++) {
    const scale = invertMod(rows[pivot]![pivot]!, FIELD_ORDER);
    rows[pivot] = rows[pivot]!.map((value) => modulo(value * scale));
    for (let i = 0; i < n; i++) {
      if (i === pivot) continue;
      const factor = rows[i]![pivot]!;
      rows[i] = rows[i]!.map((value, j) => modulo(value - factor * rows[pivot]![j]!));
    }
  }
  return rows.map((row) => row.slice(n));
}
