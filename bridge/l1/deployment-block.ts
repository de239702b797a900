/**
 * Search for the block in which the contract was deployed, by bisection over its code: about 25 requests.
 * l1-history.ts begins there where no first block is given.
 */
import { isRollupError } from "@openledger/foundation/rollup-error";
import { bridgeError } from "../bridge-errors.ts";
import { l1Call } from "./l1-client.ts";
import type { RollupContract } from "./rollup-contract.ts";

/** The first block that has the contract's code, or 0 where the node does not keep old states. */
export async function findDeploymentBlock(
  { address, client }: Pick<RollupContract, "address" | "client">,
  toBlock: bigint,
): Promise<bigint> {
  const hasCode = (blockNumber: bigint) =>
    l1Call(`read a contract's code at block ${blockNumber}`, () =>
      client.getCode({ address, blockNumber }),
    ).then((code) => code !== undefined);
  try {
    if (!(await hasCode(toBlock))) {
      throw bridgeError("BRG_HISTORY_UNREADABLE", `there is no contract at ${address}`, {
        data: { address, blockNumber: Number(toBlock) },
      });
    }
    let low = 0n;
    let high = toBlock;
    while (low < high) {
      const middle = (low + high) / 2n;
      if (await hasCode(middle)) high = middle;
      else low = middle + 1n;
    }
    return low;
  } catch (error) {
    if (isRollupError(error, "BRG_L1_REFUSED")) return 0n;
    throw error;
  }
}
