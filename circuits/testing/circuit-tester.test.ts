import { describe, expect, test } from "vitest";
import { CircuitTester } from "./circuit-tester.ts";
import { ConstraintRows } from "./rows/constraint-rows.ts";

// `half` is pinned; `loose` is a hint whose one constraint accepts two values besides the honest one's sign.
const mainSource = `pragma circom 2.1.6;
template Sample() {
  signal input a[2];
  signal output sum;
  signal output rest[2];
  signal half;
  signal loose;
  half <-- a[0] / 2;
  half * 2 === a[0];
  loose <-- a[1];
  (loose - a[1]) * (loose - a[1] - 1) === 0;
  sum <== half * a[1];
  rest[0] <== sum * sum;
  rest[1] <== sum * half;
  assert(a[0] != 99);
}
component main = Sample();
`;

const tester = await CircuitTester.compile("tester-sample", mainSource);

describe("CircuitTester", () => {
  test("computes a witness that satisfies the constraints, and reads outputs by name", async () => {
    const witness = await tester.calculateWitness({ a: [6n, 5n] });
    expect(tester.checkConstraints(witness)).toBeNull();
    expect(tester.readOutput(witness, "sum")).toBe(15n);
    expect(tester.readOutput(witness, "rest")).toEqual([225n, 45n]);
  });

  test("rejects a forged output", async () => {
    const witness = await tester.calculateWitness({ a: [6n, 5n] });
    expect(tester.checkConstraints(tester.forge(witness, { "main.sum": 16n }))).not.toBeNull();
  });

  test("finds the hint that two values satisfy, and only that one", async () => {
    const witness = await tester.calculateWitness({ a: [6n, 5n] });
    expect(tester.tamper(witness)).toEqual([
      expect.objectContaining({ signal: "main.loose", from: 5n, to: 6n }),
    ]);
  });

  test("overlooks a change of a wire where every row holds afterwards, whether it held before or not", async () => {
    const rows = new ConstraintRows(tester.circuit.r1csPath);
    const honest = await tester.calculateWitness({ a: [6n, 5n] });
    const { prime } = tester.header;
    const overlooked: string[] = [];
    for (let wire = 1; wire < honest.length; wire++) {
      for (const offset of [0n, 1n, 2n]) {
        const witness = honest.with(wire, honest[wire]! + offset);
        const isOverlooked = rows.overlookedChanges(witness)(wire);
        for (const change of [1n, 2n, -1n, -2n]) {
          const changed = witness.with(wire, (witness[wire]! + change + prime) % prime);
          const holds = rows.firstBroken(changed) === null;
          expect(isOverlooked?.(change) ?? false, `wire ${wire}, ${offset}, ${change}`).toBe(holds);
          if (holds) overlooked.push(`${wire} ${offset} ${change}`);
        }
      }
    }
    const loose = tester.wireOf("main.loose");
    expect(overlooked).toEqual(
      expect.arrayContaining([`${loose} 0 1`, `${loose} 1 -1`, `${loose} 2 -1`, "1 1 -1"]),
    );
  });

  test("alters inputs where it is told to", async () => {
    const witness = await tester.calculateWitness({ a: [6n, 5n] });
    expect(tester.tamper(witness, { only: (signal) => signal === "main.a[0]" })).toEqual([]);
  });

  test("reports a failed assertion and wrong inputs by code", async () => {
    await expect(tester.calculateWitness({ a: [99n, 1n] })).rejects.toMatchObject({
      code: "CIR_WITNESS_REFUSED",
    });
    await expect(tester.calculateWitness({ a: [1n] })).rejects.toMatchObject({ code: "CIR_INPUT_MISMATCH" });
    await expect(tester.calculateWitness({})).rejects.toMatchObject({ code: "CIR_INPUT_MISMATCH" });
    expect(await tester.calculateWitness({ a: [6n, 5n] })).toHaveLength(tester.header.wireCount);
  });

  test("takes no input value outside the field for another one, and -1 for r - 1", async () => {
    const { prime } = tester.header;
    for (const beyond of [prime, prime + 6n, -prime, 6n - 2n * prime, 1n << 256n])
      await expect(tester.calculateWitness({ a: [beyond, 5n] }), `${beyond}`).rejects.toMatchObject({
        code: "CIR_INPUT_MISMATCH",
        data: { reason: "range" },
      });
    const honest = await tester.calculateWitness({ a: [6n, 5n] });
    expect(await tester.calculateWitness({ a: [6n - prime, 5n] })).toEqual(honest);
  });
});
