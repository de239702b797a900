import { type Address, type Hex, isAddressEqual, recoverTypedDataAddress } from "viem";
import { clientError } from "../client-errors.ts";
import type { LedgerClient } from "../ledger-client.ts";
import type { Receipt } from "./sequencer-schemas.ts";

const RECEIPT_TYPES = {
  Receipt: [
    { name: "operationHash", type: "bytes32" },
    { name: "opIndex", type: "uint64" },
    { name: "deadline", type: "uint64" },
  ],
} as const;

/** The EIP-712 message that the sequencer signs for an acknowledged operation (docs/api.md). */
export function receiptMessage(client: Pick<LedgerClient, "chain" | "rollupAddress">, receipt: Receipt) {
  return {
    domain: {
      name: "OpenLedger",
      version: "1",
      chainId: client.chain.id,
      verifyingContract: client.rollupAddress,
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

/**
 * Checks that a receipt is about this operation, and signed by the account that the contract names as sequencer.
 * @throws CLI_RECEIPT_INVALID
 */
export async function checkReceipt(
  client: Pick<LedgerClient, "chain" | "rollupAddress" | "sequencerAddress">,
  receipt: Receipt,
  operationHash: Hex,
): Promise<void> {
  const invalid = (why: string, cause?: unknown) =>
    clientError("CLI_RECEIPT_INVALID", `the receipt for ${operationHash} ${why}`, {
      data: { operationHash, receipt },
      cause,
    });
  if (BigInt(receipt.operationHash) !== BigInt(operationHash))
    throw invalid(`is about ${receipt.operationHash}`);
  if (receipt.deadlineSeconds === 0) throw invalid("has no deadline");
  let signer: Address;
  try {
    signer = await recoverTypedDataAddress({
      ...receiptMessage(client, receipt),
      signature: receipt.signature,
    });
  } catch (cause) {
    throw invalid("has no readable signature", cause);
  }
  if (!isAddressEqual(signer, client.sequencerAddress))
    throw invalid(`is signed by ${signer}, not the sequencer`);
}
