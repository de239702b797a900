/**
 * Lists what a frozen ledger owes to an address, item by item, from L1's records alone: balances, rewards, waiting deposits.
 * Amounts are wei. `openledger exit` and the exit page plan by it.
 */

import { leafExitKey, payeeDue } from "@openledger/circuits/exit/exit-statement";
import { unpackCounters } from "@openledger/circuits/ledger/leaf";
import { presentPayees } from "@openledger/circuits/ledger/payee-shards";
import { PAYEE_ROLE } from "@openledger/circuits/ledger/rewards";
import { KIND, LEAF_KIND } from "@openledger/circuits/protocol";
import { type Address, getAddress } from "viem";
import type { LedgerReplay } from "../replay/ledger-replay.ts";

export type LeafName = "account" | "datanet" | "model";
export type RoleName = "contributor" | "validator";

interface Owed {
  /** Recipient: a leaf's l1Owner, or a waiting deposit's sender. */
  readonly owner: Address;
  readonly amountWei: bigint;
  /** True if it was credited to its owner before. */
  readonly isTaken: boolean;
}

/** A leaf's balance. */
export interface LeafItem extends Owed {
  readonly kind: "leaf";
  readonly key: bigint;
  readonly leafId: number;
  readonly leafKind: LeafName;
}

/**
 * Earnings of a role of a model's payee: proven and unclaimed, and its part of the open and the closed epoch.
 */
export interface PayeeItem extends Owed {
  readonly kind: "payee";
  readonly key: bigint;
  readonly modelId: number;
  /** Index among the payees of all shards, 0 … 4,095. */
  readonly payeeIndex: number;
  readonly role: RoleName;
  /** The leaf that has the role. */
  readonly leafId: number;
}

/** Deposit that no batch has executed. */
export interface DepositItem extends Owed {
  readonly kind: "deposit";
  readonly queueIndex: number;
}

export type ProvenItem = LeafItem | PayeeItem;
export type ExitItem = ProvenItem | DepositItem;

export interface ExitSelection {
  /** Recipient to select; null selects all. */
  readonly owner: Address | null;
  /** Leaf to select: its balance, and its payees if it is a model. */
  readonly leafId?: number | undefined;
  /** Payee of the model `leafId` to select. */
  readonly payeeIndex?: number | undefined;
  /** Minimum amount of an item. */
  readonly minWei?: bigint | undefined;
}

/** Part of a replay that a plan reads. */
type Owing = Pick<LedgerReplay, "requireLedger" | "totals" | "entries" | "queueHead">;

const LEAF_NAMES: Readonly<Record<number, LeafName>> = {
  [LEAF_KIND.account]: "account",
  [LEAF_KIND.datanet]: "datanet",
  [LEAF_KIND.model]: "model",
};

const toOwner = (l1Owner: bigint): Address => getAddress(`0x${l1Owner.toString(16).padStart(40, "0")}`);

/**
 * Plans all that is owed to the selection, taken or not: leaves, then payees, then deposits, each by their numbers.
 * @example
 * ```ts
 * const items = planExits(restored.replay, { owner: account.address, minWei: parseOpen("0.01") });
 * ```
 */
export function planExits(replay: Owing, selection: ExitSelection): ExitItem[] {
  const items: ExitItem[] = [];
  for (const some of [leafItems(replay), payeeItems(replay), depositItems(replay)])
    for (const item of some) if (item.amountWei > 0n && isSelected(item, selection)) items.push(item);
  return items;
}

function isSelected(item: ExitItem, { leafId, minWei = 0n, owner, payeeIndex }: ExitSelection): boolean {
  if (item.amountWei < minWei) return false;
  if (owner !== null && item.owner !== owner) return false;
  if (leafId === undefined) return true;
  if (item.kind === "deposit") return false;
  if (item.kind === "leaf") return item.leafId === leafId && payeeIndex === undefined;
  return item.modelId === leafId && (payeeIndex === undefined || item.payeeIndex === payeeIndex);
}

function* leafItems(replay: Owing): Generator<LeafItem> {
  const { leaves } = replay.requireLedger();
  for (const [leafId, { leaf }] of leaves) {
    const key = leafExitKey(leafId);
    yield {
      kind: "leaf",
      key,
      leafId,
      leafKind: LEAF_NAMES[leaf.kind]!,
      owner: toOwner(leaf.l1Owner),
      amountWei: leaf.balance,
      isTaken: replay.totals.exitedWei.has(key),
    };
  }
}

function* payeeItems(replay: Owing): Generator<PayeeItem> {
  const ledger = replay.requireLedger();
  for (const [modelId, { leaf, rewards }] of ledger.leaves.withMore()) {
    if (rewards === undefined || !unpackCounters(leaf.counters).isReady) continue;
    for (const [payeeIndex, { contributorId, validatorId }] of presentPayees(rewards.payees)) {
      for (const role of ["contributor", "validator"] as const) {
        // Owners that are no leaves have nobody to pay to.
        if (ledger.leaf(role === "contributor" ? contributorId : validatorId) === undefined) continue;
        const { amountWei, key, ownerId, recipient } = payeeDue(
          ledger,
          modelId,
          payeeIndex,
          PAYEE_ROLE[role],
        );
        const isTaken = replay.totals.exitedWei.has(key);
        const owner = toOwner(recipient);
        yield { kind: "payee", key, modelId, payeeIndex, role, leafId: ownerId, owner, amountWei, isTaken };
      }
    }
  }
}

function* depositItems(replay: Owing): Generator<DepositItem> {
  const { entries, queueHead, totals } = replay;
  for (const { amountWei, kind, queueIndex, sender } of entries.slice(queueHead)) {
    if (kind > KIND.depositTo) continue;
    const isTaken = totals.refundedEntries.has(queueIndex);
    yield { kind: "deposit", queueIndex, owner: getAddress(sender), amountWei, isTaken };
  }
}

/**
 * Describes an item for people: "balance of account 5", "payee 2 of model 11 as validator (leaf 7)".
 * @example
 * ```ts
 * for (const item of planExits(restored.replay, { owner: null })) console.log(describeItem(item),
 * item.amountWei);
 * ```
 */
export function describeItem(item: ExitItem): string {
  switch (item.kind) {
    case "leaf":
      return `balance of ${item.leafKind} ${item.leafId}`;
    case "payee":
      return `payee ${item.payeeIndex} of model ${item.modelId} as ${item.role} (leaf ${item.leafId})`;
    case "deposit":
      return `deposit that waits as queue entry ${item.queueIndex}`;
    default:
      return item satisfies never;
  }
}
