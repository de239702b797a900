import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { runs, TestRandom } from "@openledger/foundation/testing/test-random";
import { zKey } from "snarkjs";
import { describe, expect, test } from "vitest";
import { scalarModulus } from "../formats/bn254-numbers.ts";
import { type SmallR1cs, type Terms, writeAnyPowers, writeR1cs } from "../testing/first-key.fixtures.ts";
import { scratchFolder } from "../testing/sample-circuit.fixtures.ts";
import { makeFirstKey } from "./first-key.ts";

const folder = await scratchFolder();
const at = (name: string) => join(folder, name);
const make = (r1csPath: string, ptauPath: string) =>
  makeFirstKey({ name: "random", r1csPath }, ptauPath, () => {});

/** Wires that occur nowhere, several times in a row, with coefficients that cancel; small and large ones. */
function randomR1cs(random: TestRandom, constraintCount: number): SmallR1cs {
  const wireCount = 1 + random.below(12);
  const coefficients = [0n, 1n, 2n, scalarModulus - 1n, 1n << 40n, scalarModulus - 8n, scalarModulus >> 1n];
  const terms = (): Terms =>
    Array.from({ length: random.below(5) }, () => {
      const value = random.below(3) === 0 ? random.field() : random.pick(coefficients);
      return [random.below(wireCount), value] as const;
    }).flatMap((term) => (random.below(5) > 0 ? [term] : [term, [term[0], scalarModulus - term[1]]]));
  const constraints = Array.from({ length: constraintCount }, () => [terms(), terms(), terms()] as const);
  return { wireCount, publicCount: random.below(wireCount), constraints };
}

describe("makeFirstKey", () => {
  test("writes the bytes of snarkjs for random systems of constraints", async () => {
    writeAnyPowers(at("5.ptau"), 5);
    const random = new TestRandom(5);
    for (let i = 0; i < runs(40); i++) {
      const system = randomR1cs(random, 1 + random.below(16));
      writeR1cs(at("random.r1cs"), system);
      const hash = await zKey.newZKey(at("random.r1cs"), at("5.ptau"), at("theirs.zkey"));
      const { bytes, circuitHash } = await make(at("random.r1cs"), at("5.ptau"));
      expect(Buffer.from(bytes).equals(await readFile(at("theirs.zkey"))), `system ${i}`).toBe(true);
      expect(circuitHash).toEqual(hash);
    }
  });
});
