/**
 * Computes the columns of a Datanet's rows (well-formedness, search words, values of tables) again when its card has changed. Hosts do
 * a part at a time in the background, whichever is free.
 */

import type { HostStore } from "./host-store.ts";
import { describe } from "./row-description.ts";
import { storeRowValues } from "./row-values.ts";
import { configurationsOf, countForStatement, vectorSql } from "./row-words.ts";
import { dropWithdrawn } from "./withdrawn-rows.ts";

const ROWS_A_PART = 200;

/** Describes a part of the rows of one Datanet that waits for it. @returns false if none does */
export async function redescribePart(store: HostStore): Promise<boolean> {
  return store.database.transaction(async (queries) => {
    const [next] = await queries.query<{
      datanetId: number;
      nextRow: number;
      endRow: number;
      policy: string;
    }>(
      `select datanet_id as "datanetId", next_row as "nextRow", end_row as "endRow", policy
         from descriptions join datanets on datanets.id = datanet_id
        order by datanet_id limit 1 for update of descriptions skip locked`,
    );
    if (next === undefined) return false;
    const { datanetId, endRow, nextRow, policy } = next;
    const { card } = (await store.card(datanetId, policy, queries))!;
    const lastEnd = Math.min(endRow, nextRow + ROWS_A_PART);
    const found = await queries.query<{ number: number; content: Buffer }>(
      `select number, contents.bytes as content from rows join contents using (digest)
        where datanet_id = $1 and number >= $2 and number < $3 and not is_withdrawn order by number`,
      [datanetId, nextRow, lastEnd],
    );
    const all = found.map(({ content, number }) => ({ number, ...describe(card, content) }));
    const described = all.slice(0, countForStatement(all));
    const end = described.length < all.length ? described.at(-1)!.number + 1 : lastEnd;
    const numbers = described.map(({ number }) => number);
    await queries.query(
      `update rows set is_well_formed = part.is_well_formed
         from unnest($2::int[], $3::boolean[]) as part (number, is_well_formed)
        where rows.datanet_id = $1 and rows.number = part.number`,
      [datanetId, numbers, described.map(({ isWellFormed }) => isWellFormed)],
    );
    await queries.query(
      // A row that was withdrawn, and is there again, has no words.
      `insert into row_words select $1, number, ${vectorSql("part.words", configurationsOf(card), datanetId)}
         from unnest($2::int[], $3::text[]) as part (number, words)
         on conflict (datanet_id, number) do update set words = excluded.words`,
      [datanetId, numbers, described.map(({ words }) => words)],
    );
    await queries.query("delete from row_values where datanet_id = $1 and number >= $2 and number < $3", [
      datanetId,
      nextRow,
      end,
    ]);
    await storeRowValues(queries, datanetId, described);
    await queries.query(
      end < endRow
        ? "update descriptions set next_row = $2 where datanet_id = $1"
        : "delete from descriptions where datanet_id = $1 and $2::int is not null",
      [datanetId, end],
    );
    await queries.query("update datanets set revision = revision + 1 where id = $1", [datanetId]);
    await dropWithdrawn(queries, datanetId, nextRow, end);
    return true;
  });
}
