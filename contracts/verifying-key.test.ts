import { describe, expect, test } from "vitest";
import { simulateCircuit } from "./test-prover.ts";
import {
  fromSnarkjsKey,
  fromSnarkjsProof,
  type G1Point,
  G2_GENERATOR,
  type G2Point,
} from "./verifying-key.ts";

const circuit = simulateCircuit({ narrow: 2, wide: 1 });
const proof = circuit.forge([1n, 2n, 3n]);

/** As snarkjs writes them: projective, real part first, decimal. */
const g1 = (p: G1Point) => [p[0].toString(), p[1].toString(), "1"];
const g2 = (p: G2Point) => [
  [p[0][1].toString(), p[0][0].toString()],
  [p[1][1].toString(), p[1][0].toString()],
  ["1", "0"],
];
const key = {
  vk_alpha_1: g1(circuit.key.alpha),
  vk_beta_2: g2(circuit.key.beta),
  vk_gamma_2: g2(G2_GENERATOR),
  vk_delta_2: g2(circuit.key.delta),
  IC: circuit.key.ic.map(g1),
};

describe("fromSnarkjsKey", () => {
  test("puts imaginary coordinates first", () => {
    expect(fromSnarkjsKey(key)).toEqual(circuit.key);
  });

  test("refuses another gamma, and another number of public inputs", () => {
    const unusable = expect.objectContaining({ code: "CON_KEY_UNUSABLE" });
    expect(() => fromSnarkjsKey({ ...key, vk_gamma_2: key.vk_delta_2 })).toThrow(unusable);
    expect(() => fromSnarkjsKey({ ...key, IC: key.IC.slice(1) })).toThrow(unusable);
  });
});

describe("fromSnarkjsProof", () => {
  test("puts imaginary coordinates first", () => {
    expect(fromSnarkjsProof({ pi_a: g1(proof.a), pi_b: g2(proof.b), pi_c: g1(proof.c) })).toEqual(proof);
  });
});
