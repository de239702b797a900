/**
 * Parameters and constructor arguments of the governance contracts (votes of OPEN), for their deployment.
 * docs/explanation/governance.md explains each figure.
 */
import type { Address, Hex } from "viem";

export interface GovernanceOptions {
  /** Seconds between queueing and executing a decision; the contract accepts no less than 30 days. */
  readonly delaySeconds: bigint;
  /** Blocks from a proposal to its snapshot: time to withdraw OPEN that is to vote. */
  readonly votingDelayBlocks: number;
  readonly votingPeriodBlocks: number;
  /** Votes that a proposer needs, in wei. */
  readonly proposalThresholdWei: bigint;
  /** Quorum in percent of the supply: votes for a proposal, or to abstain. */
  readonly quorumPercent: number;
}

export interface GovernanceAddresses {
  readonly governor: Address;
  readonly timelock: Address;
  readonly registry: Address;
}

export const GOVERNANCE_CONTRACTS = ["GovernanceTimelock", "OpenGovernor", "RollupRegistry"] as const;

/** The arguments of each constructor. The contracts name each other: addresses follow from account and nonce. */
export function governanceArguments(
  options: GovernanceOptions,
  at: Pick<GovernanceAddresses, "governor" | "timelock"> & {
    readonly token: Address;
    readonly rollup: Address;
    /** sha256 of the rollup's sources, as CompilerInput has it. */
    readonly contractsHash: string;
  },
): Readonly<Record<(typeof GOVERNANCE_CONTRACTS)[number], readonly unknown[]>> {
  const { delaySeconds, proposalThresholdWei, quorumPercent, votingDelayBlocks, votingPeriodBlocks } =
    options;
  const times = [votingDelayBlocks, votingPeriodBlocks] as const;
  return {
    GovernanceTimelock: [delaySeconds, at.governor],
    OpenGovernor: [at.token, at.timelock, ...times, proposalThresholdWei, BigInt(quorumPercent)],
    RollupRegistry: [at.timelock, at.rollup, `0x${at.contractsHash}` as Hex],
  };
}
