/**
 * Gives rows to an earlier commit: one that was committed twice counts for the one who committed it first, whichever came to this
 * host first. commit-rows.ts calls it.
 */
import type { Queries } from "@openledger/foundation/database/queries";
import type { StoredCommit } from "./stored-datanet.ts";

/** SQL of a row's labels, each with the number of its leaves, most first. */
const TOP = `from labels where labels.datanet_id = $1 and row_number = rows.number
   group by label order by count(*) desc, min(first_record) limit 1`;

/**
 * Moves rows of a Datanet, which is locked, to a commit that was earlier than theirs.
 *
 * Attack: somebody who may not label commits others' rows later, brings them here first, and labels them as their contributor.
 * So what a leaf has said as the contributor ends with that.
 */
export async function moveRows(
  { query }: Queries,
  {
    commit: { contributorId, number },
    datanetId,
    moved,
  }: { datanetId: number; commit: StoredCommit; moved: readonly { number: number; place: number }[] },
): Promise<void> {
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
}
