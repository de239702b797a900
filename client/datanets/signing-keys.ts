/**
 * Whose key has signed a record. The one rule: a record is its leaf's if its key is the one that the ledger has for the leaf now. A
 * record of a former key is not: its own time is what its signer wrote, no operation of the ledger names a record, and hosts sign no
 * receipts, so nothing shows that it is older than the key's end. Its leaf signs it again (sign-again.ts).
 */
import type { SignedRecord } from "@openledger/datanets/records/record";
import { hex32 } from "@openledger/foundation/hex";
import { isRollupError } from "@openledger/foundation/rollup-error";
import { findLeaves, listOperations, nameOfOperation } from "../sequencer/ledger-reads.ts";
import type { LeafOperation } from "../sequencer/sequencer-schemas.ts";
import type { HostAccess } from "./host-request.ts";

/** Maximum leaves of one request, and operations in one answer. */
const MAX_LEAVES = 100;
const PAGE_SIZE = 200;

/** Limits of what is read for a reason: pages of a leaf's operations, and leaves. What is behind them is not known. */
interface KeyHistoryLimits {
  readonly maxPages: number;
  readonly maxLeaves: number;
}
const SHOWN: KeyHistoryLimits = { maxPages: 5, maxLeaves: 16 };
/**
 * Reads each leaf's operations to their end, where a reason decides. Attack: an account labels, sends a thousand transfers and changes
 * its key, or does so under seventeen leaves, so that an owner cannot tell a former key from one that somebody has made up.
 */
export const WHOLE_HISTORY: KeyHistoryLimits = { maxPages: Infinity, maxLeaves: Infinity };

/**
 * Reason why a record does not count. foreign: the leaf never had the key, by all its operations. former: it had the key, which was
 * replaced. unknown: the sequencer does not have all operations of the leaf, or they are too many to read.
 */
export type UnsignedWhy = "foreign" | "former" | "unknown";

/**
 * Keys that the leaves of signed records have now, by leaf, as records name them: a request for a hundred leaves.
 * @internal
 */
export async function presentKeysOf(
  client: HostAccess,
  records: readonly SignedRecord[],
): Promise<Map<number, string>> {
  const all = [...new Set(records.map(({ body }) => body.leafId))];
  const keys = new Map<number, string>();
  for (let at = 0; at < all.length; at += MAX_LEAVES) {
    const leaves = await findLeaves(client, { ids: all.slice(at, at + MAX_LEAVES) });
    for (const { id, keyX } of leaves) keys.set(id, hex32(keyX));
  }
  return keys;
}

/**
 * Tells which records are their leaves' by the rule above. Signatures are not checked here.
 * @internal
 */
export async function areSignedByLeaf(
  client: HostAccess,
  records: readonly SignedRecord[],
): Promise<boolean[]> {
  const present = await presentKeysOf(client, records);
  return records.map(({ body, keyX }) => present.get(body.leafId) === keyX);
}

/**
 * Tells why records that are not their leaves' do not count, by the operations of their leaves.
 * @param present keys of the leaves, as `presentKeysOf` has found them
 * @param limits default: the newest thousand operations of 16 leaves
 * @internal
 */
export async function whyUnsigned(
  client: HostAccess,
  records: readonly SignedRecord[],
  present: ReadonlyMap<number, string>,
  { maxLeaves, maxPages }: KeyHistoryLimits = SHOWN,
): Promise<UnsignedWhy[]> {
  const all = new Set(records.map(({ body }) => body.leafId));
  const leaves = [...all].filter((leafId) => present.has(leafId)).slice(0, maxLeaves);
  const found = new Map<number, LeafKeys>();
  for (const leafId of leaves) found.set(leafId, await keysOf(client, leafId, maxPages));
  return records.map(({ body, keyX }) => {
    // There is no such leaf.
    if (!present.has(body.leafId)) return "foreign";
    const known = found.get(body.leafId);
    if (known?.keys.has(keyX)) return "former";
    return known?.isWhole === true ? "foreign" : "unknown";
  });
}

/** Keys that a leaf has or had. */
interface LeafKeys {
  readonly keys: ReadonlySet<string>;
  /** True if the operation that made the leaf was read: it had no other key. */
  readonly isWhole: boolean;
}

/** Reads a leaf's keys from its operations, newest first. */
async function keysOf(client: HostAccess, leafId: number, maxPages: number): Promise<LeafKeys> {
  const keys = new Set<string>();
  let before: LeafOperation | undefined;
  for (let page = 0; page < maxPages; page++) {
    const operations = await listOperations(client, leafId, {
      limit: PAGE_SIZE,
      ...(before !== undefined && { before: nameOfOperation(before) }),
    }).catch((error: unknown) => {
      if (isRollupError(error, "SEQ_HISTORY_PRUNED")) return [];
      throw error;
    });
    for (const operation of operations) {
      const keyX = keySetBy(operation, leafId);
      if (keyX !== null) keys.add(hex32(keyX));
      if (operation.createdId === leafId) return { keys, isWhole: true };
    }
    before = operations.at(-1);
    if (operations.length < PAGE_SIZE) break;
  }
  return { keys, isWhole: false };
}

/**
 * The key that an operation gave the leaf; null for another operation. Attack: a host has taken a record by a key whose operation L1 has
 * dropped since; its leaf has signed for that key, so nobody has made it up.
 */
function keySetBy(operation: LeafOperation, leafId: number): bigint | null {
  const { a, createdId, kind, opIndex, status } = operation;
  if (opIndex == null && status !== "dropped") return null;
  if (operation.hash === null) {
    if (kind === "forcedSetKey" && a === leafId) return operation.word1;
    return kind === "depositNew" && createdId === leafId ? operation.word2 : null;
  }
  if (kind === "setKey" && a === leafId) return operation.words[0]!;
  return createdId === leafId ? operation.words[1]! : null;
}
