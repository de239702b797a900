/**
 * Migration from one rollup to the one that votes named: out by a withdrawal or an exit, across by a payout, in by a deposit.
 * `openledger migrate` calls it; amounts are in wei.
 */

import { rollupRegistryAbi } from "@openledger/contracts/build/governance-abi";
import { type Address, type Hex, isAddressEqual } from "viem";
import { deposit } from "../actions/l1/deposit.ts";
import { finalizeWithdrawal } from "../actions/l1/finalize-withdrawal.ts";
import { clientError } from "../client-errors.ts";
import { type LedgerClient, requireWallet, rollupContract } from "../ledger-client.ts";

export interface NamedRollup {
  readonly rollupAddress: Address;
  /** Number of the rollup, counted from 1. */
  readonly number: bigint;
  /** sha256 of the sources that the proposal named; nothing on L1 checks it. */
  readonly sourcesHash: Hex;
  readonly announcedAt: number;
}

/** The rollup that votes named last. */
export async function namedRollup(client: LedgerClient, registry: Address): Promise<NamedRollup> {
  const call = { address: registry, abi: rollupRegistryAbi, functionName: "latest" } as const;
  const [{ announcedAt, rollup, sourcesHash }, number] = await client.l1.readContract(call);
  return { rollupAddress: rollup, number, sourcesHash, announcedAt };
}

/**
 * Requires a rollup that is safe to enter. Refuses the present one, another than was named, another token, a frozen rollup, or other
 * sources than these.
 * @param sourcesHash of the sources that this program comes with, as 0x-hex; null: not compared
 * @throws CLI_MIGRATION_REFUSED
 */
export async function requireGoodRollup(
  here: LedgerClient,
  there: LedgerClient,
  named: NamedRollup,
  sourcesHash: Hex | null,
): Promise<void> {
  const refused = (why: string) =>
    clientError("CLI_MIGRATION_REFUSED", `${named.rollupAddress} ${why}`, { data: { ...named } });
  const isThere = ({ rollupAddress }: LedgerClient) => isAddressEqual(rollupAddress, named.rollupAddress);
  if (isThere(here)) throw refused("is the rollup that would be left");
  if (!isThere(there)) throw refused(`was named, and not ${there.rollupAddress}`);
  if (there.tokenAddress !== here.tokenAddress) throw refused(`keeps another token, ${there.tokenAddress}`);
  const { isFrozen } = await there.l1.readContract({ ...rollupContract(there), functionName: "state" });
  if (isFrozen) throw refused("is frozen");
  if (sourcesHash !== null && named.sourcesHash !== sourcesHash)
    throw refused(`was named with the sources ${named.sourcesHash}, and these are ${sourcesHash}`);
}

/**
 * Amount in wei that L1 owes an address here, which a payout would pay.
 * @internal
 */
export const owedOnL1 = (here: LedgerClient, owner: Address): Promise<bigint> =>
  here.l1.readContract({ ...rollupContract(here), functionName: "pendingWithdrawals", args: [owner] });

/**
 * Deposit of an amount for a new account there: the fee, and what is left for the account.
 * @throws CLI_MIGRATION_REFUSED where too little is left
 * @internal
 */
export async function planDeposit(
  there: LedgerClient,
  amountWei: bigint,
): Promise<{ readonly depositedWei: bigint; readonly feeWei: bigint }> {
  const [feeWei, minDepositWei] = await Promise.all([
    there.l1.readContract({ ...rollupContract(there), functionName: "depositFeeWei", args: [true] }),
    there.l1.readContract({ ...rollupContract(there), functionName: "minDepositWei" }),
  ]);
  const depositedWei = amountWei - feeWei;
  if (depositedWei >= minDepositWei) return { depositedWei, feeWei };
  throw clientError("CLI_MIGRATION_REFUSED", "what is left is too little for a deposit", {
    data: { amountWei, depositFeeWei: feeWei, minDepositWei },
  });
}

export interface Moved {
  readonly paidOutWei: bigint;
  readonly depositedWei: bigint;
  /** Index of the deposit, in the other rollup's queue. */
  readonly queueIndex: number;
}

/**
 * Finalizes the wallet's credit on L1 here, and deposits it there for a new account of the wallet, less the fees. After
 * an interruption behind the payout a second call finds nothing to finalize: pass `amountWei` to deposit.
 * @param there a client of the other rollup with the same wallet, and with the key that is to sign there
 * @throws the errors of finalize and deposit; CLI_MIGRATION_REFUSED where too little is left to deposit
 */
export async function movePaidOut(
  here: LedgerClient,
  there: LedgerClient,
  options: { amountWei?: bigint; permission?: "permit" | "approve" } = {},
): Promise<Moved> {
  const owner = requireWallet(here).account.address;
  const owedWei = await owedOnL1(here, owner);
  const paidOutWei = owedWei === 0n ? 0n : (await finalizeWithdrawal(here, { owner })).amountWei;
  const { depositedWei, feeWei } = await planDeposit(there, options.amountWei ?? paidOutWei);
  const { permission = "permit" } = options;
  const sent = await deposit(there, { amountWei: depositedWei, permission, maxFeeWei: feeWei, isNew: true });
  return { paidOutWei, depositedWei, queueIndex: sent.queueIndex };
}
