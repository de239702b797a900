import { type Address, type Hex, isAddressEqual, recoverTypedDataAddress } from "viem";
import { clientError } from "../client-errors.ts";
import type { LedgerClient } from "../ledger-client.ts";
import type { Preconfirmation } from "./sequencer-schemas.ts";

const PRECONFIRMATION_TYPES = {
  Preconfirmation: [
    { name: "operationHash", type: "bytes32" },
    { name: "opIndex", type: "uint64" },
    { name: "deadline", type: "uint64" },
  ],
} as const;

/** The EIP-712 message that the sequencer signs for an acknowledged operation (docs/api.md). */
export function preconfirmationMessage(
  client: Pick<LedgerClient, "chain" | "rollupAddress">,
  preconfirmation: Preconfirmation,
) {
  return {
    domain: {
      name: "OpenLedger",
      version: "1",
      chainId: client.chain.id,
      verifyingContract: client.rollupAddress,
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

/**
 * Checks that a preconfirmation is about this operation, and signed by the account that the contract names as sequencer.
 * @throws CLI_PRECONFIRMATION_INVALID
 */
export async function checkPreconfirmation(
  client: Pick<LedgerClient, "chain" | "rollupAddress" | "sequencerAddress">,
  preconfirmation: Preconfirmation,
  operationHash: Hex,
): Promise<void> {
  const invalid = (why: string, cause?: unknown) =>
    clientError("CLI_PRECONFIRMATION_INVALID", `the preconfirmation for ${operationHash} ${why}`, {
      data: { operationHash, preconfirmation },
      cause,
    });
  if (BigInt(preconfirmation.operationHash) !== BigInt(operationHash))
    throw invalid(`is about ${preconfirmation.operationHash}`);
  if (preconfirmation.deadlineSeconds === 0) throw invalid("has no deadline");
  let signer: Address;
  try {
    signer = await recoverTypedDataAddress({
      ...preconfirmationMessage(client, preconfirmation),
      signature: preconfirmation.signature,
    });
  } catch (cause) {
    throw invalid("has no readable signature", cause);
  }
  if (!isAddressEqual(signer, client.sequencerAddress))
    throw invalid(`is signed by ${signer}, not the sequencer`);
}
