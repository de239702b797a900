/**
 * Preconfirmation: the sequencer's promise that an acknowledged operation gets its number among all signed ones; EIP-712,
 * signed by the operator's L1 key (docs/reference/api.md). The sequencer signs it; clients and full nodes check it.
 */

type Hex = `0x${string}`;

export const PRECONFIRMATION_TYPES = {
  Preconfirmation: [
    { name: "operationHash", type: "bytes32" },
    { name: "opIndex", type: "uint64" },
    { name: "deadline", type: "uint64" },
  ],
} as const;

export interface PreconfirmationFacts {
  readonly operationHash: Hex;
  /** Number of signed operations that the rollup executes before it. */
  readonly opIndex: number;
  /** Seconds of L1 time by which the operation is posted. */
  readonly deadlineSeconds: number;
}

export interface Preconfirmation extends PreconfirmationFacts {
  readonly signature: Hex;
}

/** Rollup whose operations are preconfirmed. */
export interface PreconfirmationRollup {
  readonly chainId: number;
  readonly rollupAddress: Hex;
}

/** Typed data of a preconfirmation, for anyone who signs or checks one. */
export function preconfirmationTypedData(
  { chainId, rollupAddress }: PreconfirmationRollup,
  preconfirmation: PreconfirmationFacts,
) {
  return {
    domain: { name: "OpenLedger", version: "1", chainId, verifyingContract: rollupAddress },
    types: PRECONFIRMATION_TYPES,
    primaryType: "Preconfirmation",
    message: {
      operationHash: preconfirmation.operationHash,
      opIndex: BigInt(preconfirmation.opIndex),
      deadline: BigInt(preconfirmation.deadlineSeconds),
    },
  } as const;
}
