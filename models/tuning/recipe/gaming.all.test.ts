/** The default classifier under attack: worlds are fixed, and what a plan brings is paid by the rules of every version. */
import { attackWorlds, measureAttack } from "@openledger/attribution/gaming/attack-factor";
import { STANDARD_PLANS } from "@openledger/attribution/gaming/attack-plan";
import { textSource } from "@openledger/attribution/gaming/attack-source";
import { SeededRandom } from "@openledger/attribution/maths/seeded-random";
import { madeLabels, madeText } from "@openledger/attribution/testing/made-rows";
import { initPoseidon } from "@openledger/circuits/field/poseidon";
import { beforeAll, expect, test } from "vitest";
import { defaultTextRecipe } from "./recipe-presets.ts";

beforeAll(() => initPoseidon());

const worlds = () => attackWorlds((sizes) => defaultTextRecipe({ ...sizes, bucketCount: 128 }), ["1"]);

test("copies earn nothing, honest rows what honest rows do, and the same each time", async () => {
  const [honest, copies] = await Promise.all(
    STANDARD_PLANS.slice(0, 2).map((plan) => measureAttack(plan, worlds())),
  );
  expect(honest!.factor).toBeGreaterThan(0.7);
  expect(honest!.factor).toBeLessThan(1.3);
  expect((await measureAttack(STANDARD_PLANS[0], worlds())).factor).toBe(honest!.factor);
  expect(copies!.results[0]!.leftOut).toBeGreaterThan(25);
  expect(copies!.factor).toBeLessThan(0.2);
});

test("copies earn nothing among five labels, and honest rows what honest rows do", async () => {
  const classes = madeLabels(5);
  const random = new SeededRandom("rows");
  const rows = Array.from({ length: 1_100 }, (_, k) => ({ label: k % 5, input: madeText(k % 5, random) }));
  const five = () =>
    attackWorlds(
      (sizes) => defaultTextRecipe({ ...sizes, bucketCount: 128 }),
      ["1"],
      textSource(classes, rows),
    );
  const [honest, copies] = await Promise.all(
    STANDARD_PLANS.slice(0, 2).map((plan) => measureAttack(plan, five())),
  );
  expect(honest!.factor).toBeGreaterThan(0.7);
  expect(honest!.factor).toBeLessThan(1.3);
  expect(copies!.factor).toBeLessThan(0.2);
});
