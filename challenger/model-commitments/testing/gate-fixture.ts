import {
  deployActivationGates,
  deployDirectDisputes,
  WEEK_SECONDS,
} from "@openledger/contracts/build/deploy-disputes";
import { onClient } from "@openledger/contracts/testing/chain";
import type { Hex } from "viem";
import { AVAILABILITY_CHALLENGE_FEE_WEI, BOND_WEI, type DisputeFixture } from "./dispute-fixture.ts";

/** One gate before the fixture's contract and another one of its kind. */
export async function deployGateBefore(f: DisputeFixture) {
  const clients = onClient(f.client).clientsOf(f.owner);
  const terms = {
    windowSeconds: WEEK_SECONDS,
    leastBondWei: BOND_WEI,
    availabilityChallengeFeeWei: AVAILABILITY_CHALLENGE_FEE_WEI,
  };
  const members: [Hex, Hex] = [f.disputes.address, await deployDirectDisputes(clients, terms, f.math)];
  return { clients, members, gates: await deployActivationGates(clients, members) };
}
