import { describe, expect, test } from "vitest";
import { scalarModulus, toBytesLe } from "../formats/bn254-numbers.ts";
import { BlindingWires } from "./blinding-wires.ts";
import type { ProofJob } from "./prover.ts";
import { blindJob } from "./witness-blinding.ts";

const circuitAt = (wasmPath: string) => ({ wasmPath }) as ProofJob["circuit"];
const composed = circuitAt("/keys/table/composition.json");

describe("blindJob", () => {
  test("gives a composed circuit's own input a fresh value, and touches no other job", () => {
    const job: ProofJob = { circuit: composed, inputs: { blinding: 0n, z: 5n } };
    const [one, two] = [blindJob(job), blindJob(job)];
    expect(one.ofWitness).not.toBe(0n);
    expect(one.ofWitness).not.toBe(two.ofWitness);
    expect(one.job.inputs).toEqual({ blinding: one.ofWitness, z: 5n });
    expect(job.inputs).toEqual({ blinding: 0n, z: 5n });
    const others: ProofJob[] = [
      { circuit: circuitAt("/keys/sample.wasm"), inputs: { blinding: 3n } },
      { circuit: composed, inputs: { z: 5n } },
      { circuit: composed, witness: new Uint8Array(1) },
    ];
    for (const other of others) expect(blindJob(other)).toEqual({ job: other, ofWitness: 0n });
  });
});

describe("BlindingWires", () => {
  // Wires 0 and 1 are public, 2 has one entry in A, 3 two, 4 one in B, 5 one in each, 6 none, 7 one in A.
  const wires = new BlindingWires(8, 1);
  const wordsOf = (value: bigint) =>
    new Uint32Array(Uint8Array.from([0, 0, 0, 0, ...toBytesLe(value)]).buffer);
  for (const [matrix, wire] of [
    [0, 1],
    [0, 2],
    [0, 3],
    [0, 3],
    [1, 4],
    [1, 5],
    [0, 5],
    [0, 7],
  ] as const)
    wires.addEntry(matrix, wire, wordsOf(3n), 1);
  const values = (list: readonly bigint[]) => Buffer.concat(list.map(toBytesLe));
  const large = (1n << 200n) + 7n;

  test("takes a value for a blinding only of one private wire with one entry in A and none in B", () => {
    const witness = values([1n, 11n, 12n, 13n, 14n, 15n, 16n, large]);
    expect([12n, large].map((value) => wires.isBlindedBy(witness, value))).toEqual([true, true]);
    for (const value of [0n, 1n, 11n, 13n, 14n, 15n, 16n, 7n])
      expect(wires.isBlindedBy(witness, value), String(value)).toBe(false);
  });

  test("refuses a value that another wire has, too", () => {
    const witness = values([1n, 11n, 12n, 13n, 12n, 15n, 16n, 17n]);
    expect(wires.isBlindedBy(witness, 12n)).toBe(false);
  });

  test("Attack: takes no value whose entry is 0 or a multiple of r, or whose point in A is at infinity", () => {
    const [last, r] = [scalarModulus - 1n, scalarModulus];
    const altered = new BlindingWires(8, 1);
    for (const [wire, value] of [[2, 0n], [3, r], [4, 2n * r], [5, last], [6, 1n], [7, 1n << 200n]] as const) // biome-ignore format: one line
      altered.addEntry(0, wire, wordsOf(value), 1);
    const witness = values([1n, 11n, 12n, 13n, 14n, 15n, 16n, 17n]);
    const blinding = () =>
      [12n, 13n, 14n, 15n, 16n, 17n].filter((value) => altered.isBlindedBy(witness, value));
    expect(blinding()).toEqual([15n, 16n, 17n]);
    altered.keepFinite(Uint32Array.of(0, 2, 5, 7));
    expect(blinding()).toEqual([15n, 17n]);
  });
});
