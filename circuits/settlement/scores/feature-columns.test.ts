import { babyjubjub } from "@noble/curves/misc.js";
import { beforeAll, describe, expect, test } from "vitest";
import { addAll } from "../../field/curve/montgomery-points.ts";
import { initPoseidon } from "../../field/poseidon.ts";
import { FIELD_ORDER } from "../../protocol.ts";
import { CircuitTester } from "../../testing/circuit-tester.ts";
import { recordedCount } from "../../testing/constraint-counts.ts";
import { columnsCommitment, commitColumns } from "../feature-commitment.ts";

beforeAll(initPoseidon);
const slow = { timeout: 300_000 };
const refused = { code: "CIR_WITNESS_REFUSED" };
const columnsOf = (features: number) => {
  const G = Int8Array.from({ length: 2 * features }, (_, i) => ((i * 41) % 255) - 127);
  const { u, v } = commitColumns(G, 2, features);
  return { u: [...u], v: [...v] };
};

async function compile(main: string): Promise<CircuitTester> {
  const name = `count-${main.toLowerCase().replace(/\W+/g, "-")}`;
  const source = `pragma circom 2.1.6;\ninclude "circuits/settlement/scores/feature-columns.circom";\ncomponent main = ${main};\n`;
  const tester = await CircuitTester.compile(name, source);
  expect(tester.constraintCount).toBe(recordedCount(main));
  return tester;
}

describe("FeatureColumn", () => {
  test("triples a point and refuses every altered wire", slow, async () => {
    const tester = await compile("FeatureColumn()");
    expect(tester.circuit.constraintCounts.linear).toBe(0);
    const columns = columnsOf(1);
    const triple = { u: [...columns.u], v: [...columns.v] };
    addAll(triple, columns);
    addAll(triple, columns);
    const witness = await tester.calculateWitness({ u: columns.u[0]!, v: columns.v[0]! });
    expect(tester.readOutput(witness, "triple")).toEqual([triple.u[0], triple.v[0]]);
    expect(tester.tamper(witness, { only: () => true })).toEqual([]);
  });

  test("refuses points off the curve and (0, 0)", slow, async () => {
    const tester = await compile("FeatureColumn()");
    const { u, v } = columnsOf(1);
    const off = [
      { u: u[0]!, v: v[0]! + 1n },
      { u: u[0]! + 1n, v: v[0]! },
      { u: 0n, v: 1n },
      { u: 0n, v: 0n },
      { u: FIELD_ORDER - 1n, v: 1n },
    ];
    for (const point of off) await expect(tester.calculateWitness(point)).rejects.toMatchObject(refused);
  });

  test("takes points of order 4, whose triple is the opposite", slow, async () => {
    const tester = await compile("FeatureColumn()");
    const v = babyjubjub.Point.Fp.sqrt(168700n); // u = 1: v² = 1 + 168698 + 1
    const witness = await tester.calculateWitness({ u: 1n, v });
    expect(tester.readOutput(witness, "triple")).toEqual([1n, FIELD_ORDER - v]);
  });
});

describe("FeatureColumns", () => {
  test.each([1, 15, 16, 64, 65])("commits to %i columns as the model does", slow, async (features) => {
    const tester = await compile(`FeatureColumns(${features})`);
    const columns = columnsOf(features);
    const witness = await tester.calculateWitness(columns);
    expect(tester.readOutput(witness, "commitment")).toBe(columnsCommitment(columns));
    if (features === 16) expect(tester.tamper(witness, { only: () => true })).toEqual([]);
  });

  test("costs what it says", () => {
    const count = (features: number) => {
      const groups = Math.ceil(features / 64);
      const hashes = Math.ceil(features / 15) + Math.ceil(groups / 15);
      return 9 * features + 609 * hashes + features - groups;
    };
    for (const features of [1, 15, 16, 64, 65]) {
      expect(recordedCount(`FeatureColumns(${features})`)).toBe(count(features));
    }
    // 51 a feature at the size that large models have
    expect(Math.round(count(1024) / 1024)).toBe(52);
  });
});
