/** Tests that attacks on texts earn little by the default, in the world of the benchmark where one earned the most without a base. */
import { initPoseidon } from "@openledger/circuits/field/poseidon";
import { expect, test } from "vitest";
import { ATTACKS } from "./attack-rows.ts";
import { factorsOf } from "./attacks.ts";

test("no attack on texts earns more than 1.25 times what honest rows do, and facts earn more than their part", async () => {
  await initPoseidon();
  const factors = await factorsOf("speeches", "1");
  for (const attack of ATTACKS) expect(factors[attack], attack).toBeLessThan(1.25);
  expect(factors.copies).toBe(0);
  expect(factors.factsOwner).toBeGreaterThan(2);
});
