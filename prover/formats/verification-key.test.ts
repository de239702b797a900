import { bn254 } from "@noble/curves/bn254.js";
import { type G2RealFirst, realFirst, toContractProof } from "@openledger/circuits/wire/groth16-proof";
import { beforeAll, describe, expect, test } from "vitest";
import { developmentSetup } from "../keys/development-setup.ts";
import type { ProofResult } from "../proving/prover.ts";
import { createSnarkjsProver } from "../snarkjs/snarkjs-backend.ts";
import { compileSample, scratchFolder } from "../testing/sample-circuit.fixtures.ts";
import { baseModulus, scalarModulus } from "./bn254-numbers.ts";
import {
  checkVerificationKey,
  parseVerificationKey,
  toSnarkjsKey,
  toSolidityKey,
  type VerificationKey,
  verifyProof,
} from "./verification-key.ts";

const folder = await scratchFolder();
let key: VerificationKey;
let proven: ProofResult;

beforeAll(async () => {
  const circuit = await developmentSetup(await compileSample(1), { cacheDir: folder });
  const prover = createSnarkjsProver();
  proven = await prover.prove({ circuit, inputs: { x: 3n, w: 5n } });
  await prover.close();
  key = circuit.verificationKey;
});

/** A point of the twist that is not in the group of order r. */
function outsideSubgroup(): G2RealFirst {
  const { Fp2 } = bn254.fields;
  for (let i = 1n; ; i++) {
    const x = Fp2.fromBigTuple([i, 0n]);
    const b = Fp2.div(Fp2.fromBigTuple([3n, 0n]), Fp2.fromBigTuple([9n, 1n]));
    try {
      const y = Fp2.sqrt(Fp2.add(Fp2.mul(Fp2.sqr(x), x), b));
      return realFirst([x.c0, x.c1], [y.c0, y.c1]);
    } catch {
      // not a square: no point with this x
    }
  }
}

describe("checkVerificationKey", () => {
  test("accepts a key from the setup, also through snarkjs' JSON", () => {
    expect(() => checkVerificationKey(key, 2)).not.toThrow();
    expect(parseVerificationKey(JSON.parse(JSON.stringify(toSnarkjsKey(key))))).toEqual(key);
  });

  const [x, y] = [1n, 2n];
  test.each<[string, (valid: VerificationKey) => VerificationKey]>([
    ["gamma equal to delta", (valid) => ({ ...valid, gamma: valid.delta })],
    ["an IC point too few", (valid) => ({ ...valid, ic: valid.ic.slice(1) })],
    ["an IC point at infinity", (valid) => ({ ...valid, ic: [...valid.ic.slice(1), [0n, 0n]] })],
    ["a point off the curve", (valid) => ({ ...valid, alpha: [x, y + 1n] })],
    ["a coordinate that is not reduced", (valid) => ({ ...valid, alpha: [x + baseModulus, y] })],
    ["alpha at infinity", (valid) => ({ ...valid, alpha: [0n, 0n] })],
    ["delta outside the subgroup", (valid) => ({ ...valid, delta: outsideSubgroup() })],
    [
      "swapped coordinates in G2",
      (valid) => ({ ...valid, beta: realFirst([valid.beta[0][1], valid.beta[0][0]], valid.beta[1]) }),
    ],
  ])("refuses %s", (_name, change) => {
    expect(() => checkVerificationKey(change(key), 2)).toThrow(
      expect.objectContaining({ code: "PRV_KEY_INVALID" }),
    );
  });

  test("refuses JSON that is no Groth16 key over bn128", () => {
    for (const json of [null, {}, { ...toSnarkjsKey(key), curve: "bls12381" }]) {
      expect(() => parseVerificationKey(json)).toThrow(expect.objectContaining({ code: "PRV_KEY_INVALID" }));
    }
  });
});

describe("verifyProof", () => {
  test("accepts the proof for its public signals only", () => {
    const { proof, publicSignals } = proven;
    expect(verifyProof(key, proof, publicSignals)).toBe(true);
    expect(verifyProof(key, proof, [publicSignals[0]! + 1n, publicSignals[1]!])).toBe(false);
    expect(verifyProof(key, proof, [publicSignals[0]!, 0n])).toBe(false);
    expect(verifyProof(key, proof, [publicSignals[0]!, publicSignals[1]! + scalarModulus])).toBe(false);
    expect(verifyProof(key, proof, publicSignals.slice(1))).toBe(false);
  });

  test("refuses an altered proof and one with points off the curve", () => {
    const { proof, publicSignals } = proven;
    expect(verifyProof(key, { ...proof, c: proof.a }, publicSignals)).toBe(false);
    expect(verifyProof(key, { ...proof, c: [1n, 1n] }, publicSignals)).toBe(false);
    expect(verifyProof(key, { ...proof, b: outsideSubgroup() }, publicSignals)).toBe(false);
  });
});

describe("toSolidityKey", () => {
  test("puts the imaginary part of G2 first, in keys and proofs", () => {
    const solidity = toSolidityKey(key);
    expect(solidity.beta).toEqual([
      [key.beta[0][1], key.beta[0][0]],
      [key.beta[1][1], key.beta[1][0]],
    ]);
    expect(solidity.ic).toEqual([...key.ic, [0n, 0n], [0n, 0n], [0n, 0n]]);
    expect(toContractProof(proven.proof).b[0]).toEqual([proven.proof.b[0][1], proven.proof.b[0][0]]);
  });

  test("refuses a gamma that is not the generator", () => {
    expect(() => toSolidityKey({ ...key, gamma: key.beta })).toThrow(
      expect.objectContaining({ code: "PRV_KEY_INVALID" }),
    );
  });
});
