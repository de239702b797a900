import { cpSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { KIND } from "@openledger/circuits/protocol";
import { hex20, hex32 } from "@openledger/foundation/hex";
import { isWhole, TestRandom } from "@openledger/foundation/testing/test-random";
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from "vitest";
import { freshFolder, freshRollup } from "../../testing/fresh-rollup.ts";
import { openTestLog } from "../../testing/open-test-log.ts";
import { close, prove, queue, report, send } from "../../testing/test-operator.ts";
import {
  ONE_OPEN_WEI,
  signedBy,
  startTestRollup,
  type TestRollup,
  transfer,
} from "../../testing/test-rollup.ts";
import type { LedgerLog } from "../ledger-log.ts";
import { storeKeys, underPrefix } from "../store-keys.ts";
import { HISTORY_FOLDER, type HistoryOptions } from "./history.ts";

const BATCHES = 22;
/** What stays, and what a segment has at least: several segments of several batches. */
const MOVE = { hotOperations: 12, segmentOperations: 13 };

const STAYS = { SEQUENCER_HOT_OPERATIONS: "1000000" };

let made: string;
let before: Map<string, unknown>;
/** A copy for each test. */
let dataPath: string;

/** A random ledger: transfers, creations, withdrawals, forced ones; all batches final but the last two. */
beforeAll(async () => {
  made = mkdtempSync(join(tmpdir(), "history-"));
  const rollup = await startTestRollup({ dataPath: made, userCount: 4, environment: STAYS });
  const random = new TestRandom(11);
  const nonces = new Map<number, bigint>();
  const nonceOf = (id: number) => {
    const nonce = nonces.get(id) ?? 0n;
    nonces.set(id, nonce + 1n);
    return nonce;
  };
  for (let i = 0; i < BATCHES; i++) {
    for (let left = 1 + random.below(6); left > 0; left--) {
      const [from, to] = [random.pick(rollup.users), random.pick(rollup.users)];
      if (random.below(5) === 0) {
        const words = [from.l1Owner, ONE_OPEN_WEI];
        await send(rollup, signedBy(from, { kind: KIND.withdraw, nonce: nonceOf(from.id), words }));
      } else if (from !== to) await send(rollup, transfer(from, to, nonceOf(from.id)));
      if (random.below(4) > 0) continue;
      const asked = {
        kind: KIND.depositTo,
        a: 0,
        b: to.id,
        amountWei: ONE_OPEN_WEI,
        words: [0n, 0n, 0n, 0n],
      };
      await queue(rollup, asked as never, hex20(to.l1Owner));
    }
    await close(rollup);
  }
  const { book } = rollup.sequencer.line;
  for (let number = 1; number <= book.closedNumber - 2; number++) {
    await prove(rollup, number);
    for (const status of ["posted", "final"])
      await report(rollup, number, status, { transactionHash: hex32(BigInt(number) << 200n) });
  }
  await rollup.stop();
  expect(rollup.fatal).toEqual([]);
  before = await answersOf(made);
});
afterAll(() => rmSync(made, { recursive: true, force: true }));
beforeEach(() => {
  dataPath = join(freshFolder(), "ledger");
  cpSync(made, dataPath, { recursive: true });
});

const openLog = async (path: string, history: HistoryOptions) => {
  const log = await openTestLog(path, undefined, { history });
  onTestFinished(() => log.close().catch(() => {}));
  return log;
};

async function move(path: string, options: HistoryOptions = {}): Promise<LedgerLog> {
  const log = await openLog(path, {
    ...MOVE,
    onSegmentFailed: (error) => expect.fail(String(error)),
    ...options,
  });
  await log.historyMoved();
  return log;
}

/** Everything that the API says of the past, by hash, by leaf, by number, by piece, page by page. */
async function answersOf(path: string, environment = {}): Promise<Map<string, unknown>> {
  const rollup = await startTestRollup({
    dataPath: path,
    userCount: 0,
    environment: { ...STAYS, ...environment },
  });
  try {
    return await askAll(rollup);
  } finally {
    await rollup.stop();
  }
}

async function askAll(rollup: TestRollup): Promise<Map<string, unknown>> {
  const { line, log } = rollup.sequencer;
  const answers = new Map<string, unknown>();
  const ask = async (url: string) => {
    const { body } = await rollup.get(url);
    answers.set(url, body);
    return body;
  };
  const entries: unknown[] = [];
  const names = new Set<string>();
  for await (const [sequence, entry] of log.entries(0)) {
    entries.push([sequence, entry]);
    if (entry.type === "operation") names.add(entry.hash);
  }
  answers.set("log", entries);
  for (let first = 0; first <= log.lastSequence; first += 9) {
    const some: unknown[] = [];
    for await (const one of log.entries(first, first + 5)) some.push(one);
    answers.set(`log from ${first}`, some);
  }
  for (const hash of names) {
    await ask(`/v1/operations/${hash}`);
    await ask(`/v1/hashes?start=${hash.slice(0, 5)}`);
  }
  await ask(`/v1/operations/${hex32(77n)}`);
  for (let number = 1; number <= line.book.closedNumber; number++) {
    await ask(`/v1/batches/${number}`);
    await ask(`/v1/hashes?start=${hex32(BigInt(number) << 200n).slice(0, 18)}`);
    await ask(`/v1/log?afterBatch=${number}&limit=7`);
  }
  for (let index = 0; index <= line.queueSeenIndex; index++) await ask(`/v1/queue-entries/${index}`);
  for (let id = 0; id < 7; id++)
    for (let before: string | number | undefined; ; ) {
      const found = await log.operationsOf(id, 3, before);
      answers.set(`operations of ${id} before ${before}`, found);
      const last = found.at(-1);
      if (last === undefined) break;
      before = last.type === "queue" ? last.queueIndex : last.hash;
    }
  for (let before: number | null = log.lastSequence + 1; before !== null; ) {
    const { found, nextBefore } = await log.executedBefore(before, 4);
    answers.set(`executed before ${before}`, { found, nextBefore });
    await ask(`/v1/records?limit=4&before=${before}`);
    before = nextBefore;
  }
  answers.set("position", line.head.position);
  return answers;
}

const filesOf = (path: string) => readdirSync(join(path, HISTORY_FOLDER)).sort();

describe("a history that left the store", () => {
  it.each([
    ["in few segments", MOVE, 1],
    ["in many, whose indices are put together", { hotOperations: 0, segmentOperations: 1 }, 17],
  ])("answers as before, %s, and the store has no key of it any more", async (_name, options, least) => {
    const log = await move(dataPath, options);
    const { segments } = log.history;
    expect(segments.length).toBeGreaterThan(least);
    const names = log.history.files.map(({ path }) => basename(path));
    expect(filesOf(dataPath)).toEqual(names.sort());
    expect(names.some((name) => name.includes("-"))).toBe(least > 16);
    const { batchNumber, queueHead, sequence } = segments.at(-1)!.to;
    for (const [family, first] of [
      ["log", storeKeys.log(sequence + 1)],
      ["batch", storeKeys.batch(batchNumber + 1)],
      ["queue", storeKeys.queueEntry(queueHead)],
      ["queue-sequence", storeKeys.queueSequence(queueHead)],
    ] as const) {
      const left = await log.keyed(underPrefix(family));
      expect(
        left.filter(([key]) => key < first),
        family,
      ).toEqual([]);
    }
    for (const family of ["operation", "leaf-operation"])
      for (const [key, value] of await log.keyed<number>(underPrefix(family)))
        if (typeof value === "number") expect(value, key).toBeGreaterThan(sequence);
    for (const _file of log.history.files) await log.history.checkNext();
    await log.close();
    const after = await answersOf(dataPath);
    for (const [question, answer] of before) expect(after.get(question), question).toEqual(answer);
    expect(after.size).toBe(before.size);
  });

  it("is whole after a kill at every step of the move, and the move ends at the next start", async () => {
    const copies: [string, string][] = [];
    const log = await move(dataPath, {
      onStep: (step) => {
        const path = `${dataPath}-${copies.length}`;
        cpSync(dataPath, path, { recursive: true, filter: (from) => !from.endsWith("LOCK") });
        copies.push([step, path]);
      },
    });
    await log.close();
    expect(new Set(copies.map(([step]) => step)).size).toBe(8);
    const met = new Set<string>();
    for (const [step, path] of copies) {
      if (!isWhole && (met.has(step) || !/noted|index written|index pruned/.test(step))) continue;
      met.add(step);
      const killed = await answersOf(path);
      for (const [question, answer] of before)
        expect(killed.get(question), `${step}: ${question}`).toEqual(answer);
      await (await move(path)).close();
      const ended = await answersOf(path);
      for (const [question, answer] of before)
        expect(ended.get(question), `${step}, ended: ${question}`).toEqual(answer);
      expect(filesOf(path), step).toEqual(filesOf(dataPath));
      rmSync(path, { recursive: true });
    }
  });

  it("stays in the store where its files cannot be written, and leaves it later", async () => {
    writeFileSync(join(dataPath, HISTORY_FOLDER), "no folder");
    const errors: unknown[] = [];
    const log = await move(dataPath, { onSegmentFailed: (error) => errors.push(error) });
    expect(errors).toMatchObject([{ code: "EEXIST" }]);
    expect(log.history.segments).toEqual([]);
    await log.write([{ key: "still", value: "taken" }]);
    await log.close();
    rmSync(join(dataPath, HISTORY_FOLDER));
    expect((await move(dataPath)).history.segments.length).toBeGreaterThan(1);
  });

  it("names the damaged file to who asks for it, and serves everything else", async () => {
    const log = await move(dataPath);
    const { segments } = log.history;
    await log.close();
    const names = filesOf(dataPath);
    const path = join(dataPath, HISTORY_FOLDER, names[1]!);
    expect(names[1]).toBe("00000000.segment");
    const intact = readFileSync(path);
    for (const at of [0, 400, intact.length >> 1, intact.length - 1]) {
      const bytes = Buffer.from(intact);
      bytes[at]! ^= 4;
      writeFileSync(path, bytes);
      const damaged = await openLog(dataPath, {});
      const read = damaged.get(storeKeys.batch(1)).catch((error: unknown) => error);
      const error = { code: "SRV_STORE_CORRUPT", data: { path } };
      if (at === intact.length - 1 || at === 0) expect(await read, `byte ${at}`).toMatchObject(error);
      await damaged.history.checkNext();
      await expect(damaged.history.checkNext()).rejects.toMatchObject(error);
      expect(await damaged.get(storeKeys.batch(segments[0]!.to.batchNumber + 1))).toBeDefined();
      await damaged.write([{ key: "still", value: "taken" }]);
      await damaged.close();
    }
    const now = await answersOf(dataPath).catch((error: unknown) => error);
    expect(now).toMatchObject({ code: "SRV_STORE_CORRUPT", message: expect.stringContaining("Move") });
    writeFileSync(path, intact);
    expect((await answersOf(dataPath)).get("log")).toEqual(before.get("log"));
  });

  it("is fetched from folders and addresses where files are gone, by their hashes", async () => {
    await (await move(dataPath)).close();
    const folder = join(dataPath, HISTORY_FOLDER);
    const away = join(freshFolder(), "away");
    renameSync(folder, away);
    const missing = await openLog(dataPath, {});
    await expect(missing.get(storeKeys.batch(1))).rejects.toMatchObject({
      code: "SEQ_HISTORY_MISSING",
      data: { path: join(folder, "00000000.segment"), tried: [] },
    });
    await missing.close();
    const wrong = join(freshFolder(), "wrong");
    cpSync(away, wrong, { recursive: true });
    for (const name of readdirSync(wrong)) writeFileSync(join(wrong, name), "another file");
    const server = createServer(({ url }, answer) => {
      const name = url!.slice("/old/".length);
      if (url!.startsWith("/old/") && readdirSync(away).includes(name))
        answer.end(readFileSync(join(away, name)));
      else answer.writeHead(404).end();
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    onTestFinished(() => void server.close());
    const url = `http://127.0.0.1:${(server.address() as { port: number }).port}`;
    for (const [places, isThere] of [
      [[wrong, `${url}/nowhere`, join(away, "nowhere")], false],
      [[wrong, `${url}/old/`], true],
      [[join(away, "nowhere"), away], true],
    ] as const) {
      rmSync(folder, { recursive: true, force: true });
      const answers = answersOf(dataPath, { SEQUENCER_HISTORY_SOURCES: places.join(" ") });
      if (!isThere) {
        await expect(answers).rejects.toMatchObject({
          code: "SEQ_HISTORY_MISSING",
          data: { tried: { length: 3 } },
        });
        expect(filesOf(dataPath)).toEqual([]);
        continue;
      }
      const found = await answers;
      for (const [question, answer] of before) expect(found.get(question), question).toEqual(answer);
      expect(filesOf(dataPath)).toEqual(readdirSync(away).sort());
    }
  });

  it("is refused where the store lacks a segment between others", async () => {
    const log = await move(dataPath);
    await log.write([{ key: storeKeys.segment(1) }]);
    await log.close();
    await expect(openLog(dataPath, {})).rejects.toMatchObject({ code: "SRV_STORE_CORRUPT" });
  });

  it("leaves while the sequencer works, by its setting", async () => {
    const rollup = await freshRollup({ dataPath, userCount: 0 });
    const { log } = rollup.sequencer;
    await log.historyMoved();
    const count = log.history.segments.length;
    expect(count).toBeGreaterThan(1);
    const { book } = rollup.sequencer.line;
    for (let number = book.finalNumber + 1; number <= book.closedNumber; number++) {
      await prove(rollup, number);
      for (const status of ["posted", "final"]) await report(rollup, number, status);
    }
    expect(book.finalNumber).toBe(book.closedNumber);
    await expect.poll(() => log.history.segments.length, { timeout: 20_000 }).toBeGreaterThan(count);
  });
});
