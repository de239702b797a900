/**
 * Groups whose shares are open in this page's memory, and what the page has proposed to them. Pages of what a group owns sign with
 * these clients; closing or reloading the page forgets them.
 */
import type { LedgerClient } from "@openledger/client/ledger-client";
import { signal } from "@preact/signals";

export interface OpenGroup {
  readonly keyX: bigint;
  readonly name: string;
  /** Members who sign together, and all of them. */
  readonly threshold: number;
  readonly memberCount: number;
  /** Key of the account whose share this is. */
  readonly memberKeyX: bigint;
  /** The client with this account's key, proposing for a leaf of the group. */
  clientFor(client: LedgerClient, leafId: number): LedgerClient;
}

/** A proposal of this page that waits for the other members. */
export interface Waiting {
  readonly session: string;
  readonly leafId: number;
  readonly untilMs: number;
}

export const openGroups = signal<readonly OpenGroup[]>([]);
export const waitingProposals = signal<readonly Waiting[]>([]);

/** The open group with a key, if the account is a member of it. Reads a signal: call it while rendering. */
export function openGroupOf(client: Pick<LedgerClient, "l2Key"> | null, keyX: bigint): OpenGroup | null {
  const memberKeyX = client?.l2Key?.keyX;
  return openGroups.value.find((one) => one.keyX === keyX && one.memberKeyX === memberKeyX) ?? null;
}

export const closeGroup = (group: OpenGroup): void => {
  openGroups.value = openGroups.value.filter((one) => one !== group);
};
