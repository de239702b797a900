/** A small classification problem whose influence is quick to compute exactly: for tests. */
import { SeededRandom } from "../maths/seeded-random.ts";
import { sparseRows } from "../maths/sparse-rows.ts";
import type { Examples } from "../model/model.ts";
import type { LabelledRows } from "./labelled-rows.ts";

/** Rows for tests: three classes around three corners, four inputs (one of them often 0, one always). */
export function tinyRows(rowCount: number, seed: string): LabelledRows & Examples {
  const random = new SeededRandom(seed);
  const labels = Int32Array.from({ length: rowCount }, () => random.nextBelow(3));
  const inputs = sparseRows(
    5,
    Array.from(labels, (label): [number, number][] => {
      const noise = () => random.nextFraction() - 0.5;
      const row: [number, number][] = [
        [0, (label === 0 ? 1 : 0) + noise()],
        [1, (label === 1 ? 1 : 0) + noise()],
      ];
      if (random.nextBelow(3) > 0) row.push([2, noise()]);
      row.push([4, noise()]);
      return row;
    }),
  );
  const contents = Array.from(labels, (label, i) => Uint8Array.from([i >> 8, i & 255, label]));
  return { features: inputs, inputs, labels, classCount: 3, contents };
}
