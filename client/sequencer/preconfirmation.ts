/** Check of a preconfirmation, the sequencer's signed promise to post an operation: sending an operation calls it. */
import { recoverPreconfirmationSigner } from "@openledger/contracts/l1/preconfirmation-signer";
import { type Address, type Hex, isAddressEqual } from "viem";
import { clientError } from "../client-errors.ts";
import type { LedgerClient } from "../ledger-client.ts";
import type { Preconfirmation } from "./sequencer-schemas.ts";

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
    const { chain, rollupAddress } = client;
    signer = await recoverPreconfirmationSigner({ chainId: chain.id, rollupAddress }, preconfirmation);
  } catch (cause) {
    throw invalid("has no signature in canonical form", cause);
  }
  if (!isAddressEqual(signer, client.sequencerAddress))
    throw invalid(`is signed by ${signer}, not the sequencer`);
}
