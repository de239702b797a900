/** Forgeries of a draw's scores (DrawScores), each built to use one flaw, and what refuses it. */
import { babyjubjub } from "@noble/curves/misc.js";
import { isWhole } from "@openledger/foundation/testing/test-random";
import { describe, expect, test } from "vitest";
import { BASE8, SUBGROUP_ORDER } from "../../field/curve/eddsa.ts";
import { toMontgomery } from "../../field/curve/eddsa-tables.ts";
import { addAll, IDENTITY_U, type MontgomeryPoints } from "../../field/curve/montgomery-points.ts";
import { initPoseidon } from "../../field/poseidon.ts";
import { squareRoot } from "../../field/square-root.ts";
import { queryBytes } from "../../ledger/model-query.ts";
import { CircuitTester } from "../../testing/circuit-tester.ts";
import { compileDraw, instanceInputs } from "../../testing/settlement/draw-instance.ts";
import { commitColumns } from "../feature-commitment.ts";
import { exactScores } from "../scores/draw-scores.ts";

const slow = { timeout: 600_000 };
const refused = { code: "CIR_WITNESS_REFUSED" };
const G = Int8Array.from([1, -2, 127, 4, -5, 6]);
const q = Int16Array.from([-253, 77]);
const positiveScores = exactScores(G, q).map((score) => (score > 0n ? score : 0n));
const startElement = 123_456_789n;
const S = babyjubjub.Point.fromAffine(BASE8).multiply(987_654_321n);
await initPoseidon();
const tester = await compileDraw(3, 2);

/** scalar · point, for any point of the curve. */
function multiple(scalar: bigint, u: bigint, v: bigint): MontgomeryPoints {
  const sum = { u: [IDENTITY_U], v: [0n] };
  for (const bit of scalar.toString(2)) {
    addAll(sum, sum);
    if (bit === "1") addAll(sum, { u: [u], v: [v] });
  }
  return sum;
}

/** A point of order 8: l times a point of the whole group. */
function pointOfOrder8(): MontgomeryPoints {
  for (let u = 2n; ; u++) {
    const v = squareRoot(u * (u * u + 168698n * u + 1n));
    if (v === null) continue;
    const point = multiple(SUBGROUP_ORDER, u, v);
    if (multiple(4n, point.u[0]!, point.v[0]!).u[0] !== IDENTITY_U) return point;
  }
}

describe("flaw 1: an addition of equal points leaves its slope free", () => {
  test("the same columns meet no equal points once the start comes from a later hash", slow, async () => {
    const sum = await CircuitTester.compile(
      "count-unsafepointsum-1-",
      'pragma circom 2.1.6;\ninclude "circuits/field/curve/point-multiples.circom";\ncomponent main = UnsafePointSum(1);\n',
    );
    const known = toMontgomery(S);
    const point = [known.u, known.v];
    // Known start, column C_0 = S: even the witness program goes wrong, by slope 0, and any slope is accepted.
    const wrong = await sum.calculateWitness({ start: point, points: [point] });
    const doubled = toMontgomery(S.double());
    expect(sum.readOutput(wrong, "out")).not.toEqual([doubled.u, doubled.v]);
    const later = toMontgomery(babyjubjub.Point.fromAffine(BASE8).multiply(5n));
    const witness = await sum.calculateWitness({ start: [later.u, later.v], points: [point] });
    const forge = (startPoint: { u: bigint; v: bigint }, slope: bigint) => {
      const outU = slope * slope - 168698n - startPoint.u - known.u;
      return sum.forge(witness, {
        "main.start[0]": startPoint.u,
        "main.start[1]": startPoint.v,
        "main.slope[0]": slope,
        "main.out[0]": outU,
        "main.out[1]": slope * (startPoint.u - outU) - startPoint.v,
      });
    };
    for (const slope of [1n, 2n, 99n]) {
      expect(sum.checkConstraints(forge(known, slope))).toBeNull();
      expect(sum.checkConstraints(forge(later, slope))).not.toBeNull();
    }
  });

  test(
    "equal columns block nothing, and a column that no matrix belongs to has no scores",
    slow,
    async () => {
      const matrix = Int8Array.from([3, 3, -4, -4, 5, 5]);
      const inputs = instanceInputs({ G: matrix, q }, startElement);
      const witness = await tester.calculateWitness(inputs);
      const slopes = (signal: string) => signal.includes("columnSum") || signal.includes("columnHorner");
      expect(tester.tamper(witness, { only: slopes, aliasBits: [1, 8, 252] })).toEqual([]);
      const base8 = toMontgomery(babyjubjub.Point.fromAffine(BASE8));
      // No matrix belongs to this column, so no scores do.
      const stray = { ...inputs, u: [base8.u, base8.u], v: [base8.v, base8.v] };
      await expect(tester.calculateWitness(stray)).rejects.toMatchObject(refused);
    },
  );
});

describe("flaw 2: points off the curve and of small order", () => {
  test("a column off the curve is refused", slow, async () => {
    const inputs = instanceInputs({ G, q }, startElement);
    const { v } = commitColumns(G, 3, 2);
    const off = { ...inputs, v: [v[0]! + 1n, v[1]!] };
    await expect(tester.calculateWitness(off)).rejects.toMatchObject(refused);
    const witness = await tester.calculateWitness(inputs);
    expect(tester.checkConstraints(tester.forge(witness, { "main.v[0]": v[0]! + 1n }))).not.toBeNull();
  });

  test("a part of small order in a column changes no score and blocks no query", slow, async () => {
    const order8 = pointOfOrder8();
    for (let k = 1n; k < 8n; k++) {
      const small = multiple(k, order8.u[0]!, order8.v[0]!);
      const columns = commitColumns(G, 3, 2);
      const shifted = { u: [...columns.u], v: [...columns.v] };
      addAll(shifted, { u: [small.u[0]!, small.u[0]!], v: [small.v[0]!, small.v[0]!] });
      const witness = await tester.calculateWitness({
        ...instanceInputs({ G, q }, startElement),
        ...shifted,
      });
      expect(tester.readOutput(witness, "positive")).toEqual(positiveScores);
      expect(tester.checkConstraints(witness)).toBeNull();
      expect(tester.tamper(witness)).toEqual([]);
    }
  });
});

describe("flaw 3: a column of zeros", () => {
  test("has a commitment with coordinates, and its score is 0", slow, async () => {
    const witness = await tester.calculateWitness(instanceInputs({ G: new Int8Array(6), q }, startElement));
    expect(tester.readOutput(witness, "positive")).toEqual([0n, 0n, 0n]);
  });
});

describe("flaw 4: an even query entry", () => {
  test("has no inputs, and its scores have no witness under any byte", slow, async () => {
    const even = Int16Array.from([-252, 77]);
    expect(() => queryBytes(even)).toThrow(expect.objectContaining({ code: "CIR_QUERY_INVALID" }));
    const scores = exactScores(G, even);
    const inputs = instanceInputs({ G, q }, startElement);
    for (let byte = 0; byte < 256; byte += isWhole ? 1 : 7) {
      const forged = { ...inputs, scores, blindScore: -175n, queryBytes: [byte, queryBytes(q)[1]!] };
      await expect(tester.calculateWitness(forged)).rejects.toMatchObject(refused);
    }
  });
});

describe("flaw 7: a second score vector for one query", () => {
  const scores = exactScores(G, q);
  const blindScore = BigInt(q[0]! + q[1]!);
  const others: [string, bigint[], bigint][] = [
    ["one score higher", [scores[0]! + 1n, scores[1]!, scores[2]!], blindScore],
    ["one score negated", [-scores[0]!, scores[1]!, scores[2]!], blindScore],
    ["two scores swapped", [scores[1]!, scores[0]!, scores[2]!], blindScore],
    ["the same sum", [scores[0]! + 5n, scores[1]! - 5n, scores[2]!], blindScore],
    ["all scores doubled", scores.map((score) => 2n * score), 2n * blindScore],
    ["all scores negated", scores.map((score) => -score), -blindScore],
    ["a score moved to H'", [scores[0]! - 1n, scores[1]!, scores[2]!], blindScore + 1n],
    ["another query's", exactScores(G, Int16Array.from([-251, 77])), blindScore + 2n],
  ];
  test.each(others)("is refused: %s", slow, async (_name, other, blind) => {
    const inputs = { ...instanceInputs({ G, q }, startElement), scores: other, blindScore: blind };
    await expect(tester.calculateWitness(inputs)).rejects.toMatchObject(refused);
  });

  test("is the same vector if a score is written with a multiple of 8^D more", slow, async () => {
    // Scores are hints; the digits, and what follows from them, are the same.
    const inputs = {
      ...instanceInputs({ G, q }, startElement),
      scores: scores.map((score) => score + 8n ** 7n),
    };
    const witness = await tester.calculateWitness(inputs);
    expect(tester.readOutput(witness, "positive")).toEqual(positiveScores);
  });

  test("is refused under the start of another proof", slow, async () => {
    const witness = await tester.calculateWitness(instanceInputs({ G, q }, startElement));
    const other = await tester.calculateWitness(instanceInputs({ G, q }, startElement + 1n));
    const sums = Array.from({ length: 2 }, (_, i) => `main.draw.columnHorner[0].out[${i}]`);
    const changes = Object.fromEntries(sums.map((signal) => [signal, tester.readSignal(other, signal)]));
    expect(tester.checkConstraints(tester.forge(witness, changes))).not.toBeNull();
  });
});
