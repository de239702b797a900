/**
 * Money of one address for `openledger status`: its wallet, what it can finalize, deposits that wait, and its balances by the
 * sequencer, all in wei.
 */

import { KIND } from "@openledger/circuits/protocol";
import { getL1Balances } from "@openledger/client/actions/l1/l1-balances";
import { queuedEntries } from "@openledger/client/actions/l1/queued-entries";
import type { LedgerClient } from "@openledger/client/ledger-client";
import { findLeaves } from "@openledger/client/sequencer/ledger-reads";
import { getRewards } from "@openledger/client/sequencer/model-reads";
import { formatOpen } from "@openledger/client/sequencer/open-amount";
import type { Address } from "viem";

export interface WaitingDeposit {
  readonly queueIndex: number;
  readonly amountWei: bigint;
}

/** Amounts are wei. */
export interface OwnMoney {
  readonly owner: Address;
  readonly etherWei: bigint;
  readonly walletWei: bigint;
  readonly finalizableWei: bigint;
  /** Deposits that no batch has taken. */
  readonly waiting: readonly WaitingDeposit[];
  /** Leaves by the sequencer's word; null if no sequencer is known. `postedWei` is the amount under L1's root. */
  readonly leaves:
    | readonly {
        readonly id: number;
        readonly kind: string;
        readonly nonce: number;
        readonly balanceWei: bigint;
        readonly postedWei: bigint | null;
      }[]
    | null;
  readonly rewards:
    | readonly {
        readonly modelId: number;
        readonly payeeIndex: number;
        readonly role: string;
        readonly claimableWei: bigint;
      }[]
    | null;
}

export async function readOwnMoney(client: LedgerClient, owner: Address): Promise<OwnMoney> {
  const [balances, waiting, leaves] = await Promise.all([
    getL1Balances(client, owner),
    waitingDeposits(client, owner),
    client.sequencerUrl === null ? null : findLeaves(client, { owner }),
  ]);
  const rewards = leaves === null ? null : await Promise.all(leaves.map(({ id }) => getRewards(client, id)));
  return {
    owner,
    etherWei: balances.etherWei,
    walletWei: balances.tokenWei,
    finalizableWei: balances.pendingWei,
    waiting,
    leaves:
      leaves?.map(({ balanceWei, id, kind, nonce, postedBalanceWei }) => ({
        id,
        kind,
        nonce,
        balanceWei,
        postedWei: postedBalanceWei ?? null,
      })) ?? null,
    rewards:
      rewards
        ?.flatMap((leaf) => leaf.rewards)
        .filter(({ claimableWei }) => claimableWei > 0n)
        .map(({ claimableWei, modelId, role, payeeIndex }) => ({
          modelId,
          payeeIndex,
          role,
          claimableWei,
        })) ?? null,
  };
}

async function waitingDeposits(client: LedgerClient, owner: Address): Promise<WaitingDeposit[]> {
  const queued = await queuedEntries(client, owner);
  return queued
    .filter(({ kind }) => kind <= KIND.depositTo)
    .map(({ amountWei, queueIndex }) => ({ queueIndex, amountWei }));
}

export function ownMoneyRows(money: OwnMoney): string[][] {
  const rows = [
    ["wallet", `${formatOpen(money.walletWei)} OPEN, ${formatOpen(money.etherWei)} ETH`],
    ["to finalize", `${formatOpen(money.finalizableWei)} OPEN (openledger finalize-withdrawal)`],
  ];
  for (const { amountWei, queueIndex } of money.waiting)
    rows.push(["waiting", `${formatOpen(amountWei)} OPEN, deposited as queue entry ${queueIndex}`]);
  if (money.leaves === null)
    rows.push(["in the ledger", "no sequencer is known; openledger exit --dry-run reads it from L1"]);
  for (const { balanceWei, id, kind, nonce, postedWei } of money.leaves ?? []) {
    const posted = postedWei === balanceWei ? "" : `, on L1 so far ${formatOpen(postedWei ?? 0n)}`;
    rows.push([`${kind} ${id}`, `${formatOpen(balanceWei)} OPEN${posted}, nonce ${nonce}`]);
  }
  for (const { claimableWei, modelId, role, payeeIndex } of money.rewards ?? []) {
    const where = `payee ${payeeIndex} of model ${modelId} as ${role}`;
    rows.push(["rewards", `${formatOpen(claimableWei)} OPEN of ${where} (openledger rewards claim)`]);
  }
  return rows;
}
