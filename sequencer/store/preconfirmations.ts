/** The promise that an acknowledged operation gets its place: EIP-712, signed by the operator's L1 key. */
import type { Address, Hex } from "viem";
import { privateKeyToAccount } from "viem/accounts";
import type { Secret } from "../../circuits/secret.ts";

export const PRECONFIRMATION_TYPES = {
  Preconfirmation: [
    { name: "operationHash", type: "bytes32" },
    { name: "opIndex", type: "uint64" },
    { name: "deadline", type: "uint64" },
  ],
} as const;

export interface Preconfirmation {
  readonly operationHash: Hex;
  readonly opIndex: number;
  /** Seconds of L1 time by which the operation is posted. */
  readonly deadlineSeconds: number;
  readonly signature: Hex;
}

/** The typed data of a preconfirmation, for whoever signs or checks one. */
export function preconfirmationTypedData(
  rollup: { chainId: number; rollupAddress: Address },
  preconfirmation: Omit<Preconfirmation, "signature">,
) {
  return {
    domain: {
      name: "OpenLedger",
      version: "1",
      chainId: rollup.chainId,
      verifyingContract: rollup.rollupAddress,
    },
    types: PRECONFIRMATION_TYPES,
    primaryType: "Preconfirmation",
    message: {
      operationHash: preconfirmation.operationHash,
      opIndex: BigInt(preconfirmation.opIndex),
      deadline: BigInt(preconfirmation.deadlineSeconds),
    },
  } as const;
}

export interface PreconfirmationSigner {
  readonly address: Address;
  /** Deterministic (RFC 6979): the same facts give the same preconfirmation, so preconfirmations need not be stored. */
  sign(facts: Omit<Preconfirmation, "signature">): Promise<Preconfirmation>;
}

export function createPreconfirmationSigner(
  rollup: { chainId: number; rollupAddress: Address },
  privateKey: Secret<Hex>,
): PreconfirmationSigner {
  const account = privateKeyToAccount(privateKey.reveal());
  return {
    address: account.address,
    async sign(facts) {
      const signature = await account.signTypedData(preconfirmationTypedData(rollup, facts));
      return { ...facts, signature };
    },
  };
}
