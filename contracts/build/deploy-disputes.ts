import type { Address } from "viem";
import { compileContracts, pickContract } from "./compile.ts";
import { type DeployOptions, deployContract } from "./deploy.ts";

/** What the contract's constructor takes. Nothing of it can be changed afterwards. */
export interface DisputesParameters {
  /** At least three days. */
  readonly windowSeconds: bigint;
  readonly leastBondWei: bigint;
  /** What a demand of one leaf costs, and what its answer earns. */
  readonly demandFeeWei: bigint;
}

export const WEEK_SECONDS = 7n * 86_400n;

/** @throws RollupError CON_DEPLOY_FAILED */
export async function deployDisputes(
  clients: Pick<DeployOptions, "walletClient" | "publicClient">,
  { windowSeconds, leastBondWei, demandFeeWei }: DisputesParameters,
): Promise<Address> {
  const contract = pickContract(await compileContracts({ set: "disputes" }), "Disputes");
  const args = [windowSeconds, leastBondWei, demandFeeWei];
  return (await deployContract(clients, "Disputes", contract, args)).contractAddress;
}
