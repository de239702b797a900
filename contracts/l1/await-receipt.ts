/** Wait for a transaction's receipt, for everything that sends to L1. */
import {
  type Chain,
  type PublicClient,
  type TransactionReceipt,
  TransactionReceiptNotFoundError,
  type Transport,
  type WaitForTransactionReceiptParameters,
} from "viem";

/** Times that a node may have a transaction in a block without its receipt. */
const MAX_MISSING = 20;

/**
 * Waits for a receipt as viem does, and on where viem gives up: a node may list a transaction in a block before it has the
 * receipt, which viem takes for a replacement without one.
 * @throws viem's errors
 */
export async function awaitReceipt(
  client: PublicClient<Transport, Chain | undefined>,
  parameters: WaitForTransactionReceiptParameters,
): Promise<TransactionReceipt> {
  for (let missing = 0; ; missing++) {
    try {
      return await client.waitForTransactionReceipt(parameters);
    } catch (error) {
      if (!(error instanceof TransactionReceiptNotFoundError) || missing === MAX_MISSING) throw error;
    }
  }
}
