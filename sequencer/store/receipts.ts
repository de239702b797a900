/** The promise that an acknowledged operation gets its place: EIP-712, signed by the operator's L1 key. */
import type { Address, Hex } from "viem";
import { privateKeyToAccount } from "viem/accounts";
import type { Secret } from "../../circuits/secret.ts";

export const RECEIPT_TYPES = {
  Receipt: [
    { name: "operationHash", type: "bytes32" },
    { name: "opIndex", type: "uint64" },
    { name: "deadline", type: "uint64" },
  ],
} as const;

export interface Receipt {
  readonly operationHash: Hex;
  readonly opIndex: number;
  /** Seconds of L1 time by which the operation is posted. */
  readonly deadlineSeconds: number;
  readonly signature: Hex;
}

/** The typed data of a receipt, for whoever signs or checks one. */
export function receiptTypedData(
  rollup: { chainId: number; rollupAddress: Address },
  receipt: Omit<Receipt, "signature">,
) {
  return {
    domain: {
      name: "OpenLedger",
      version: "1",
      chainId: rollup.chainId,
      verifyingContract: rollup.rollupAddress,
    },
    types: RECEIPT_TYPES,
    primaryType: "Receipt",
    message: {
      operationHash: receipt.operationHash,
      opIndex: BigInt(receipt.opIndex),
      deadline: BigInt(receipt.deadlineSeconds),
    },
  } as const;
}

export interface ReceiptSigner {
  readonly address: Address;
  /** Deterministic (RFC 6979): the same facts give the same receipt, so receipts need not be stored. */
  sign(facts: Omit<Receipt, "signature">): Promise<Receipt>;
}

export function createReceiptSigner(
  rollup: { chainId: number; rollupAddress: Address },
  privateKey: Secret<Hex>,
): ReceiptSigner {
  const account = privateKeyToAccount(privateKey.reveal());
  return {
    address: account.address,
    async sign(facts) {
      const signature = await account.signTypedData(receiptTypedData(rollup, facts));
      return { ...facts, signature };
    },
  };
}
