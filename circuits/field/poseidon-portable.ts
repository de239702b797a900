/**
 * Poseidon hash over bigint, which poseidon.ts takes on processors whose WebAssembly has no fused multiply-add:
 * a third of a millisecond a hash.
 */
import { FIELD_ORDER } from "../protocol.ts";
import { dot, timesVector, type Vector } from "../wasm/field-matrix.ts";
import { type SparsePoseidon, sparsePoseidon } from "../wasm/poseidon-sparse.ts";

export function createPortableHash(): (tag: bigint, inputs: readonly bigint[]) => bigint {
  const widths = new Map<number, SparsePoseidon>();
  return (tag, inputs) => {
    const width = inputs.length + 1;
    const rounds = widths.get(width) ?? sparsePoseidon(width);
    widths.set(width, rounds);
    return permuteFirst([tag, ...inputs], rounds);
  };
}

const fifth = (x: bigint) => {
  const square = (x * x) % FIELD_ORDER;
  return (((square * square) % FIELD_ORDER) * x) % FIELD_ORDER;
};
const plus = (a: Vector, b: Vector) => a.map((value, i) => value + b[i]!);

/** @returns the first element of the permuted state */
function permuteFirst(
  input: Vector,
  { after, before, entry, matrix, partial, start }: SparsePoseidon,
): bigint {
  let state: Vector = plus(input, start);
  const fullRound = (constants: Vector, mixer: typeof matrix) => {
    state = timesVector(mixer, plus(state.map(fifth), constants));
  };
  for (const [i, constants] of before.entries())
    fullRound(constants, i === before.length - 1 ? entry : matrix);
  for (const { column, constant, row } of partial) {
    const [first, ...others] = state;
    const raised = fifth(first!) + constant;
    const rest = others.map((value, i) => (value + raised * column[i]!) % FIELD_ORDER);
    state = [dot(row, [raised, ...others]), ...rest];
  }
  for (const constants of after) fullRound(constants, matrix);
  return ((state[0]! % FIELD_ORDER) + FIELD_ORDER) % FIELD_ORDER;
}
