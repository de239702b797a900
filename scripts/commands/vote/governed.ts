/** Options of the commands of votes: governor, registry, and the block from which proposals are searched. */

import type { Address } from "viem";
import { commandError } from "../../cli/cli-errors.ts";
import { deploymentOf, type GlobalOptions, parseAddress } from "../../cli/context.ts";
import { defineOptions } from "../../cli/options.ts";

export interface GovernedOptions extends GlobalOptions {
  governor?: string;
  registry?: string;
  fromBlock?: string;
}

export const GOVERNOR_OPTION = defineOptions({
  "--governor <address>": "address of the governor contract; default: the deployment record's",
});
export const FROM_BLOCK_OPTION = defineOptions({
  "--from-block <n>": "first block to search for proposals; default: the deployment record's",
});

/** @throws CMD_USAGE if neither the option nor the record names it */
export function governorOf(options: GovernedOptions, rollupAddress: Address): Address {
  if (options.governor !== undefined) return parseAddress(options.governor);
  const known = deploymentOf(rollupAddress)?.governance?.governor;
  if (known !== undefined) return known;
  throw commandError("CMD_USAGE", "no record names a governor of this rollup: give --governor");
}

/** @throws CMD_USAGE as governorOf */
export function registryOf(options: GovernedOptions, rollupAddress: Address): Address {
  if (options.registry !== undefined) return parseAddress(options.registry);
  const known = deploymentOf(rollupAddress)?.governance?.registry;
  if (known !== undefined) return known;
  throw commandError("CMD_USAGE", "no record names a registry of rollups: give --registry");
}

/** @throws CMD_USAGE */
export function firstBlockOf({ fromBlock }: GovernedOptions, rollupAddress: Address): bigint {
  if (fromBlock === undefined) return BigInt(deploymentOf(rollupAddress)?.deployedAtBlock ?? 0);
  if (!/^\d{1,12}$/.test(fromBlock)) throw commandError("CMD_USAGE", `"${fromBlock}" is no block`);
  return BigInt(fromBlock);
}
