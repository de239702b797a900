import { beforeAll, describe, expect, it } from "vitest";
import { settlementCircuitSpec } from "./circuit-registry.ts";
import { CircuitTester } from "./circuit-tester.ts";
import { initPoseidon } from "./poseidon.ts";
import { settleEpoch } from "./settlement-model.ts";
import type { SettlementSize } from "./settlement-size.ts";
import { acceptedWitness, epochOf, SMALL_SIZE, type WorldOptions } from "./settlement-world.ts";

const testers = new Map<string, Promise<CircuitTester>>();
function testerOf(size: SettlementSize): Promise<CircuitTester> {
  const { name, mainSource } = settlementCircuitSpec(size);
  if (!testers.has(name)) testers.set(name, CircuitTester.compile(name, mainSource));
  return testers.get(name)!;
}

async function expectEqual(options: WorldOptions, openNone = false) {
  const epoch = epochOf(options);
  const settled = settleEpoch(openNone ? { ...epoch, openingOf: () => undefined } : epoch);
  const tester = await testerOf(epoch.size);
  const witness = await acceptedWitness(tester, settled);
  expect(tester.checkConstraints(witness)).toBeNull();
  return { epoch, settled, tester, witness };
}

beforeAll(initPoseidon);

describe("Settlement", () => {
  const sizes: SettlementSize[] = [
    SMALL_SIZE,
    { rows: 8, features: 16, slots: 16, payments: 16, draws: 1 },
    { rows: 33, features: 16, slots: 16, payments: 16, draws: 2 },
    { rows: 64, features: 32, slots: 16, payments: 16, draws: 4 },
  ];

  it.each(sizes)("equals the model for random epochs of $rows rows and $draws draws", async (size) => {
    for (let seed = 1; seed <= 5; seed++) {
      const { settled, epoch } = await expectEqual({ size, seed });
      const paid = settled.earnedWei.reduce((sum, wei) => sum + wei, 0n);
      const { ownerWei, treasuryWei } = settled.terms;
      expect(paid + ownerWei + treasuryWei + settled.data.burnedWei).toBe(epoch.sealed.amountWei);
    }
  });

  it("has no wire that could hold another value", async () => {
    const { tester, witness } = await expectEqual({ seed: 3, amountsWei: [5n ** 20n, 7n ** 20n] });
    expect(tester.tamper(witness)).toEqual([]);
  });
});
