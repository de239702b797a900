import { beforeAll, describe, expect, test } from "vitest";
import { compileCircuit } from "../../compiler/compile.ts";
import { drawScoresIncludes } from "../../field/curve/generator-tables.ts";
import { initPoseidon } from "../../field/poseidon.ts";
import { FIELD_ORDER } from "../../protocol.ts";
import { countDrawScores, equalsTheRules, expectAgreement } from "../../testing/settlement/draw-check.ts";
import { compileDraw } from "../../testing/settlement/draw-instance.ts";
import { exactScores, scoreDigitCount } from "./draw-scores.ts";

beforeAll(initPoseidon);
const slow = { timeout: 600_000 };

describe("exactScores", () => {
  test("is the matrix times the query", () => {
    expect(exactScores(Int8Array.from([1, 2, 3, -4, 5, -6]), Int16Array.from([1, -1, 255]))).toEqual([
      764n,
      -1539n,
    ]);
  });

  test("refuses a matrix without whole rows", () => {
    const invalid = expect.objectContaining({ code: "CIR_FEATURES_INVALID" });
    expect(() => exactScores(new Int8Array(5), Int16Array.from([1, 1]))).toThrow(invalid);
  });
});

describe("scoreDigitCount", () => {
  test("is the least of 7, 8, 9 that holds the extreme score, up to 2,072 features", () => {
    for (let features = 1; features <= 2072; features++) {
      const extreme = 2n * 127n * 255n * BigInt(features) + 1n;
      const min = [7, 8, 9].find((digits) => extreme < 8n ** BigInt(digits));
      expect(scoreDigitCount(features)).toBe(min);
    }
  });
});

describe("DrawScores", () => {
  test.each([
    [1, 1],
    [3, 2],
    [66, 33],
  ])("equals the rules with %i rows and %i features", slow, equalsTheRules);

  const [rows, features] = [3, 2];
  const extremes: [string, number[], number[]][] = [
    ["all scores negative", [-1, -2, -127, -127, -5, 0], [255, 1]],
    ["ties and zeros", [1, 1, 1, 1, 3, -3], [1, 1]],
    ["the largest score", [127, 127, -127, -127, 127, -127], [255, 255]],
    ["the least entries", [-127, -127, 127, 127, 0, 0], [-255, -255]],
    ["columns that are equal", [5, 5, -7, -7, 9, 9], [3, -3]],
    ["columns of zeros", [0, 0, 0, 0, 0, 0], [-255, 127]],
    ["opposite columns", [5, -5, 7, -7, 9, -9], [33, 33]],
  ];
  test.each(extremes)("equals the rules for %s", slow, async (_name, G, q) => {
    const tester = await compileDraw(rows, features);
    await expectAgreement(tester, { G: Int8Array.from(G), q: Int16Array.from(q) }, 3n);
  });

  test("refuses every altered wire", slow, async () => {
    const tester = await compileDraw(rows, features);
    const instance = { G: Int8Array.from([1, -2, 127, 4, -5, 6]), q: Int16Array.from([-253, 77]) };
    const witness = await expectAgreement(tester, instance, FIELD_ORDER - 5n);
    const aliasBits = [1, 2, 3, 64, 252];
    expect(tester.tamper(witness, { aliasBits })).toEqual([]);
    // Inputs that a constraint reads; scores are hints that none does, see ScoreRows.
    const only = (signal: string) => /^main\.(u|v|queryBytes|startElement)\b/.test(signal);
    expect(tester.tamper(witness, { only, aliasBits })).toEqual([]);
  });

  test("takes 2,072 features at most, since 9 digits hold no larger score", slow, async () => {
    const refused = { code: "CIR_COMPILE_FAILED" };
    const source = `pragma circom 2.1.6;\n${drawScoresIncludes(1)}component main = DrawScores(1, 2073);\n`;
    await expect(compileCircuit({ name: "draw-too-wide", mainSource: source })).rejects.toMatchObject(
      refused,
    );
  });
});

describe("DrawScores' tables", () => {
  test("are refused where they were made for another number of rows", slow, async () => {
    const refused = { code: "CIR_COMPILE_FAILED" };
    for (const rows of [1, 3]) {
      const source = `pragma circom 2.1.6;\n${drawScoresIncludes(2)}component main = DrawScores(${rows}, 1);\n`;
      await expect(compileCircuit({ name: "draw-other-rows", mainSource: source })).rejects.toMatchObject(
        refused,
      );
    }
  });
});

describe("DrawScores' constraints", () => {
  test("are those of one row and one feature, exactly", slow, async () => {
    // Once a draw, 7 digits: query hash 595, H' 56, planes of the columns 37, of the rows 90, the equation 30.
    expect(await countDrawScores(1, 1)).toBe(595 + 56 + 37 + 90 + 30 + 58 + 32);
  });
});
