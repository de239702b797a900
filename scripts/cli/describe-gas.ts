import { formatEther } from "viem";

/** "103419 gas, 0.0001551285 ETH": what a transaction that was sent has cost. */
export const describeGas = ({
  gasUsed,
  gasCostWei,
}: {
  readonly gasUsed: number;
  readonly gasCostWei: bigint;
}): string => `${gasUsed} gas, ${formatEther(gasCostWei)} ETH`;
