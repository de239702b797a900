/**
 * Whose key has signed a record. The one rule for records that outlast a key, as withdrawals do: a record is its leaf's if its key is
 * the one that the leaf has now, or one that it had, by its operations on the ledger, and the record's time is before the change. A
 * host's word counts for nothing. Whoever has a key that was replaced can sign with an earlier time, so hosts erase rows, and count
 * labels, by the present key alone.
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
/** Pages of a leaf's operations that are read: what it did before is not known. */
const MAX_PAGES = 50;

/** A key that a leaf had. */
interface FormerKey {
  readonly keyX: string;
  /** Time of the operation that replaced it, in Unix milliseconds. */
  readonly untilMs: number;
}

/**
 * Keys that the leaves of signed records have now, by leaf, as records name them.
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
 * Tells which records are their leaves' by the rule above. Signatures are not checked here (`checkRecords`).
 * @internal
 */
export async function areSignedByLeaf(
  client: HostAccess,
  records: readonly SignedRecord[],
): Promise<boolean[]> {
  const present = await presentKeysOf(client, records);
  const former = new Map<number, readonly FormerKey[]>();
  const results: boolean[] = [];
  for (const { body, keyX } of records) {
    const key = present.get(body.leafId);
    if (key !== undefined && key !== keyX && !former.has(body.leafId))
      former.set(body.leafId, await formerKeysOf(client, body.leafId));
    const had = former.get(body.leafId)?.some((one) => one.keyX === keyX && body.atMs < one.untilMs);
    results.push(key === keyX || had === true);
  }
  return results;
}

/** Reads the keys that a leaf had from its operations, as far back as the sequencer has them. */
async function formerKeysOf(client: HostAccess, leafId: number): Promise<FormerKey[]> {
  const keys: FormerKey[] = [];
  /** When the key before the operations that are read was replaced; null while nothing has replaced it. */
  let untilMs: number | null = null;
  let before: LeafOperation | undefined;
  for (let page = 0; page < MAX_PAGES; page++) {
    const operations = await listOperations(client, leafId, {
      limit: PAGE_SIZE,
      ...(before !== undefined && { before: nameOfOperation(before) }),
    }).catch((error: unknown) => {
      if (isRollupError(error, "SEQ_HISTORY_PRUNED")) return [];
      throw error;
    });
    for (const operation of operations) {
      const keyX = keySetBy(operation, leafId);
      if (keyX === null) continue;
      if (untilMs !== null) keys.push({ keyX: hex32(keyX), untilMs });
      // What has no time was replaced at a time that is not known.
      untilMs = operation.acknowledgedAtMs ?? 0;
    }
    before = operations.at(-1);
    if (operations.length < PAGE_SIZE) break;
  }
  return keys;
}

/** The key that an executed operation gave the leaf; null for another operation. */
function keySetBy(operation: LeafOperation, leafId: number): bigint | null {
  const { a, createdId, kind, opIndex, status } = operation;
  if (opIndex == null || status === "dropped") return null;
  if (operation.hash === null) {
    if (kind === "forcedSetKey" && a === leafId) return operation.word1;
    return kind === "depositNew" && createdId === leafId ? operation.word2 : null;
  }
  if (kind === "setKey" && a === leafId) return operation.words[0]!;
  return createdId === leafId ? operation.words[1]! : null;
}
