import { babyjubjub } from "@noble/curves/misc.js";
import { runs } from "@openledger/foundation/testing/test-random";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { FIELD_ORDER } from "../../protocol.ts";
import { CircuitTester } from "../../testing/circuit-tester.ts";
import { recordedCount } from "../../testing/constraint-counts.ts";
import { BASE8, SUBGROUP_ORDER } from "./eddsa.ts";
import { toMontgomery } from "./eddsa-tables.ts";

const base8 = babyjubjub.Point.fromAffine(BASE8);
const scalar = fc.bigInt(1n, SUBGROUP_ORDER - 1n);
const refused = { code: "CIR_WITNESS_REFUSED" };

async function compile(main: string): Promise<CircuitTester> {
  const tester = await CircuitTester.compile(
    main.toLowerCase().replace(/\W+/g, ""),
    `pragma circom 2.1.6;\ninclude "circuits/field/curve/montgomery.circom";\ncomponent main = ${main};\n`,
  );
  expect(tester.constraintCount).toBe(recordedCount(main));
  expect(tester.circuit.constraintCounts.linear).toBe(0);
  return tester;
}

describe("EdwardsToMontgomery", () => {
  test("maps points as the model does and refuses every altered wire", async () => {
    const tester = await compile("EdwardsToMontgomery()");
    await fc.assert(
      fc.asyncProperty(scalar, async (k) => {
        const point = base8.multiply(k);
        const expected = toMontgomery(point);
        const witness = await tester.calculateWitness(point.toAffine());
        expect(tester.readOutput(witness, "u")).toBe(expected.u);
        expect(tester.readOutput(witness, "v")).toBe(expected.v);
        expect(tester.tamper(witness, { only: () => true })).toEqual([]);
      }),
      { numRuns: runs(5) },
    );
  });

  test("refuses the identity and a point off the curve", async () => {
    const tester = await compile("EdwardsToMontgomery()");
    await expect(tester.calculateWitness({ x: 0n, y: 1n })).rejects.toMatchObject(refused);
    await expect(tester.calculateWitness({ x: BASE8.x, y: 5n })).rejects.toMatchObject(refused);
  });

  test("has no forged v for the point (0, -1)", async () => {
    const tester = await compile("EdwardsToMontgomery()");
    const witness = await tester.calculateWitness({ ...BASE8 });
    const origin = { "main.x": 0n, "main.y": -1n, "main.u": 0n, "main.uSquare": 0n, "main.right": 0n };
    expect(tester.checkConstraints(tester.forge(witness, { ...origin, "main.v": 0n }))).toBeNull();
    expect(tester.checkConstraints(tester.forge(witness, { ...origin, "main.v": 1n }))).not.toBeNull();
  });
});

describe("MontgomeryDouble", () => {
  test("doubles as the model does and refuses every altered wire", async () => {
    const tester = await compile("MontgomeryDouble()");
    await fc.assert(
      fc.asyncProperty(scalar, async (k) => {
        const point = base8.multiply(k);
        const { u, v } = toMontgomery(point);
        const expected = toMontgomery(point.double());
        const witness = await tester.calculateWitness({ u, v, uSquare: (u * u) % FIELD_ORDER });
        expect(tester.readOutput(witness, "outU")).toBe(expected.u);
        expect(tester.readOutput(witness, "outV")).toBe(expected.v);
        expect(tester.tamper(witness)).toEqual([]);
      }),
      { numRuns: runs(5) },
    );
  });

  test("has no witness for (0, 0), whatever the slope", async () => {
    const tester = await compile("MontgomeryDouble()");
    await expect(tester.calculateWitness({ u: 0n, v: 0n, uSquare: 0n })).rejects.toMatchObject(refused);
  });
});

describe("UnsafeMontgomeryAdd", () => {
  test("adds as the model does and refuses every altered wire", async () => {
    const tester = await compile("UnsafeMontgomeryAdd()");
    await fc.assert(
      fc.asyncProperty(scalar, scalar, async (j, k) => {
        fc.pre(j !== k && j + k !== SUBGROUP_ORDER);
        const [a, b, sum] = [j, k, (j + k) % SUBGROUP_ORDER].map((n) => toMontgomery(base8.multiply(n)));
        const witness = await tester.calculateWitness({ a: [a!.u, a!.v], b: [b!.u, b!.v] });
        expect(tester.readOutput(witness, "out")).toEqual([sum!.u, sum!.v]);
        expect(tester.tamper(witness)).toEqual([]);
      }),
      { numRuns: runs(5) },
    );
  });

  test("accepts any slope for equal points, which is why it is called unsafe, and none for opposite ones", async () => {
    const tester = await compile("UnsafeMontgomeryAdd()");
    const [a, b] = [3n, 4n].map((n) => toMontgomery(base8.multiply(n)));
    const witness = await tester.calculateWitness({ a: [a!.u, a!.v], b: [b!.u, b!.v] });
    const slope = 12345n;
    const outU = slope * slope - 168698n - 2n * a!.u;
    const forged = {
      "main.b[0]": a!.u,
      "main.b[1]": a!.v,
      "main.slope": slope,
      "main.out[0]": outU,
      "main.out[1]": slope * (a!.u - outU) - a!.v,
    };
    expect(tester.checkConstraints(tester.forge(witness, forged))).toBeNull();
    const opposite = { ...forged, "main.b[1]": FIELD_ORDER - a!.v };
    expect(tester.checkConstraints(tester.forge(witness, opposite))).not.toBeNull();
  });
});
