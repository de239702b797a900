import { join } from "node:path";
import { compileCircuit } from "@openledger/circuits/compiler/compile";
import { circuitSpec } from "@openledger/circuits/registry/circuit-registry";
import { expect, test } from "vitest";
import { scalarModulus } from "../formats/bn254-numbers.ts";
import { isFirstKeyOfSnarkjs, writeAnyPowers, writeR1cs } from "../testing/first-key.fixtures.ts";
import { scratchFolder } from "../testing/sample-circuit.fixtures.ts";

const folder = await scratchFolder();
const at = (name: string) => join(folder, name);

test("the first key of leaf-exit has the bytes of snarkjs", async () => {
  writeAnyPowers(at("13.ptau"), 13);
  const { r1csPath } = await compileCircuit(circuitSpec("leaf-exit"));
  expect(await isFirstKeyOfSnarkjs(folder, r1csPath, at("13.ptau"))).toBe(true);
});

test("so has one whose hash takes several pieces, the last of them beyond all powers", async () => {
  writeAnyPowers(at("15.ptau"), 15);
  const row = (i: number) =>
    [[[0, BigInt(i)]], [[1 + (i % 9), scalarModulus - BigInt(i)]], [[3, 1n]]] as const;
  const constraints = Array.from({ length: 2 ** 14 + 1 }, (_, i) => row(i));
  writeR1cs(at("long.r1cs"), { wireCount: 12, publicCount: 2, constraints });
  expect(await isFirstKeyOfSnarkjs(folder, at("long.r1cs"), at("15.ptau"))).toBe(true);
});
