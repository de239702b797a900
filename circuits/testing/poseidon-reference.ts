/** Test support: Poseidon by its definition, over bigint, about 4 ms a hash. The oracle for poseidon.ts. */
import { readFileSync } from "node:fs";
import { repositoryRoot } from "../compiler/compile.ts";
import { FIELD_ORDER } from "../protocol.ts";

const PARTIAL_ROUNDS = [56, 57, 56, 60, 60, 63, 64, 63, 60, 66, 60, 65, 70, 60, 64, 68];
const HALF_FULL_ROUNDS = 4;

/** circomlibjs' unoptimised constants, by width − 2. */
let constants: { C: bigint[][]; M: bigint[][][] } | undefined;

function loadConstants(): { C: bigint[][]; M: bigint[][][] } {
  const path = `${repositoryRoot}/node_modules/circomlibjs/src/poseidon_constants.json`;
  const all = JSON.parse(readFileSync(path, "utf8")) as { C: string[][]; M: string[][][] };
  return {
    C: all.C.map((row) => row.map(BigInt)),
    M: all.M.map((matrix) => matrix.map((row) => row.map(BigInt))),
  };
}

const modulo = (value: bigint): bigint => ((value % FIELD_ORDER) + FIELD_ORDER) % FIELD_ORDER;
const fifthPower = (value: bigint): bigint => {
  const square = (value * value) % FIELD_ORDER;
  return (((square * square) % FIELD_ORDER) * value) % FIELD_ORDER;
};

/** Follows `hashTagged`: 1 to 16 inputs, the tag as the initial capacity. */
export function hashTaggedReference(tag: bigint, inputs: readonly bigint[]): bigint {
  constants ??= loadConstants();
  const width = inputs.length + 1;
  const [c, m] = [constants.C[width - 2]!, constants.M[width - 2]!];
  const partialCount = PARTIAL_ROUNDS[width - 2]!;
  let state = [tag, ...inputs].map(modulo);
  for (let round = 0; round < 2 * HALF_FULL_ROUNDS + partialCount; round++) {
    const isFull = round < HALF_FULL_ROUNDS || round >= HALF_FULL_ROUNDS + partialCount;
    const added = state.map((value, i) => modulo(value + c[round * width + i]!));
    const raised = added.map((value, i) => (isFull || i === 0 ? fifthPower(value) : value));
    state = m.map((row) => modulo(row.reduce((sum, factor, j) => sum + factor * raised[j]!, 0n)));
  }
  return state[0]!;
}
