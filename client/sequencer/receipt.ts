import { type Address, type Hex, isAddressEqual, recoverTypedDataAddress } from "viem";
import { receiptTypedData } from "../../circuits/wire/sequencer-receipt.ts";
import { clientError } from "../client-errors.ts";
import type { LedgerClient } from "../ledger-client.ts";
import type { Receipt } from "./sequencer-schemas.ts";

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
    const { chain, rollupAddress } = client;
    const typedData = receiptTypedData({ chainId: chain.id, rollupAddress }, receipt);
    signer = await recoverTypedDataAddress({ ...typedData, signature: receipt.signature });
  } catch (cause) {
    throw invalid("has no readable signature", cause);
  }
  if (!isAddressEqual(signer, client.sequencerAddress))
    throw invalid(`is signed by ${signer}, not the sequencer`);
}
