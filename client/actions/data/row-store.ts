/**
 * Rows of Datanets on a client's disk or in a page's storage, addressed by SHA-256. Contributions, versions, downloads and
 * mirrors read and write them.
 */
import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex, hexToBytes } from "@noble/hashes/utils.js";
import { contentOfRow, headBytesOf } from "@openledger/attribution/rows/salted-rows";
import { contributionRoot, digestToField } from "@openledger/circuits/ledger/version-rows";
import { hex32 } from "@openledger/foundation/hex";
import { isRollupError } from "@openledger/foundation/rollup-error";
import { rowNumber } from "@openledger/foundation/row-number";
import { textOfBytes } from "@openledger/foundation/utf8";
import { z } from "zod";
import { clientError } from "../../client-errors.ts";
import { openRowFiles, readRowFile, writeRowFile } from "./row-files.ts";
import { readWithdrawn } from "./withdrawn-rows.ts";

const manifestSchema = z.object({ rows: z.array(z.string().regex(/^[0-9a-f]{64}$/)) });

/**
 * Store of rows on disk, or in a page's own storage: each row under the SHA-256 of its content, and for every
 * contribution's root the list of its rows. Nothing in it is trusted: every read is hashed again. The ledger holds the
 * roots; contents live here.
 *
 * Publish rows only after their CommitData is final, or a copyist commits them first.
 */
export interface RowStore {
  readonly folder: string;
}

export interface StoredContribution {
  readonly rowsRoot: bigint;
  readonly rowCount: number;
  readonly rowHashes: readonly bigint[];
  /** SHA-256 of each row, 64 hexadecimal digits, as `readRow` takes it. */
  readonly digests: readonly string[];
  /** SHA-256 of what each row says, without salt and notes: equal for rows that say the same. A row without contents has its digest. */
  readonly contentNames: readonly string[];
  /** Rows without contents, since their contributors have withdrawn them. */
  readonly withdrawn: ReadonlySet<string>;
}

/**
 * Opens the store of a folder, or makes it.
 * @example
 * ```ts
 * const store = await openRowStore("./rows");
 * ```
 */
export async function openRowStore(folder: string): Promise<RowStore> {
  await openRowFiles(folder);
  return { folder };
}

export type StoreContributionErrorCode = "CLI_INPUT_INVALID";

/**
 * Stores rows and the list that names them.
 * @throws CLI_INPUT_INVALID for an empty row, and for one that is in the list twice
 * @example
 * ```ts
 * const { rowsRoot, rowCount } = await storeContribution(store, [Buffer.from("The sun shines.")]);
 * ```
 */
export async function storeContribution(
  store: RowStore,
  rows: readonly Uint8Array[],
): Promise<StoredContribution> {
  const digests = new Set<string>();
  for (const [index, content] of rows.entries()) {
    const digest = await storeRow(store, content);
    if (content.length === 0 || digests.has(digest)) {
      const why = content.length === 0 ? "is empty" : "is in the contribution twice";
      throw clientError("CLI_INPUT_INVALID", `row ${rowNumber(index)} ${why}`, {
        data: { reason: "row-invalid", index, digest },
      });
    }
    digests.add(digest);
  }
  return storeContributionList(store, [...digests]);
}

/**
 * Stores the list of a contribution whose rows are in the store.
 * @internal
 */
export async function storeContributionList(
  store: RowStore,
  digests: readonly string[],
): Promise<StoredContribution> {
  const contribution = describeContribution(digests);
  const text = `${JSON.stringify({ rows: digests }, null, 1)}\n`;
  await writeRowFile(store.folder, contributionName(contribution.rowsRoot), new TextEncoder().encode(text));
  return contribution;
}

/**
 * Stores one row.
 * @returns its SHA-256, 64 hexadecimal digits
 * @internal
 */
export async function storeRow(store: RowStore, content: Uint8Array): Promise<string> {
  const digest = bytesToHex(sha256(content));
  if (content.length > 0) await writeRowFile(store.folder, rowName(digest), content);
  return digest;
}

export type ReadContributionErrorCode = "CLI_ROWS_MISSING";

/**
 * Reads the list of rows behind a CommitData's root, checked against it. Rows that the store has, or that their contributors have
 * withdrawn, as a host has said when the store asked it.
 * @param holes rows that count as withdrawn where the store does not have them, too
 * @throws CLI_ROWS_MISSING
 * @example
 * ```ts
 * const { digests } = await readContribution(store, rowsRoot);
 * ```
 */
export async function readContribution(
  store: RowStore,
  rowsRoot: bigint,
  holes: ReadonlySet<string> = new Set(),
): Promise<StoredContribution> {
  const missing = (why: string, cause?: unknown) =>
    clientError("CLI_ROWS_MISSING", `the rows of root ${hex32(rowsRoot)} ${why}`, {
      data: { rowsRoot: hex32(rowsRoot), folder: store.folder },
      cause,
    });
  const contribution = await readContributionList(store, rowsRoot).catch((cause: unknown) => {
    throw missing("are not in the store", cause);
  });
  if (contribution.rowsRoot !== rowsRoot) throw missing("are not those that the store names");
  const { digests } = contribution;
  const withdrawn = new Set<string>();
  const contentNames: string[] = [];
  for (const digest of digests)
    try {
      const row = await readRow(store, digest);
      contentNames.push(headBytesOf(row) > 0 ? bytesToHex(sha256(contentOfRow(row))) : digest);
    } catch (error) {
      const isHole = isRollupError(error, "CLI_ROWS_MISSING") && holes.has(digest);
      if (!isHole && !isRollupError(error, "CLI_ROW_WITHDRAWN")) throw error;
      withdrawn.add(digest);
      contentNames.push(digest);
    }
  return { ...contribution, contentNames, withdrawn };
}

export type ReadRowErrorCode = "CLI_ROWS_MISSING" | "CLI_ROW_WITHDRAWN";

/**
 * Reads a row, checked against its name.
 * @param digest SHA-256 of the content, 64 hexadecimal digits.
 * @throws CLI_ROWS_MISSING, CLI_ROW_WITHDRAWN if the store does not have it, and its contributor has withdrawn it
 * @example
 * ```ts
 * const { digests } = await readContribution(store, rowsRoot);
 * const contents = await Promise.all(digests.map((digest) => readRow(store, digest)));
 * ```
 */
export async function readRow(store: RowStore, digest: string): Promise<Uint8Array> {
  let content: Uint8Array;
  try {
    content = await readRowFile(store.folder, rowName(digest));
  } catch (cause) {
    const withdrawn = (await readWithdrawn(store)).find((row) => row.digest === digest);
    if (withdrawn === undefined)
      throw clientError("CLI_ROWS_MISSING", `row ${digest} is not in the store`, { data: { digest }, cause });
    const { atMs, contributorId, datanetId } = withdrawn;
    throw clientError(
      "CLI_ROW_WITHDRAWN",
      `row ${digest} is not in the store, and leaf ${contributorId}, its contributor, withdrew it from Datanet ${datanetId}`,
      { data: { digest, datanetId, contributorId, atMs }, cause },
    );
  }
  if (bytesToHex(sha256(content)) !== digest) {
    throw clientError("CLI_ROWS_MISSING", `row ${digest} has another content in the store`, {
      data: { digest },
    });
  }
  return content;
}

/** Reads the list that the store has under a root, which the caller compares. */
async function readContributionList(store: RowStore, rowsRoot: bigint): Promise<StoredContribution> {
  const text = await readRowFile(store.folder, contributionName(rowsRoot));
  return describeContribution(manifestSchema.parse(JSON.parse(textOfBytes(text))).rows);
}

function describeContribution(digests: readonly string[]): StoredContribution {
  const rowHashes = digests.map((digest) => digestToField(hexToBytes(digest)));
  return {
    rowsRoot: contributionRoot(rowHashes),
    rowCount: digests.length,
    rowHashes,
    digests,
    contentNames: digests,
    withdrawn: new Set(),
  };
}

const rowName = (digest: string) => `rows/${digest.slice(0, 2)}/${digest}`;

const contributionName = (rowsRoot: bigint) => `contributions/${hex32(rowsRoot).slice(2)}.json`;
