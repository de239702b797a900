import { Database } from "@openledger/foundation/database/database";
import { createLogger } from "@openledger/foundation/logger";
import { createTestDatabase, type TestDatabase } from "@openledger/foundation/testing/test-database";
import { afterAll, beforeAll, expect, it } from "vitest";
import { sampleCard } from "../testing/sample-card.ts";
import { HOST_PART } from "./host-schema.ts";
import { HostStore } from "./host-store.ts";
import type { HostedDatanet } from "./hosted-datanet.ts";
import { nextToLabel } from "./label-queue.ts";

const ID = 10;
const ROW_COUNT = 40_000;
const BEGUN_COUNT = 30_000;
const card = sampleCard({ labelling: { ...sampleCard().labelling, annotatorsPerRow: 3 } });

/** Number of labels of a row: every third one has enough. */
const labelCountOf = (number: number) => (number < BEGUN_COUNT ? 1 + (number % 3) : 0);

let home: TestDatabase;
let database: Database;
let datanet: HostedDatanet;
beforeAll(async () => {
  home = await createTestDatabase();
  const logger = createLogger("test", "silent");
  database = await Database.open({ url: home.url, part: HOST_PART, rollup: null, logger });
  await database.query("insert into datanets (id, row_count) values ($1, $2)", [ID, ROW_COUNT]);
  // The last row was begun first.
  await database.query(
    `insert into rows (datanet_id, number, digest, commit_number, place, bytes, is_well_formed, begun_at, label_count, top_label, top_count)
       select $1, number, int4send(number), 0, number, 1, true, case when count > 0 then $2 - number end, count, case when count > 0 then 'good' end, count
         from generate_series(0, $2::int - 1) as number,
              lateral (select case when number < ${BEGUN_COUNT} then 1 + number % 3 else 0 end as count) as labelled`,
    [ID, ROW_COUNT],
  );
  await database.query(
    `insert into labels select $1, number, leaf, 'good', 0, false, number from generate_series(0, ${BEGUN_COUNT} - 1) as number,
       generate_series(4, 4 + number % 3) as leaf`,
    [ID],
  );
  await database.query("analyze");
  datanet = await new HostStore(database, 7n).require(ID);
});
afterAll(async () => {
  await database?.close();
  await home?.drop();
});

/** The next rows of a leaf, and how many rows of the tables were read for them. */
async function next(leafId: number, limit: number, of: HostedDatanet = datanet) {
  let readCount = 0;
  const counting: Pick<Database, "transaction"> = {
    transaction: (work) =>
      database.transaction(async (queries) => {
        const result = await work(queries);
        const [read] = await queries.query<{ count: number }>(
          `select sum(seq_tup_read + idx_tup_fetch)::int as count from pg_stat_xact_user_tables
             where relid in ('rows'::regclass, 'labels'::regclass)`,
        );
        readCount = read!.count;
        return result;
      }),
  };
  const { id, rowCount } = of;
  const request = { leafId, limit, nowMs: 1, unsent: [], skipped: [] };
  const { rows } = await nextToLabel({ id, rowCount, database: counting } as HostedDatanet, card, request);
  return { rows, readCount };
}

it("gives the rows first that others have begun, in that order, and does not read all of them", async () => {
  const waiting = Array.from({ length: BEGUN_COUNT }, (_, i) => BEGUN_COUNT - 1 - i).filter(
    (number) => labelCountOf(number) < 3,
  );
  const first = await next(8, 20);
  expect(first.rows).toEqual(waiting.slice(0, 20));
  expect(first.readCount).toBeLessThan(500);
  // Rows wait for two labels or for one: two and one more may have them now.
  expect((await next(9, 20)).rows).toEqual(
    waiting.filter((number, i) => i >= 20 || labelCountOf(number) === 1).slice(0, 20),
  );
});

it("gives a leaf that has labelled all of them new ones", async () => {
  const { rows } = await next(4, 5);
  expect(rows).toHaveLength(5);
  for (const number of rows) expect(number).toBeGreaterThanOrEqual(BEGUN_COUNT);
});

/** Makes rows gold ones, as their records do. */
async function makeGold(id: number, numbers: readonly number[], signature: string): Promise<void> {
  await database.query(
    "update rows set gold_label = 'good', begun_at = coalesce(begun_at, number) where datanet_id = $1 and number = any($2)",
    [id, numbers],
  );
  await database.query("delete from records where datanet_id = $1", [id]);
  await database.query(
    `insert into records (datanet_id, number, id, kind, leaf_id, row_number, about, record)
       select $1, number, 'gold ' || number, 'gold', 7, number, '', $3 || number from unnest($2::int[]) as number`,
    [id, numbers, signature],
  );
}

it("gives one gold row in eight, at a turn that a labeller cannot count to", async () => {
  // Rows that have enough labels: the queue has no other reason to give them.
  const gold = Array.from({ length: 30 }, (_, i) => 2 + 3 * i);
  const turnsOf = async (signature: string) => {
    await makeGold(ID, gold, signature);
    const turns: number[][] = [];
    for (let leafId = 20; leafId < 40; leafId++) {
      const { rows } = await next(leafId, 24);
      expect(rows).toHaveLength(24);
      turns.push(rows.flatMap((number, at) => (gold.includes(number) ? [at] : [])));
    }
    return turns;
  };
  const turns = await turnsOf("a signature");
  for (const own of turns) expect(own.map((at) => Math.floor(at / 8))).toEqual([0, 1, 2]);
  // Twenty labellers with three turns each.
  expect(new Set(turns.flat().map((at) => at % 8)).size).toBeGreaterThan(4);
  expect(await turnsOf("another signature")).not.toEqual(turns);
  expect(await turnsOf("a signature")).toEqual(turns);
  await database.query("update rows set gold_label = null where datanet_id = $1", [ID]);
});

it("gives a gold row alone only while it needs labels", async () => {
  const small = 11;
  await database.query("insert into datanets (id, row_count) values ($1, 3)", [small]);
  // The second row waits; the others have enough labels.
  await database.query(
    `insert into rows (datanet_id, number, digest, commit_number, place, bytes, is_well_formed, begun_at, label_count, top_label, top_count)
       select $1, number, '\\xaa' || int4send(number), 0, number, 1, true, number, count, 'good', count
         from generate_series(0, 2) as number, lateral (select case when number = 1 then 1 else 3 end as count) as labelled`,
    [small],
  );
  await makeGold(small, [0, 1], "a signature");
  const of = await new HostStore(database, 7n).require(small);
  for (let leafId = 20; leafId < 40; leafId++) expect((await next(leafId, 5, of)).rows).toEqual([1]);
});

it("waits for rows that are being described, and says of none that it has its labels", async () => {
  const described = 12;
  await database.query("insert into datanets (id, row_count) values ($1, 2)", [described]);
  await database.query(
    `insert into rows (datanet_id, number, digest, commit_number, place, bytes, is_well_formed)
       select $1, number, '\\xbb' || int4send(number), 0, number, 1, true from generate_series(0, 1) as number`,
    [described],
  );
  const of = await new HostStore(database, 7n).require(described);
  const input = await database.transaction(async (queries) => {
    await queries.query("update rows set is_well_formed = false where datanet_id = $1", [described]);
    const asked = next(8, 1, of);
    const waiting =
      "select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'";
    await expect.poll(() => database.query(waiting)).toHaveLength(1);
    return { asked };
  });
  expect((await input.asked).rows).toHaveLength(1);
});

it("gives rows again that were reserved by a clock a day ahead", async () => {
  const id = ID + 5;
  await database.query("insert into datanets (id, row_count) values ($1, 2)", [id]);
  await database.query(
    `insert into rows (datanet_id, number, digest, commit_number, place, bytes, is_well_formed)
       select $1, number, int4send(900000 + number), 0, number, 1, true from generate_series(0, 1) as number`,
    [id],
  );
  const few = await new HostStore(database, 7n).require(id);
  const single = sampleCard({ labelling: { ...card.labelling, annotatorsPerRow: 1 } });
  const nowMs = Date.now();
  const rowsOf = async (leafId: number, atMs: number) =>
    (await nextToLabel(few, single, { leafId, nowMs: atMs, limit: 2, unsent: [], skipped: [] })).rows.length;
  expect(await rowsOf(20, nowMs + 86_400_000)).toBe(2);
  expect(await rowsOf(21, nowMs)).toBe(2);
  expect(await rowsOf(22, nowMs)).toBe(0);
  // Of a host whose clock is a minute ahead.
  expect(await rowsOf(23, nowMs + 200_000)).toBe(2);
  expect(await rowsOf(24, nowMs + 140_000)).toBe(0);
});
