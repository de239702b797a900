/**
 * Parameters that a deployer chose once, and warnings about them for users before they deposit. Amounts are wei
 * of OPEN. `openledger deploy`, `status` and `verify` print the warnings.
 */
import { formatEther } from "viem";

export interface RollupParameters {
  readonly idFeeWei: bigint;
  readonly minDepositWei: bigint;
  readonly queueBaseFeeWei: bigint;
  readonly queueCapacity: number;
  /** Supply of the token. */
  readonly supplyWei: bigint;
}

const ID_COUNT = 2n ** 24n;
/** A millionth of the supply: a thousand OPEN at first. */
const LARGE_PART = 1_000_000n;
/** Part of the supply below which a price is next to nothing: a thousandth of an OPEN at first. */
const SMALL_PART = 1_000_000_000_000n;
/**
 * `max`: from hour 24 to day 7 a batch an hour takes eight overdue entries. docs/reference/exits.md, "Why seven days"
 */
const USUAL_CAPACITY = { min: 64, max: 144 * 8 };

/** Lists parameters that the contract accepts and that few would expect, each with its consequence. */
export function unusualParameters(parameters: RollupParameters): string[] {
  const { idFeeWei, minDepositWei, queueBaseFeeWei, queueCapacity, supplyWei } = parameters;
  const open = (wei: bigint) => `${formatEther(wei)} OPEN`;
  const found: string[] = [];
  if (idFeeWei === 0n) found.push("an id costs nothing: all of them can be had for gas");
  if (idFeeWei * ID_COUNT > supplyWei)
    found.push(`an id costs ${open(idFeeWei)}: the token's supply does not pay for all of them`);
  if (minDepositWei * LARGE_PART > supplyWei) found.push(`no deposit below ${open(minDepositWei)} is taken`);
  if (8n * queueBaseFeeWei * LARGE_PART > supplyWei)
    found.push(
      `a forced operation burns ${open(queueBaseFeeWei)}, and ${open(8n * queueBaseFeeWei)} where many wait`,
    );
  if (queueBaseFeeWei * SMALL_PART < supplyWei)
    found.push(
      `a forced operation burns ${open(queueBaseFeeWei)}: flooding the queue costs hardly more than gas`,
    );
  if (queueCapacity < USUAL_CAPACITY.min)
    found.push(`${queueCapacity} entries fill the queue: few others are needed to close it`);
  if (queueCapacity > USUAL_CAPACITY.max)
    found.push(
      `${queueCapacity} entries may wait in the queue: a flood alone may let anyone freeze the rollup, where batches come hourly`,
    );
  return found;
}
