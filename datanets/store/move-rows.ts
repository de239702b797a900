/**
 * Gives rows to an earlier commit: one that was committed twice counts for the one who committed it first, whichever came to this
 * host first. commit-rows.ts calls it.
 */
import { integers } from "@openledger/foundation/database/binary-lists";
import type { Queries } from "@openledger/foundation/database/queries";
import type { SignedRecord } from "../records/record.ts";
import { RecordState } from "../records/record-state.ts";
import { writeRowStates } from "./row-states.ts";
import type { StoredCommit } from "./stored-datanet.ts";

/** SQL of a row's labels, each with the number of its leaves, most first. */
const TOP = `from labels where labels.datanet_id = $1 and row_number = rows.number
   group by label order by count(*) desc, min(first_record) limit 1`;

/** A row that a later commit had, at its position in the earlier one. */
export interface MovedRow {
  readonly number: number;
  readonly place: number;
  /** Size of its bytes. */
  readonly bytes: number;
}

/**
 * Moves rows of a Datanet, which is locked, to a commit that was earlier than theirs.
 *
 * Attack: somebody who may not label commits others' rows later, brings them here first, and labels them as their contributor.
 * So what a leaf has said as the contributor ends with that, a withdrawal too: the row is there again.
 */
export async function moveRows(
  queries: Queries,
  {
    commit: { contributorId, number },
    datanetId,
    moved,
  }: {
    datanetId: number;
    commit: Pick<StoredCommit, "contributorId" | "number">;
    moved: readonly MovedRow[];
  },
): Promise<void> {
  const { query } = queries;
  const numbers = moved.map((row) => row.number);
  await query(
    `update commits set own_count = own_count - lost.count
       from (select commit_number, count(*) as count from rows where datanet_id = $1 and number = any($2) group by 1) as lost
      where datanet_id = $1 and number = commit_number`,
    [datanetId, numbers],
  );
  await query(
    `with ended as (
       delete from labels where datanet_id = $1 and row_number = any($2::int[]) and is_own and leaf_id <> $3
         returning row_number, leaf_id)
     update records set is_current = false from ended
      where records.datanet_id = $1 and records.row_number = ended.row_number and records.leaf_id = ended.leaf_id
        and kind = 'label' and is_current`,
    [datanetId, numbers, contributorId],
  );
  await query(
    `update rows set commit_number = $2, place = moved.place,
            label = (select label from labels
              where labels.datanet_id = $1 and row_number = rows.number and leaf_id = $5),
            label_count = (select count(*) from labels
              where labels.datanet_id = $1 and row_number = rows.number and leaf_id <> $5),
            top_label = (select label ${TOP}), top_count = coalesce((select count(*) ${TOP}), 0)
       from unnest($3::int[], $4::int[]) as moved (number, place)
      where rows.datanet_id = $1 and rows.number = moved.number`,
    [datanetId, number, numbers, moved.map(({ place }) => place), contributorId],
  );
  await query(
    "update labels set is_own = (leaf_id = $3) where datanet_id = $1 and row_number = any($2::int[])",
    [datanetId, numbers, contributorId],
  );
  await returnRows(queries, { datanetId, contributorId, moved });
}

/** Makes rows that are no longer their withdrawer's as their other records say, and has them described again. */
async function returnRows(
  queries: Queries,
  {
    contributorId,
    datanetId,
    moved,
  }: { datanetId: number; contributorId: number; moved: readonly MovedRow[] },
): Promise<void> {
  const { query } = queries;
  const returned = await query<{ number: number; digest: Buffer; begunAt: number | null }>(
    `update rows set is_withdrawn = false, bytes = part.bytes from unnest($2::int[], $3::int[]) as part (number, bytes)
      where rows.datanet_id = $1 and rows.number = part.number and is_withdrawn
      returning rows.number, digest, begun_at as "begunAt"`,
    [datanetId, integers(moved.map((row) => row.number)), integers(moved.map(({ bytes }) => bytes))],
  );
  if (returned.length === 0) return;
  const numbers = integers(returned.map((row) => row.number));
  await query(
    `update records set is_current = false
      where datanet_id = $1 and row_number = any($2::int[]) and is_current and kind = 'withdrawal' and leaf_id <> $3`,
    [datanetId, numbers, contributorId],
  );
  const records = await query<{ id: string; record: string }>(
    "select id, record from records where datanet_id = $1 and row_number = any($2::int[]) and is_current order by number",
    [datanetId, numbers],
  );
  const state = new RecordState();
  for (const { id, record } of records) state.add(id, (JSON.parse(record) as SignedRecord).body);
  await writeRowStates(
    queries,
    datanetId,
    returned.map(({ begunAt, digest, number }) => ({
      number,
      begunAt,
      contributorId,
      records: state.row(digest.toString("hex")),
    })),
  );
  // Those that wait to be described will be.
  await query(
    `insert into descriptions select $1::int, min(part.number), max(part.number) + 1
       from unnest($2::int[]) as part (number), datanets where datanets.id = $1 and part.number < described_count
      having count(*) > 0
       on conflict (datanet_id) do update set next_row = least(descriptions.next_row, excluded.next_row),
          end_row = greatest(descriptions.end_row, excluded.end_row)`,
    [datanetId, numbers],
  );
}
