/**
 * Calls that a proposal to vote on can make: payments of the treasury, its withdrawal to L1, the naming of a rollup. The
 * timelock owns leaf 0, and acts for it as any owner: through the queue, which nobody can refuse. The command line and the
 * votes page make and describe them; amounts are in wei.
 */
import { TREASURY_ID, WITHDRAW_ALL_WEI } from "@openledger/circuits/protocol";
import {
  governanceTimelockAbi,
  openGovernorAbi,
  rollupRegistryAbi,
} from "@openledger/contracts/build/governance-abi";
import { openTokenAbi, rollupAbi } from "@openledger/contracts/build/rollup-abi";
import {
  type Abi,
  type Address,
  decodeFunctionData,
  encodeFunctionData,
  formatEther,
  getAddress,
  type Hex,
} from "viem";
import type { LedgerClient } from "../ledger-client.ts";
import { formatOpen } from "../sequencer/open-amount.ts";
import type { GovernedCall } from "./governance.ts";

type Contracts = Pick<LedgerClient, "rollupAddress" | "tokenAddress">;
type Forced = "forceTransfer" | "forceWithdraw";

/**
 * Two calls. When the proposal is carried out, the timelock also has to hold `maxFeeWei` of OPEN on L1: the queue's fee
 * is paid there.
 * @param maxFeeWei maximum fee of the queue; while the fee is higher, the proposal fails and can be carried out later
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

/** Pays an address on L1 out of the treasury; it is credited there, and anybody may call `finalizeWithdrawal` for it. */
export function withdrawFromTreasury(
  contracts: Contracts,
  payment: { recipient: Address; amountWei: bigint | "all"; maxFeeWei: bigint },
): GovernedCall[] {
  const { amountWei, maxFeeWei, recipient } = payment;
  const wei = amountWei === "all" ? WITHDRAW_ALL_WEI : amountWei;
  return forced(contracts, "forceWithdraw", [TREASURY_ID, wei, recipient], maxFeeWei);
}

/** Names the rollup to enter from then on. It moves no funds. */
export function announceRollup(registry: Address, rollup: Address, sourcesHash: Hex): GovernedCall[] {
  const call = { abi: rollupRegistryAbi, functionName: "announce", args: [rollup, sourcesHash] } as const;
  return [{ target: registry, data: encodeFunctionData(call), valueWei: 0n }];
}

// Descriptions of a proposal's calls in words: by the call itself, not by its proposer's text.

export interface GovernedContracts {
  readonly rollupAddress: Address;
  readonly tokenAddress: Address;
  readonly governor: Address;
  readonly timelock: Address;
  readonly registry: Address;
}

export interface DescribedCall {
  readonly words: string;
  /** True where the call's effect is unknown here, or it goes to an unknown target: read it before you vote. */
  readonly isUnknown: boolean;
}

type Args = readonly unknown[];
const known = (words: string): DescribedCall => ({ words, isUnknown: false });
const open = (wei: unknown) => `${formatOpen(wei as bigint)} OPEN`;
const days = (seconds: unknown) => `${Number(seconds as bigint) / 86_400} days`;
const amount = (wei: unknown) => (wei === WITHDRAW_ALL_WEI ? "everything" : open(wei));

export function describeCall(call: GovernedCall, at: GovernedContracts): DescribedCall {
  const target = getAddress(call.target);
  const ether = `${formatEther(call.valueWei)} ETH that the timelock holds`;
  if (call.valueWei > 0n && call.data === "0x") return known(`Sends ${ether} to ${target}`);
  // No known function takes ETH.
  if (call.valueWei > 0n)
    return { words: `Sends ${ether} to ${target}, and calls it with ${call.data}`, isUnknown: true };
  const described =
    read(call, target, at.rollupAddress, rollupAbi, sayRollup) ??
    read(call, target, at.tokenAddress, openTokenAbi, (name, args) => sayToken(name, args, at)) ??
    read(call, target, at.registry, rollupRegistryAbi, sayRegistry) ??
    read(call, target, at.timelock, governanceTimelockAbi, sayTimelock) ??
    read(call, target, at.governor, openGovernorAbi, sayGovernor);
  return described ?? { words: `Calls ${target} with ${call.data}`, isUnknown: true };
}

function read(
  { data }: GovernedCall,
  target: Address,
  contract: Address,
  abi: Abi,
  say: (functionName: string, args: Args) => DescribedCall | null,
): DescribedCall | null {
  if (target !== getAddress(contract)) return null;
  try {
    const { args = [], functionName } = decodeFunctionData({ abi, data });
    const words = `Calls ${functionName}(${args.map(String).join(", ")}) of ${target}`;
    return say(functionName, args) ?? { words, isUnknown: true };
  } catch {
    return null;
  }
}

function sayRollup(name: string, args: Args): DescribedCall | null {
  // Another leaf is not the timelock's: the ledger leaves such an operation without effect.
  if (Number(args[0]) !== TREASURY_ID) return null;
  if (name === "forceTransfer")
    return known(
      `Pays ${amount(args[2])} out of the treasury to account ${args[1]} of ${args[3]}, inside the ledger`,
    );
  if (name === "forceWithdraw")
    return known(`Pays ${amount(args[1])} out of the treasury to ${args[2]}, on Ethereum`);
  return null;
}

function sayToken(name: string, args: Args, at: GovernedContracts): DescribedCall | null {
  if (name === "approve" && getAddress(args[0] as Address) === getAddress(at.rollupAddress))
    return known(
      `Lets the rollup take its queue's fee for this payment, at most ${open(args[1])}; what it does not take is not spent`,
    );
  if (name === "transfer") return known(`Sends ${open(args[1])} that the timelock holds to ${args[0]}`);
  return null;
}

function sayRegistry(name: string, args: Args): DescribedCall | null {
  return name === "announce" ? known(`Names ${args[0]} as the rollup to enter from then on`) : null;
}

function sayTimelock(name: string, args: Args): DescribedCall | null {
  return name === "updateDelay" ? known(`Makes the time to leave ${days(args[0])}`) : null;
}

function sayGovernor(name: string, args: Args): DescribedCall | null {
  const value = args[0];
  if (name === "setVotingDelay") return known(`Counts votes as of ${value} blocks after a proposal`);
  if (name === "setVotingPeriod") return known(`Lets people vote for ${value} blocks`);
  if (name === "setProposalThreshold") return known(`Lets every holder of ${open(value)} of votes propose`);
  if (name === "updateQuorumNumerator") return known(`Makes the quorum ${value} % of all OPEN`);
  return null;
}
