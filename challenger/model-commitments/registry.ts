/** The registry of committed models: which families it judges, by their numbers, and where its games are played. Runs in pages, too. */

import { l1Call } from "@openledger/bridge/l1/l1-client";
import { FAMILY_RULES, type FamilyName } from "@openledger/contracts/build/dispute-judges";
import { disputesAbi } from "@openledger/contracts/build/disputes-abi";
import { isRollupError } from "@openledger/foundation/rollup-error";
import { type Address, type PublicClient, zeroAddress } from "viem";

export interface Registry {
  readonly address: Address;
  /** null for one whose rules are not this software's. */
  readonly families: readonly (FamilyName | null)[];
  /** Games over rows and queries; null where there are none. */
  readonly games: Address | null;
}

/** What it was deployed with. */
export interface RegistryTerms {
  readonly windowSeconds: bigint;
  readonly leastBondWei: bigint;
  readonly availabilityChallengeFeeWei: bigint;
  readonly math: Address;
}

export async function readTerms(client: PublicClient, address: Address): Promise<RegistryTerms> {
  const read = <Name extends keyof RegistryTerms>(functionName: Name) =>
    client.readContract({ address, abi: disputesAbi, functionName });
  const [windowSeconds, leastBondWei, availabilityChallengeFeeWei, math] = await Promise.all([
    read("windowSeconds"),
    read("leastBondWei"),
    read("availabilityChallengeFeeWei"),
    read("math"),
  ]);
  return { windowSeconds, leastBondWei, availabilityChallengeFeeWei, math };
}

/** null where the contract is none. @throws BRG_L1_UNREACHABLE, BRG_L1_REFUSED */
export async function readRegistry(client: PublicClient, address: Address): Promise<Registry | null> {
  const contract = { address, abi: disputesAbi } as const;
  try {
    const [families, games] = await l1Call("read which families a registry judges", () =>
      Promise.all([
        client.readContract({ ...contract, functionName: "families" }),
        client.readContract({ ...contract, functionName: "games" }),
      ]),
    );
    return {
      address,
      families: families.map(({ rules }) => familyOf(rules)),
      games: games === zeroAddress ? null : games,
    };
  } catch (error) {
    if (isRollupError(error, "BRG_CONTRACT_REVERTED")) return null;
    throw error;
  }
}

const familyOf = (rules: string): FamilyName | null =>
  (Object.keys(FAMILY_RULES) as FamilyName[]).find((name) => FAMILY_RULES[name] === rules) ?? null;
