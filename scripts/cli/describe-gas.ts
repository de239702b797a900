/** Text of a transaction's cost, for commands that send one. */
import { formatEther } from "viem";

/** Describes the cost of a transaction that was sent: "103419 gas, 0.0001551285 ETH". */
export const describeGas = ({
  gasUsed,
  gasCostWei,
}: {
  readonly gasUsed: number;
  readonly gasCostWei: bigint;
}): string => `${gasUsed} gas, ${formatEther(gasCostWei)} ETH`;
