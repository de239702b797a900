/**
 * Keys and proofs in the contracts' form.
 * snarkjs writes G2 coordinates as (c0, c1) = (real, imaginary), projective, in decimal; the EVM reads the
 * imaginary one first and affine. snarkjs' gamma is the generator of G2, and the contracts rely on that.
 */
import { encodeAbiParameters, type Hex, keccak256, stringToHex } from "viem";
import { RollupError } from "../circuits/rollup-error.ts";

export type G1Point = readonly [bigint, bigint];
export type G2Point = readonly [readonly [bigint, bigint], readonly [bigint, bigint]];

export interface VerifyingKey {
  alpha: G1Point;
  beta: G2Point;
  delta: G2Point;
  /** The constant, then the factors of C, y and z. */
  ic: readonly [G1Point, G1Point, G1Point, G1Point];
}

export interface CircuitConfig {
  narrow: number;
  wide: number;
  /** Whether somebody may know the setup's secret. */
  isDevelopment: boolean;
  key: VerifyingKey;
}

export interface ContractProof {
  a: G1Point;
  b: G2Point;
  c: G1Point;
}

/** What is used of snarkjs' verification key. */
export interface SnarkjsVerifyingKey {
  vk_alpha_1: readonly string[];
  vk_beta_2: readonly (readonly string[])[];
  vk_gamma_2: readonly (readonly string[])[];
  vk_delta_2: readonly (readonly string[])[];
  IC: readonly (readonly string[])[];
}

export interface SnarkjsProof {
  pi_a: readonly string[];
  pi_b: readonly (readonly string[])[];
  pi_c: readonly string[];
}

/** Generator of G2 (EIP-197), imaginary coordinates first. */
export const G2_GENERATOR: G2Point = [
  [
    11559732032986387107991004021392285783925812861821192530917403151452391805634n,
    10857046999023057135944570762232829481370756359578518086990519993285655852781n,
  ],
  [
    4082367875863433681332203403145435568316851327593401208105741076214120093531n,
    8495653923123431417604973247489272438418190587263600148770280649306958101930n,
  ],
];

/** @throws RollupError CON_KEY_UNUSABLE: not three public inputs, or a gamma that is not the generator. */
export function fromSnarkjsKey(key: SnarkjsVerifyingKey): VerifyingKey {
  const ic = key.IC.map(toG1);
  const gamma = toG2(key.vk_gamma_2);
  if (ic.length !== 4 || gamma.flat().join() !== G2_GENERATOR.flat().join()) {
    throw new RollupError(
      "CON_KEY_UNUSABLE",
      "the contracts take keys with three public inputs and gamma = G2",
      {
        data: { publicCount: ic.length - 1, gamma },
      },
    );
  }
  return {
    alpha: toG1(key.vk_alpha_1),
    beta: toG2(key.vk_beta_2),
    delta: toG2(key.vk_delta_2),
    ic: [ic[0]!, ic[1]!, ic[2]!, ic[3]!],
  };
}

export function fromSnarkjsProof(proof: SnarkjsProof): ContractProof {
  return { a: toG1(proof.pi_a), b: toG2(proof.pi_b), c: toG1(proof.pi_c) };
}

const pair = { type: "uint256[2]" } as const;
const keyParameters = [
  pair,
  { type: "uint256[2][2]" },
  { type: "uint256[2][2]" },
  { type: "uint256[2][4]" },
] as const;

/** See docs/ledger.md. */
export function computeCircuitId(config: CircuitConfig): bigint {
  const { alpha, beta, delta, ic } = config.key;
  const keyHash = keccak256(encodeAbiParameters(keyParameters, [alpha, beta, delta, ic]));
  const types = [{ type: "bytes32" }, { type: "uint256" }, { type: "uint256" }, { type: "bytes32" }] as const;
  const tag: Hex = keccak256(stringToHex("OpenLedger circuit v1"));
  return BigInt(
    keccak256(encodeAbiParameters(types, [tag, BigInt(config.narrow), BigInt(config.wide), keyHash])),
  );
}

/** See docs/ledger.md; `rollup` is the contract's address. */
export function computeDomain(chainId: number, rollup: Hex, fieldOrder: bigint): bigint {
  const types = [{ type: "bytes32" }, { type: "uint256" }, { type: "address" }] as const;
  const tag: Hex = keccak256(stringToHex("OpenLedger rollup v1"));
  return BigInt(keccak256(encodeAbiParameters(types, [tag, BigInt(chainId), rollup]))) % fieldOrder;
}

function toG1(point: readonly string[]): G1Point {
  return [BigInt(point[0]!), BigInt(point[1]!)];
}

function toG2(point: readonly (readonly string[])[]): G2Point {
  const [x, y] = [point[0]!, point[1]!];
  return [
    [BigInt(x[1]!), BigInt(x[0]!)],
    [BigInt(y[1]!), BigInt(y[0]!)],
  ];
}
