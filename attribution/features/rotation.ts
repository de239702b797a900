/** A rotation after which all features have about the same size, so that one scale fits all. */
import { SeededRandom } from "../maths/seeded-random.ts";

/** Of the rotation of so many numbers. */
export function randomSigns(count: number, seed: string): Int8Array {
  const random = new SeededRandom(`${seed}/rotation`);
  return Int8Array.from({ length: count }, () => ((random.nextUint32() & 1) === 0 ? 1 : -1));
}

/** Signs, then the Walsh–Hadamard transform divided by √length: keeps all inner products. */
export function rotate(x: Float64Array, signs: Int8Array): void {
  const scale = 1 / Math.sqrt(x.length);
  for (let k = 0; k < x.length; k++) x[k] = x[k]! * signs[k]! * scale;
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
