/** Circuit for tests of the provers whose key has all that sums of points can stumble over. */
import { type CompiledCircuit, compileCircuit } from "@openledger/circuits/compiler/compile";

/** Wires of each sort. */
export const AWKWARD_WIRES = 40;

/**
 * A circuit whose key has what sums of points stumble over: equal points (wires that always occur together), opposite
 * points (wires that occur with opposite signs), points at infinity in A and B (wires in only one matrix), and wires that all
 * have the input's value, so that one bucket gets everything.
 *
 * Inputs: x (public), one (must be 1), equal[40], opposite[40] (even places added, odd ones subtracted).
 */
export function compileAwkward(): Promise<CompiledCircuit> {
  return compileCircuit({
    name: "awkward",
    mainSource: `pragma circom 2.1.6;
template Awkward(n) {
  signal input x;
  signal input one;
  signal input equal[n];
  signal input opposite[n];
  signal output y;
  one * one === 1;
  signal chain[n + 1];
  chain[0] <== x * one;
  for (var i = 0; i < n; i++) chain[i + 1] <== chain[i] * one;
  var sum = 0;
  var difference = 0;
  for (var i = 0; i < n; i++) {
    sum += equal[i];
    difference += (i % 2 == 0) ? opposite[i] : -opposite[i];
  }
  signal first <== sum * x;
  signal second <== first * difference;
  y <== second + chain[n];
}
component main {public [x]} = Awkward(${AWKWARD_WIRES});
`,
  });
}

/** Circuit inputs, with one value each for the wires of a sort. */
export function awkwardInputs(x: bigint, equal: bigint, opposite: bigint) {
  const repeat = (value: bigint) => Array.from({ length: AWKWARD_WIRES }, () => value);
  return { x, one: 1n, equal: repeat(equal), opposite: repeat(opposite) };
}
