/**
 * Random rotation of feature rows (random signs, then Walsh–Hadamard), after which all features have about the
 * same size, so that one int8 scale fits all. Language models' features are rotated by it; inner products stay.
 */
import { SeededRandom } from "../maths/seeded-random.ts";

/** Random signs of the rotation of `count` numbers. */
export function randomSigns(count: number, seed: string): Int8Array {
  const random = new SeededRandom(`${seed}/rotation`);
  return Int8Array.from({ length: count }, () => ((random.nextUint32() & 1) === 0 ? 1 : -1));
}

/** Rotates rows of `count` numbers in place, all alike: preserves all inner products. @param count a multiple of 16 */
export function rotateRows(rows: Float64Array, count: number, seed: string): void {
  const signs = randomSigns(count, seed);
  // A power of two is one block. Of others each block gets numbers from all positions.
  const isOne = Number.isInteger(Math.log2(count));
  const order = isOne ? null : new SeededRandom(`${seed}/rotation order`).permutation(count);
  for (let from = 0; from < rows.length; from += count) {
    const row = rows.subarray(from, from + count);
    const signed = row.map((value, k) => value * signs[k]!);
    row.set(order === null ? signed : Float64Array.from(order, (k) => signed[k]!));
    for (let at = 0, size = 0; at < count; at += size) {
      size = 2 ** Math.floor(Math.log2(count - at));
      transform(row.subarray(at, at + size));
    }
  }
}

/** The Walsh–Hadamard transform divided by √length. */
function transform(x: Float64Array): void {
  const scale = 1 / Math.sqrt(x.length);
  for (let k = 0; k < x.length; k++) x[k] = x[k]! * scale;
  for (let half = 1; half < x.length; half *= 2) {
    for (let start = 0; start < x.length; start += 2 * half) {
      for (let k = start; k < start + half; k++) {
        const a = x[k]!;
        const b = x[k + half]!;
        x[k] = a + b;
        x[k + half] = a - b;
      }
    }
  }
}
