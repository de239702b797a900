/**
 * Rows of the published version, which stay with whom it names: an earlier commit whose rows come afterwards has copies of them
 * (client/actions/data/committed-rows.ts has the rule). Uploads ask before rows, and who may withdraw them, go to another commit.
 */
import type { Queries } from "@openledger/foundation/database/queries";
import { aliasesOf } from "../rows/row-digest.ts";
import { DIGEST_BYTES, VERSION_ROW_BYTES } from "../rows/row-wire.ts";

/** Rows of a list that one statement reads, 4 MiB. */
const ROWS_A_SLICE = 110_000;

/** A row with the contributor whose it is here. */
interface OwnedRow {
  readonly digest: Buffer;
  readonly contributorId: number;
}

/**
 * Finds which rows some version whose list is here has, or had, under the contributor whose they are here.
 * @returns their digests, in hexadecimal digits
 */
export async function everPublishedAmong(
  queries: Queries,
  datanetId: number,
  rows: readonly OwnedRow[],
): Promise<ReadonlySet<string>> {
  const found = new Set<string>();
  if (rows.length === 0) return found;
  const versions = await queries.query<{ root: string }>(
    "select rows_root as root from versions where datanet_id = $1",
    [datanetId],
  );
  for (const { root } of versions) {
    const others = rows.filter(({ digest }) => !found.has(digest.toString("hex")));
    for (const digest of await publishedAmong(queries, datanetId, root, others)) found.add(digest);
  }
  return found;
}

/**
 * Finds which rows the published version has, under the contributor whose they are here.
 * @param published root of the version; null for none
 * @returns their digests, in hexadecimal digits; none where the version's list is not here
 */
export async function publishedAmong(
  { query }: Queries,
  datanetId: number,
  published: string | null,
  rows: readonly OwnedRow[],
): Promise<ReadonlySet<string>> {
  const found = new Set<string>();
  if (published === null || rows.length === 0) return found;
  // Attack: a stranger brings the version's list before its rows, with aliases of their digests (listed-digests.ts), and an earlier commit
  // takes them.
  const expected = new Map(
    rows.flatMap((row) =>
      aliasesOf(row.digest).map((alias): [string, OwnedRow] => [alias.toString("latin1"), row]),
    ),
  );
  for (let at = 1; ; at += ROWS_A_SLICE * VERSION_ROW_BYTES) {
    const [slice] = await query<{ bytes: Buffer }>(
      `select substring(list from $3::int for $4::int) as bytes from versions where datanet_id = $1 and rows_root = $2`,
      [datanetId, published, at, ROWS_A_SLICE * VERSION_ROW_BYTES],
    );
    const bytes = slice?.bytes ?? Buffer.alloc(0);
    for (let position = 0; position < bytes.length; position += VERSION_ROW_BYTES) {
      const end = position + DIGEST_BYTES;
      const row = expected.get(bytes.toString("latin1", position, end));
      if (row?.contributorId === bytes.readUIntBE(end, 3)) found.add(row.digest.toString("hex"));
    }
    if (bytes.length < ROWS_A_SLICE * VERSION_ROW_BYTES) return found;
  }
}
