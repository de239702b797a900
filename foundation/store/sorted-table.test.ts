import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { isWhole, TestRandom } from "../testing/test-random.ts";
import {
  mergeSorted,
  type Pair,
  SortedTable,
  SortedTableWriter,
  type TableIdentity,
} from "./sorted-table.ts";
import { StoreDamage } from "./store-fault.ts";

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "sorted-table-"));
  path = join(folder, "table");
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const random = new TestRandom(7);
const keyOf = (i: number) => `key!${i.toString().padStart(6, "0")}`;
const pairsOf = (count: number): Pair[] =>
  Array.from({ length: count }, (_, i) => [keyOf(2 * i), Buffer.alloc(random.below(90), i)]);

async function write(pairs: readonly Pair[], blockBytes: number): Promise<TableIdentity> {
  const writer = await SortedTableWriter.create(path, blockBytes);
  for (let at = 0; at < pairs.length; at += 7) await writer.add(pairs.slice(at, at + 7));
  return writer.finish();
}
const shown = ([key, value]: Pair) => `${key}=${value.toString("hex")}`;
async function all(batches: AsyncIterable<readonly Pair[]>): Promise<string[]> {
  const found: string[] = [];
  for await (const some of batches) found.push(...some.map(shown));
  return found;
}

describe("a sorted table", () => {
  it.each([0, 1, 3, 200, 3_000])("of %i pairs gives back each of them, and every range", async (count) => {
    const pairs = pairsOf(count);
    const table = await SortedTable.open(path, await write(pairs, 200));
    const texts = pairs.map(shown);
    expect(await all(table.read())).toEqual(texts);
    expect(await all(table.read({}, true))).toEqual([...texts].reverse());
    for (let i = 0; i < 12; i++) {
      const [x, y] = [random.below(2 * count + 2), random.below(2 * count + 2)].sort((a, b) => a - b) as [
        number,
        number,
      ];
      const within = texts.slice(Math.ceil(x / 2), Math.ceil(y / 2));
      const range = { gte: keyOf(x), lt: keyOf(y) };
      expect(await all(table.read(range))).toEqual(within);
      expect(await all(table.read(range, true))).toEqual([...within].reverse());
      const value = await table.get(keyOf(x));
      expect(value).toEqual(x % 2 === 0 ? pairs[x / 2]?.[1] : undefined);
    }
    await table.close();
  });

  it("is written in order, or not at all", async () => {
    const writer = await SortedTableWriter.create(path, 100);
    await expect(writer.add([pairsOf(3)[2]!, pairsOf(3)[0]!])).rejects.toThrow(RangeError);
    await writer.abandon();
    expect(readdirSync(folder)).toEqual([]);
  });

  it("names itself where any bit of what is read is another", async () => {
    const pairs = pairsOf(300);
    const identity = await write(pairs, 500);
    const intact = readFileSync(path);
    for (let at = 0; at < intact.length; at += isWhole ? 1 : 53) {
      const bytes = Buffer.from(intact);
      bytes[at]! ^= 1 << (at % 8);
      writeFileSync(path, bytes);
      const reading = async () => {
        const table = await SortedTable.open(path, identity);
        return all(table.read()).finally(() => table.close());
      };
      // Unused bytes of the footer are no part of what is read.
      const outcome = await reading().catch((error: unknown) => error);
      if (!(outcome instanceof StoreDamage)) expect(outcome, `byte ${at}`).toEqual(pairs.map(shown));
      else expect(outcome.message).toMatch(/^table /);
    }
    writeFileSync(path, intact.subarray(1));
    await expect(SortedTable.open(path, identity)).rejects.toThrow(StoreDamage);
  });
});

describe("mergeSorted", () => {
  it.each([false, true])(
    "gives all keys of all sources once, the first source's (reverse: %s)",
    async (isReverse) => {
      const sources: Pair[][] = [];
      const expected = new Map<string, Buffer>();
      for (let i = 0; i < 9; i++) {
        const keys = new Set(Array.from({ length: random.below(60) }, () => keyOf(random.below(200))));
        const pairs = [...keys].sort().map((key): Pair => [key, Buffer.from([i])]);
        for (const [key, value] of pairs) if (!expected.has(key)) expected.set(key, value);
        sources.push(isReverse ? pairs.reverse() : pairs);
      }
      const merged: Pair[] = [];
      for await (const pair of mergeSorted(
        sources.map((one) => [one.slice(0, 5), [], one.slice(5)]),
        isReverse,
      ))
        merged.push(pair);
      const sorted = [...expected].sort(([a], [b]) => (a < b ? -1 : 1));
      expect(merged).toEqual(isReverse ? sorted.reverse() : sorted);
    },
  );
});
