/**
 * Direct scores beyond one block: hashes of 1,890 counts, sums of 64 points, planes of 64 rows, and buckets that could hold
 * more terms than count. Each part is as small as it can be while it runs through a second block.
 */
import { beforeAll, describe, expect, test } from "vitest";
import { generatorTablesPath } from "../../field/curve/generator-tables.ts";
import { generators } from "../../field/curve/generators.ts";
import { addAll } from "../../field/curve/montgomery-points.ts";
import { initPoseidon } from "../../field/poseidon.ts";
import { countTerms, directQueryCommitment, termTotal } from "../../ledger/direct-query.ts";
import { CircuitTester } from "../../testing/circuit-tester.ts";
import { expectRefusedBy } from "../../testing/forgeries/refusal-check.ts";
import { answeredQuery, compileDirectDraw, directInputs } from "../../testing/settlement/direct-instance.ts";
import { directScores } from "../scores/direct-matrix.ts";

beforeAll(initPoseidon);

describe("CountsHash of two chunks", { timeout: 600_000 }, () => {
  const BUCKETS = 1_904;
  const CHUNK = 1_890;
  let tester: CircuitTester;
  beforeAll(async () => {
    const source = `pragma circom 2.1.6;
include "circuits/settlement/direct/term-counts.circom";
component main = CountsHash(${BUCKETS});
`;
    tester = await CircuitTester.compile(`counts-hash-${BUCKETS}`, source);
  }, 600_000);

  test("is the receipt's, and no count of either chunk can be another", async () => {
    const terms = [0, 125, 126, 127, 128, CHUNK - 1, CHUNK - 1, CHUNK, CHUNK, CHUNK, BUCKETS - 1];
    const counts = countTerms(terms, BUCKETS);
    const witness = await tester.calculateWitness({
      counts: [...counts].map(BigInt),
      answeredClass: 1n,
      pair: 1_224n,
    });
    expect(tester.checkConstraints(witness)).toBeNull();
    expect(tester.readOutput(witness, "commitment")).toBe(
      directQueryCommitment({ counts, answeredClass: 1, pair: 1_224 }),
    );
    expect(tester.readOutput(witness, "total")).toBe(BigInt(termTotal(counts)));
    expect(tester.tamper(witness, { aliasBits: [2, 252] })).toEqual([]);
    const only = (signal: string) => /^main\.(counts\[|answeredClass|pair)/.test(signal);
    expect(tester.tamper(witness, { only, aliasBits: [2, 252] })).toEqual([]);
  });
});

describe("LongPointSum of three parts", { timeout: 600_000 }, () => {
  const COUNT = 130;
  test("is the sum of all points, and no part's can be another", async () => {
    const source = `pragma circom 2.1.6;
include "${generatorTablesPath(1)}";
include "circuits/settlement/direct/direct-scores.circom";
component main = LongPointSum(${COUNT});
`;
    const tester = await CircuitTester.compile(`long-point-sum-${COUNT}`, source);
    const all = generators("row", COUNT + 1);
    const points = Array.from({ length: COUNT }, (_, i) => [all.u[i]!, all.v[i]!]);
    const start = [all.u[COUNT]!, all.v[COUNT]!];
    const witness = await tester.calculateWitness({ start, points });
    expect(tester.checkConstraints(witness)).toBeNull();
    const sum = { u: [start[0]!], v: [start[1]!] };
    for (const [u, v] of points) addAll(sum, { u: [u!], v: [v!] });
    expect(tester.readOutput(witness, "out")).toEqual([sum.u[0], sum.v[0]]);
    expect(tester.tamper(witness, { aliasBits: [1, 252] })).toEqual([]);
    const only = (signal: string) => /^main\.points\[(63|64|127|128|129)\]/.test(signal);
    expect(tester.tamper(witness, { only })).toEqual([]);
  });
});

describe("DirectScores of 66 rows, and of buckets for 2,016 terms", { timeout: 600_000 }, () => {
  const ROWS = 66;
  const BUCKETS = 672;
  const EMPTY = 667;
  const LAST = 671;
  /** Three terms in each of 666 buckets, and two more. */
  const MAX = [...Array.from({ length: 3 * 666 }, (_, i) => i % 666), 666, 666];
  // A column of zeros: a term in it changes no score.
  const matrix = {
    rowCount: ROWS,
    bucketCount: BUCKETS,
    labelCount: 2,
    values: Int16Array.from({ length: (ROWS + 1) * (BUCKETS + 1) }, (_, at) => {
      const [row, column] = [Math.floor(at / (BUCKETS + 1)), at % (BUCKETS + 1)];
      const size = column === EMPTY ? 0 : 1 + ((row * 59 + column * 101) % 200);
      // One of two neighbours scores above 0 for either class.
      return row % 2 === 0 ? size : -size;
    }),
  };
  let tester: CircuitTester;
  beforeAll(async () => {
    tester = await compileDirectDraw(ROWS, BUCKETS);
  }, 600_000);

  test("equal the rules, and no wire of a further block can be another", async () => {
    const query = answeredQuery(matrix, countTerms([3, 3, 63, 64, 64, 64, 128, LAST, LAST], BUCKETS));
    const witness = await tester.calculateWitness(directInputs({ matrix, query }, 77n));
    expect(tester.checkConstraints(witness)).toBeNull();
    const positive = directScores(matrix, query).map((score) => (score > 0n ? score : 0n));
    expect(tester.readOutput(witness, "positive")).toEqual(positive);
    expect(positive.slice(64).some((score) => score > 0n)).toBe(true);
    expect(tester.readOutput(witness, "queryCommitment")).toBe(directQueryCommitment(query));
    const only = (signal: string) =>
      /^main\.draw\.(rowSum\[1\]|sum\.sum\[(1|10)\]|fewTerms)|^main\.draw\.entry\[6(3|4|71)\]/.test(signal);
    expect(tester.tamper(witness, { only, aliasBits: [3, 252] })).toEqual([]);
    const counts = (signal: string) => /^main\.counts\[(63|64|128|671)\]$/.test(signal);
    expect(tester.tamper(witness, { only: counts })).toEqual([]);
  });

  test("count 2,000 terms and no more, whatever they score", async () => {
    const query = answeredQuery(matrix, countTerms(MAX, BUCKETS));
    expect(termTotal(query.counts)).toBe(2_000);
    const inputs = directInputs({ matrix, query }, 77n) as Record<string, unknown>;
    expect(tester.checkConstraints(await tester.calculateWitness(inputs as never))).toBeNull();
    // L is that of 2,000 terms, too: only the blinding score says that there is one more.
    const counts = [...query.counts].map(BigInt).with(EMPTY, 1n);
    const blindScore = (inputs.blindScore as bigint) + (query.answeredClass === 1 ? -8n : 8n);
    const forged = { ...inputs, counts, blindScore } as never;
    await expectRefusedBy(tester, forged, "DirectScores: fewTerms", "2,001 terms");
  });
});
