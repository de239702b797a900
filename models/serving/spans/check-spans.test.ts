import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex } from "@noble/hashes/utils.js";
import { initPoseidon } from "@openledger/circuits/field/poseidon";
import { hashRow, versionRowsRoot } from "@openledger/circuits/ledger/version-rows";
import { hex32 } from "@openledger/foundation/hex";
import fc from "fast-check";
import { beforeAll, expect, it } from "vitest";
import { checkSpans } from "./check-spans.ts";
import { findSpans } from "./find-spans.ts";
import { hostSpans } from "./host-spans.ts";
import { buildSpanIndex } from "./span-index.ts";
import { type ClaimedSpan, type SourceRow, type SpansAnswer, spansFromJson } from "./spans-answer.ts";
import { textsAndAnswer, utf8 } from "./testing/span-world.ts";

const SENTENCE = "the quick brown fox jumps over the lazy dog";
const OTHER = "a sentence that the answer does not have";
const TEXTS = Array.from({ length: 20 }, (_, i) => (i % 9 === 4 ? `ä${i} ${SENTENCE}.` : `row ${i}`)).with(
  7,
  OTHER,
);
const ANSWER = `It says: ${SENTENCE}!`;
const [start, end] = [8, 9 + SENTENCE.length];
const isFalse = expect.objectContaining({ code: "MOD_SPANS_EVIDENCE_FALSE" });

/** Answer of a server of these rows to a text, over JSON. */
async function serve(
  texts: readonly string[],
  answer: string,
  isPublished: (row: number) => boolean = () => true,
) {
  const rows = texts.map((text, i) => ({ content: utf8(text), contributorId: 5 + i, validatorId: 3 }));
  const root = versionRowsRoot(rows.map((row) => ({ ...row, rowHash: hashRow(row.content) })));
  const rowsRoot = hex32(root).slice(2);
  const documents = rows.map(({ content, ...row }) => ({
    ...row,
    text: content,
    digest: bytesToHex(sha256(content)),
  }));
  const index = buildSpanIndex(documents, { rowsRoot, rowText: "plain" });
  const body = await (await hostSpans(index)).cite(answer, (row) =>
    isPublished(row) ? rows[row]!.content : null,
  );
  return { index, rowsRoot, given: spansFromJson(JSON.parse(JSON.stringify(body))) };
}

let rowsRoot: string;
let given: SpansAnswer;
beforeAll(async () => {
  await initPoseidon();
  ({ given, rowsRoot } = await serve(TEXTS, ANSWER));
});

const check = (changed: Partial<SpansAnswer> = {}) =>
  checkSpans(rowsRoot, utf8(ANSWER), { ...given, ...changed });

it("shows by the version's root in which rows a span is, whose, and where", () => {
  const [span] = check();
  expect(span).toMatchObject({ start, end, count: 2 });
  const sources = span!.sources.map(({ contributorId, offset, row }) => [row, contributorId, offset]);
  expect(sources.sort()).toEqual([
    [13, 18, 4],
    [4, 9, 3],
  ]);
});

it("counts nothing in rows that are not published, and what there is no room for", async () => {
  const none = () => false;
  const [hidden, absent] = [
    await serve(TEXTS, ANSWER, none),
    await serve(TEXTS, "nothing that any row has", none),
  ];
  expect(hidden.given).toEqual(absent.given);
  const { given: one } = await serve(TEXTS, ANSWER, (row) => row === 4);
  expect(one).toMatchObject({ spans: [{ count: 1, rows: [4] }], omittedCount: 0 });
  const long = `${SENTENCE} ${"x".repeat(2 ** 20)}`;
  expect((await serve([long], ANSWER)).given).toMatchObject({ spans: [], omittedCount: 1 });
});

it("holds for what an honest server says of random rows and answers", async () => {
  await fc.assert(
    fc.asyncProperty(textsAndAnswer, async ({ answer, texts }) => {
      const world = await serve(texts, answer);
      const checked = checkSpans(world.rowsRoot, utf8(answer), world.given);
      const found = findSpans(world.index, utf8(answer));
      expect(checked.map((span) => [span.start, span.end, span.count])).toEqual(
        found.map((span) => [span.start, span.end, span.hi - span.lo]),
      );
    }),
    { numRuns: 30 },
  );
});

it.each<[what: string, change: (row: SourceRow) => object]>([
  ["another contributor", () => ({ contributorId: 99 })],
  ["another validator", () => ({ validatorId: 99 })],
  ["another content", ({ content }) => ({ content: utf8(`${new TextDecoder().decode(content)} `) })],
  ["another place", ({ row }) => ({ row: row === 4 ? 13 : 4 })],
  ["a place behind all", ({ row }) => ({ row: row + 64 })],
  ["a shorter path", ({ siblings }) => ({ siblings: siblings.slice(1) })],
  ["no path", () => ({ siblings: [] })],
])("refuses a row with %s", (_what, change) => {
  expect(() => check({ rows: given.rows.map((row) => ({ ...row, ...change(row) })) })).toThrow(isFalse);
});

it("refuses rows without the span, sources without a row, short or repeated spans, and other forms", async () => {
  const of = (span: Partial<ClaimedSpan>) => [{ ...given.spans[0]!, ...span }];
  const refuses = (changed: Partial<SpansAnswer>) => expect(() => check(changed)).toThrow(isFalse);
  const [foreign] = (await serve(TEXTS, OTHER)).given.rows;
  refuses({ spans: of({ rows: [7] }), rows: [...given.rows, foreign!] });
  refuses({ rows: given.rows.slice(1) });
  refuses({ spans: of({ start: start - 1 }) });
  refuses({ spans: of({ end: start + 20 }) });
  refuses({ spans: of({ end: 999 }) });
  refuses({ spans: of({ count: 1 }) });
  refuses({ spans: of({ rows: [4, 4] }) });
  refuses({ spans: [...given.spans, ...given.spans] });
  refuses({ spans: [...given.spans, ...of({ start: start + 1 })] });
  for (const value of [undefined, {}, { ...given, rows: [{ row: -1 }] }])
    expect(() => spansFromJson(value)).toThrow(isFalse);
});
