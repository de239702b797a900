/** Near-duplicates among posted rows of texts, judged on L1 (docs/explanation/fault-proofs.md). */

import { SeededRandom } from "@openledger/attribution/maths/seeded-random";
import { ROW_RULES } from "@openledger/attribution/rows/row-rules";
import { jaccard, shinglesOf } from "@openledger/attribution/rows/similar-texts";
import { encodeTextRow, type TextRow, wholeText } from "@openledger/attribution/rows/text-rows";
import { started } from "@openledger/foundation/testing/test-fixtures";
import { bytesToHex, type Hex } from "viem";
import { describe, expect, test } from "vitest";
import { leafTree } from "../../statements/leaf-tree.ts";
import {
  duplicateShown,
  type OpenedLeaf,
  type StatementTuple,
} from "../../statements/model-commitment-calls.ts";
import { nearestLeaders, textOverlap, wrongLeader } from "../../statements/text-overlap.ts";
import { anyStatement, FAULT, openedLeaf, rowTree, startJudge } from "../testing/judge-fixture.ts";
import { MOST_TEXT_ROW_BYTES, readTexts } from "./text-row-tokens.ts";

const FACT_BYTES = 32;
const random = new SeededRandom("overlaps of rows");
const f = started(() => startJudge("TextOverlap"));

const PIECES = [
  ...["free", "Free", "money", "answer", "prompt", '","answer":"', "7", "a", "B", "é", "漢", "--", "!"],
];
const ENDS = [" ", " ", "\n", "\t", "\\", '"', "\u0001", "\\u0041", ",", ""];
const pick = (of: readonly string[]) => of[random.nextBelow(of.length)]!;
const randomText = (most: number): string =>
  `x${Array.from({ length: random.nextBelow(most) }, () => pick(ENDS) + pick(PIECES)).join("")}${pick(ENDS)}`;
const randomRow = (most: number): TextRow =>
  random.nextBelow(2) === 0
    ? { text: randomText(most) }
    : { prompt: randomText(most), answer: randomText(most) };
/** A row, and nearly the same one. */
function nearRow(row: TextRow): TextRow {
  const change = (text: string) => text.slice(0, text.length - random.nextBelow(8)) + pick(PIECES);
  if ("prompt" in row)
    return random.nextBelow(2) === 0 ? { ...row, answer: change(row.answer) } : { text: wholeText(row) };
  return { text: change(row.text) };
}
const similarity = (a: TextRow, b: TextRow) => {
  const [one, other] = [a, b].map((row) => shinglesOf(new TextEncoder().encode(wholeText(row))));
  return jaccard(one!, other!);
};
const hexOf = (row: TextRow): Hex => bytesToHex(encodeTextRow(row));
const words = (from: number, to: number) =>
  Array.from({ length: to - from }, (_, i) => `word${from + i}`).join(" ");

describe("two rows' overlap", () => {
  const overlap = async (a: TextRow, b: TextRow) => {
    const [common, union] = (await f.read("overlap", [hexOf(a), hexOf(b)])) as readonly [bigint, bigint];
    return { common: Number(common), union: Number(union) };
  };

  test("is that of all their texts, whatever these are", async () => {
    const long: TextRow = { prompt: randomText(400), answer: randomText(400) };
    const pairs = Array.from({ length: 80 }, () => {
      const row = randomRow(14);
      return [row, random.nextBelow(3) > 0 ? nearRow(row) : randomRow(14)] as const;
    });
    pairs.push([long, nearRow(long)], [{ text: "!" }, { text: "?" }], [{ text: "!" }, { text: "a" }]);
    for (const [a, b] of pairs)
      expect(await overlap(a, b), JSON.stringify([a, b])).toEqual(
        textOverlap(encodeTextRow(a), encodeTextRow(b), readTexts),
      );
  });

  test("has the pair across a prompt's end, and nothing of the JSON", async () => {
    const [whole, parts] = [{ text: "two and three" }, { prompt: "Two and", answer: "three" }];
    expect(await overlap(whole, parts)).toEqual({ common: 5, union: 5 });
    expect(await overlap({ prompt: "and\\", answer: '"three' }, { text: 'and\\ "three' })).toEqual({
      common: 3,
      union: 3,
    });
    expect(await overlap(parts, { text: "answer" })).toEqual({ common: 0, union: 6 });
    expect(await overlap({ text: "a" }, { text: "text" })).toEqual({ common: 0, union: 2 });
  });

  // A word with the hash 0; two pairs of words with one hash: an honest owner's rows may have either.
  test.each([
    ["akhnp9x akhnp9x", 1],
    ["w1h w9w w1l w3i", 6],
  ])("counts the shingles of %j once", async (text, count) => {
    expect(shinglesOf(new TextEncoder().encode(text)).length).toBe(count);
    for (const other of [text, `a ${text}`, `${text} a`])
      expect(await overlap({ text }, { text: other })).toEqual(
        textOverlap(encodeTextRow({ text }), encodeTextRow({ text: other }), readTexts),
      );
  });
});

describe("whether one row leads another", () => {
  const isLeader = (row: TextRow, other: TextRow, known: TextRow | null, isKnownFirst: boolean) =>
    f.read("isLeader", [hexOf(row), hexOf(other), known === null ? "0x" : hexOf(known), isKnownFirst]);

  test("is decided as by similarities of doubles", async () => {
    const seen = new Set<string>();
    for (let run = 0; run < 100; run++) {
      const row = randomRow(12);
      const [other, near] = [nearRow(row), nearRow(row)];
      const known = run % 5 === 0 ? null : run % 5 === 1 ? other : run % 5 === 2 ? randomRow(9) : near;
      const isKnownFirst = random.nextBelow(2) === 0;
      const [own, theirs] = [similarity(row, other), known === null ? -1 : similarity(row, known)];
      const isNear = own >= ROW_RULES.textSimilarity;
      const expected = isNear && (own > theirs || (own === theirs && !isKnownFirst));
      seen.add(`${isNear} ${Math.sign(own - theirs)} ${isKnownFirst}`);
      expect(await isLeader(row, other, known, isKnownFirst), JSON.stringify([row, other, known])).toBe(
        expected,
      );
    }
    expect(seen.size).toBe(12);
  });

  test("is at seven tenths, and not below", async () => {
    // Of n words one is another: 2 n − 1 shingles, three of them another's. With 9 words that is 14 of 20.
    const shares = [8, 9, 10].map((count) => {
      const [row, other] = [words(0, count), words(0, count).replace("word4", "other")];
      return [
        similarity({ text: row }, { text: other }),
        isLeader({ text: row }, { text: other }, null, true),
      ] as const;
    });
    expect(shares.map(([share]) => share)).toEqual([12 / 18, ROW_RULES.textSimilarity, 16 / 22]);
    expect(await Promise.all(shares.map(([, isNear]) => isNear))).toEqual([false, true, true]);
  });
});

interface ShownLeader {
  readonly statement: StatementTuple;
  readonly row: number;
  readonly other: number;
  readonly leader: number;
  contentOf(row: number): OpenedLeaf;
  factOf(row: number): OpenedLeaf;
}

const duplicateCall = ({ contentOf, factOf, statement, ...rows }: ShownLeader) => ({
  functionName: "duplicate",
  args: [statement, ...duplicateShown(rows, contentOf, factOf)],
});

/** A model commitment of rows with these leaders, or with facts of other bytes. */
function posted(
  rows: readonly TextRow[],
  leaders: readonly number[],
  facts?: readonly Uint8Array[],
  shares = true,
) {
  const contents = rows.map(encodeTextRow);
  const leaves =
    facts ??
    leaders.map((leader) => {
      const fact = new Uint8Array(FACT_BYTES).fill(9);
      new DataView(fact.buffer).setUint32(FACT_BYTES - 4, leader);
      return fact;
    });
  const [rowRoots, factTree] = [rowTree(contents), leafTree(leaves)];
  const statement = anyStatement({
    ...{ rowCount: rows.length, sharesDuplicates: shares },
    ...{ rows: bytesToHex(rowRoots.root), facts: bytesToHex(factTree.root) },
  });
  return (row: number, other: number): ShownLeader => ({
    ...{ statement, row, other, leader: leaders[row]! },
    contentOf: (k) => openedLeaf(rowRoots, k, contents[k]!),
    factOf: (k) => openedLeaf(factTree, k, leaves[k]!),
  });
}

const verdict = (row: number, isRight: boolean) => [isRight, FAULT.duplicate, BigInt(row)];
const ROWS: readonly TextRow[] = [
  { text: "something else entirely" },
  { prompt: words(0, 20), answer: words(20, 34) },
  { text: words(6, 40) },
  { text: words(0, 40) },
  { text: words(0, 39) },
];
const [STRANGER, FIRST, SECOND, COPY, CLOSER] = [0, 1, 2, 3, 4] as const;
/** COPY is as similar to FIRST as to SECOND, which are not near each other; CLOSER is nearer to FIRST. */
const LEADERS: readonly number[] = [STRANGER, FIRST, SECOND, FIRST, FIRST];

describe("a posted leader", () => {
  const judged = (leaders: readonly number[], row: number, other: number) =>
    f.judge(duplicateCall(posted(ROWS, leaders)(row, other)));
  const withLeader = (row: number, leader: number): number[] => LEADERS.with(row, leader);

  test("is the first of the most similar ones", () => {
    expect([...nearestLeaders(ROWS.map(encodeTextRow), readTexts)]).toEqual(LEADERS);
    expect(similarity(ROWS[COPY]!, ROWS[FIRST]!)).toBe(similarity(ROWS[COPY]!, ROWS[SECOND]!));
  });

  test.each([
    ["a near-duplicate's first leader, by itself", LEADERS, COPY, FIRST, true],
    ["the first of two as similar, beside the second", LEADERS, COPY, SECOND, true],
    ["the second of two as similar, beside the first", withLeader(COPY, SECOND), COPY, FIRST, false],
    ["the second of two as similar, by itself", withLeader(COPY, SECOND), COPY, SECOND, true],
    ["the less similar of two", withLeader(CLOSER, SECOND), CLOSER, FIRST, false],
    ["the more similar of two", LEADERS, CLOSER, SECOND, true],
    ["a stranger", withLeader(COPY, STRANGER), COPY, STRANGER, false],
    ["a stranger, beside a leader", withLeader(COPY, STRANGER), COPY, FIRST, false],
    ["itself, beside a leader that is near", withLeader(COPY, COPY), COPY, SECOND, false],
    ["itself, beside a stranger", withLeader(COPY, COPY), COPY, STRANGER, true],
    ["a near one, beside a stranger", LEADERS, COPY, STRANGER, true],
    ["a later row that is near", withLeader(FIRST, COPY), FIRST, COPY, true],
    ["a later row that is none", withLeader(STRANGER, COPY), STRANGER, COPY, false],
  ])("is judged as %s", async (_, leaders, row, other, isRight) => {
    expect(await judged(leaders, row, other)).toEqual(verdict(row, isRight));
  });

  test("is not compared with a row that leads nobody, a later one, or itself", async () => {
    // COPY leads nobody: it has a leader.
    expect(await judged(withLeader(CLOSER, FIRST), CLOSER, COPY)).toBe("DisputesOpeningInvalid");
    expect(await judged(LEADERS, FIRST, SECOND)).toBe("DisputesOpeningInvalid");
    expect(await judged(withLeader(COPY, COPY), COPY, COPY)).toBe("DisputesOpeningInvalid");
    expect(await judged(LEADERS, FIRST, FIRST)).toBe("DisputesOpeningInvalid");
    const apart = posted(ROWS, LEADERS, undefined, false);
    expect(await f.judge(duplicateCall(apart(COPY, FIRST)))).toBe("DisputesOpeningInvalid");
  });

  test("is wrong in a fact of another length, the row's or the other's", async () => {
    const facts = LEADERS.map((leader) => Uint8Array.from([...new Uint8Array(31), leader]));
    for (const row of [COPY, FIRST])
      for (const fact of [facts[row]!.slice(1), Uint8Array.from([...facts[row]!, 0]), new Uint8Array()]) {
        const of = posted(ROWS, LEADERS, facts.with(row, fact));
        expect(await f.judge(duplicateCall(of(COPY, FIRST)))).toEqual(verdict(COPY, false));
      }
  });

  test("is compared with what opens the model commitment's roots alone", async () => {
    const leaders = withLeader(COPY, SECOND);
    const of = posted(ROWS, leaders)(COPY, FIRST);
    expect(await f.judge(duplicateCall(of))).toEqual(verdict(COPY, false));
    const empty: OpenedLeaf = { data: "0x", path: [] };
    const changed: Partial<ShownLeader>[] = [
      ...[COPY, FIRST, SECOND].flatMap((wrong) => [
        { contentOf: (k: number) => of.contentOf(k === wrong ? STRANGER : k) },
        { contentOf: (k: number) => (k === wrong ? empty : of.contentOf(k)) },
      ]),
      // Bytes that say the same, and lead to another root.
      ...[COPY, FIRST].map((wrong) => ({
        factOf: (k: number) => (k === wrong ? { ...of.factOf(k), path: of.factOf(0).path } : of.factOf(k)),
      })),
    ];
    for (const change of changed)
      expect(await f.judge(duplicateCall({ ...of, ...change }))).toBe("DisputesOpeningInvalid");
  });
});

test("the longest rows, of words of one letter, are compared with a quarter of a transaction's gas to standby", async () => {
  const letters = "abcdefghijklmnopqrstuvwxyz0123456789";
  const one = () => Array.from({ length: 3_066 }, () => letters[random.nextBelow(letters.length)]).join(" ");
  const rows = [0, 1, 2].map(() => ({ text: `${one()} a` }));
  expect(encodeTextRow(rows[0]!).length).toBe(MOST_TEXT_ROW_BYTES);
  const data = duplicateCall(posted(rows, [0, 1, 0])(2, 1));
  expect(await f.judge(data)).not.toBeTypeOf("string");
  const gas = await f.gasOf(data);
  console.log({ duplicate: gas });
  expect(gas).toBeLessThanOrEqual(12_582_912);
});

test("random model commitments have a wrong leader on L1 where the rules find one, and no other", {
  timeout: 60_000,
}, async () => {
  let [wrong, right] = [0, 0];
  for (let run = 0; run < 12; run++) {
    const rows = [randomRow(9), randomRow(9), randomRow(9)];
    while (rows.length < 9) rows.push(nearRow(rows[random.nextBelow(rows.length)]!));
    const contents = rows.map(encodeTextRow);
    const honest = [...nearestLeaders(contents, readTexts)];
    expect(wrongLeader(honest, contents, readTexts)).toBeNull();
    const row = 1 + random.nextBelow(8);
    const given = run % 3 === 0 ? honest : honest.with(row, random.nextBelow(row + 1));
    const found = wrongLeader(given, contents, readTexts);
    const of = posted(rows, given);
    if (found !== null) {
      wrong++;
      const data = duplicateCall(of(found.row, found.other));
      expect(await f.judge(data), JSON.stringify(rows)).toEqual(verdict(found.row, false));
      continue;
    }
    if (given.join() !== honest.join()) continue;
    for (let k = 0; k < rows.length; k++)
      for (const other of honest.slice(0, k).filter((leader, j) => leader === j)) {
        right++;
        expect(await f.judge(duplicateCall(of(k, other)))).toEqual(verdict(k, true));
      }
  }
  expect([wrong > 2, right > 20]).toEqual([true, true]);
});
