/** Digits of texts by a file of word vectors, which `openledger models export` writes beside a classifier. */
import { readFileSync } from "node:fs";

export function openVectors(path: string) {
  const table = readFileSync(path);
  const wordCount = table.readUInt32LE(8);
  const dimensions = table.readUInt32LE(12);
  const rowOf = new Map(Array.from({ length: wordCount }, (_, k) => [table.readUInt32LE(16 + 4 * k), k]));
  /** Digits of words, −3 … 3: the sum of their vectors at unit length, times 2 √d, rounded. */
  const digitsOf = (found: readonly number[]): number[] => {
    const sums = new Array<number>(dimensions).fill(0);
    for (const word of found) {
      const row = rowOf.get(word);
      if (row === undefined) continue;
      const weight = table.readUInt8(16 + 4 * wordCount + row);
      const at = 16 + 5 * wordCount + row * dimensions;
      for (let j = 0; j < dimensions; j++) sums[j]! += weight * table.readInt8(at + j);
    }
    let scale = 1;
    while (sums.some((sum) => Math.abs(sum) / scale >= 2 ** 20)) scale *= 2;
    const sizes = sums.map((sum) => Math.floor(Math.abs(sum) / scale));
    const squares = sizes.reduce((total, size) => total + size * size, 0);
    // No root: all numbers are integers below 2^53.
    const reaches = (size: number, digit: number) =>
      size > 0 && 16 * dimensions * size ** 2 >= (2 * digit - 1) ** 2 * squares;
    return sizes.map(
      (size, j) => Math.sign(sums[j]!) * [1, 2, 3].filter((digit) => reaches(size, digit)).length,
    );
  };
  return { dimensions, digitsOf };
}
