import { scalarsFrom } from "@openledger/circuits/testing/sample-scalars";
import { baseField, decodeElement, elementBytes, encodeElement } from "@openledger/circuits/wasm/field-limbs";
import { invertMod } from "@openledger/foundation/modular";
import { expect, test } from "vitest";
import { makeKernelBench, vectorElement } from "../../testing/kernels.fixtures.ts";

const { modulus } = baseField;

test("inverts both lanes, as bigints do", () => {
  const bench = makeKernelBench(1 << 20);
  const address = bench.take(2 * elementBytes);
  const edges = [1n, 2n, 3n, modulus - 1n, modulus - 2n, modulus >> 1n, (modulus >> 1n) + 1n, 1n << 253n];
  const powers = Array.from({ length: 253 }, (_, i) => 1n << BigInt(i));
  const values = [...edges, ...powers, ...scalarsFrom(7, 500).filter((value) => value !== 0n)];
  for (const [i, value] of values.entries()) {
    const pair = [value, values[(i * 7 + 1) % values.length]!];
    for (const [lane, element] of pair.entries()) {
      for (const [k, limb] of encodeElement(element, baseField).entries())
        bench.doubles[address / 8 + 2 * k + lane] = limb;
    }
    bench.kernels.fqInverse!(address);
    for (const [lane, element] of pair.entries())
      expect(decodeElement(vectorElement(bench, address, lane), baseField)).toBe(invertMod(element, modulus));
  }
});
