/** Inputs of the C++ step runner (step-runner.ts): circuit inputs flattened to 32-byte values. */
import {
  type CircuitInputs,
  type InputValue,
  type InputWires,
  signalValue,
} from "@openledger/circuits/compiler/witness-calculator";
import { FIELD_ORDER } from "@openledger/circuits/protocol";

/** 64-bit words of a field element. */
const WORDS = 4;
/** Mask of a word. */
const LOW = (1n << 64n) - 1n;

/**
 * Flattens copies' inputs for the step runner: copy after copy, each input at its wires, 32 little-endian
 * bytes a value. null if names or sizes are not the part's: circom's program then reports the fault.
 * @throws RollupError CIR_INPUT_MISMATCH for a value outside the field
 */
export function flattenInputs(
  copies: readonly CircuitInputs[],
  layout: readonly InputWires[],
): Uint8Array | null {
  const first = Math.min(...layout.map(({ firstWire }) => firstWire));
  const valueCount = layout.reduce((sum, { count }) => sum + count, 0);
  const words = new BigUint64Array(WORDS * valueCount * copies.length);
  for (const [i, copy] of copies.entries()) {
    if (Object.keys(copy).length !== layout.length) return null;
    for (const { name, firstWire, count } of layout) {
      const value = copy[name];
      const from = WORDS * (i * valueCount + firstWire - first);
      if (value === undefined || write(value, words, from) !== from + WORDS * count) return null;
    }
  }
  return new Uint8Array(words.buffer);
}

/** Writes a value, and returns the place after it. */
function write(value: InputValue, words: BigUint64Array, from: number): number {
  if (Array.isArray(value)) return value.reduce((at: number, each) => write(each, words, at), from);
  let rest = signalValue(BigInt(value as bigint), FIELD_ORDER);
  for (let at = from; rest > 0n; at++, rest >>= 64n) words[at] = rest & LOW;
  return from + WORDS;
}
