/**
 * Who stands behind what a leaf signs. Records (cards, grants, terms, labels, reviews) are signed by the leaf's key alone. Where a
 * Safe owns the leaf the key is a delegate's, and whoever shows the record says so (docs/adr/0025-word-of-the-delegate.md).
 */
import { RecentAnswers } from "@openledger/foundation/recent-answers";
import { isRollupError } from "@openledger/foundation/rollup-error";
import type { Address } from "viem";
import { isContractAt } from "../contract-wallet.ts";
import type { LedgerClient } from "../ledger-client.ts";
import { findLeaves } from "../sequencer/ledger-reads.ts";
import { type L1Reader, reachable, readSafe } from "./read-safe.ts";

/** Owner of a leaf, as L1 has it. */
export type LeafOwner =
  /** A person's wallet, or none that L1 knows: the leaf's key speaks for it. */
  | { readonly kind: "wallet" }
  | { readonly kind: "safe"; readonly threshold: number; readonly ownerCount: number }
  /** A contract that is no Safe. */
  | { readonly kind: "contract" };

/** Milliseconds for which an owner is not read again: its members change rarely, and pages show many records. */
const OWNER_LIFE_MS = 60_000;
const known = new WeakMap<L1Reader, RecentAnswers<Address, LeafOwner>>();

export type ReadLeafOwnerErrorCode = "CLI_L1_REFUSED" | "CLI_UNREACHABLE";

/**
 * Reads from L1 what owns a leaf.
 * @throws CLI_L1_REFUSED, CLI_UNREACHABLE
 * @internal
 */
export function readLeafOwner(l1: L1Reader, l1Owner: Address): Promise<LeafOwner> {
  const answers =
    known.get(l1) ?? new RecentAnswers<Address, LeafOwner>({ maxItems: 1_000, cacheMs: OWNER_LIFE_MS });
  known.set(l1, answers);
  return answers.get(l1Owner, async () => {
    if (!(await reachable(() => isContractAt(l1, l1Owner)))) return { kind: "wallet" };
    try {
      const { owners, threshold } = await readSafe(l1, l1Owner);
      return { kind: "safe", threshold, ownerCount: owners.length };
    } catch (error) {
      if (isRollupError(error, "CLI_SAFE_UNKNOWN")) return { kind: "contract" };
      throw error;
    }
  });
}

/**
 * Says whose word a leaf's record is, where it is not its owner's: "signed by the delegate of a Safe of 2 of 3".
 * @param owner null: nobody here can read L1
 * @returns null for a leaf of a person's wallet
 * @internal
 */
export function delegateWords(owner: LeafOwner | null): string | null {
  if (owner === null) return "signed by the leaf's key; whether a contract owns the leaf is not known here";
  switch (owner.kind) {
    case "wallet":
      return null;
    case "safe":
      return `signed by the delegate of a Safe of ${owner.threshold} of ${owner.ownerCount}`;
    case "contract":
      return "signed by the delegate of a contract";
    default:
      return owner satisfies never;
  }
}

/** Maximum leaves that the sequencer lists at once. */
const MAX_LEAVES = 100;

/**
 * Lines for commands that show records of leaves: one for each leaf whose records are a delegate's word; none for persons' leaves.
 * @param leafIds at most 100 are read
 * @throws CLI_L1_REFUSED, CLI_UNREACHABLE
 * @internal
 */
export async function delegateLines(client: LedgerClient, leafIds: readonly number[]): Promise<string[]> {
  const ids = [...new Set(leafIds)].slice(0, MAX_LEAVES);
  if (ids.length === 0) return [];
  const leaves = await findLeaves(client, { ids });
  const words = await Promise.all(
    leaves.map(async ({ l1Owner }) => delegateWords(await readLeafOwner(client.l1, l1Owner as Address))),
  );
  return leaves.flatMap(({ id, l1Owner }, i) =>
    words[i] == null ? [] : [`records of leaf ${id} are ${words[i]}, ${l1Owner}`],
  );
}
