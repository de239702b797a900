import { describe, expect, test } from "vitest";
import { CircuitTester } from "./circuit-tester.ts";

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
});
