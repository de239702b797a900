/**
 * Test of draws of more sizes than in draw-scores.test.ts, and of the cost of a row, a feature and a digit.
 */
import { beforeAll, describe, expect, test } from "vitest";
import { initPoseidon } from "../../field/poseidon.ts";
import { countDrawScores as count, equalsTheRules } from "../../testing/settlement/draw-check.ts";

beforeAll(initPoseidon);
const slow = { timeout: 600_000 };

describe("DrawScores", () => {
  test.each([
    [16, 5],
    [64, 8],
  ])("equals the rules with %i rows and %i features", slow, equalsTheRules);
});

describe("DrawScores' constraints", () => {
  test("are those of its rows, features and digits, exactly", slow, async () => {
    const base = await count(1, 1);
    expect((await count(65, 1)) - base).toBe(64 * (7 * 8 + 2));
    expect((await count(1, 32)) - base).toBe(31 * 32 + 1);
    expect((await count(2, 33)) - (await count(1, 33))).toBe(8 * 8 + 2);
    expect((await count(2, 260)) - (await count(1, 260))).toBe(9 * 8 + 2);
    expect((await count(1, 466)) - (await count(1, 465))).toBe(32 + 595);
  });
});
