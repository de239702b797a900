/** The promise that an acknowledged operation gets its place: EIP-712, signed by the operator's L1 key (docs/api.md). */

type Hex = `0x${string}`;

export const PRECONFIRMATION_TYPES = {
  Receipt: [
    { name: "operationHash", type: "bytes32" },
    { name: "opIndex", type: "uint64" },
    { name: "deadline", type: "uint64" },
  ],
} as const;

export interface ReceiptFacts {
  readonly operationHash: Hex;
  /** How many signed operations come before it, of all that the rollup ever has. */
  readonly opIndex: number;
  /** Seconds of L1 time by which the operation is posted. */
  readonly deadlineSeconds: number;
}

export interface Receipt extends ReceiptFacts {
  readonly signature: Hex;
}

/** Whose receipts they are. */
export interface ReceiptRollup {
  readonly chainId: number;
  readonly rollupAddress: Hex;
}

/** The typed data of a receipt, for whoever signs or checks one. */
export function receiptTypedData({ chainId, rollupAddress }: ReceiptRollup, receipt: ReceiptFacts) {
  return {
    domain: { name: "OpenLedger", version: "1", chainId, verifyingContract: rollupAddress },
    types: PRECONFIRMATION_TYPES,
    primaryType: "Receipt",
    message: {
      operationHash: receipt.operationHash,
      opIndex: BigInt(receipt.opIndex),
      deadline: BigInt(receipt.deadlineSeconds),
    },
  } as const;
}
