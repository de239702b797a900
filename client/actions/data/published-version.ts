/**
 * Rows of a published version. The ledger holds their root alone; the list is in the row store, under the root, and is checked
 * against it. Publishing stores the list; verification, training and downloads read it.
 */

import { hexToBytes } from "@noble/hashes/utils.js";
import type { ShardRoom } from "@openledger/circuits/ledger/payee-shards";
import { digestToField } from "@openledger/circuits/ledger/version-rows";
import { MAX_PAYEE_COUNT } from "@openledger/circuits/protocol";
import { hex32 } from "@openledger/foundation/hex";
import { textOfBytes } from "@openledger/foundation/utf8";
import { z } from "zod";
import { clientError } from "../../client-errors.ts";
import { readRowFile, writeRowFile } from "./row-files.ts";
import { type RowStore, readRow } from "./row-store.ts";
import { commitVersion, type VersionCommitments } from "./version-commitments.ts";

const leafId = z.int().min(0).max(0xffffff);
const fileSchema = z.object({
  /** Maximum rows and payees of a shard, where the publisher has named them. */
  shard: z.object({ rows: z.int().min(1), payees: z.int().min(1).max(MAX_PAYEE_COUNT) }).optional(),
  rows: z.array(
    z.object({ digest: z.string().regex(/^[0-9a-f]{64}$/), contributorId: leafId, validatorId: leafId }),
  ),
});

/** A row of a version by the name that the store has for it. */
export type StoredVersionRow = z.infer<typeof fileSchema>["rows"][number];

export interface StoredVersion {
  /** Rows in the version's order. */
  readonly rows: readonly StoredVersionRow[];
  readonly commitments: VersionCommitments;
}

/**
 * Writes the list beside the rows, so that anyone who has the store can check the version and train on it.
 * @example
 * ```ts
 * const version = await collectVersion(client, { datanetId: 10, store, validatorId: 8 });
 * await storeVersion(store, version);
 * ```
 */
export async function storeVersion(
  store: RowStore,
  version: {
    readonly rowsRoot: bigint;
    readonly storedRows: readonly StoredVersionRow[];
    readonly shard?: ShardRoom;
  },
): Promise<void> {
  const { shard, storedRows: rows } = version;
  const text = `${JSON.stringify({ ...(shard === undefined ? {} : { shard }), rows }, null, 1)}\n`;
  await writeRowFile(store.folder, versionName(version.rowsRoot), new TextEncoder().encode(text), true);
}

export type ReadVersionErrorCode = "CLI_ROWS_MISSING";

/**
 * Reads the list behind a version's root, checked against it. Needs `initPoseidon`, as every client has done.
 * @throws CLI_ROWS_MISSING
 * @example
 * ```ts
 * const { datanet } = await getLeaf(client, 10);
 * const { rows } = await readVersion(store, datanet!.rowsRoot);
 * ```
 */
export async function readVersion(store: RowStore, rowsRoot: bigint): Promise<StoredVersion> {
  const missing = (why: string, cause?: unknown) =>
    clientError("CLI_ROWS_MISSING", `the version of root ${hex32(rowsRoot)} ${why}`, {
      data: { rowsRoot: hex32(rowsRoot), folder: store.folder },
      cause,
    });
  let file: z.output<typeof fileSchema>;
  try {
    const text = await readRowFile(store.folder, versionName(rowsRoot));
    file = fileSchema.parse(JSON.parse(textOfBytes(text)));
  } catch (cause) {
    throw missing("is not in the store", cause);
  }
  const { rows, shard } = file;
  const commitments = commitVersion(
    rows.map((row) => ({
      rowHash: hashOf(row),
      contributorId: row.contributorId,
      validatorId: row.validatorId,
    })),
    { shard },
  );
  const isInOrder = commitments.rows.every(({ rowHash }, i) => rowHash === hashOf(rows[i]!));
  if (commitments.rowsRoot !== rowsRoot || !isInOrder) throw missing("is not the one that the store names");
  return { rows, commitments };
}

/** A row of a version with its content, for training. */
export interface OwnedContent {
  readonly content: Uint8Array;
  readonly contributorId: number;
  readonly validatorId: number;
}

export type ReadVersionRowsErrorCode = "CLI_ROWS_MISSING" | "CLI_ROW_WITHDRAWN";

/**
 * Reads the contents of a version's rows, in its order.
 * @throws CLI_ROWS_MISSING, CLI_ROW_WITHDRAWN
 * @example
 * ```ts
 * const { datanet } = await getLeaf(client, 10);
 * const contents = await readVersionRows(store, datanet!.rowsRoot);
 * ```
 */
export async function readVersionRows(store: RowStore, rowsRoot: bigint): Promise<OwnedContent[]> {
  const { rows } = await readVersion(store, rowsRoot);
  const contents: OwnedContent[] = [];
  for (const { digest, contributorId, validatorId } of rows) {
    contents.push({ content: await readRow(store, digest), contributorId, validatorId });
  }
  return contents;
}

function hashOf({ digest }: StoredVersionRow): bigint {
  return digestToField(hexToBytes(digest));
}

const versionName = (rowsRoot: bigint) => `contributions/version-${hex32(rowsRoot).slice(2)}.json`;
