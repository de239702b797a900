/**
 * Rows of a Datanet as its host shows them: search, one row with its labels, contents, rows that are left out. Pages and label
 * turns read by it.
 */
import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex } from "@noble/hashes/utils.js";
import type { FieldFilter } from "@openledger/datanets/rows/field-filter";
import { decodeRows, encodeDigests } from "@openledger/datanets/rows/row-wire";
import { hostFalse } from "./host-false.ts";
import {
  askAsReader,
  askHost,
  askHostForBytes,
  type HostAccess,
  type HostErrorCode,
  type ReadableLocation,
  readingOf,
} from "./host-request.ts";
import {
  type FieldStatistics,
  fieldStatisticsSchema,
  knownRowsSchema,
  type LeftOutRow,
  leftOutSchema,
  type RowsPage,
  rowsPageSchema,
  type SaidRow,
  saidRowSchema,
} from "./row-schemas.ts";

export interface RowQuery {
  /** Words that all occur; the last may be a beginning: "attrib*". */
  text?: string;
  /** Accepted label, else the contributor's once the row has enough labels. */
  label?: string;
  contributor?: number;
  /** Root of a commit, 0x-hex of 32 bytes. */
  commit?: string;
  state?: "waiting" | "disputed" | "accepted" | "leftOut";
  wellFormed?: boolean;
  /** Conditions on fields of a table, all of them. */
  fields?: readonly FieldFilter[];
}
export interface FindRowsParameters extends ReadableLocation, RowQuery {
  /** Position of the first row to return; default 0. Behind the rows that are counted go on by `after`. */
  at?: number;
  /** `next` of the page before: the search goes on there, whatever has come or changed meanwhile. */
  after?: number;
  /** Maximum rows; at most 200. */
  limit?: number;
}
export type FindRowsErrorCode = "DNT_ACCESS_NOT_GRANTED" | "DNT_REQUEST_UNSIGNED" | HostErrorCode;

/**
 * Finds rows by words and facts, a page at a time, in the order in which they came to the host. The first 1,000 with the words come
 * by how well they match. Of more than these, and of more than 10,000 without words, `total` is that number, `isTotalExact` false,
 * and `next` leads to all.
 * @throws DNT_ACCESS_NOT_GRANTED, DNT_REQUEST_UNSIGNED where a permissioned datanet is asked without a key
 * @example
 * ```ts
 * const { total, isTotalExact, rows, next } = await findRows(client, { hostUrl, datanetId: 10, text: "free cruise", state: "accepted" });
 * const adults = await findRows(client, { hostUrl, datanetId: 12, fields: [{ field: "age", from: 18 }, { field: "city", is: "Oslo" }] });
 * ```
 */
export async function findRows(client: HostAccess, parameters: FindRowsParameters): Promise<RowsPage> {
  const {
    after,
    at,
    commit,
    contributor,
    datanetId,
    fields,
    hostUrl,
    label,
    limit,
    state,
    text,
    wellFormed,
  } = parameters;
  const query = new URLSearchParams();
  const conditions = fields === undefined ? undefined : JSON.stringify(fields);
  const filters = {
    after,
    from: at,
    commit,
    contributor,
    fields: conditions,
    label,
    limit,
    state,
    text,
    wellFormed,
  };
  for (const [name, value] of Object.entries(filters))
    if (value !== undefined) query.set(name, String(value));
  const path = `/v1/datanets/${datanetId}/rows?${query}`;
  return askHost(client, hostUrl, { path, ...readingOf(parameters) }, rowsPageSchema);
}

export type GetFieldStatisticsErrorCode = FindRowsErrorCode;

/**
 * Reads what a table's fields have in numbers: bins of numbers and of lengths of texts, frequent names, what is missing.
 * @throws DNT_ACCESS_NOT_GRANTED, DNT_REQUEST_UNSIGNED
 * @example
 * ```ts
 * const { fields } = await getFieldStatistics(client, { hostUrl, datanetId: 12 });
 * ```
 */
export async function getFieldStatistics(
  client: HostAccess,
  parameters: ReadableLocation,
): Promise<FieldStatistics> {
  const { datanetId, hostUrl } = parameters;
  const path = `/v1/datanets/${datanetId}/fields`;
  return askHost(client, hostUrl, { path, ...readingOf(parameters) }, fieldStatisticsSchema);
}

export interface GetHostedRowParameters extends ReadableLocation {
  /** SHA-256 of the row, 64 hexadecimal digits. */
  digest: string;
}
export type GetHostedRowErrorCode = "DNT_NOT_HOSTED" | FindRowsErrorCode;

/**
 * Reads a row with its records. It has labels once there are enough of them.
 * @throws DNT_NOT_HOSTED, DNT_ACCESS_NOT_GRANTED
 * @example
 * ```ts
 * const { labels, outcome } = await getHostedRow(client, { hostUrl, datanetId: 10, digest });
 * ```
 */
export async function getHostedRow(client: HostAccess, parameters: GetHostedRowParameters): Promise<SaidRow> {
  const { datanetId, digest, hostUrl } = parameters;
  const path = `/v1/datanets/${datanetId}/rows/${digest}`;
  return askHost(client, hostUrl, { path, ...readingOf(parameters) }, saidRowSchema);
}

export interface FetchRowContentsParameters extends ReadableLocation {
  digests: readonly string[];
  /** Maximum bytes of a row that the client accepts: the host's own limit, or less. */
  maxRowBytes: number;
}
export type FetchRowContentsErrorCode = "CLI_DATANET_HOST_FALSE" | "DNT_NOT_HOSTED" | FindRowsErrorCode;

/**
 * Fetches the contents of rows, each checked against its name. The host returns as many as fit one answer: ask again for
 * the rest.
 * @throws CLI_DATANET_HOST_FALSE, DNT_NOT_HOSTED, DNT_ACCESS_NOT_GRANTED
 * @example
 * ```ts
 * const [content] = await fetchRowContents(client, { hostUrl, datanetId: 10, digests: [digest], maxRowBytes: 65_536 });
 * ```
 */
export async function fetchRowContents(
  client: HostAccess,
  parameters: FetchRowContentsParameters,
): Promise<Uint8Array[]> {
  const { datanetId, digests, hostUrl, maxRowBytes } = parameters;
  const bytes = await askHostForBytes(client, hostUrl, {
    method: "POST",
    path: `/v1/datanets/${datanetId}/rows/fetch`,
    body: encodeDigests(digests),
    ...readingOf(parameters),
  });
  let rows: Uint8Array[];
  try {
    rows = decodeRows(bytes, { maxRowBytes });
  } catch {
    throw hostFalse("row", "what the host has sent", { datanetId });
  }
  const wrong = rows.findIndex((row, i) => bytesToHex(sha256(row)) !== digests[i]);
  if (wrong >= 0 || rows.length === 0)
    throw hostFalse("row", `the row ${digests[Math.max(wrong, 0)]}`, { datanetId });
  return rows;
}

export type FindKnownRowsErrorCode = HostErrorCode;

/**
 * Finds rows that are on this host already, in any datanet: places in `digests`, and their contributors.
 * @throws CLI_UNREACHABLE
 * @example
 * ```ts
 * const known = await findKnownRows(client, { hostUrl, datanetId: 10, digests: [digest] });
 * ```
 */
export async function findKnownRows(
  client: HostAccess,
  { datanetId, digests, hostUrl }: ReadableLocation & { digests: readonly string[] },
): Promise<{ place: number; datanetId: number; contributorId: number }[]> {
  const path = `/v1/datanets/${datanetId}/rows/known`;
  const call = { method: "POST", path, body: encodeDigests(digests) } as const;
  return (await askHost(client, hostUrl, call, knownRowsSchema)).known;
}

export type ListLeftOutErrorCode = HostErrorCode;

/**
 * Lists rows that are left out, with reason, reviewer and objections; of a permissioned datanet by a request that the client signs.
 * @throws DNT_NOT_HOSTED, DNT_REQUEST_UNSIGNED, DNT_ACCESS_NOT_GRANTED
 * @example
 * ```ts
 * for (const { digest, outcome } of await listLeftOut(client, { hostUrl, datanetId: 10 })) console.log(digest, outcome.state);
 * ```
 */
export async function listLeftOut(
  client: HostAccess,
  { datanetId, hostUrl }: ReadableLocation,
): Promise<LeftOutRow[]> {
  const path = `/v1/datanets/${datanetId}/left-out`;
  return askAsReader(client, { datanetId, hostUrl }, { path }, leftOutSchema);
}
