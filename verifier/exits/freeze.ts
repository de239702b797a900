/**
 * Freezes a rollup whose queue has not moved for 7 days: says whether and from when that is possible, and sends the
 * transaction. Anybody may freeze it. `openledger freeze` and the exit page call it.
 */

import { ExitContract } from "@openledger/bridge/l1/exit-contract";
import { createPatientL1Client, l1Call } from "@openledger/bridge/l1/l1-client";
import { type L1Sender, RollupContract } from "@openledger/bridge/l1/rollup-contract";
import { gasCostWei, type SpendingCap } from "@openledger/contracts/l1/capped-transaction";
import type { Address, Hex } from "viem";
import { type WaysOut, waysOut } from "../circuits/exit-circuits.ts";
import { verifierError } from "../verifier-errors.ts";
import { requireOvertaken } from "./overtaken.ts";

export interface FreezeOutlook {
  readonly isFrozen: boolean;
  readonly waysOut: WaysOut;
  /** The entry that everything waits for; null if the queue is empty. Times are L1's. */
  readonly oldest: {
    readonly queueIndex: number;
    readonly queuedAtSeconds: number;
    /** L1 time in seconds from which a block accepts the freeze. */
    readonly freezableAtSeconds: number;
  } | null;
  /** L1 time of the newest block, in seconds. */
  readonly nowSeconds: number;
}

export interface FreezeResult {
  readonly outlook: FreezeOutlook;
  /** Hash of the freezing transaction; null if the rollup was frozen before. */
  readonly transactionHash: Hex | null;
  readonly gasUsed: number;
  /** Ether that it has cost. */
  readonly gasCostWei: bigint;
}

/**
 * Reads from L1 whether a freeze is possible now, and from when on.
 * @throws BRG_L1_*
 * @internal
 */
export async function readFreezeOutlook(rollup: RollupContract): Promise<FreezeOutlook> {
  const contract = new ExitContract(rollup);
  const [{ isFrozen, queueHead }, head, deadlineSeconds, circuits] = await Promise.all([
    rollup.state(),
    l1Call("read the newest block", () => rollup.client.getBlock()),
    contract.hardDeadlineSeconds(),
    rollup.circuits(),
  ]);
  const queuedAtSeconds = await contract.queuedAtSeconds(queueHead);
  const oldest =
    queuedAtSeconds === null
      ? null
      : {
          queueIndex: queueHead,
          queuedAtSeconds,
          freezableAtSeconds: queuedAtSeconds + deadlineSeconds + 1,
        };
  return { isFrozen, waysOut: waysOut(circuits), oldest, nowSeconds: Number(head.timestamp) };
}

/**
 * @throws CLI_EXIT_UNAVAILABLE, CLI_TOO_EARLY with data.queueIndex and
 * data.freezableAtSeconds; BRG_CONTRACT_REVERTED if L1 moved meanwhile; BRG_L1_*
 */
function requireFreezable({ nowSeconds, oldest, waysOut: ways }: FreezeOutlook): void {
  if (!ways.hasLeafExit || ways.payees < ways.neededPayees) {
    throw verifierError(
      "CLI_EXIT_UNAVAILABLE",
      `the rollup has no circuits by which every owner could leave (leaves: ${ways.hasLeafExit ? "yes" : "no"}, payees: ${ways.payees} of ${ways.neededPayees})`,
      { data: { reason: "freeze-no-way-out", ...ways } },
    );
  }
  if (oldest === null)
    throw verifierError("CLI_TOO_EARLY", "no entry waits in the L1 queue, so nothing is overdue", {
      data: { reason: "freeze-no-entry" },
    });
  if (nowSeconds >= oldest.freezableAtSeconds) return;
  throw verifierError(
    "CLI_TOO_EARLY",
    `queue entry ${oldest.queueIndex} waits since ${toIso(oldest.queuedAtSeconds)}; unless a batch takes it, anyone may freeze from ${toIso(oldest.freezableAtSeconds)} on`,
    { data: { reason: "freeze-too-early", ...oldest, nowSeconds } },
  );
}

export type FreezeRollupErrorCode = "CLI_EXIT_UNAVAILABLE" | "CLI_TOO_EARLY" | `BRG_${string}`;

/**
 * Freezes a rollup whose oldest queue entry has waited for too long.
 * @example
 * ```ts
 * const { outlook } = await freezeRollup({ rpcUrl, rollupAddress, account: () => account });
 * console.log(outlook.isFrozen);
 * ```
 */
export async function freezeRollup(options: {
  readonly rpcUrl: string;
  readonly rollupAddress: Address;
  /** Account that pays for the transaction, anybody's. Called only once a freeze is possible. */
  readonly account: () => L1Sender;
  /** Cap on the account's spending. Default: RollupContract's. */
  readonly spendingCap?: SpendingCap | undefined;
}): Promise<FreezeResult> {
  const client = createPatientL1Client({ rpcUrl: options.rpcUrl });
  const { rollupAddress: address, spendingCap } = options;
  return freezeBy(new RollupContract({ client, address, spendingCap }), options.account);
}

/**
 * Follows `freezeRollup` with an L1 client of the caller's.
 * @throws as freezeRollup
 * @internal
 */
export async function freezeBy(rollup: RollupContract, accountOf: () => L1Sender): Promise<FreezeResult> {
  const outlook = await readFreezeOutlook(rollup);
  if (outlook.isFrozen) return { outlook, transactionHash: null, gasUsed: 0, gasCostWei: 0n };
  requireFreezable(outlook);
  const account = accountOf();
  try {
    const receipt = await new ExitContract(rollup).freeze(account);
    const { gasUsed, transactionHash } = receipt;
    return { outlook, transactionHash, gasUsed: Number(gasUsed), gasCostWei: gasCostWei(receipt) };
  } catch (error) {
    await requireOvertaken(error, "RollupFrozen", async () => (await rollup.state()).isFrozen);
    return { outlook: { ...outlook, isFrozen: true }, transactionHash: null, gasUsed: 0, gasCostWei: 0n };
  }
}

const toIso = (seconds: number): string => new Date(1_000 * seconds).toISOString();
