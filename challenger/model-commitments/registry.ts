/** The registry of committed models: which families it judges, by their numbers, and where its games are played. Runs in pages, too. */

import { FAMILY_RULES, type FamilyName } from "@openledger/contracts/build/dispute-judges";
import { isRollupError } from "@openledger/foundation/rollup-error";
import { type Address, type PublicClient, zeroAddress } from "viem";
import { readDisputes } from "../events/read-contracts.ts";

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
  const read = readDisputes(client, address);
  const [windowSeconds, leastBondWei, availabilityChallengeFeeWei, math] = await Promise.all([
    read("windowSeconds", []),
    read("leastBondWei", []),
    read("availabilityChallengeFeeWei", []),
    read("math", []),
  ]);
  return { windowSeconds, leastBondWei, availabilityChallengeFeeWei, math };
}

/** null where the contract is none. @throws BRG_L1_UNREACHABLE, BRG_L1_REFUSED */
export async function readRegistry(client: PublicClient, address: Address): Promise<Registry | null> {
  const read = readDisputes(client, address);
  try {
    const [families, games] = await Promise.all([read("families", []), read("games", [])]);
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
