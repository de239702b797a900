import type { Address } from "viem";
import { compileContracts, pickContract } from "./compile.ts";
import { type DeployOptions, deployContract } from "./deploy.ts";

/** What the contract's constructor takes. Nothing of it can be changed afterwards. */
export interface TraceGameParameters {
  /** How long a claim can be challenged. */
  readonly windowSeconds: bigint;
  /** How long a player has for a move. */
  readonly moveSeconds: bigint;
  readonly leastBondWei: bigint;
  /** What a challenger puts in: it has to pay the owner's moves. */
  readonly stakeWei: bigint;
}

/** Rules and game. @throws RollupError CON_DEPLOY_FAILED */
export async function deployTraceGame(
  clients: Pick<DeployOptions, "walletClient" | "publicClient">,
  { leastBondWei, moveSeconds, stakeWei, windowSeconds }: TraceGameParameters,
): Promise<{ rules: Address; game: Address }> {
  const contracts = await compileContracts({ set: "disputes" });
  const deploy = async (name: string, args: readonly unknown[]) =>
    (await deployContract(clients, name, pickContract(contracts, name), args)).contractAddress;
  const rules = await deploy("TraceRules", []);
  const game = await deploy("TraceGame", [rules, windowSeconds, moveSeconds, leastBondWei, stakeWei]);
  return { rules, game };
}
