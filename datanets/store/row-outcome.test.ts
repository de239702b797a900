/** Tests that a host's SQL and `outcomeOf` come to the same outcome of any row, by any card. */
import { contributionRoot, hashRow } from "@openledger/circuits/ledger/version-rows";
import { Database } from "@openledger/foundation/database/database";
import { createLogger } from "@openledger/foundation/logger";
import { createTestDatabase } from "@openledger/foundation/testing/test-database";
import { runs } from "@openledger/foundation/testing/test-random";
import fc from "fast-check";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { Card } from "../card/card.ts";
import { type RecordBody, recordId, type SignedRecord } from "../records/record.ts";
import { countedLabels, outcomeOf, RecordState } from "../records/record-state.ts";
import { sha256Hex } from "../rows/row-digest.ts";
import { encodeDigests } from "../rows/row-wire.ts";
import { sampleCard, sampleRows } from "../testing/sample-card.ts";
import { openTestStore, type TestStore } from "../testing/test-store.ts";
import { HOST_PART } from "./host-schema.ts";
import type { HostStore } from "./host-store.ts";
import { Quotas } from "./quotas.ts";
import { redescribePart } from "./redescribe-rows.ts";
import { outcomeSql } from "./row-outcome.ts";
import { ROW_STATES } from "./row-query.ts";
import { RowSearch } from "./row-search.ts";
import { takeRecords } from "./take-records.ts";

const ID = 10;
const DOMAIN = 7n;
const [FIRST, LATER] = [8, 9];
const limits = { quotaBytesPerDay: 1e12, quotaRecordsPerDay: 1e9, maxStoreBytes: 1e12 };
const account = { leafId: 3, quotas: new Quotas(limits, Date.now) };
const rows = sampleRows(runs(600));
const digests = rows.map(sha256Hex);
/** Rows of the first commit; the later one has all. */
const shared = rows.filter((_, i) => i % 3 === 0);
const contributorOf = (i: number) => (i % 3 === 0 ? FIRST : LATER);
let world: TestStore;
let database: Database;
let store: HostStore;
beforeAll(async () => {
  world = await openTestStore(DOMAIN, [ID]);
  ({ database, store } = world);
});
afterAll(() => world?.close());

async function bring(own: readonly Uint8Array[], contributorId: number, commitIndex: number) {
  const commit = {
    rowsRoot: contributionRoot(own.map(hashRow)),
    contributorId,
    rowCount: own.length,
    isFinal: true,
    committedAtMs: null,
    opIndex: commitIndex,
  };
  const datanet = await store.require(ID);
  const digestsOfCommit = encodeDigests(own.map(sha256Hex));
  await datanet.addRows(
    await datanet.addList(digestsOfCommit, { commit, commitIndex }, account),
    0,
    own,
    account,
  );
  await store.describeAll();
}

/** Records of one row: contributors, labellers and a reviewer in any order. @param contributor who may withdraw it */
const recordsOf = (row: string, contributor: number): fc.Arbitrary<RecordBody[]> => {
  const about = { datanetId: ID, row, atMs: 0, note: "" };
  const label = fc.constantFrom("good", "bad");
  const one = fc.oneof(
    { weight: 12, arbitrary: fc.tuple(fc.constantFrom(4, 5, 6, FIRST, LATER), label) },
    { weight: 1, arbitrary: fc.tuple(fc.constant("settle" as const), fc.constantFrom("good", "bad", null)) },
    { weight: 1, arbitrary: fc.tuple(fc.constant("leaveOut" as const), fc.boolean()) },
    { weight: 1, arbitrary: fc.tuple(fc.constant("suggestion" as const), label) },
    { weight: 1, arbitrary: fc.tuple(fc.constant("withdrawal" as const), fc.constant(null)) },
  );
  const bodyOf = ([kind, value]: readonly [number | string, string | boolean | null]): RecordBody => {
    if (typeof kind === "number")
      return { ...about, kind: "label", leafId: kind, label: value as string, flags: [] };
    if (kind === "settle") return { ...about, kind, leafId: 7, label: value as string | null };
    if (kind === "leaveOut")
      return { ...about, kind, leafId: 7, isLeftOut: value as boolean, why: "off-topic" };
    if (kind === "withdrawal") return { ...about, kind, leafId: contributor };
    const { note: _, ...rest } = about;
    return { ...rest, kind: "suggestion", leafId: 7, label: value as string, model: "a model" };
  };
  return fc.array(one, { maxLength: 6 }).map((chosen) => chosen.map(bodyOf));
};

let atMs = 0;
async function take(bodies: readonly RecordBody[]): Promise<RecordBody[]> {
  const timed = bodies.map((body) => ({ ...body, atMs: ++atMs }));
  const offers = timed.map((body) => ({
    id: recordId(DOMAIN, body),
    record: { body } as unknown as SignedRecord,
    check: () => {},
  }));
  for (let done = 0; done < offers.length; done += 500)
    await takeRecords(await store.require(ID), offers.slice(done, done + 500), account.quotas);
  return timed;
}

const cards: Card[] = [];
for (const annotatorsPerRow of [1, 2, 3])
  for (const accept of ["all", "majority"] as const)
    for (const own of [{}, { ownRows: "allowed" as const }])
      for (const changes of [{}, { labels: [], examples: [] }]) {
        const labelling = { ...sampleCard().labelling, annotatorsPerRow, accept, ...own };
        cards.push(sampleCard({ ...changes, labelling }));
      }

it("is the same for a row's records, whichever card, also after a row has got an earlier contributor", async () => {
  await bring(rows, LATER, 4);
  const seed = Math.floor(Math.random() * 2 ** 31);
  const records = (salt: number, contributor: (i: number) => number) =>
    digests.map(
      (row, i) => fc.sample(recordsOf(row, contributor(i)), { numRuns: 1, seed: seed + salt + i })[0]!,
    );
  const before = await take(records(0, () => LATER).flat());
  await bring(shared, FIRST, 2);
  const isShared = new Set(shared.map(sha256Hex));
  // Whoever committed them later has not said it as a labeller.
  const ended = (body: RecordBody) =>
    (body.kind === "label" || body.kind === "withdrawal") && body.leafId === LATER && isShared.has(body.row);
  const held = before.filter((body) => !ended(body));
  held.push(...(await take(records(digests.length, contributorOf).flat())));
  const state = new RecordState();
  for (const body of held) state.add(recordId(DOMAIN, body), body);
  const search = new RowSearch();
  const datanet = await store.require(ID);
  const numbersOf = await datanet.rowIds(digests);
  // Exactly the withdrawn rows have no bytes, nor anything that was read from them.
  await store.describeAll();
  while (await redescribePart(store));
  const isGone = digests.map((digest, i) => state.row(digest).withdrawals.has(contributorOf(i)));
  for (const table of ["contents join rows using (digest)", "row_words"]) {
    const [left] = await database.query(`select array_agg(number order by number) as numbers from ${table}`);
    expect(left!.numbers, table).toEqual(
      digests.flatMap((digest, i) => (isGone[i] ? [] : [numbersOf.get(digest)!])).sort((a, b) => a - b),
    );
  }
  const own = await database.query(
    "select row_number as number, leaf_id as leaf from labels where datanet_id = $1 and is_own order by 1",
    [ID],
  );
  expect(own).toEqual(
    digests
      .flatMap((digest, i) =>
        state.row(digest).labels.has(contributorOf(i))
          ? [{ number: numbersOf.get(digest)!, leaf: contributorOf(i) }]
          : [],
      )
      .sort((a, b) => a.number - b.number),
  );
  for (const card of cards) {
    const message = `seed ${seed}, ${JSON.stringify([card.labelling, card.labels.length])}`;
    const expected = digests.map((digest, i) => {
      const own = state.row(digest);
      const outcome = outcomeOf(card, own, contributorOf(i));
      const label = outcome.state === "accepted" ? outcome.label : null;
      const contributed = own.labels.get(contributorOf(i))?.label ?? null;
      const isShown = card.labels.length > 0 && outcome.state !== "waiting";
      return {
        number: numbersOf.get(digest)!,
        state: outcome.state,
        isWaiting: outcome.state === "waiting",
        label,
        shown: label ?? (isShown ? contributed : null),
        counted: countedLabels(card, own.labels, contributorOf(i)),
      };
    });
    const sql = outcomeSql(card);
    const found = await database.query(
      `select number, ${sql.state} as state, ${sql.isWaiting} as "isWaiting", ${sql.label} as label, ${sql.shown} as shown, ${sql.counted} as counted
         from rows where datanet_id = $1 order by number`,
      [ID],
    );
    expect(found, message).toEqual(expected.toSorted((a, b) => a.number - b.number));
    const countOf = async (filter: object) =>
      (await search.find(datanet, card, filter, { from: 0, limit: 1 })).total;
    for (const one of ROW_STATES)
      expect(await countOf({ state: one }), `${one}, ${message}`).toBe(
        expected.filter((row) => row.state === one).length,
      );
    for (const label of ["good", "bad"])
      expect(await countOf({ label }), `${label}, ${message}`).toBe(
        expected.filter(({ shown }) => shown === label).length,
      );
  }
});

it("stays where a host's database is older: a contributor's label no longer counts as another's", async () => {
  const old = await createTestDatabase();
  const open = (count: number) => {
    const part = { ...HOST_PART, migrations: HOST_PART.migrations.slice(0, count) };
    return Database.open({ url: old.url, part, rollup: null, logger: createLogger("test", "silent") });
  };
  const before = await open(2);
  await before.query(`insert into commits (datanet_id, number, rows_root, row_count, contributor_id, commit_index, op_index, list)
    values (1, 0, '0x0', 2, 3, 0, 0, '')`);
  await before.query(`insert into rows (datanet_id, number, digest, commit_number, place, bytes, label, is_well_formed, begun_at, label_count, top_label, top_count)
    values (1, 0, '\\x00', 0, 0, 1, 'good', true, 0, 2, 'bad', 2), (1, 1, '\\x01', 0, 1, 1, 'good', true, null, 0, null, 0)`);
  await before.query(
    "insert into labels values (1, 0, 3, 'bad', 0, false, 0), (1, 0, 4, 'bad', 0, false, 1)",
  );
  await before.close();
  const after = await open(HOST_PART.migrations.length);
  expect(await after.query("select number, label, label_count as count from rows order by 1")).toEqual([
    { number: 0, label: "bad", count: 1 },
    { number: 1, label: null, count: 0 },
  ]);
  expect(await after.query(`select leaf_id as leaf, is_own as "isOwn" from labels order by 1`)).toEqual([
    { leaf: 3, isOwn: true },
    { leaf: 4, isOwn: false },
  ]);
  await after.close();
  await old.drop();
});
