/** Test support: multiples of the base point as the circuits' chains of windows give them, by noble. */
import { babyjubjub } from "@noble/curves/misc.js";
import { runs } from "@openledger/foundation/testing/test-random";
import fc from "fast-check";
import { expect } from "vitest";
import { BASE8, SUBGROUP_ORDER } from "../field/curve/eddsa.ts";
import { deriveOffset, toMontgomery } from "../field/curve/eddsa-tables.ts";
import type { CircuitTester } from "./circuit-tester.ts";

const base8 = babyjubjub.Point.fromAffine(BASE8);

/** C + scalar·B8 − (span − 1)·(B8 / 2). @param span what the windows' digits count to */
export function baseChainOutput(scalar: bigint, span: bigint): bigint[] {
  const halfUnits = (((2n * scalar - (span - 1n)) % SUBGROUP_ORDER) + SUBGROUP_ORDER) % SUBGROUP_ORDER;
  const half = base8.multiply((SUBGROUP_ORDER + 1n) / 2n);
  const { u, v } = toMontgomery(half.multiply(halfUnits).add(deriveOffset()));
  return [u, v];
}

/** Random scalars of 252 bits and the extremes. @param only which wires are altered, one after the other */
export async function holdBaseChain(
  tester: CircuitTester,
  span: bigint,
  only: (signal: string) => boolean,
): Promise<void> {
  const extremes = [0n, 1n, SUBGROUP_ORDER - 1n, SUBGROUP_ORDER, 2n ** 252n - 1n];
  await fc.assert(
    fc.asyncProperty(fc.bigInt(0n, 2n ** 252n - 1n), async (s) => {
      const witness = await tester.calculateWitness({ scalar: s });
      expect(tester.readOutput(witness, "out")).toEqual(baseChainOutput(s, span));
      expect(tester.tamper(witness, { only })).toEqual([]);
    }),
    { numRuns: runs(8), examples: extremes.map((s) => [s]) },
  );
}
