/** Forged scores, classes and counts of one direct draw. Each is next to an honest draw that the circuit takes. */
import { describe, expect, it } from "vitest";
import { generators } from "../../field/curve/generators.ts";
import { addAll } from "../../field/curve/montgomery-points.ts";
import { initPoseidon } from "../../field/poseidon.ts";
import { countTerms } from "../../ledger/direct-query.ts";
import { FIELD_ORDER } from "../../protocol.ts";
import { fieldAliases, shiftedDown } from "../../testing/forgeries/field-aliases.ts";
import { expectRefusedBy } from "../../testing/forgeries/refusal-check.ts";
import { answeredQuery, compileDirectDraw, directInputs } from "../../testing/settlement/direct-instance.ts";
import type { DirectMatrix } from "../scores/direct-matrix.ts";
import { pairTree } from "../scores/pair-columns.ts";

const ROWS = 3;
const BUCKETS = 16;
const START = 123_456_789n;
const EQUATION = "EqualUpToSmallOrder:";
const COUNT = "low * (low - 1) === 0;";
const RANGE = "TermLength: restRange";
const SIGN = "DirectScores: -logitDigit[D - 1][0]";
await initPoseidon();
const tester = await compileDirectDraw(ROWS, BUCKETS);

const modulo = (value: bigint) => ((value % FIELD_ORDER) + FIELD_ORDER) % FIELD_ORDER;
const matrixOf = (entry: (row: number, column: number) => number): DirectMatrix => ({
  rowCount: ROWS,
  bucketCount: BUCKETS,
  labelCount: 2,
  values: Int16Array.from({ length: (ROWS + 1) * (BUCKETS + 1) }, (_, at) =>
    entry(Math.floor(at / (BUCKETS + 1)), at % (BUCKETS + 1)),
  ),
});
const MATRIX = matrixOf((row, column) => ((row * 59 + column * 101 + 13) % 401) - 200);
const COUNTS = countTerms([0, 3, 3, 15, 7, 7, 7], BUCKETS);

/** Inputs of the circuit; type, since an interface is no record. */
type Draw = {
  readonly startElement: bigint;
  readonly u: readonly bigint[];
  readonly v: readonly bigint[];
  readonly counts: readonly bigint[];
  readonly answeredClass: bigint;
  readonly scores: readonly bigint[];
  readonly logitDigits: bigint;
  readonly blindScore: bigint;
};
function honest(matrix = MATRIX, counts = COUNTS): Draw {
  const inputs = directInputs({ matrix, query: answeredQuery(matrix, counts) }, START);
  const { answeredClass } = inputs as unknown as { answeredClass: number };
  return {
    ...(inputs as unknown as Draw),
    counts: [...counts].map(BigInt),
    answeredClass: BigInt(answeredClass),
  };
}
const refused = (inputs: Draw, at: string | string[], what: string) =>
  expectRefusedBy(tester, inputs, at, what);

/** Columns of a registrant's choice, at the position of the draw's pair. */
const registered = (columns: Pick<Draw, "u" | "v">) => ({
  ...columns,
  path: pairTree(columns, BUCKETS).path(0),
});

/** The draw for the other class: every hint with the other sign. */
const otherClass = (draw: Draw): Draw => ({
  ...draw,
  answeredClass: 1n - draw.answeredClass,
  scores: draw.scores.map((score) => -score),
  logitDigits: -draw.logitDigits,
  blindScore: -draw.blindScore,
});

describe("the answered class", () => {
  it("is the logit's sign: with everything negated as it has to be, the logit's top digit is positive", async () => {
    for (const sign of [1, -1]) {
      const matrix = matrixOf((row, column) => (row === ROWS ? sign : 1) * (((column * 37) % 19) + row + 1));
      const draw = honest(matrix);
      expect(draw.answeredClass).toBe(sign === 1 ? 1n : 0n);
      await tester.calculateWitness(draw);
      await refused(otherClass(draw), SIGN, `class ${1n - draw.answeredClass}`);
    }
  });

  it("of a logit of 0 is 1, and nothing else", async () => {
    const matrix = matrixOf((row, column) => (row === ROWS ? 0 : column - row));
    const draw = honest(matrix);
    expect(draw).toMatchObject({ answeredClass: 1n, logitDigits: -1n });
    await tester.calculateWitness(draw);
    await refused(otherClass(draw), SIGN, "a logit of 0 as class 0");
    // Treats 0 as -1: the digits are of another logit.
    await refused({ ...otherClass(draw), logitDigits: -1n }, EQUATION, "a logit of 0 as -1");
  });

  it("is a bit, and the scores have its sign", async () => {
    const draw = honest();
    const bit = "DirectScores: answeredClass * (answeredClass - 1) === 0;";
    for (const answeredClass of [2n, -1n, ...fieldAliases(1, [16])])
      await refused({ ...draw, answeredClass: modulo(answeredClass) }, bit, "no bit");
    await refused({ ...draw, answeredClass: 1n - draw.answeredClass }, EQUATION, "the class alone");
    const { answeredClass } = draw;
    await refused({ ...otherClass(draw), answeredClass }, SIGN, "all but the class");
  });
});

describe("counts", () => {
  it("are 0 to 3 each, so that no two lists pack alike", async () => {
    const draw = honest();
    const withCounts = (...changes: [bucket: number, count: bigint][]): Draw => ({
      ...draw,
      counts: changes.reduce(
        (counts, [bucket, count]) => counts.with(bucket, modulo(count)),
        [...draw.counts],
      ),
    });
    // With the difference taken from another bucket, so that the total of terms stays and only the counts are wrong.
    const both = draw.counts[3]! + draw.counts[0]!;
    for (const count of [4n, -1n, ...fieldAliases(2, [2, 8, 250])])
      await refused(withCounts([3, count], [0, both - count]), COUNT, "a count beyond 3");
    // A carry between neighbours packs to the same element, and so does a quarter of one in the field.
    const [a, b] = [draw.counts[7]!, draw.counts[8]!];
    expect([a, b]).toEqual([3n, 0n]);
    await refused(withCounts([7, a + 4n], [8, b - 1n]), [COUNT, RANGE], "a carry from the next bucket");
    await refused(
      withCounts([7, a - 1n], [8, b + shiftedDown(1n, 2)]),
      COUNT,
      "a quarter moved to the next bucket",
    );
  });

  it("score as they are: no others, in another order or with another total", async () => {
    const draw = honest();
    const others: [string, Uint8Array][] = [
      ["a term less", COUNTS.with(0, 0)],
      ["a term in another bucket", COUNTS.with(0, 0).with(1, 1)],
      ["buckets swapped", COUNTS.with(3, 3).with(7, 2)],
      ["none", new Uint8Array(BUCKETS)],
    ];
    for (const [what, counts] of others)
      await refused(
        { ...draw, counts: [...counts].map(BigInt) },
        EQUATION,
        `${what}, with the scores of the prompt`,
      );
  });
});

describe("scores", () => {
  it("are one vector for one query", async () => {
    const draw = honest();
    const { scores, logitDigits, blindScore } = draw;
    const [x, y, z] = scores as [bigint, bigint, bigint];
    const others: [string, Partial<Draw>][] = [
      ["one higher", { scores: [x + 1n, y, z] }],
      ["one negated", { scores: [-x, y, z] }],
      ["two swapped", { scores: [y, x, z] }],
      ["the same sum", { scores: [x + 5n, y - 5n, z] }],
      [
        "doubled, with H' and the logit",
        { scores: [2n * x, 2n * y, 2n * z], logitDigits: 2n * logitDigits + 1n, blindScore: 2n * blindScore },
      ],
      ["a part moved to H'", { scores: [x - 1n, y, z], blindScore: blindScore + 1n }],
      ["a part moved to the logit", { scores: [x - 1n, y, z], logitDigits: logitDigits - 2n }],
      ["another logit of the same sign", { logitDigits: logitDigits - 2n }],
      ["another total of terms", { blindScore: blindScore + 8n }],
    ];
    for (const [what, change] of others) await refused({ ...draw, ...change }, EQUATION, what);
  });

  it("beyond eight digits have no witness, and no smaller number in their place", async () => {
    // A column that is no commitment: H' + 2^22 H_0. Three terms in it score 24 · 2^22, above 8^8 / 2.
    const power = 22;
    const row = generators("row", 1);
    const blind = generators("blind", 1);
    const column = { u: [row.u[0]!], v: [row.v[0]!] };
    for (let i = 0; i < power; i++) addAll(column, column);
    addAll(column, { u: [blind.u[0]!], v: [blind.v[0]!] });
    const zeros = honest(
      matrixOf(() => 0),
      countTerms([], BUCKETS),
    );
    const columns = registered({ u: zeros.u.with(5, column.u[0]!), v: zeros.v.with(5, column.v[0]!) });
    // The logit is 0, so the class is 1 and signs turn. Three terms weigh 24, and L = floor(8 √3) = 13.
    const inputsFor = (terms: number, score: bigint): Draw => ({
      ...zeros,
      ...columns,
      counts: [...countTerms(Array<number>(terms).fill(5), BUCKETS)].map(BigInt),
      scores: [-score, 0n, 0n],
      blindScore: terms === 0 ? 0n : -37n,
    });
    await tester.calculateWitness(inputsFor(0, 0n));
    const tooLarge = 24n << BigInt(power);
    for (const score of [tooLarge, tooLarge - 8n ** 8n, tooLarge % 8n ** 8n, 0n])
      await refused(inputsFor(3, score), EQUATION, "a score of nine digits");
  });
});

describe("columns", () => {
  it("may be equal or opposite: sums that start at S meet neither", async () => {
    // C_1 = C_0, and terms whose entries cancel row by row; C_3 and C_2 differ from H' by opposite points.
    const matrix = matrixOf((row, column) => [row + 1, row + 1, 7, -7][column] ?? 0);
    for (const terms of [
      [0, 1],
      [0, 0, 1, 1],
      [2, 3],
      [0, 1, 2, 3, 2, 3],
    ]) {
      const draw = honest(matrix, countTerms(terms, BUCKETS));
      const witness = await tester.calculateWitness(draw);
      expect(tester.checkConstraints(witness)).toBeNull();
      const slopes = (signal: string) =>
        /slope/.test(signal) && /sum|terms|whole|added|base|shared/.test(signal);
      expect(tester.tamper(witness, { only: slopes, aliasBits: [1, 8, 252] })).toEqual([]);
    }
  });

  it("that are opposite points in truth cancel, and no count of them scores", async () => {
    // C_1 = -C_0: not what a matrix commits to, since H' is in both. The sum of both is the identity: scores of 0, but s' too.
    const draw = honest(
      matrixOf((_, column) => (column < 2 ? 5 : 0)),
      countTerms([0, 1], BUCKETS),
    );
    const columns = { u: draw.u.with(1, draw.u[0]!), v: draw.v.with(1, FIELD_ORDER - draw.v[0]!) };
    const opposite = { ...draw, ...registered(columns) };
    await refused(opposite, EQUATION, "the scores as if both counted");
    const blindScore = draw.blindScore + 16n;
    const cancelled: Draw = {
      ...opposite,
      scores: [0n, 0n, 0n],
      logitDigits: -1n,
      blindScore,
      answeredClass: 1n,
    };
    const witness = await tester.calculateWitness(cancelled);
    expect(tester.checkConstraints(witness)).toBeNull();
    expect(tester.readOutput(witness, "positive")).toEqual([0n, 0n, 0n]);
  });

  it("off the curve are refused", async () => {
    const draw = honest();
    for (const column of [0, BUCKETS])
      await refused(
        { ...draw, v: draw.v.with(column, modulo(draw.v[column]! + 1n)) },
        "FeatureColumn: v * v === right;",
        "a column off the curve",
      );
  });
});
