/**
 * Forged pairs of labels in direct draws: other columns than those of the query's pair, and other positions. Each is next to an honest draw that the circuit takes. Scores, classes and counts: direct-draw-forgeries.test.ts.
 */
import { describe, expect, it } from "vitest";
import type { CircuitInputs } from "../../compiler/witness-calculator.ts";
import { initPoseidon } from "../../field/poseidon.ts";
import { countTerms, pairCount, pairOf, pairPosition } from "../../ledger/direct-query.ts";
import { FIELD_ORDER } from "../../protocol.ts";
import { settlementCircuitSpec } from "../../registry/circuit-registry.ts";
import { CircuitTester } from "../../testing/circuit-tester.ts";
import { fieldAliases, shiftedDown } from "../../testing/forgeries/field-aliases.ts";
import { expectRefusedBy } from "../../testing/forgeries/refusal-check.ts";
import { answeredQuery, compileDirectDraw, directInputs } from "../../testing/settlement/direct-instance.ts";
import { directEpochOf, SMALL_DIRECT, TWO_DRAWS } from "../../testing/settlement/direct-world.ts";
import { array, OPENS, SCORES, withAt } from "../../testing/settlement/settlement-forgery-check.ts";
import { acceptedWitness, statedInputs } from "../../testing/settlement/settlement-world.ts";
import type { DirectEpoch } from "../divide-epoch.ts";
import { commitDirectColumns, type DirectMatrix, directDraw, rowLength } from "../scores/direct-matrix.ts";
import { pairColumns, pairTree } from "../scores/pair-columns.ts";
import { settleEpoch } from "../settlement-rules.ts";

const PLACE = "NodeRead8: bits[2] * (at1[1] - at1[0]) === child - at1[0];";
const BITS = "BitsOf: sum === in;";
const ONE_TREE = "DirectDraws: if (i > 0) { columns[i].root === columns[0].root; }";
const SIGN = "DirectScores: -logitDigit[D - 1][0]";
const [ROWS, BUCKETS, LABELS] = [3, 16, 6];
await initPoseidon();

/** Inputs of one draw that are altered; a type, since an interface is no record. */
type Draw = CircuitInputs & {
  readonly u: readonly bigint[];
  readonly v: readonly bigint[];
  readonly path: readonly (readonly bigint[])[];
  readonly pair: number;
  readonly answeredClass: number;
  readonly scores: readonly bigint[];
  readonly logitDigits: bigint;
  readonly blindScore: bigint;
};

describe("a draw", { timeout: 600_000 }, async () => {
  const tester = await compileDirectDraw(ROWS, BUCKETS);
  const width = rowLength({ bucketCount: BUCKETS, labelCount: LABELS });
  const matrix: DirectMatrix = {
    rowCount: ROWS,
    bucketCount: BUCKETS,
    labelCount: LABELS,
    values: Int16Array.from({ length: (ROWS + 1) * width }, (_, at) => ((at * 59 + 13) % 401) - 200),
  };
  const counts = countTerms([0, 3, 3, 15, 7, 7, 7], BUCKETS);
  const contrasts = commitDirectColumns(matrix);
  const tree = pairTree(contrasts, BUCKETS);
  const honest = (pair: number) =>
    directInputs({ matrix, query: answeredQuery(matrix, counts, pair) }, 77n) as unknown as Draw;
  const refused = (inputs: CircuitInputs, at: string | string[], what: string) =>
    expectRefusedBy(tester, inputs, at, what);
  const PAIR = pairPosition(1, 4);
  const others = [pairPosition(0, 1), pairPosition(1, 3), pairPosition(0, 4), pairPosition(4, 5)];

  it("scores by the columns at its pair's place alone", async () => {
    const own = honest(PAIR);
    await tester.calculateWitness(own);
    for (const other of others) {
      const { u, v, path, pair } = honest(other);
      const what = `${pairOf(other)}`;
      // All of the other pair's but the name; columns alone; the path alone; the name alone.
      await refused({ ...honest(other), pair: PAIR }, PLACE, `the draw of ${what} by another name`);
      await refused({ ...own, u, v }, PLACE, `columns of ${what}`);
      await refused({ ...own, u, v, path }, PLACE, `columns and path of ${what}`);
      await refused({ ...own, pair }, PLACE, `the name of ${what}`);
      await refused({ ...own, path, pair }, PLACE, `name and path of ${what}`);
      // Columns at their place, with the scores of the first pair.
      await refused({ ...own, u, v, path, pair }, SCORES, `scores of another pair than ${what}`);
    }
  });

  it("cannot turn its pair: the labels have one order, and the class the sign of their difference", async () => {
    const own = honest(PAIR);
    const turned = {
      ...own,
      answeredClass: 1n - BigInt(own.answeredClass),
      scores: own.scores.map((score) => -score),
      logitDigits: -own.logitDigits,
      blindScore: -own.blindScore,
    };
    await refused(turned, SIGN, "the other class");
    // Columns of M_1 − M_4 would have this class. They have no position.
    const reversed: DirectMatrix = {
      ...matrix,
      labelCount: 2,
      values: Int16Array.from({ length: (ROWS + 1) * (BUCKETS + 1) }, (_, at) => {
        const [row, column] = [Math.floor(at / (BUCKETS + 1)), at % (BUCKETS + 1)];
        const entry = (label: number) => matrix.values[row * width + (label - 1) * (BUCKETS + 1) + column]!;
        return entry(1) - entry(4);
      }),
    };
    const draw = directInputs({ matrix: reversed, query: answeredQuery(reversed, counts) }, 77n);
    await tester.calculateWitness(draw);
    await refused({ ...draw, path: own.path, pair: PAIR }, PLACE, "columns with the labels turned");
  });

  it("has no columns at a place without a pair", async () => {
    for (const position of [pairCount(LABELS), 63, 512, 4_095]) {
      const path = tree.path(position);
      expect(path[0]![position % 8]).toBe(0n);
      await refused({ ...honest(PAIR), pair: position, path }, PLACE, `the unused place ${position}`);
      // The columns set into their path make another root.
      const forged = path.with(0, path[0]!.with(position % 8, tree.path(PAIR)[0]![PAIR % 8]!));
      await refused(
        { ...honest(PAIR), pair: position, path: forged },
        PLACE,
        `columns at the place ${position}`,
      );
    }
  });

  it("names its pair by one field element, of twelve bits", async () => {
    const own = honest(PAIR);
    for (const alias of [4_096n, 4_096n + BigInt(PAIR), FIELD_ORDER - 1n, ...fieldAliases(12, [12, 16, 17])])
      await refused({ ...own, pair: alias }, BITS, `pair ${alias}`);
    // In the query's hash the pair is above the class: a half in the field would be the class' bit.
    await refused({ ...own, pair: BigInt(PAIR) + shiftedDown(1n, 1) }, BITS, "half a pair");
  });

  it("has another root by any other child of its path", async () => {
    const own = honest(PAIR);
    for (const [level, children] of own.path.entries()) {
      const position = Math.floor(PAIR / 8 ** level) % 8;
      for (let i = 0; i < 8; i++) {
        const path = own.path.with(level, children.with(i, children[i]! + 1n));
        if (i === position) await refused({ ...own, path }, PLACE, `its own node on level ${level}`);
        else {
          // The levels above are the old ones: they do not have the new node.
          if (level < 3) await refused({ ...own, path }, PLACE, `a sibling on level ${level}`);
          else {
            const witness = await tester.calculateWitness({ ...own, path });
            expect(tester.readOutput(witness, "root")).not.toBe(tree.root);
          }
        }
      }
    }
  });
});

/** An epoch of four labels; its two drawn payments compare different pairs. */
const PAIRS = [pairPosition(0, 2), pairPosition(1, 3)];
const WORLD = { ...TWO_DRAWS, labelCount: 4, pair: (payment: number) => PAIRS[payment] ?? 0 };

/** Draw k by a query of another pair, with all that follows from it. */
function withPair(
  inputs: CircuitInputs,
  { features }: DirectEpoch,
  k: number,
  { pair, terms }: { readonly pair: number; readonly terms: readonly number[] },
): CircuitInputs {
  const { matrix, columns } = features;
  const draw = directDraw(matrix, answeredQuery(matrix, countTerms(terms, BUCKETS), pair));
  const { u, v } = pairColumns(columns[0]!, BUCKETS, pair);
  const changes = {
    ...draw,
    scores: Array.from({ length: SMALL_DIRECT.rows }, (_, row) => draw.scores[row] ?? 0n),
    columnU: u,
    columnV: v,
    path: pairTree(columns[0]!, BUCKETS).path(pair),
  };
  const changed = Object.entries(changes).map(([name, value]) => {
    const input = inputs[name] as readonly bigint[];
    return [name, input.length === 1 ? [value] : input.with(k, value as never)];
  });
  return { ...inputs, ...Object.fromEntries(changed) };
}

describe("a settlement", { timeout: 600_000 }, async () => {
  const tester = await CircuitTester.compileSpec(settlementCircuitSpec(SMALL_DIRECT));
  const epoch = directEpochOf(WORLD);
  const settled = settleEpoch(epoch);
  const { inputs } = statedInputs(settled);
  const paymentOf = (k: number) => settled.draws[k]!.paymentIndex;

  it("scores each draw by the pair that its receipt names", async () => {
    await acceptedWitness(tester, settled);
    for (const k of [0, 1]) {
      expect(array(inputs, "pair")[k]).toBe(BigInt(PAIRS[paymentOf(k)]!));
      const terms = TWO_DRAWS.terms(paymentOf(k));
      for (const pair of [PAIRS[1 - k]!, 0, 5]) {
        if (BigInt(pair) === array(inputs, "pair")[k]) continue;
        const forged = withPair(inputs, epoch, k, { pair, terms });
        await expectRefusedBy(tester, forged, OPENS, `draw ${k} by pair ${pair}`);
      }
    }
    // Two draws' sets exchanged.
    const names = ["columnU", "columnV", "path"];
    const swapped = names.map((name) => [name, (inputs[name] as readonly never[]).toReversed()]);
    await expectRefusedBy(tester, { ...inputs, ...Object.fromEntries(swapped) }, PLACE, "sets exchanged");
    const positions = { pair: array(inputs, "pair").toReversed() };
    await expectRefusedBy(
      tester,
      { ...inputs, ...Object.fromEntries(swapped), ...positions },
      SCORES,
      "sets and places exchanged",
    );
  });

  it("takes columns of one tree alone, whose root the statics bind", async () => {
    // Another model's: its tree, its scores for the same prompt and pair.
    const other = directEpochOf({ ...WORLD, entry: (row, column) => ((row * 7 + column * 3) % 41) - 20 });
    const terms = TWO_DRAWS.terms(paymentOf(1));
    const pair = PAIRS[paymentOf(1)]!;
    const one = withPair(inputs, other, 1, { pair, terms });
    await expectRefusedBy(tester, one, ONE_TREE, "draw 1 by another model's columns");
    const both = withPair(one, other, 0, {
      pair: PAIRS[paymentOf(0)]!,
      terms: TWO_DRAWS.terms(paymentOf(0)),
    });
    // The receipts are for these statics.
    await expectRefusedBy(tester, both, OPENS, "both draws by another model's columns");
  });

  it("stays what it is whatever pair a void draw shows", async () => {
    const voided = directEpochOf({ ...WORLD, terms: (i) => (i === 0 ? null : TWO_DRAWS.terms(i)) });
    const withVoid = settleEpoch(voided);
    const k = withVoid.draws.findIndex(({ isValid }) => !isValid);
    const { inputs } = statedInputs(withVoid);
    const own = await acceptedWitness(tester, withVoid);
    for (const pair of [0, 3, 5]) {
      const forged = withPair(inputs, voided, k, { pair, terms: [7, 7, 1] });
      const witness = await tester.calculateWitness(forged);
      expect(tester.checkConstraints(witness)).toBeNull();
      expect(witness.slice(1, 4), `pair ${pair}`).toEqual(own.slice(1, 4));
      await expectRefusedBy(tester, withAt(forged, "isValid", k, 1n), OPENS, "void called valid");
    }
    const unused = withAt(inputs, "pair", k, 6n);
    await expectRefusedBy(tester, unused, PLACE, "a void draw without a pair of the model");
  });
});
