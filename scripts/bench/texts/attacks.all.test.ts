/** Tests that attacks on texts earn little by the default, in the worlds of the benchmark where some earned the most. */
import { initPoseidon } from "@openledger/circuits/field/poseidon";
import { beforeAll, expect, test } from "vitest";
import { ATTACKS, MIXED_ATTACKS } from "./attack-rows.ts";
import { factorsOf } from "./attacks.ts";

beforeAll(() => initPoseidon());

test("no attack on texts earns more than 1.25 times what honest rows do, and facts earn more than their part", async () => {
  const factors = await factorsOf("speeches", "1");
  for (const attack of ATTACKS) expect(factors[attack], attack).toBeLessThan(1.25);
  expect(factors.copies).toBe(0);
  expect(factors.factsOwner).toBeGreaterThan(2);
});

test("an echo behind or before what the base does not foresee earns at most 1.5 times what honest rows do", async () => {
  const factors = await factorsOf("moby", "1", "mixed");
  for (const attack of MIXED_ATTACKS) expect(factors[attack], attack).toBeLessThan(1.5);
});
