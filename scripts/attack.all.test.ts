/** A plan is bounded before it is worked on, its worlds are fixed, and what it brings is paid by the rules of every version. */
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { attackWorlds, measureAttack } from "@openledger/attribution/gaming/attack-factor";
import { readAttackPlan, STANDARD_PLANS } from "@openledger/attribution/gaming/attack-plan";
import { initPoseidon } from "@openledger/circuits/field/poseidon";
import { defaultMailRecipe } from "@openledger/models/registered/recipe-presets";
import { beforeAll, expect, test } from "vitest";

beforeAll(() => initPoseidon());

const example = fileURLToPath(new URL("../examples/attack-plan.json", import.meta.url));
const worlds = () => attackWorlds((rowCount) => defaultMailRecipe(rowCount, 128), ["1"]);

test("the example's rows are paid, and the same each time", async () => {
  const plan = readAttackPlan(example);
  const { factor, results } = await measureAttack(plan, worlds());
  expect(results).toHaveLength(1);
  expect(factor).toBeGreaterThan(0.2);
  expect(factor).toBeLessThan(3);
  expect((await measureAttack(plan, worlds())).factor).toBe(factor);
});

test("copies earn nothing, and honest rows what honest rows do", async () => {
  const [honest, copies] = await Promise.all(
    STANDARD_PLANS.slice(0, 2).map((plan) => measureAttack(plan, worlds())),
  );
  expect(honest!.factor).toBeGreaterThan(0.7);
  expect(honest!.factor).toBeLessThan(1.3);
  expect(copies!.results[0]!.leftOut).toBeGreaterThan(25);
  expect(copies!.factor).toBeLessThan(0.2);
});

test.each([
  ["no JSON", "{"],
  ["no rows", '{"name":"none"}'],
  ["too many rows", '{"name":"many","derived":[{"from":"own","count":200},{"from":"own","count":200}]}'],
  ["an unknown way", '{"name":"other","derived":[{"from":"own","count":1,"by":"magic"}]}'],
  ["a part above 1", '{"name":"other","derived":[{"from":"own","count":1,"changed":1.5}]}'],
  ["a long text", JSON.stringify({ name: "long", rows: [{ label: "ham", text: "a ".repeat(5_000) }] })],
  ["a long file", " ".repeat(2 ** 22 + 1)],
])("%s is no plan", (_, text) => {
  const path = join(mkdtempSync(join(tmpdir(), "plan-")), "plan.json");
  writeFileSync(path, text);
  expect(() => readAttackPlan(path)).toThrow(expect.objectContaining({ code: "ATT_INPUT_INVALID" }));
});
