/** Lines of `openledger vote list`: what a proposal does, its state and votes in OPEN, and the next step. */

import type { GovernedCall, Proposal, ProposalState } from "@openledger/client/governance/governance";
import { formatOpen } from "@openledger/client/sequencer/open-amount";
import {
  governanceTimelockAbi,
  openGovernorAbi,
  rollupRegistryAbi,
} from "@openledger/contracts/build/governance-abi";
import { openTokenAbi, rollupAbi } from "@openledger/contracts/build/rollup-abi";
import { decodeFunctionData, formatEther } from "viem";

const KNOWN = [rollupAbi, openTokenAbi, rollupRegistryAbi, governanceTimelockAbi, openGovernorAbi];

const NEXT: Readonly<Record<ProposalState, string>> = {
  pending: "votes are counted at a later block; OPEN that is delegated by then counts",
  active: "openledger vote cast",
  succeeded: "openledger vote execute, by anyone, which starts the time to leave",
  queued: "openledger vote execute again, once its delay is over; until then there is time to leave",
  executed: "done",
  canceled: "taken back",
  defeated: "lost, or without a quorum",
  expired: "expired",
};

export function describeProposals(proposals: readonly Proposal[], delaySeconds: bigint): string[] {
  const head = `no decision takes effect sooner than ${Number(delaySeconds) / 86_400} days after it was queued`;
  if (proposals.length === 0) return ["no proposals", head];
  return [head, ...proposals.flatMap(describe)];
}

function describe(proposal: Proposal): string[] {
  const { calls, description, executableFrom, id, quorumWei, state, votes } = proposal;
  const from =
    executableFrom === 0n ? "" : `, from ${new Date(Number(executableFrom) * 1_000).toISOString()}`;
  const quorum = quorumWei === null ? "" : `; quorum ${formatOpen(quorumWei)}`;
  return [
    "",
    `${id}: ${state}${from}`,
    `  ${JSON.stringify(description)}, by ${proposal.proposer}`,
    ...calls.map((call) => `  ${describeCall(call)}`),
    `  for ${formatOpen(votes.for)}, against ${formatOpen(votes.against)}, abstain ${formatOpen(votes.abstain)} OPEN${quorum}`,
    `  next: ${NEXT[state]}`,
  ];
}

/** Describes a call by its data, not by its proposer's words. */
function describeCall({ data, target, valueWei }: GovernedCall): string {
  const ether = valueWei === 0n ? "" : `, with ${formatEther(valueWei)} ETH of the timelock's`;
  for (const abi of KNOWN) {
    try {
      const { args = [], functionName } = decodeFunctionData({ abi, data });
      return `${target}.${functionName}(${args.map(String).join(", ")})${ether}`;
    } catch {
      // Of another contract.
    }
  }
  return `${target} is called with ${data}${ether}`;
}
