import { beforeAll, describe, expect, test } from "vitest";
import { hashTagged, initPoseidon } from "../../field/poseidon.ts";
import { pairCount, pairOf } from "../../ledger/direct-query.ts";
import { TAG } from "../../protocol.ts";
import { SeededNumbers } from "../../testing/settlement/settlement-world.ts";
import { columnsCommitment } from "../feature-commitment.ts";
import { commitDirectColumns, type DirectMatrix } from "./direct-matrix.ts";
import { PAIR_TREE_DEPTH, pairColumns, pairTree } from "./pair-columns.ts";

beforeAll(initPoseidon);
const code = (name: string) => expect.objectContaining({ code: name });
const [rowCount, bucketCount, labelCount] = [2, 16, 5];
const COLUMNS = bucketCount + 1;
const numbers = new SeededNumbers(9);
const matrix: DirectMatrix = {
  rowCount,
  bucketCount,
  labelCount,
  values: Int16Array.from({ length: 3 * 4 * COLUMNS }, () => numbers.below(511) - 255),
};
const contrasts = commitDirectColumns(matrix);
const entry = (label: number, row: number, column: number) =>
  label === 0 ? 0 : matrix.values[row * 4 * COLUMNS + (label - 1) * COLUMNS + column]!;

describe("pairColumns", () => {
  test("commit to the difference of the two labels' contrasts", () => {
    for (let position = 0; position < pairCount(labelCount); position++) {
      const [i, j] = pairOf(position);
      const values = Int16Array.from({ length: 3 * COLUMNS }, (_, at) => {
        const [row, column] = [Math.floor(at / COLUMNS), at % COLUMNS];
        return entry(j, row, column) - entry(i, row, column);
      });
      const alone = commitDirectColumns({ rowCount, bucketCount, labelCount: 2, values });
      expect(pairColumns(contrasts, bucketCount, position), `${i}, ${j}`).toEqual(alone);
    }
  });

  test("of two labels are the contrast's", () => {
    const alone = { u: contrasts.u.slice(0, COLUMNS), v: contrasts.v.slice(0, COLUMNS) };
    expect(pairColumns(alone, bucketCount, 0)).toEqual(alone);
  });

  test("of alike labels are H' everywhere, and no identity", () => {
    const alike = new Int16Array(3 * 2 * COLUMNS).fill(3);
    const both = commitDirectColumns({ rowCount, bucketCount, labelCount: 3, values: alike });
    const zeros = commitDirectColumns({ ...matrix, labelCount: 2, values: new Int16Array(3 * COLUMNS) });
    expect(pairColumns(both, bucketCount, 2)).toEqual(zeros);
  });

  test("refuse pairs that the model does not have, and columns of another number of buckets", () => {
    for (const position of [-1, 10, 0.5])
      expect(() => pairColumns(contrasts, bucketCount, position)).toThrow(code("CIR_QUERY_INVALID"));
    expect(() => pairColumns(contrasts, 32, 0)).toThrow(code("CIR_FEATURES_INVALID"));
    expect(() => pairTree({ u: [], v: [] }, bucketCount)).toThrow(code("CIR_FEATURES_INVALID"));
  });
});

describe("pairTree", () => {
  test("has each pair's columns in its place, and 0 behind the last", () => {
    const tree = pairTree(contrasts, bucketCount);
    for (let position = 0; position < 16; position++) {
      const path = tree.path(position);
      expect(path).toHaveLength(PAIR_TREE_DEPTH);
      let node = position < 10 ? columnsCommitment(pairColumns(contrasts, bucketCount, position)) : 0n;
      path.forEach((children, level) => {
        expect(children[Math.floor(position / 8 ** level) % 8]).toBe(node);
        node = hashTagged(TAG.pairNode, children);
      });
      expect(node).toBe(tree.root);
    }
  });

  test("is that of the columns: another label's contrast makes another root", () => {
    const other = commitDirectColumns({ ...matrix, values: matrix.values.with(4 * COLUMNS - 1, 0) });
    expect(pairTree(other, bucketCount).root).not.toBe(pairTree(contrasts, bucketCount).root);
  });
});
