/**
 * Groth16 verifying keys in the form that the contracts store, G2 coordinates imaginary first (the EVM's order, EIP-197), and
 * the ids and the domain that contracts and circuits compute of them. Deployments and checks of a rollup's keys use it.
 */
import type { CircuitSizes } from "@openledger/circuits/registry/circuit-sizes";
import {
  type ContractIc,
  type G1Point,
  type G2ImaginaryFirst,
  imaginaryFirst,
} from "@openledger/circuits/wire/groth16-proof";
import { encodeAbiParameters, type Hex, keccak256, stringToHex } from "viem";

interface VerifyingKey {
  alpha: G1Point;
  beta: G2ImaginaryFirst;
  delta: G2ImaginaryFirst;
  ic: ContractIc;
}

export interface CircuitConfig extends CircuitSizes {
  /** True if somebody may know the setup's secret. */
  isDevelopment: boolean;
  key: VerifyingKey;
}

/** Generator of G2 (EIP-197), imaginary coordinates first. */
export const G2_GENERATOR = imaginaryFirst(
  [
    11559732032986387107991004021392285783925812861821192530917403151452391805634n,
    10857046999023057135944570762232829481370756359578518086990519993285655852781n,
  ],
  [
    4082367875863433681332203403145435568316851327593401208105741076214120093531n,
    8495653923123431417604973247489272438418190587263600148770280649306958101930n,
  ],
);

const pair = { type: "uint256[2]" } as const;
const keyParameters = [
  pair,
  { type: "uint256[2][2]" },
  { type: "uint256[2][2]" },
  { type: "uint256[2][6]" },
] as const;

/** See docs/reference/settlement.md. */
export function computeCircuitId(config: CircuitConfig): bigint {
  const { alpha, beta, delta, ic } = config.key;
  const keyHash = keccak256(encodeAbiParameters(keyParameters, [alpha, beta, delta, ic]));
  const number = { type: "uint256" } as const;
  const types = [{ type: "bytes32" }, number, number, number, number, { type: "bytes32" }] as const;
  const tag: Hex = keccak256(stringToHex("OpenLedger circuit v1"));
  return BigInt(
    keccak256(
      encodeAbiParameters(types, [
        tag,
        BigInt(config.sort),
        BigInt(config.size0),
        BigInt(config.size1),
        config.tableSizes ?? 0n,
        keyHash,
      ]),
    ),
  );
}

/** See docs/reference/ledger.md; `rollup` is the contract's address. */
export function computeDomain(chainId: number, rollup: Hex, fieldOrder: bigint): bigint {
  const types = [{ type: "bytes32" }, { type: "uint256" }, { type: "address" }] as const;
  const tag: Hex = keccak256(stringToHex("OpenLedger rollup v1"));
  return BigInt(keccak256(encodeAbiParameters(types, [tag, BigInt(chainId), rollup]))) % fieldOrder;
}
