import { join } from "node:path";
import { runs, TestRandom } from "@openledger/foundation/testing/test-random";
import { describe, expect, test } from "vitest";
import { scalarModulus } from "../formats/bn254-numbers.ts";
import {
  isFirstKeyOfSnarkjs,
  type SmallR1cs,
  writeAnyPowers,
  writeR1cs,
} from "../testing/first-key.fixtures.ts";
import { scratchFolder } from "../testing/sample-circuit.fixtures.ts";
import { makeFirstKey } from "./first-key.ts";

const folder = await scratchFolder();
const at = (name: string) => join(folder, name);
const [r1csPath, ptauPath] = [at("random.r1cs"), at("any.ptau")];
writeAnyPowers(ptauPath, 5);

/** Wires that occur nowhere, and several times in a constraint with what cancels; large and small coefficients. */
function randomR1cs(random: TestRandom): SmallR1cs {
  const wireCount = 1 + random.below(12);
  const some = [0n, 1n, 2n, scalarModulus - 1n, 1n << 40n, scalarModulus - 8n, scalarModulus >> 1n];
  const terms = () =>
    Array.from({ length: random.below(5) }, () => {
      const wire = random.below(wireCount);
      const value = random.below(3) === 0 ? random.field() : random.pick(some);
      const cancelled = random.below(5) === 0 ? [[wire, scalarModulus - value] as const] : [];
      return [[wire, value] as const, ...cancelled];
    }).flat();
  const constraints = Array.from(
    { length: 1 + random.below(16) },
    () => [terms(), terms(), terms()] as const,
  );
  return { wireCount, publicCount: random.below(wireCount), constraints };
}

describe("makeFirstKey", () => {
  test("writes the bytes of snarkjs for random constraints", async () => {
    const random = new TestRandom(5);
    for (let i = 0; i < runs(30); i++) {
      writeR1cs(r1csPath, randomR1cs(random));
      expect(await isFirstKeyOfSnarkjs(folder, r1csPath, ptauPath), `system ${i}`).toBe(true);
    }
  });

  test("refuses powers that are too few, and a wire that is not there", async () => {
    const make = (constraintCount: number, wire: number) => {
      const row = [[[wire, 1n]], [], []] as const;
      writeR1cs(r1csPath, { wireCount: 3, publicCount: 0, constraints: Array(constraintCount).fill(row) });
      return makeFirstKey({ name: "refused", r1csPath }, ptauPath, () => {});
    };
    await expect(make(32, 2)).rejects.toMatchObject({
      code: "PRV_PTAU_INVALID",
      data: { reason: "section 14 is too short" },
    });
    await expect(make(31, 3)).rejects.toMatchObject({ code: "PRV_CIRCUIT_UNSUPPORTED", data: { wire: 3 } });
  });
});
