import {
  deployDirectDisputes,
  deployGenesisGates,
  WEEK_SECONDS,
} from "@openledger/contracts/build/deploy-disputes";
import { createWalletClient, custom, type Hex } from "viem";
import { BOND_WEI, DEMAND_FEE_WEI, type DisputeFixture } from "./dispute-fixture.ts";

/** One gate before the fixture's contract, of classifiers, and one of direct models. */
export async function deployGateBefore(f: DisputeFixture) {
  const transport = custom(f.client);
  const walletClient = createWalletClient({ account: f.owner, chain: f.client.chain, transport });
  const clients = { walletClient, publicClient: f.client as never };
  const terms = { windowSeconds: WEEK_SECONDS, leastBondWei: BOND_WEI, demandFeeWei: DEMAND_FEE_WEI };
  const members: [Hex, Hex] = [f.disputes.address, await deployDirectDisputes(clients, terms, f.math)];
  return { clients, members, gates: await deployGenesisGates(clients, members) };
}
