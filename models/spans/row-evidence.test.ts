import { initPoseidon } from "@openledger/circuits/field/poseidon";
import { hashRow, versionRowsRoot } from "@openledger/circuits/ledger/version-rows";
import { beforeAll, expect, it } from "vitest";
import type { SpanEvidence } from "./evidence.ts";
import { checkCitedRows, citedRowsFromJson, citedRowsToJson, citeRows } from "./row-evidence.ts";
import { utf8 } from "./testing/span-world.ts";

const SENTENCE = "the quick brown fox jumps over the lazy dog";
const rows = Array.from({ length: 20 }, (_, i) => ({
  content: utf8(i % 9 === 4 ? `ä${i} ${SENTENCE}.` : `row ${i}`),
  contributorId: 5 + i,
  validatorId: 3,
}));
const answer = utf8(`It says: ${SENTENCE}!`);
const [start, end] = [9, 9 + SENTENCE.length];
const sources = [4, 13].map((document) => ({ entry: 0, document }));
/** Nothing of the index is looked at but how rows become text. */
const evidence = {
  header: { rowText: "plain" },
  spans: [{ start, end, lo: 0, hi: 2, sources }],
} as unknown as SpanEvidence;
let root: bigint;
let cited: ReturnType<typeof citeRows>;

beforeAll(async () => {
  await initPoseidon();
  root = versionRowsRoot(rows.map((row) => ({ ...row, rowHash: hashRow(row.content) })));
  cited = citedRowsFromJson(JSON.parse(JSON.stringify(citedRowsToJson(citeRows(evidence, rows)))));
});

it("shows by the version's root in which rows a span is, whose, and where", () => {
  const [span] = checkCitedRows(root, answer, evidence, cited);
  expect(span).toMatchObject({ start, end });
  expect(
    span!.sources.map(({ contributorId, document, offset }) => [document, contributorId, offset]),
  ).toEqual([
    [4, 9, 4],
    [13, 18, 5],
  ]);
});

it.each<[what: string, change: (row: (typeof cited)[number]) => object]>([
  ["another contributor", () => ({ contributorId: 99 })],
  ["another validator", () => ({ validatorId: 99 })],
  ["another content", ({ content }) => ({ content: utf8(`${new TextDecoder().decode(content)} `) })],
  ["another place", ({ document }) => ({ document: document === 4 ? 13 : 4 })],
  ["a place behind all", ({ document }) => ({ document: document + 64 })],
  ["a shorter path", ({ siblings }) => ({ siblings: siblings.slice(1) })],
  ["no path", () => ({ siblings: [] })],
])("refuses a row with %s", (_what, change) => {
  const forged = cited.map((row) => ({ ...row, ...change(row) }));
  expect(() => checkCitedRows(root, answer, evidence, forged)).toThrow(
    expect.objectContaining({ code: "MOD_SPANS_EVIDENCE_FALSE" }),
  );
});

it("refuses rows without the span, sources without a row, short spans, and other forms", () => {
  const isFalse = expect.objectContaining({ code: "MOD_SPANS_EVIDENCE_FALSE" });
  const of = (span: object) => ({ ...evidence, spans: [{ ...evidence.spans[0]!, ...span }] });
  const other = of({ sources: [{ entry: 0, document: 7 }] });
  expect(() => checkCitedRows(root, answer, other, citeRows(other, rows))).toThrow(isFalse);
  expect(() => checkCitedRows(root, answer, evidence, cited.slice(1))).toThrow(isFalse);
  expect(() => checkCitedRows(root, answer, of({ end: start + 20 }), cited)).toThrow(isFalse);
  expect(() => checkCitedRows(root, answer, of({ end: 999 }), cited)).toThrow(isFalse);
  for (const value of [undefined, {}, [{ document: -1 }]])
    expect(() => citedRowsFromJson(value)).toThrow(isFalse);
});
