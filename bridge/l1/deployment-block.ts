/**
 * Search for the block in which the contract was deployed, by bisection over its code: about 25 requests.
 * l1-history.ts begins there where no first block is given. Stores are named by it where no deployment record is there.
 */
import { isRollupError } from "@openledger/foundation/rollup-error";
import type { DeploymentBlock } from "@openledger/foundation/store/store-identity";
import { type Address, getContractAddress, isAddressEqual } from "viem";
import { bridgeError } from "../bridge-errors.ts";
import { type L1Client, l1Call } from "./l1-client.ts";

interface Contract<Method extends keyof L1Client> {
  readonly address: Address;
  readonly client: Pick<L1Client, Method>;
}

/** The first block that has the contract's code, or 0 where the node does not keep old states. */
export async function findDeploymentBlock(
  { address, client }: Contract<"getCode">,
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

/**
 * Reads the block of the deployment from L1, for owners of stores that have no deployment record.
 * @returns null where the node does not keep old states or blocks, or a contract made this one: what is not certain names nothing
 * @throws BRG_L1_UNREACHABLE, BRG_HISTORY_UNREADABLE without a contract
 */
export async function readDeploymentBlock(
  rollup: Contract<"getBlock" | "getBlockNumber" | "getCode">,
): Promise<DeploymentBlock | null> {
  const { address, client } = rollup;
  const head = await l1Call("read the newest block's number", () => client.getBlockNumber());
  const blockNumber = await findDeploymentBlock(rollup, head);
  const block = await l1Call(`read block ${blockNumber}`, () =>
    client.getBlock({ blockNumber, includeTransactions: true }),
  ).catch((error: unknown) => {
    if (isRollupError(error, "BRG_L1_REFUSED")) return null;
    throw error;
  });
  if (block === null) return null;
  const { hash, timestamp, transactions } = block;
  // A node without old states may answer with no code instead of an error: the block has to have the deployment in it.
  const isThere = transactions.some(
    ({ from, nonce, to }) =>
      to === null && isAddressEqual(getContractAddress({ from, nonce: BigInt(nonce) }), address),
  );
  return isThere ? { blockHash: hash, timestamp: Number(timestamp) } : null;
}
