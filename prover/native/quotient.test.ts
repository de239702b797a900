/** Compares the quotient polynomial of the native addon with its definition. */
import { invertMod } from "@openledger/foundation/modular";
import { describe, expect, test } from "vitest";
import { rootOfUnity } from "../formats/bn254-numbers.ts";
import { edgeValues, findAddon, joinNumbers, moduli, splitNumbers } from "../testing/oracle.fixtures.ts";

const { addon, paths } = findAddon();
const r = moduli.scalar;
const times = (a: bigint, b: bigint) => (a * b) % r;

/** values -> coefficients or back, straight from the definition but for splitting even and odd. */
function transform(values: bigint[], root: bigint): bigint[] {
  if (values.length === 1) return values;
  const square = times(root, root);
  const even = transform(
    values.filter((_, i) => i % 2 === 0),
    square,
  );
  const odd = transform(
    values.filter((_, i) => i % 2 === 1),
    square,
  );
  const out: bigint[] = new Array(values.length);
  let power = 1n;
  for (let i = 0; i < even.length; i++, power = times(power, root)) {
    const t = times(power, odd[i]!);
    out[i] = (even[i]! + t) % r;
    out[i + even.length] = (even[i]! - t + r) % r;
  }
  return out;
}

function oddRootValues(values: bigint[], power: number): bigint[] {
  const inverseRoot = invertMod(rootOfUnity(power), r);
  const inverseN = invertMod(BigInt(values.length), r);
  const shift = rootOfUnity(power + 1);
  let factor = inverseN;
  const shifted = transform(values, inverseRoot).map((coefficient) => {
    const value = times(coefficient, factor);
    factor = times(factor, shift);
    return value;
  });
  return transform(shifted, rootOfUnity(power));
}

interface Entry {
  matrix: number;
  row: number;
  wire: number;
  value: number;
}

function makeSystem(power: number) {
  const size = 2 ** power;
  let state = 77n + BigInt(power);
  const next = () => (state = (state * state + 5n) % r);
  const edges = edgeValues(r);
  const witness = [1n, ...edges, ...Array.from({ length: size }, next)];
  const values = [1n, r - 1n, ...edges, next(), next()];
  const entries: Entry[] = [];
  for (const matrix of [0, 1]) {
    for (let row = 0; row < size; row++) {
      // Some rows are empty, most are short, one has more terms than a reduction takes.
      const count = row === 3 ? 150 : row % 7 === 0 ? 0 : row % 4;
      for (let k = 0; k < count; k++) {
        const pick = Number(next() % 100_000n);
        entries.push({ matrix, row, wire: pick % witness.length, value: (pick >> 3) % values.length });
      }
    }
  }
  return { size, witness, values, entries };
}

/** A system with its quotient by the definition, worked out once for all kernels. */
const systems = new Map<number, ReturnType<typeof solve>>();
function solved(power: number) {
  const system = systems.get(power) ?? solve(power);
  systems.set(power, system);
  return system;
}

function solve(power: number) {
  const { size, witness, values, entries } = makeSystem(power);
  const [a, b] = [0, 1].map((matrix) => {
    const sums = new Array<bigint>(size).fill(0n);
    for (const e of entries)
      if (e.matrix === matrix) sums[e.row] = (sums[e.row]! + witness[e.wire]! * values[e.value]!) % r;
    return sums;
  }) as [bigint[], bigint[]];
  const c = a.map((x, i) => times(x, b[i]!));
  const [oddA, oddB, oddC] = [a, b, c].map((v) => oddRootValues(v, power)) as [bigint[], bigint[], bigint[]];
  const expected = oddA.map((x, i) => (times(x, oddB[i]!) - oddC[i]! + r) % r);
  return { witness, values, entries, expected };
}

describe.skipIf(addon === null)("quotient", () => {
  for (const path of paths) {
    test(`${path}: equals the definition on domains of every size up to 2^14`, () => {
      for (const power of [1, 2, 3, 5, 6, 7, 9, 10, 12, 13, 14]) {
        const { witness, values, entries, expected } = solved(power);
        const rows = Buffer.from(
          Uint32Array.from(entries.flatMap((e) => [e.matrix, e.row, e.wire, e.value])).buffer,
        );
        const zkeyValues = joinNumbers(values.map((value) => (value << 512n) % r));
        const actual = splitNumbers(addon!.quotient(path, rows, zkeyValues, joinNumbers(witness), power));
        const wrong = actual.findIndex((value, i) => value !== expected[i]);
        expect(wrong, `2^${power}`).toBe(-1);
      }
    });
  }
});
