import { Database } from "@openledger/foundation/database/database";
import { createLogger } from "@openledger/foundation/logger";
import { createTestDatabase, type TestDatabase } from "@openledger/foundation/testing/test-database";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { sampleCard } from "../testing/sample-card.ts";
import { HOST_PART } from "./host-schema.ts";
import { HostStore } from "./host-store.ts";
import type { RowFilter } from "./row-query.ts";
import { MAX_RANKED } from "./row-ranking.ts";
import { MAX_COUNTED, RowSearch } from "./row-search.ts";
import { vectorSql } from "./row-words.ts";

const ID = 10;
const OTHER_ID = 11;
/** More than are looked at whole: five blocks, of which the last one has a part. */
const ROW_COUNT = 68_000;
const FIRST_FOG = 55_000;
const card = sampleCard();

/** Each word's rows; a hundredth of the first ten thousand say "rain" three times. */
const ROWS = {
  rain: () => true,
  sun: (number: number) => number % 7 === 0,
  mist: (number: number) => number % 50 === 5,
  fog: (number: number) => number >= FIRST_FOG,
  hail: (number: number) => number % 1_000 === 3,
  storm: (number: number) => number === 67_999,
  drought: (number: number) => number >= 30_000 && number % 3 === 0,
};
const isRainy = (number: number) => number < 10_000 && number % 100 === 42;

let home: TestDatabase;
let store: HostStore;
beforeAll(async () => {
  home = await createTestDatabase();
  const database = await Database.open({
    url: home.url,
    part: HOST_PART,
    rollup: null,
    logger: createLogger("test", "silent"),
  });
  store = new HostStore(database, 7n);
  await database.query(
    "insert into datanets (id, row_count, described_count) values ($1, $3, $3), ($2, $3, $3)",
    [ID, OTHER_ID, ROW_COUNT],
  );
  for (const id of [ID, OTHER_ID]) {
    const words = `concat_ws(' ', 'rain', case when number % 7 = 0 then 'sun' end, case when number >= ${FIRST_FOG} then 'fog' end,
      case when number < 10000 and number % 100 = 42 then 'rain rain' else 'day night' end, case when number % 50 = 5 then 'mist' end,
      case when number >= 30000 and number % 3 = 0 then 'drought' end,
      case when number % 1000 = 3 then 'hail' end, case when number = 67999 and ${id} = ${ID} then 'storm' end)`;
    // A busy machine takes longer than a statement may.
    await database.transaction(
      async ({ query }) => {
        await query(
          `insert into row_words select ${id}, number, ${vectorSql(words, ["english"], id)} from generate_series(0, $1::int - 1) as number`,
          [ROW_COUNT],
        );
      },
      { isUnlimited: true },
    );
  }
  // Every hundredth row has labels of two, which agree or not; of the other Datanet every row has.
  await database.query(
    `insert into rows (datanet_id, number, digest, commit_number, place, bytes, label, is_well_formed, begun_at, label_count, top_label, top_count, decision, decided_label)
       select id, number, int4send(number), 0, number, 1, own, true,
              case when is_labelled then number end, case when is_labelled then 2 else 0 end,
              case when number % 100 = 0 then 'bad' end,
              case when number % 200 = 0 then 2 + (own is not null)::int when number % 100 = 0 then 1 else 0 end,
              case when number % 1000 = 0 then 'accepted' end, case when number % 1000 = 0 then 'good' end
         from unnest(array[$1, $2]::int[]) as id, generate_series(0, $3::int - 1) as number,
              lateral (select case when number % 3 = 0 then 'good' when number % 3 = 1 then 'bad' end as own,
                              number % 100 = 0 or id = $2 as is_labelled) as facts`,
    [ID, OTHER_ID, ROW_COUNT],
  );
});
afterAll(async () => {
  await store?.database.close();
  await home?.drop();
});

interface Position {
  readonly id?: number;
  readonly from?: number;
  readonly after?: number;
  readonly limit?: number;
}
async function find(filter: RowFilter, { id = ID, ...page }: Position = {}) {
  return new RowSearch().find(await store.require(id), card, filter, { from: 0, limit: 50, ...page });
}
const all = Array.from({ length: ROW_COUNT }, (_, number) => number);

describe("a search by words", () => {
  it.each([
    ["rain", ROWS.rain],
    ["sun", ROWS.sun],
    ["mist", ROWS.mist],
    ["rain fog", ROWS.fog],
    ["fog sun", (number: number) => ROWS.fog(number) && ROWS.sun(number)],
    ["hail", ROWS.hail],
    ["storm", ROWS.storm],
    ["drought", ROWS.drought],
    ["ra*", ROWS.rain],
    ["su*", ROWS.sun],
    ["mi*", ROWS.mist],
    ["ha*", ROWS.hail],
    ["fo*", ROWS.fog],
    ["rain dro*", ROWS.drought],
    ["snow", () => false],
    ["snow*", () => false],
    ["the", () => false],
  ])("counts %s up to a limit, and has each row once by its cursor", async (text, isFound) => {
    const expected = all.filter(isFound);
    const isTotalExact = expected.length <= MAX_RANKED;
    const first = await find({ text });
    expect(first).toMatchObject({ total: Math.min(MAX_RANKED, expected.length), isTotalExact, from: 0 });
    // Some of them: pages before, over and behind the end of the ranked ones, and over the end of each block.
    const seen: number[] = [];
    let next: number | null = -1;
    for (let limit = 900; next !== null; limit = limit === 900 ? 700 : 9_000) {
      const page = await find({ text }, { limit, ...(next < 0 ? {} : { after: next }) });
      expect(page.from).toBe(seen.length <= MAX_RANKED ? seen.length : null);
      expect(page.rows).toHaveLength(Math.min(limit, expected.length - seen.length));
      seen.push(...page.rows);
      next = page.next;
    }
    const inOrder = (rows: readonly number[]) => rows.toSorted((a, b) => a - b);
    // The first ones come by how well they match.
    expect(inOrder(seen.slice(0, MAX_RANKED))).toEqual(expected.slice(0, MAX_RANKED));
    expect(seen.slice(MAX_RANKED)).toEqual(expected.slice(MAX_RANKED));
  });

  it("has the best of the first rows before the others, and equal ones in their order", async () => {
    const best = all.filter((number) => number < MAX_RANKED && isRainy(number));
    const { rows } = await find({ text: "rain" }, { limit: MAX_RANKED });
    // A longer row that has the word as often is not as good.
    expect(rows.slice(0, best.length)).toEqual([
      ...best.filter((number) => !ROWS.sun(number)),
      ...best.filter(ROWS.sun),
    ]);
    const few = (await find({ text: "hail" }, { limit: 100 })).rows;
    const isLonger = (number: number) => ROWS.sun(number) || ROWS.fog(number) || ROWS.drought(number);
    const short = all.filter((number) => ROWS.hail(number) && !isLonger(number));
    expect(few.slice(0, short.length)).toEqual(short);
  });

  it("goes on behind a row that has ceased to match", async () => {
    const filter = { text: "hail", label: "good" };
    const [first, second, third] = (await find(filter, { id: OTHER_ID, limit: 3 })).rows;
    const relabel = (label: string) =>
      store.database.query("update rows set label = $3 where datanet_id = $1 and number = $2", [
        ...[OTHER_ID, second!],
        label,
      ]);
    await relabel("bad");
    try {
      const behind = async (after: number) => (await find(filter, { id: OTHER_ID, limit: 1, after })).rows;
      expect([await behind(first!), await behind(second!)]).toEqual([[third!], [third!]]);
    } finally {
      await relabel("good");
    }
  });

  it("goes by place as far as rows are counted, and says how to go on", async () => {
    for (const [filter, counted] of [
      [{ text: "rain" }, MAX_RANKED],
      [{ label: "bad" }, MAX_COUNTED],
    ] as const) {
      const whole = (await find(filter, { id: OTHER_ID, limit: counted + 2 })).rows;
      const page = await find(filter, { id: OTHER_ID, from: counted - 2, limit: 4 });
      expect(page).toMatchObject({ from: counted - 2, rows: whole.slice(counted - 2), next: whole.at(-1) });
      await expect(find(filter, { id: OTHER_ID, from: counted + 1 })).rejects.toMatchObject({
        code: "SRV_BAD_REQUEST",
        data: { reason: "beyond-counted", maxCounted: counted },
      });
    }
    expect(await find({}, { from: 67_999 })).toEqual({
      total: ROW_COUNT,
      isTotalExact: true,
      from: 67_999,
      rows: [67_999],
      next: null,
    });
  });
});

describe("a search by facts", () => {
  const shownOf = (number: number) => {
    if (number % 1_000 === 0) return "good";
    if (number % 200 === 0) return "bad";
    return ["good", "bad"][number % 3];
  };

  it.each(["good", "bad"])("has the rows of the label %s, as people or the rows say it", async (label) => {
    const expected = all.filter((number) => shownOf(number) === label);
    const seen: number[] = [];
    for (let next: number | null = -1; next !== null; ) {
      const page: Awaited<ReturnType<typeof find>> = await find(
        { label },
        { id: OTHER_ID, limit: 15_000, ...(next < 0 ? {} : { after: next }) },
      );
      expect(page).toMatchObject({ total: MAX_COUNTED, isTotalExact: false });
      seen.push(...page.rows);
      next = page.next;
    }
    expect(seen).toEqual(expected);
  });

  it("counts those of few", async () => {
    const accepted = all.filter((number) => number % 200 === 0);
    expect(await find({ state: "accepted" })).toMatchObject({ total: accepted.length, isTotalExact: true });
    const both = accepted.filter((number) => number % 1_000 !== 0);
    expect((await find({ state: "accepted", label: "bad" })).rows).toEqual(both.slice(0, 50));
    const waiting = await find({ state: "waiting" });
    // All but those with two labels.
    expect(waiting).toMatchObject({ total: ROW_COUNT - ROW_COUNT / 100, isTotalExact: true, next: 50 });
  });

  it("counts and ranks those of words as well", async () => {
    const rainy = await find({ text: "rain", label: "bad" }, { id: OTHER_ID, limit: MAX_RANKED + 3 });
    const bad = all.filter((number) => shownOf(number) === "bad");
    expect(rainy).toMatchObject({ total: MAX_RANKED, isTotalExact: false });
    expect(rainy.rows.slice(0, MAX_RANKED).toSorted((a, b) => a - b)).toEqual(bad.slice(0, MAX_RANKED));
    expect(rainy.rows.slice(MAX_RANKED)).toEqual(bad.slice(MAX_RANKED, MAX_RANKED + 3));
    const { rows } = await find({ text: "hail", label: "bad" }, { id: OTHER_ID });
    expect(rows.toSorted((a, b) => a - b)).toEqual(
      all.filter((number) => ROWS.hail(number) && shownOf(number) === "bad"),
    );
  });
});
