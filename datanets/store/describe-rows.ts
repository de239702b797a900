/**
 * Describes the rows of a Datanet (form, search words, values of tables) a moment after they were stored, many at a time. Hosts
 * do it in the background, whichever is free; a host that ends meanwhile leaves the rest to the next one, since the rows
 * themselves say which are described: those before `described_count`.
 */
import { setImmediate } from "node:timers/promises";
import { integers, texts } from "@openledger/foundation/database/binary-lists";
import type { Queries } from "@openledger/foundation/database/queries";
import { pause } from "@openledger/foundation/retry";
import type { Card } from "../card/card.ts";
import type { CardCache } from "./card-cache.ts";
import { factsOf, lock } from "./hosted-datanet.ts";
import { describe, type RowDescription } from "./row-description.ts";
import { storeRowValues } from "./row-values.ts";
import { configurationsOf, countForStatement, vectorSql } from "./row-words.ts";
import { dropWithdrawn } from "./withdrawn-rows.ts";

/** Rows that wait, of one Datanet, before its uploads wait too. */
const MAX_UNDESCRIBED = 50_000;
const ROWS_A_PART = 4_096;
const BYTES_A_PART = 4 * 1024 * 1024;
/** Rows that are read without a pause for other work of the process. */
const ROWS_A_TURN = 256;
/** Datanets of which one look tries to find one that no other host describes. */
const MAX_TRIED = 100;
/** Namespace of the advisory lock under which rows of a Datanet are described. */
const DESCRIBE_LOCK = 0x64_65_73_63;
const BUSY_PAUSE_MS = 50;

type PartResult = "described" | "nothing" | "busy";

/** Describes a part of the rows of some Datanet that has such. @returns false if none has, or other hosts describe them all */
export async function describePart(cards: CardCache): Promise<boolean> {
  const waiting = await undescribed(cards);
  // From anywhere, so that no Datanet into which rows stream has the others wait.
  const first = Math.floor(Math.random() * waiting.length);
  for (const { id } of [...waiting.slice(first), ...waiting.slice(0, first)])
    if ((await describePartOf(cards, id)) === "described") return true;
  return false;
}

/** Describes all rows that wait, and waits for those that other hosts describe. */
export async function describeAll(cards: CardCache): Promise<void> {
  while ((await undescribed(cards)).length > 0) if (!(await describePart(cards))) await pause(BUSY_PAUSE_MS);
}

/** Datanets that have rows to be described, the first of them. */
const undescribed = ({ database }: CardCache) =>
  database.query<{ id: number }>(
    "select id from datanets where described_count < row_count and policy is not null order by id limit $1",
    [MAX_TRIED],
  );

/** Waits until fewer than `max` rows of a Datanet wait to be described, and describes some where nobody else does. */
export async function boundUndescribed(
  cards: CardCache,
  datanetId: number,
  max = MAX_UNDESCRIBED,
): Promise<void> {
  for (;;) {
    const { describedCount, policy, rowCount } = (await factsOf(cards.database, datanetId))!;
    if (policy === null || rowCount - describedCount < max) return;
    if ((await describePartOf(cards, datanetId)) === "busy") await pause(BUSY_PAUSE_MS);
  }
}

async function describePartOf(cards: CardCache, datanetId: number): Promise<PartResult> {
  const { database } = cards;
  return database
    .transaction(async (queries): Promise<PartResult> => {
      const [tried] = await queries.query<{ isFree: boolean }>(
        `select pg_try_advisory_xact_lock(${DESCRIBE_LOCK}, $1) as "isFree"`,
        [datanetId],
      );
      if (!tried!.isFree) return "busy";
      const before = (await factsOf(queries, datanetId))!;
      if (before.policy === null || before.describedCount === before.rowCount) return "nothing";
      const { card } = (await cards.card(datanetId, before.policy, queries))!;
      const end = Math.min(before.rowCount, before.describedCount + ROWS_A_PART);
      const { contents, endNumber } = await readContents(queries, datanetId, before.describedCount, end);
      const rows = await describeAllOf(card, contents);
      await storeWords(queries, { datanetId, card, rows });
      await storeRowValues(queries, datanetId, rows);
      // Last, since all that is written of the Datanet waits for it.
      const { cardCount } = await lock(queries, datanetId);
      // By a card that is the last one no more: the transaction ends without it.
      if (cardCount !== before.cardCount) throw new CardChanged();
      await dropWithdrawn(queries, datanetId, before.describedCount, endNumber);
      const malformed = rows.filter(({ isWellFormed }) => !isWellFormed);
      if (malformed.length > 0)
        await queries.query(
          "update rows set is_well_formed = false where datanet_id = $1 and number = any($2::int[]) and not is_withdrawn",
          [datanetId, integers(malformed.map(({ number }) => number))],
        );
      await queries.query("update datanets set described_count = $2, revision = revision + 1 where id = $1", [
        datanetId,
        endNumber,
      ]);
      return "described";
    })
    .catch((error: unknown) => {
      if (error instanceof CardChanged) return "described";
      throw error;
    });
}

class CardChanged extends Error {}

interface DescribedRow extends RowDescription {
  readonly number: number;
}

async function describeAllOf(
  card: Card,
  contents: readonly { readonly number: number; readonly content: Buffer }[],
): Promise<DescribedRow[]> {
  const rows: DescribedRow[] = [];
  for (const [i, { content, number }] of contents.entries()) {
    // Requests are answered meanwhile.
    if (i % ROWS_A_TURN === ROWS_A_TURN - 1) await setImmediate();
    rows.push({ number, ...describe(card, content) });
  }
  return rows;
}

/**
 * Rows from `first` on, before `end`, as many as a part has room for, but one at least; withdrawn ones have no content.
 * `endNumber` is the number after the last of them.
 */
async function readContents(
  { query }: Queries,
  datanetId: number,
  first: number,
  end: number,
): Promise<{ contents: { number: number; content: Buffer }[]; endNumber: number }> {
  const found = await query<{ number: number; content: Buffer | null }>(
    `select number, case when not is_withdrawn then contents.bytes end as content from (
        select number, digest, is_withdrawn, sum(bytes) over (order by number) as total from rows
         where datanet_id = $1 and number >= $2 and number < $3) as part left join contents using (digest)
      where total <= ${BYTES_A_PART} or number = $2 order by number`,
    [datanetId, first, end],
  );
  const contents = found.flatMap(({ content, number }) => (content === null ? [] : [{ number, content }]));
  return { contents, endNumber: found.at(-1)!.number + 1 };
}

async function storeWords(
  { query }: Queries,
  { card, datanetId, rows }: { datanetId: number; card: Card; rows: readonly DescribedRow[] },
): Promise<void> {
  const vector = vectorSql("words", configurationsOf(card), datanetId);
  // One after another: the driver's time for a statement begins when it is sent.
  for (let first = 0; first < rows.length; ) {
    const part = rows.slice(first, first + countForStatement(rows.slice(first)));
    first += part.length;
    await query(
      `insert into row_words select $1, number, ${vector} from unnest($2::int[], $3::text[]) as part (number, words)`,
      [datanetId, integers(part.map(({ number }) => number)), texts(part.map(({ words }) => words))],
    );
  }
}
