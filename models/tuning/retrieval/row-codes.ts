/** Codes of rows in G, by which an answer that says a row's own pays that row alone (find-rows.ts). */
import { SeededRandom } from "@openledger/attribution/maths/seeded-random";
import { idleEntry } from "./citation-columns.ts";

/** Magnitude of a code's entries: half of a feature's, so that balancing has room. */
const CODE_ENTRY = 64;
/** Draws of a code before one is taken that another row has, too. */
const MAX_DRAWS = 64;

/** Codes of rows: d entries each, nearly balanced under `idleEntry`, different while there are as many. */
export function rowCodes(rowCount: number, dimensions: number, firstColumn: number, seed: string): Int8Array {
  const random = new SeededRandom(`${seed}/codes`);
  const values = new Int8Array(rowCount * dimensions);
  const drawn = new Set<string>();
  for (let row = 0; row < rowCount; row++) {
    let positions = random.permutation(dimensions);
    for (let draws = 1; draws < MAX_DRAWS && drawn.has(keyOf(positions)); draws++)
      positions = random.permutation(dimensions);
    drawn.add(keyOf(positions));
    for (let k = 0; k < dimensions; k++)
      values[row * dimensions + k] =
        CODE_ENTRY * idleEntry(firstColumn + k) * (isUp(positions[k]!, dimensions) ? 1 : -1);
  }
  return values;
}

/** Half of the places have the sign of the idle entry, the others its opposite. */
const isUp = (position: number, dimensions: number): boolean => 2 * position < dimensions;
const keyOf = (positions: Int32Array): string =>
  Array.from(positions, (position) => Number(isUp(position, positions.length))).join("");

/** Query that a row's own code scores highest by: signs of its entries. */
export const codeQuery = (code: ArrayLike<number>): Int16Array =>
  Int16Array.from(code, (entry) => (entry < 0 ? -1 : 1));
