/** The games that hold back a language model's settlements until claims stand, and what a challenge in them takes. */
import { l1Call } from "@openledger/bridge/l1/l1-client";
import { isRollupError } from "@openledger/foundation/rollup-error";
import { type Address, formatEther, type PublicClient } from "viem";
import { challengerError } from "../challenger-errors.ts";
import { readGame } from "../events/read-contracts.ts";
import { readRegistry } from "../model-commitments/registry.ts";

/** Those that a registry asks, or the contract itself; null where it is neither. @throws BRG_L1_UNREACHABLE, BRG_L1_REFUSED */
export async function readGames(client: PublicClient, address: Address): Promise<Address | null> {
  const registry = await readRegistry(client, address);
  if (registry !== null) return registry.games;
  try {
    await readGame(client, address)("settlesFor", [address, 0n, 0n]);
    return address;
  } catch (error) {
    if (isRollupError(error, "BRG_CONTRACT_REVERTED")) return null;
    throw error;
  }
}

/** Whether a model of a rollup is registered for claims. @throws BRG_L1_* */
export async function isRegisteredIn(
  client: PublicClient,
  games: Address,
  rollup: Address,
  modelId: number,
): Promise<boolean> {
  const [statics] = await readGame(client, games)("models", [rollup, BigInt(modelId)]);
  return statics !== 0n;
}

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
