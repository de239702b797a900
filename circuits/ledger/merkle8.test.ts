import fc from "fast-check";
import { beforeAll, describe, expect, test } from "vitest";
import { hashTagged, initPoseidon } from "../field/poseidon.ts";
import { FIELD_ORDER, TAG } from "../protocol.ts";
import { CircuitTester } from "../testing/circuit-tester.ts";
import { recordedCount } from "../testing/constraint-counts.ts";

const element = fc.bigInt(0n, FIELD_ORDER - 1n);

const compile = (depth: number) =>
  CircuitTester.compile(
    `path-update-${depth}`,
    `pragma circom 2.1.6;\ninclude "circuits/ledger/merkle8.circom";\ncomponent main = PathUpdate8(${depth});\n`,
  );

/** A path with random siblings: the circuit's inputs and the root after the update. */
function buildPath(id: number, siblings: bigint[][], oldLeaf: bigint, newLeaf: bigint) {
  let oldValue = oldLeaf;
  let newValue = newLeaf;
  const children = siblings.map((level, i) => {
    const index = (id >> (3 * i)) & 7;
    const before = level.with(index, oldValue);
    oldValue = hashTagged(TAG.node, before);
    newValue = hashTagged(TAG.node, level.with(index, newValue));
    return before;
  });
  const idBits = Array.from({ length: 3 * siblings.length }, (_, i) => (id >> i) & 1);
  return { inputs: { oldRoot: oldValue, idBits, oldLeaf, newLeaf, children }, newRoot: newValue };
}

const siblingsOf = (depth: number) =>
  fc.array(fc.array(element, { minLength: 8, maxLength: 8 }), { minLength: depth, maxLength: depth });

beforeAll(initPoseidon);

describe("PathUpdate8", () => {
  test("equals the rules at every position of a node", async () => {
    const tester = await compile(1);
    expect(tester.constraintCount).toBe(recordedCount("PathUpdate8(1)"));
    const [siblings] = fc.sample(siblingsOf(1), { numRuns: 1, seed: 1 });
    for (let id = 0; id < 8; id++) {
      const { inputs, newRoot } = buildPath(id, siblings!, 11n, 12n);
      const witness = await tester.calculateWitness(inputs);
      expect(tester.readOutput(witness, "newRoot"), `id ${id}`).toBe(newRoot);
      expect(tester.checkConstraints(witness)).toBeNull();
      expect(tester.tamper(witness)).toEqual([]);
    }
  });

  test("equals the rules for depth 8 and refuses every altered wire, inputs but newLeaf too", async () => {
    const tester = await compile(8);
    expect(tester.constraintCount).toBe(recordedCount("PathUpdate8(8)"));
    expect(tester.circuit.constraintCounts.linear).toBe(0);
    await fc.assert(
      fc.asyncProperty(
        fc.nat(2 ** 24 - 1),
        siblingsOf(8),
        element,
        element,
        async (id, siblings, old, next) => {
          const { inputs, newRoot } = buildPath(id, siblings, old, next);
          const witness = await tester.calculateWitness(inputs);
          expect(tester.readOutput(witness, "newRoot")).toBe(newRoot);
          expect(tester.checkConstraints(witness)).toBeNull();
          expect(tester.tamper(witness, { only: () => true })).toEqual([]);
        },
      ),
      { numRuns: 3 },
    );
  });

  test("leaves the root alone when the leaf does not change", async () => {
    const tester = await compile(1);
    const [siblings] = fc.sample(siblingsOf(1), { numRuns: 1, seed: 2 });
    const { inputs } = buildPath(5, siblings!, 7n, 7n);
    expect(tester.readOutput(await tester.calculateWitness(inputs), "newRoot")).toBe(inputs.oldRoot);
  });

  test("refuses another leaf, another id, another sibling and another root", async () => {
    const tester = await compile(1);
    const [siblings] = fc.sample(siblingsOf(1), { numRuns: 1, seed: 3 });
    const { inputs } = buildPath(3, siblings!, 7n, 8n);
    expect(tester.checkConstraints(await tester.calculateWitness(inputs))).toBeNull();
    for (const changes of [
      { oldLeaf: 9n },
      { idBits: [0, 1, 0] },
      { children: [inputs.children[0]!.with(0, 1n)] },
      { oldRoot: 1n },
    ]) {
      await expect(tester.calculateWitness({ ...inputs, ...changes })).rejects.toMatchObject({
        code: "CIR_WITNESS_REFUSED",
      });
    }
  });
});
