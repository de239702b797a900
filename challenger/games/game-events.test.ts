/** How much of L1 a second look asks for, and what it tells where L1 has taken something back. */

import { appendFile, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { clientOfLogs } from "@openledger/contracts/testing/chain";
import { started, testFolder } from "@openledger/foundation/testing/test-fixtures";
import type { Hex } from "viem";
import { expect, test } from "vitest";
import { EventJournal } from "../events/event-journal.ts";
import { EventLog, REREAD_BLOCKS } from "../events/event-log.ts";
import { claimOf, traceQuery } from "./claims/traced-model.ts";
import { type GameFact, gameSource } from "./game-events.ts";
import { GameReader } from "./read-games.ts";
import { startTraceGame, tinyTraced } from "./testing/trace-fixture.ts";

const folder = testFolder("journal");

const f = started(() => startTraceGame());
const { kernels, model } = await tinyTraced();
/** The roots of claimed queries say which claim is which: their numbers are given again. */
const TOKENS = { first: 1, second: 2, third: 4 } as const;
async function claim(name: keyof typeof TOKENS): Promise<Hex> {
  const query = traceQuery(model, { tokens: [3, 14, TOKENS[name], 9], promptCount: 2 }, kernels);
  const claimed = claimOf(model, query);
  await f.claim(claimed);
  return claimed.statement.query;
}

/** A reader of its own client, and the blocks that it has asked for the events of. */
function countingReader(journal: string | null = null) {
  const asked = { blocks: 0n, times: 0 };
  const client = clientOfLogs(f.client, ({ fromBlock, toBlock }, ask) => {
    asked.blocks += BigInt(toBlock) - BigInt(fromBlock) + 1n;
    asked.times++;
    return ask();
  });
  const damage: string[] = [];
  const log =
    journal === null
      ? undefined
      : new EventLog<GameFact>(
          client,
          [gameSource(f.game)],
          new EventJournal(journal, "games", (why) => damage.push(why)),
        );
  /** The queries of all claims, and what it took to know them. */
  const look = async () => {
    Object.assign(asked, { blocks: 0n, times: 0 });
    const reader = new GameReader(client, f.game, {}, log);
    const { claims } = await reader.claims();
    const read = { ...asked };
    const shown = [];
    for (const claim of claims) shown.push(await reader.show(claim));
    return { queries: shown.map(({ statement }) => statement.query), ...read };
  };
  return { damage, look };
}

test("a second look asks for the newest blocks alone, and tells of all claims", async () => {
  const { look } = countingReader();
  const query = await claim("first");
  await f.client.mine({ blocks: 300 });
  const before = await look();
  expect(before.queries).toContain(query);
  expect(before.blocks).toBeGreaterThan(300n);
  const later = await claim("second");
  const after = await look();
  expect(after.queries).toEqual([...before.queries, later]);
  // What was new, and the last ones again.
  expect(after).toMatchObject({ blocks: REREAD_BLOCKS + 1n, times: 1 });
  expect((await look()).blocks).toBe(REREAD_BLOCKS);
});

test("a claim that L1 takes back is gone, and another in its place is there, however deep it lay", async () => {
  for (const depth of [0, Number(REREAD_BLOCKS) + 20]) {
    const { look } = countingReader();
    const early = await claim("first");
    await f.client.mine({ blocks: 5 });
    const snapshot = await f.client.snapshot();
    const lost = await claim("second");
    await f.client.mine({ blocks: depth + 1 });
    const seen = (await look()).queries;
    expect(seen.slice(-2)).toEqual([early, lost]);
    expect((await look()).queries).toEqual(seen);
    await f.client.revert({ id: snapshot });
    // Blocks of other hashes, as they are after a reorganisation.
    await f.client.increaseTime({ seconds: 60 });
    const other = await claim("third");
    await f.client.mine({ blocks: depth + 9 });
    expect((await look()).queries, `${depth} blocks deep`).toEqual([...seen.slice(0, -1), other]);
    expect((await look()).queries).toEqual([...seen.slice(0, -1), other]);
  }
});

test("a restart reads new blocks alone, whatever a kill has left of the last line, and all where L1 has gone back", async () => {
  const journal = join(folder, "watch", "games.jsonl");
  await claim("first");
  await f.client.mine({ blocks: 300 });
  const first = await countingReader(journal).look();
  expect(first.blocks).toBeGreaterThan(300n);
  const again = await countingReader(journal).look();
  expect(again).toMatchObject({ queries: first.queries, blocks: REREAD_BLOCKS });
  // It says where a claim is, and not what it says.
  expect(await readFile(journal, "utf8")).not.toContain(first.queries.at(-1)!.slice(2));
  await appendFile(journal, 'c00000000{"cursor":{"block":1');
  expect((await countingReader(journal).look()).queries).toEqual(first.queries);
  const query = await claim("second");
  expect((await countingReader(journal).look()).queries).toEqual([...first.queries, query]);
  await f.client.mine({ blocks: 200 });
  const snapshot = await f.client.snapshot();
  await f.client.mine({ blocks: 200 });
  await countingReader(journal).look();
  await f.client.revert({ id: snapshot });
  await f.client.increaseTime({ seconds: 60 });
  await f.client.mine({ blocks: 300 });
  const gone = await countingReader(journal).look();
  expect(gone.queries).toEqual([...first.queries, query]);
  expect(gone.blocks).toBeGreaterThan(500n);
  expect((await countingReader(journal).look()).blocks).toBe(REREAD_BLOCKS);
  // One byte of it is another one: it is named, and nothing of it is taken.
  const whole = await readFile(journal, "utf8");
  await writeFile(journal, whole.replace('"isRow":false', '"isRow":true '));
  const damaged = countingReader(journal);
  expect((await damaged.look()).blocks).toBeGreaterThan(500n);
  expect(damaged.damage).toEqual([expect.stringContaining(`${journal} is damaged`)]);
  expect((await countingReader(journal).look()).blocks).toBe(REREAD_BLOCKS);
});
