/**
 * Public reads from the sequencer: leaves, operations, batches, status. Their results are not proven: `openledger verify` proves
 * them. Amounts are in wei.
 */

import { hex32 } from "@openledger/foundation/hex";
import { isRollupError } from "@openledger/foundation/rollup-error";
import type { Address, Hex } from "viem";
import { clientError } from "../client-errors.ts";
import type { LedgerClient } from "../ledger-client.ts";
import { requestSequencer, type SequencerAccess } from "./sequencer-request.ts";
import {
  batchesSchema,
  type FoundHash,
  foundHashesSchema,
  infoSchema,
  type LatestRecord,
  type LeafOperation,
  type LeafOperations,
  type LedgerBatch,
  type LedgerLeaf,
  type LedgerOperation,
  latestRecordsSchema,
  leafOperationsSchema,
  leafSchema,
  leavesSchema,
  operationSchema,
  type QueueEntryView,
  queueEntrySchema,
  type SequencerInfo,
  type SequencerStatus,
  statusSchema,
} from "./sequencer-schemas.ts";

/**
 * Reads the sequencer's facts about itself without any comparison, for callers that have no chain to compare with yet.
 */
export function readInfo(client: SequencerAccess): Promise<SequencerInfo> {
  return requestSequencer(client, "/v1/info", infoSchema);
}

const checkedInfo = new WeakSet<LedgerClient>();

/**
 * Reads the sequencer's facts about itself, compared with the client's rollup. @throws CLI_WRONG_ROLLUP where the
 * sequencer serves another ledger than the client is for
 */
export async function getInfo(client: LedgerClient): Promise<SequencerInfo> {
  const info = await readInfo(client);
  if (!checkedInfo.has(client)) {
    if (
      info.chainId !== client.chain.id ||
      info.rollupAddress !== client.rollupAddress ||
      info.domain !== client.domain
    ) {
      throw clientError(
        "CLI_WRONG_ROLLUP",
        `the sequencer serves rollup ${info.rollupAddress} on chain ${info.chainId}, not ${client.rollupAddress} on ${client.chain.id}`,
        { data: { sequencer: { chainId: info.chainId, rollupAddress: info.rollupAddress } } },
      );
    }
    checkedInfo.add(client);
  }
  return info;
}

export function getStatus(client: SequencerAccess): Promise<SequencerStatus> {
  return requestSequencer(client, "/v1/status", statusSchema);
}

/** Reads a leaf. @throws CLI_LEAF_NOT_FOUND */
export async function getLeaf(client: SequencerAccess, id: number): Promise<LedgerLeaf> {
  try {
    return await requestSequencer(client, `/v1/leaves/${id}`, leafSchema);
  } catch (cause) {
    if (isNotFound(cause))
      throw clientError("CLI_LEAF_NOT_FOUND", `there is no leaf ${id}`, { data: { id }, cause });
    throw cause;
  }
}

/**
 * Finds leaves of an owner or of a key, the models of a Datanet (a thousand at most), or leaves by number (a hundred).
 */
export function findLeaves(
  client: SequencerAccess,
  filter: { owner: Address } | { keyX: bigint } | { datanetId: number } | { ids: readonly number[] },
): Promise<LedgerLeaf[]> {
  const [[name, value]] = Object.entries(filter) as [[string, Address | bigint | number | readonly number[]]];
  const query = `${name}=${typeof value === "bigint" ? hex32(value) : value}`;
  return requestSequencer(client, `/v1/leaves?${query}`, leavesSchema);
}

type Signing = Pick<LedgerClient, "l2Key" | "leafId"> & Partial<Pick<LedgerClient, "wallet">>;

/**
 * The one account among leaves; null where there is none. Anyone can open an account for any owner and key. Among
 * several, the client's own leaf comes first, then the one of its wallet's address that has its key.
 * @throws CLI_INPUT_INVALID
 */
export function onlyAccount(
  { l2Key, leafId, wallet }: Signing,
  leaves: readonly LedgerLeaf[],
): LedgerLeaf | null {
  const accounts = leaves.filter(({ kind }) => kind === "account");
  const owner = wallet?.account.address.toLowerCase();
  const isOwn = ({ keyX, l1Owner }: LedgerLeaf) => keyX === l2Key?.keyX && l1Owner.toLowerCase() === owner;
  const ranked = [accounts.filter(({ id }) => id === leafId), accounts.filter(isOwn), accounts];
  const [only, ...others] = ranked.find(({ length }) => length > 0) ?? [];
  if (only === undefined || others.length === 0) return only ?? null;
  const ids = [only, ...others].map(({ id }) => id);
  throw clientError("CLI_INPUT_INVALID", `name one of the accounts ${ids.join(", ")}`, {
    data: { reason: "leaf-ambiguous", ids },
  });
}

/**
 * Resolves the leaf that signs: the one named, else the client's, else the one account with the client's key.
 * @throws CLI_LEAF_NOT_FOUND, CLI_INPUT_INVALID, CLI_NOT_CONFIGURED
 */
export async function resolveSigner(client: SequencerAccess & Signing, id?: number): Promise<LedgerLeaf> {
  const named = id ?? client.leafId;
  if (named !== null) return getLeaf(client, named);
  // Not requireL2Key: a program that only reads the ledger carries no Ethereum library.
  if (client.l2Key === null)
    throw clientError("CLI_NOT_CONFIGURED", "the client has no L2 key to sign with", {
      data: { missing: "l2Key" },
    });
  const { keyX } = client.l2Key;
  const only = onlyAccount(client, await findLeaves(client, { keyX }));
  if (only !== null) return only;
  throw clientError("CLI_LEAF_NOT_FOUND", "no account has this client's key; make a deposit first", {
    data: { keyX: hex32(keyX) },
  });
}

/** Reads an operation; null where the sequencer knows no such operation. */
export async function getOperation(client: SequencerAccess, hash: Hex): Promise<LedgerOperation | null> {
  try {
    return await requestSequencer(client, `/v1/operations/${hash}`, operationSchema);
  } catch (error) {
    if (isNotFound(error)) return null;
    throw error;
  }
}

/** Name of an operation in lists: its hash, or its index in L1's queue. */
export const nameOfOperation = (operation: LeafOperation): Hex | number =>
  operation.hash ?? operation.queueIndex;

export interface ReadOperationsParameters {
  /** Maximum operations of the page, 200 at most; default: 50. */
  limit?: number;
  /** Hash of an operation, or index of a queue entry: older ones than it. */
  before?: Hex | number;
}

/**
 * Reads a page of the operations and executed queue entries of a leaf, newest first, and whether it is the end: a sequencer
 * that prunes its history does not have the oldest.
 * @example
 * ```ts
 * const { isComplete, operations } = await readOperations(client, 7, { limit: 200 });
 * ```
 */
export function readOperations(
  client: SequencerAccess,
  leafId: number,
  { limit = 50, before }: ReadOperationsParameters = {},
): Promise<LeafOperations> {
  const page = before === undefined ? "" : `&before=${before}`;
  return requestSequencer(
    client,
    `/v1/operations?leaf=${leafId}&limit=${limit}${page}`,
    leafOperationsSchema,
  );
}

/**
 * Lists operations and executed queue entries of a leaf, newest first, at most 200. With `before`, the hash of an
 * operation or the index of a queue entry, it lists older ones. `readOperations` also says whether there are more.
 */
export async function listOperations(
  client: SequencerAccess,
  leafId: number,
  parameters: ReadOperationsParameters = {},
): Promise<LeafOperation[]> {
  return (await readOperations(client, leafId, parameters)).operations;
}

export interface LatestRecords {
  /** Records, newest first. */
  readonly records: readonly LatestRecord[];
  /** `before` of the next page; null where there is no older record. */
  readonly nextBefore: number | null;
}

/** Lists the latest executed records: signed operations, queue entries and settlements, at most 50. */
export function listLatest(
  client: SequencerAccess,
  { limit = 25, before }: { limit?: number; before?: number } = {},
): Promise<LatestRecords> {
  const page = before === undefined ? "" : `&before=${before}`;
  return requestSequencer(client, `/v1/records?limit=${limit}${page}`, latestRecordsSchema);
}

/**
 * Finds what hashes with this start and end name: at most 20.
 * @param piece.start 0x and at least four digits
 */
export function findHashes(
  client: SequencerAccess,
  { end = "", limit = 8, start }: { start: string; end?: string; limit?: number },
): Promise<FoundHash[]> {
  const query = new URLSearchParams({ start, end, limit: String(limit) });
  return requestSequencer(client, `/v1/hashes?${query}`, foundHashesSchema);
}

/** Reads a batch; null where there is no such batch (yet). */
export async function getBatch(client: SequencerAccess, number: number): Promise<LedgerBatch | null> {
  // The list also answers where there is no such batch: callers that wait for one ask often.
  const [newest] = await listBatches(client, 1, number + 1);
  return newest?.number === number ? newest : null;
}

/** Lists batches, newest first; `before`: those with smaller numbers. */
export function listBatches(client: SequencerAccess, limit = 20, before?: number): Promise<LedgerBatch[]> {
  const page = before === undefined ? "" : `&before=${before}`;
  return requestSequencer(client, `/v1/batches?limit=${limit}${page}`, batchesSchema);
}

/** Reads a queue entry; null where the sequencer has not seen it (yet). */
export async function getQueueEntry(client: SequencerAccess, index: number): Promise<QueueEntryView | null> {
  try {
    return await requestSequencer(client, `/v1/queue/${index}`, queueEntrySchema);
  } catch (error) {
    if (isNotFound(error)) return null;
    throw error;
  }
}

function isNotFound(error: unknown): boolean {
  return isRollupError(error) && (error.data as { httpStatus?: number }).httpStatus === 404;
}
