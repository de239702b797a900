import { l1Call } from "@openledger/bridge/l1/l1-client";
import { type Address, formatEther, type PublicClient } from "viem";
import { challengerError } from "../challenger-errors.ts";
import { readGame } from "../events/read-contracts.ts";

/** Of those that the first challenge takes at the same base fee: so many are given where nobody says it. */
const MOST_STAKES = 8n;
/** No claim has this number, so no game is about it. */
export const NO_CLAIM = 0n;
/** A base fee at most doubles in six full blocks. What is paid above the price comes back with the stake. */
const FEE_MARGIN = 2n;

/**
 * What a challenge of a claim takes, or of a model commitment's row that nobody has challenged yet.
 * @param mostWei given for one @throws CMD_FALSE_UNCHALLENGED where it takes more, BRG_L1_*
 */
export async function stakeFor(
  client: PublicClient,
  address: Address,
  of: { readonly claimId: bigint } | { readonly modelCommitment: bigint; readonly row: number },
  mostWei?: bigint,
): Promise<bigint> {
  const { baseFeePerGas } = await l1Call("read the latest block", () => client.getBlock());
  const feeWei = FEE_MARGIN * (baseFeePerGas ?? 0n);
  const read = readGame(client, address);
  const neededWei = await ("claimId" in of
    ? read("stakeFor", [of.claimId, feeWei])
    : read("stakeForRow", [of.modelCommitment, feeWei]));
  const most = mostWei ?? MOST_STAKES * (await read("stakeFor", [NO_CLAIM, feeWei]));
  if (neededWei <= most) return neededWei;
  const what =
    "claimId" in of ? `claim ${of.claimId}` : `row ${of.row} of model commitment ${of.modelCommitment}`;
  throw challengerError(
    "CMD_FALSE_UNCHALLENGED",
    `${what} is false, and not challenged: that takes a stake of ${formatEther(neededWei)} ETH, and at most ${formatEther(most)} are given`,
    { data: { ...of, neededWei, mostWei: most } },
  );
}
