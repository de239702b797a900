import type { Address } from "viem";
import { compileContracts, pickContract } from "./compile.ts";
import { type DeployOptions, deployContract } from "./deploy.ts";

/** What the contract's constructor takes. Nothing of it can be changed afterwards. */
export interface TraceGameParameters {
  /** How long a claim can be challenged. */
  readonly windowSeconds: bigint;
  /** How long a player has for all moves of a game. */
  readonly sideSeconds: bigint;
  readonly leastBondWei: bigint;
  /** What a challenger puts in: it has to pay the owner's moves. */
  readonly stakeWei: bigint;
}

/** Rules and game, with what it asks. @param math the ledger's arithmetic: then it is the game whose verdicts ledgers wait for. @throws RollupError CON_DEPLOY_FAILED */
export async function deployTraceGame(
  clients: Pick<DeployOptions, "walletClient" | "publicClient">,
  { leastBondWei, sideSeconds, stakeWei, windowSeconds }: TraceGameParameters,
  math?: Address,
): Promise<{ rules: Address; game: Address }> {
  const contracts = await compileContracts({ set: "disputes" });
  const deploy = async (name: string, args: readonly unknown[]) =>
    (await deployContract(clients, name, pickContract(contracts, name), args)).contractAddress;
  const rules = await deploy("TraceRules", []);
  const own = [rules, windowSeconds, sideSeconds, leastBondWei, stakeWei];
  if (math === undefined) return { rules, game: await deploy("TraceGame", own) };
  const borders = await deploy("WordBorders", []);
  return { rules, game: await deploy("LedgerTraces", [...own, math, borders]) };
}
