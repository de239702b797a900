/**
 * Migration of an account's OPEN to the rollup that a vote has named: out of the ledger here, paid out on L1, and deposited there. The
 * command draws it. Amounts are in wei.
 */
import type { Hex } from "viem";
import type { DepositErrorCode } from "../actions/l1/deposit.ts";
import {
  type Moved,
  movePaidOut,
  type NamedRollup,
  owedOnL1,
  planDeposit,
  requireGoodRollup,
} from "../governance/migrate.ts";
import { type LedgerClient, requireWallet } from "../ledger-client.ts";
import { estimateFees, likelyFeeWei } from "../sequencer/fees.ts";
import { listOperations } from "../sequencer/ledger-reads.ts";
import { type WaitProgress, waitFor } from "../sequencer/wait-for.ts";
import { requireSigner } from "./before-signing.ts";
import { type WithdrawOpenErrorCode, withdrawOpen } from "./withdraw-open.ts";

export interface MigrateAccountParameters {
  /** Client of the rollup that was named, with the same wallet, and with the key that is to sign there. */
  there: LedgerClient;
  named: NamedRollup;
  /** sha256 of the sources that this program comes with; null enters the rollup whatever it was built from. */
  sourcesHash: Hex | null;
  /** Leaf that is emptied; default: the client's. */
  from?: number;
  /** Amount to deposit from the wallet. Default: what is paid out. */
  amountWei?: bigint;
  onProgress?: (progress: MigrateProgress) => void;
}
/** Step of the task; while it waits for the withdrawal's batch, how far that is. */
export interface MigrateProgress {
  readonly step: "withdrawing" | "waiting" | "moving";
  readonly wait?: WaitProgress;
}
export type MigrateAccountErrorCode =
  | "CLI_MIGRATION_REFUSED"
  | "CLI_OPERATION_DROPPED"
  | DepositErrorCode
  | WithdrawOpenErrorCode;

/** Statuses of a withdrawal that no posted batch has credited. */
const ON_THE_WAY = ["pending", "acknowledged", "closed", "proven", "submitted"];

/**
 * Moves all that an account holds to the rollup that was named. A second call after an interruption waits for the withdrawal that the
 * first one has signed, and signs none; behind the payout it needs `amountWei`. Without a sequencer it moves what is credited on L1.
 * @throws CLI_MIGRATION_REFUSED, OP_BAD_SIGNATURE before anything is signed; CLI_MIGRATION_REFUSED where an earlier call's payout is gone
 *   and `amountWei` does not say what to deposit; CLI_WAIT_ENDED, CLI_OPERATION_DROPPED; what `withdrawOpen` and `deposit` throw
 * @example
 * ```ts
 * const named = { rollupAddress, number: 2n, sourcesHash: "0x01", announcedAt: 1 } as const;
 * const there = await createLedgerClient({ rpcUrl, rollupAddress, wallet: account });
 * const { depositedWei } = await migrateAccount(client, { there, named, sourcesHash: "0x01" });
 * ```
 */
export async function migrateAccount(
  here: LedgerClient,
  { amountWei, from, named, onProgress, sourcesHash, there }: MigrateAccountParameters,
): Promise<Moved> {
  await requireGoodRollup(here, there, named, sourcesHash);
  if (amountWei !== undefined) await planDeposit(there, amountWei);
  if (here.sequencerUrl !== null) {
    const { address: owner } = requireWallet(here).account;
    const { balanceWei, id } = await requireSigner(here, from);
    // An earlier call's, too.
    const onTheWay = async () =>
      (await listOperations(here, id)).flatMap((operation) =>
        operation.hash !== null &&
        operation.kind === "withdraw" &&
        operation.words[0] === BigInt(owner) &&
        ON_THE_WAY.includes(operation.status)
          ? [operation.hash]
          : [],
      );
    const feeWei = likelyFeeWei(await estimateFees(here), "withdraw");
    if (balanceWei > feeWei) {
      if (amountWei === undefined && (await onTheWay()).length === 0)
        await planDeposit(there, (await owedOnL1(here, owner)) + balanceWei - feeWei);
      onProgress?.({ step: "withdrawing" });
      await withdrawOpen(here, { from: id, amountWei: "all" });
    }
    onProgress?.({ step: "waiting" });
    for (const hash of await onTheWay())
      await waitFor(here, { withdrawal: { hash } }, "finalizable", {
        onProgress: (wait) => onProgress?.({ step: "waiting", wait }),
      });
  }
  onProgress?.({ step: "moving" });
  return movePaidOut(here, there, amountWei === undefined ? {} : { amountWei });
}
