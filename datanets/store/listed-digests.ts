/**
 * Digests in the lists of commits and versions. Roots on the ledger say them mod the field's order only, so whoever brings a list
 * first may write another string for a row: an alias (`aliasesOf`), which is no row's SHA-256. A host cannot tell until it has the
 * row, or a withdrawal of it; then it writes the row's SHA-256 into the list.
 */
import { digestToField } from "@openledger/circuits/ledger/version-rows";
import { byteStrings, integers } from "@openledger/foundation/database/binary-lists";
import type { Queries } from "@openledger/foundation/database/queries";
import { aliasesOf } from "../rows/row-digest.ts";
import { DIGEST_BYTES, VERSION_ROW_BYTES } from "../rows/row-wire.ts";

/** Digests whose aliases one statement looks up. */
const DIGESTS_A_STATEMENT = 4_096;

/** Writes digests, 32 bytes each, into a commit's list, from a position on. */
export const writeDigests = (
  { query }: Queries,
  datanetId: number,
  { commitNumber, place }: { readonly commitNumber: number; readonly place: number },
  digests: Buffer,
): Promise<unknown> =>
  query(
    "update commits set list = overlay(list placing $3::bytea from $4::int) where datanet_id = $1 and number = $2",
    [datanetId, commitNumber, digests, DIGEST_BYTES * place + 1],
  );

/** Finds the rows of a Datanet, withdrawn ones among them, that digests are aliases of. @returns the rows' digests, by row hash */
async function rowsOfAliases(
  { query }: Queries,
  datanetId: number,
  digests: readonly Buffer[],
): Promise<Map<bigint, Buffer>> {
  const found = new Map<bigint, Buffer>();
  for (let at = 0; at < digests.length; at += DIGESTS_A_STATEMENT) {
    const aliases = digests.slice(at, at + DIGESTS_A_STATEMENT).flatMap(aliasesOf);
    const rows = await query<{ digest: Buffer }>(
      "select digest from rows where datanet_id = $1 and digest = any($2::bytea[])",
      [datanetId, byteStrings(aliases)],
    );
    for (const { digest } of rows) found.set(digestToField(digest), digest);
  }
  return found;
}

/** Writes the rows' own digests into a version's list where it has aliases of rows that are here. @returns the list */
export async function mendVersionList(
  queries: Queries,
  datanetId: number,
  list: Uint8Array,
): Promise<Buffer> {
  const mended = Buffer.from(list);
  const absent = await queries.query<{ place: number }>(
    `select place from (
        select place, substring($2::bytea from ${VERSION_ROW_BYTES} * place + 1 for ${DIGEST_BYTES}) as digest
          from generate_series(0, octet_length($2::bytea) / ${VERSION_ROW_BYTES} - 1) as place) as listed
      where not exists (select 1 from rows where datanet_id = $1 and rows.digest = listed.digest)`,
    [datanetId, mended],
  );
  const digestAt = (position: number) =>
    mended.subarray(VERSION_ROW_BYTES * position, VERSION_ROW_BYTES * position + DIGEST_BYTES);
  const rows = await rowsOfAliases(
    queries,
    datanetId,
    absent.map(({ place }) => digestAt(place)),
  );
  for (const { place } of absent) rows.get(digestToField(digestAt(place)))?.copy(digestAt(place));
  return mended;
}

/** Places among these of a commit that have not come. */
export async function missingPositions(
  { query }: Queries,
  datanetId: number,
  { commitNumber, places }: { readonly commitNumber: number; readonly places: readonly number[] },
): Promise<Set<number>> {
  if (places.length === 0) return new Set();
  const found = await query<{ place: number }>(
    `select place from commits, unnest($3::int[]) as place
      where datanet_id = $1 and number = $2 and not received @> place`,
    [datanetId, commitNumber, integers(places)],
  );
  return new Set(found.map(({ place }) => place));
}

/** Rows' own digests, by every alias of them as Latin-1 text: lists have millions of digests. */
export const byAlias = (digests: readonly string[]): Map<string, string> =>
  new Map(
    digests.flatMap((digest) =>
      aliasesOf(Buffer.from(digest, "hex")).map((alias): [string, string] => [
        alias.toString("latin1"),
        digest,
      ]),
    ),
  );
