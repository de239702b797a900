/**
 * Writes the rows of a commit (a contributor's promise of rows on the ledger) as they are uploaded in pieces, and knows which
 * are still missing. HostedDatanet calls it within the transaction of an upload.
 */
import { byteStrings, integers } from "@openledger/foundation/database/binary-lists";
import type { Queries } from "@openledger/foundation/database/queries";
import { type MovedRow, moveRows } from "./move-rows.ts";
import { publishedAmong } from "./published-rows.ts";
import type { StoredCommit } from "./stored-datanet.ts";

/** Maximum bytes of rows in one statement, which has them twice over, in the driver and in the server. */
const BYTES_A_STATEMENT = 4 * 1024 * 1024;

interface ArrivingRow {
  /** Position in the commit. */
  readonly place: number;
  readonly digest: Buffer;
  readonly content: Uint8Array;
}

/** Rows of a commit that arrive, within the transaction that stores them. The Datanet is locked. */
export class CommitRows {
  readonly #queries: Queries;
  readonly #datanetId: number;
  readonly #commit: StoredCommit;
  readonly #published: string | null;

  /** @param published root of the published version, whose rows stay with whom it names; null for none */
  constructor(queries: Queries, datanetId: number, commit: StoredCommit, published: string | null) {
    this.#queries = queries;
    this.#datanetId = datanetId;
    this.#commit = commit;
    this.#published = published;
  }

  /** Places among the `count` from `from` on that have not come, as differences to `from`. */
  async missingOf(from: number, count: number): Promise<number[]> {
    const runs = await this.#queries.query<{ from: number; end: number }>(
      `select lower(run) as "from", upper(run) as "end"
         from commits, unnest(int4multirange(int4range($3, $3::int + $4::int)) - received) as run
        where datanet_id = $1 and number = $2 order by lower(run)`,
      [this.#datanetId, this.#commit.number, from, count],
    );
    return runs.flatMap(({ end, from: first }) =>
      Array.from({ length: end - first }, (_, i) => first + i - from),
    );
  }

  /**
   * Stores rows, none of which has come before.
   * @param rowCount rows of the Datanet so far: the number of its next one
   * @param hasReturned true if some were withdrawn by somebody who committed them later: they are this contributor's now
   * @returns how many the Datanet did not have
   */
  async add({
    hasReturned,
    rowCount,
    rows,
  }: {
    rowCount: number;
    hasReturned: boolean;
    rows: readonly ArrivingRow[];
  }): Promise<number> {
    let addedCount = 0;
    for (let first = 0; first < rows.length; ) {
      let [end, bytes] = [first, 0];
      while (end < rows.length && (end === first || bytes + rows[end]!.content.length <= BYTES_A_STATEMENT)) {
        bytes += rows[end]!.content.length;
        end += 1;
      }
      addedCount += await this.#addPart(rows.slice(first, end), {
        nextNumber: rowCount + addedCount,
        hasReturned,
      });
      first = end;
    }
    const runs: string[] = [];
    for (let first = 0; first < rows.length; ) {
      let end = first + 1;
      while (end < rows.length && rows[end]!.place === rows[end - 1]!.place + 1) end += 1;
      runs.push(`[${rows[first]!.place},${rows[end - 1]!.place + 1})`);
      first = end;
    }
    await this.#queries.query(
      `update commits set received = received + $3::int4multirange, received_count = received_count + $4
        where datanet_id = $1 and number = $2`,
      [this.#datanetId, this.#commit.number, `{${runs.join(",")}}`, rows.length],
    );
    return addedCount;
  }

  async #addPart(
    rows: readonly ArrivingRow[],
    { hasReturned, nextNumber }: { nextNumber: number; hasReturned: boolean },
  ): Promise<number> {
    const { query } = this.#queries;
    const { number } = this.#commit;
    const digests = byteStrings(rows.map(({ digest }) => digest));
    // One value with all contents, cut by the server: the driver would write each one of a list as text.
    let offset = 1;
    const offsets = rows.map(({ content }) => {
      offset += content.length;
      return offset - content.length;
    });
    const [stored] = await query<{ count: number }>(
      `with made as (
         insert into contents
           select distinct on (digest) digest, substring($1::bytea from first for length)
             from unnest($2::bytea[], $3::int[], $4::int[]) as part (digest, first, length)
            order by digest on conflict do nothing returning 1)
       select count(*)::int as count from made`,
      [
        Buffer.concat(rows.map(({ content }) => content)),
        digests,
        integers(offsets),
        integers(rows.map(({ content }) => content.length)),
      ],
    );
    // Where no host had the bytes of any, nobody has committed one of them before, unless it was withdrawn.
    const { fresh, moved } =
      stored!.count === rows.length && !hasReturned
        ? { fresh: rows, moved: [] }
        : await this.#compare(rows, digests, nextNumber);
    if (moved.length > 0)
      await moveRows(this.#queries, { datanetId: this.#datanetId, commit: this.#commit, moved });
    const counted = query(
      "update commits set own_count = own_count + $3 where datanet_id = $1 and number = $2",
      [this.#datanetId, number, fresh.length + moved.length],
    );
    if (fresh.length === 0) {
      await counted;
      return 0;
    }
    const listed = query(
      `insert into rows (datanet_id, number, digest, commit_number, place, bytes, is_well_formed)
         select $1, $2::int + at::int - 1, digest, $3, place, bytes, true
           from unnest($4::bytea[], $5::int[], $6::int[]) with ordinality as part (digest, place, bytes, at)`,
      [
        ...[this.#datanetId, nextNumber, number],
        byteStrings(fresh.map(({ digest }) => digest)),
        integers(fresh.map(({ place }) => place)),
        integers(fresh.map(({ content }) => content.length)),
      ],
    );
    await Promise.all([counted, listed]);
    return fresh.length;
  }

  /**
   * Finds the rows that are here. A row that was committed twice counts for the one who committed it first, whichever came to
   * this host first, unless it is published under the other.
   */
  async #compare(
    rows: readonly ArrivingRow[],
    digests: Buffer,
    nextNumber: number,
  ): Promise<{ fresh: ArrivingRow[]; moved: MovedRow[] }> {
    const { commitIndex } = this.#commit;
    const known = await this.#queries.query<{
      digest: Buffer;
      number: number;
      commitIndex: number;
      contributorId: number;
    }>(
      `select digest, rows.number, commit_index as "commitIndex", contributor_id as "contributorId"
         from rows join commits on commits.datanet_id = rows.datanet_id and commits.number = commit_number
        where rows.datanet_id = $1 and digest = any($2)`,
      [this.#datanetId, digests],
    );
    const held = new Map<string, { readonly digest: Buffer; readonly number: number; commitIndex: number }>(
      known.map((row) => [row.digest.toString("hex"), row]),
    );
    const later = known.filter((row) => commitIndex < row.commitIndex);
    const published = await publishedAmong(this.#queries, this.#datanetId, this.#published, later);
    const fresh: ArrivingRow[] = [];
    const moved: MovedRow[] = [];
    for (const row of rows) {
      const name = row.digest.toString("hex");
      const before = held.get(name);
      if (before === undefined) {
        held.set(name, { digest: row.digest, number: nextNumber + fresh.length, commitIndex });
        fresh.push(row);
      } else if (commitIndex < before.commitIndex && !published.has(name)) {
        held.set(name, { ...before, commitIndex });
        moved.push({ number: before.number, place: row.place, bytes: row.content.length });
      }
    }
    return { fresh, moved };
  }
}
