/** What proposals are made of. The timelock owns leaf 0, and acts for it as any owner: through the queue, which nobody refuses. */

import { TREASURY_ID, WITHDRAW_ALL_WEI } from "@openledger/circuits/protocol";
import { rollupRegistryAbi } from "@openledger/contracts/build/governance-abi";
import { openTokenAbi, rollupAbi } from "@openledger/contracts/build/rollup-abi";
import { type Address, encodeFunctionData, type Hex } from "viem";
import type { LedgerClient } from "../ledger-client.ts";
import type { GovernedCall } from "./governance.ts";

type Contracts = Pick<LedgerClient, "rollupAddress" | "tokenAddress">;
type Forced = "forceTransfer" | "forceWithdraw";

/**
 * Two calls. Besides, the timelock has to hold `maxFeeWei` of OPEN on L1 when it is carried out: the queue's fee is paid there.
 * @param maxFeeWei the most that the queue may ask then; where it asks more, the proposal can be carried out later
 */
function forced(
  { rollupAddress, tokenAddress }: Contracts,
  functionName: Forced,
  args: readonly unknown[],
  maxFeeWei: bigint,
): GovernedCall[] {
  const approve = { abi: openTokenAbi, functionName: "approve", args: [rollupAddress, maxFeeWei] } as const;
  const abi = rollupAbi.filter((item) => item.type === "function" && item.name === functionName);
  const data = encodeFunctionData({ abi, functionName, args: [...args, maxFeeWei] } as never);
  return [
    { target: tokenAddress, data: encodeFunctionData(approve), valueWei: 0n },
    { target: rollupAddress, data, valueWei: 0n },
  ];
}

/** Pays a leaf out of the treasury, inside the ledger. @param expectedOwner the leaf's owner; of another it has no effect */
export function payFromTreasury(
  contracts: Contracts,
  payment: { to: number; expectedOwner: Address; amountWei: bigint | "all"; maxFeeWei: bigint },
): GovernedCall[] {
  const { amountWei, expectedOwner, maxFeeWei, to } = payment;
  const wei = amountWei === "all" ? WITHDRAW_ALL_WEI : amountWei;
  return forced(contracts, "forceTransfer", [TREASURY_ID, to, wei, expectedOwner], maxFeeWei);
}

/** Pays an address on L1 out of the treasury; it is credited there, and anybody may call `claim` for it. */
export function withdrawFromTreasury(
  contracts: Contracts,
  payment: { recipient: Address; amountWei: bigint | "all"; maxFeeWei: bigint },
): GovernedCall[] {
  const { amountWei, maxFeeWei, recipient } = payment;
  const wei = amountWei === "all" ? WITHDRAW_ALL_WEI : amountWei;
  return forced(contracts, "forceWithdraw", [TREASURY_ID, wei, recipient], maxFeeWei);
}

/** Names the rollup to enter from then on. It moves nobody. */
export function announceRollup(registry: Address, rollup: Address, sourcesHash: Hex): GovernedCall[] {
  const call = { abi: rollupRegistryAbi, functionName: "announce", args: [rollup, sourcesHash] } as const;
  return [{ target: registry, data: encodeFunctionData(call), valueWei: 0n }];
}
