import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { checkCitations } from "./check-citations.ts";
import { citeSpans, findSpans, type Span } from "./cite-spans.ts";
import {
  DOCUMENT_BYTES,
  evidenceFromJson,
  evidenceToJson,
  orderFromJson,
  orderToJson,
  type SpanEvidence,
} from "./evidence.ts";
import { checkDisorder, findDisorder } from "./order-evidence.ts";
import { indexOf, type SpanIndex } from "./span-index.ts";
import { smallIndex, textsAndAnswer, utf8 } from "./testing/span-world.ts";

const FALSE = expect.objectContaining({ code: "MOD_SPANS_EVIDENCE_FALSE" });
const ALL = { maxSources: 3, isComplete: true };
const overJson = (evidence: SpanEvidence) =>
  evidenceFromJson(JSON.parse(JSON.stringify(evidenceToJson(evidence))));

const SHARED = "we hold these truths to be self-evident";
const LONE = "nobody else has ever written this down";
const TEXTS = [
  `first ${SHARED}, first`,
  `second ${SHARED}; ${"filler of some length. ".repeat(30)}`,
  `third ${SHARED}: ${LONE}.`,
  "something else altogether, that nobody cites at all",
];
const ANSWER = utf8(`As they say, ${SHARED}. Also: ${LONE}!`);

async function world() {
  const index = await smallIndex(TEXTS);
  const spans = findSpans(index, ANSWER);
  const cite = (claimed: readonly Span[]) => citeSpans(index, ANSWER, claimed, ALL);
  const check = (evidence: SpanEvidence, root = index.root) =>
    checkCitations(root, ANSWER, overJson(evidence));
  return { index, spans, cite, check };
}

/** A host that has the same documents and another array, honestly hashed. */
async function lyingIndex(index: SpanIndex, change: (array: Int32Array, documents: Uint8Array) => void) {
  const array = index.parts.array.slice();
  const documents = index.parts.documents.slice();
  change(array, documents);
  return indexOf({ ...index.parts, array, documents });
}

describe("citations", () => {
  it("of an honest host hold, each with owners and count", async () => {
    const { check, cite, spans } = await world();
    const { isComplete, spans: checked } = check(cite(spans));
    expect(isComplete).toBe(true);
    expect(checked.map(({ count }) => count)).toEqual([1, 3]);
    const [lone, shared] = checked;
    expect(lone!.sources).toMatchObject([
      { document: 2, contributorId: 102, offset: TEXTS[2]!.indexOf(`: ${LONE}`) },
    ]);
    expect(shared!.sources.map(({ document }) => document).sort()).toEqual([0, 1, 2]);
  });

  it("hold for random versions and answers, and are complete", async () => {
    await fc.assert(
      fc.asyncProperty(textsAndAnswer, async ({ answer, texts }) => {
        const index = await smallIndex(texts);
        const bytes = utf8(answer);
        const spans = findSpans(index, bytes);
        const evidence = overJson(citeSpans(index, bytes, spans, ALL));
        const checked = checkCitations(index.root, bytes, evidence);
        expect(checked.spans.map(({ count }) => count)).toEqual(spans.map(({ hi, lo }) => hi - lo));
        expect(findDisorder(index)).toBeNull();
        // Without one of its spans the same list is not complete: its windows occur, so no part of them is absent.
        for (const left of spans.keys()) {
          const fewer = evidence.spans.filter((_, i) => i !== left);
          const isHeld = evidence.spans.some(
            ({ end, start }, i) => i !== left && start <= spans[left]!.start && spans[left]!.end <= end,
          );
          if (!isHeld)
            expect(() => checkCitations(index.root, bytes, { ...evidence, spans: fewer })).toThrow(FALSE);
        }
      }),
      { numRuns: 60 },
    );
  });

  it("do not hold with a count that is too small or too large", async () => {
    const { check, cite, spans } = await world();
    const shared = spans[1]!;
    for (const [lo, hi] of [
      [1, 0],
      [0, -1],
      [-1, 0],
      [0, 1],
      [1, 1],
    ] as const) {
      const claimed = { ...shared, lo: shared.lo + lo, hi: shared.hi + hi };
      expect(() => check(cite([claimed]))).toThrow(FALSE);
    }
  });

  it("do not hold with another document, owner or place", async () => {
    const { check, cite, index, spans } = await world();
    const evidence = cite(spans);
    const [lone, shared] = evidence.spans;
    const source = lone!.sources[0]!;
    const lies: SpanEvidence["spans"][] = [
      [
        {
          ...lone!,
          sources: [
            { ...source, document: shared!.sources.find(({ document }) => document !== 2)!.document },
          ],
        },
      ],
      [{ ...lone!, sources: [shared!.sources[0]!] }],
      [{ ...shared!, sources: [shared!.sources[0]!, shared!.sources[0]!] }],
      [{ ...lone!, start: lone!.start + 1 }],
      [lone!, lone!],
      [{ ...lone!, end: lone!.end + 1 }],
      [{ ...lone!, end: lone!.start + 10 }],
    ];
    for (const lie of lies) expect(() => check({ ...evidence, absent: null, spans: lie })).toThrow(FALSE);
    const inner = {
      ...spans[0]!,
      start: spans[0]!.start + 3,
      ...index.find(ANSWER.subarray(spans[0]!.start + 3, spans[0]!.end)),
    };
    expect(check(citeSpans(index, ANSWER, [inner], { ...ALL, isComplete: false })).spans).toHaveLength(1);
    expect(() => check(cite([inner, spans[1]!]))).toThrow(FALSE);
    expect(() => check({ ...cite([...spans, inner]), absent: null })).toThrow(FALSE);
    // Another owner in the opened leaf.
    const leaves = evidence.openings.documents.leaves.map((leaf) => leaf.slice());
    leaves[0]![8]! ^= 1;
    const documents = { ...evidence.openings.documents, leaves };
    expect(() => check({ ...evidence, openings: { ...evidence.openings, documents } })).toThrow(FALSE);
    expect(() => check(evidence, "00".repeat(32))).toThrow(FALSE);
    expect(() => check({ ...evidence, header: { ...index.header, documentCount: 5 } })).toThrow(FALSE);
  });

  it("do not hold with a bit changed anywhere in an opening", async () => {
    const { cite, index, spans } = await world();
    const evidence = cite(spans);
    const parts = (["text", "array", "documents"] as const).flatMap((tree) => [
      ...evidence.openings[tree].leaves.map((bytes, i) => ({ tree, list: "leaves", i, bytes })),
      ...evidence.openings[tree].siblings.map((bytes, i) => ({ tree, list: "siblings", i, bytes })),
    ]);
    fc.assert(
      fc.property(
        fc.nat(parts.length - 1),
        fc.nat(255),
        fc.integer({ min: 1, max: 255 }),
        (part, place, mask) => {
          const { bytes, i, list, tree } = parts[part]!;
          const changed = bytes.slice();
          changed[place % changed.length]! ^= mask;
          const opening = evidence.openings[tree];
          const lists = { ...opening, [list]: opening[list as "leaves"].with(i, changed) };
          const openings = { ...evidence.openings, [tree]: lists };
          expect(() => checkCitations(index.root, ANSWER, { ...evidence, openings })).toThrow(FALSE);
        },
      ),
      { numRuns: 200 },
    );
    for (const tree of ["text", "array", "documents"] as const) {
      const opening = evidence.openings[tree];
      for (const cut of [
        { ...opening, indices: opening.indices.slice(1), leaves: opening.leaves.slice(1) },
        { ...opening, siblings: opening.siblings.slice(1) },
        { ...opening, siblings: [...opening.siblings, new Uint8Array(32)] },
        { ...opening, indices: opening.indices.map((index) => index + 1) },
      ]) {
        const openings = { ...evidence.openings, [tree]: cut };
        expect(() => checkCitations(index.root, ANSWER, { ...evidence, openings })).toThrow(FALSE);
      }
    }
  });

  it("cannot be called complete where a span is left out", async () => {
    const { check, cite, spans } = await world();
    const evidence = cite(spans);
    expect(check({ ...evidence, absent: null }).isComplete).toBe(false);
    expect(() => check({ ...evidence, spans: evidence.spans.slice(1) })).toThrow(FALSE);
    expect(() => check({ ...evidence, absent: evidence.absent!.slice(1) })).toThrow(FALSE);
    // The host's own evidence for the shorter list: what it calls absent is there.
    expect(() => check(cite(spans.slice(1)))).toThrow(FALSE);
  });

  it("refuse JSON of another form", () => {
    for (const value of [null, {}, { spans: [] }, "evidence"])
      expect(() => evidenceFromJson(value)).toThrow(FALSE);
  });
});

describe("the client's side", () => {
  /** Every file that this one needs at run time, and packages. */
  function needed(path: string, seen = new Set<string>()): Set<string> {
    if (seen.has(path)) return seen;
    seen.add(path);
    if (!path.endsWith(".ts")) return seen;
    const imports = readFileSync(path, "utf8").matchAll(
      /^(?:import|export) (?!type )[^;]*? from "([^"]+)";/gm,
    );
    for (const [, name] of imports) needed(name!.startsWith(".") ? join(path, "..", name!) : name!, seen);
    return seen;
  }

  it("needs nothing of Node, so it runs in a browser", () => {
    const folder = fileURLToPath(new URL(".", import.meta.url));
    const files = ["check-citations.ts", "order-evidence.ts", "evidence.ts"].flatMap((name) => [
      ...needed(join(folder, name)),
    ]);
    expect(files.length).toBeGreaterThan(10);
    expect(files.filter((name) => name.startsWith("node:"))).toEqual([]);
    // The walk sees such imports where there are some.
    expect(needed(join(folder, "index-file.ts"))).toContain("node:crypto");
  });
});

describe("an index whose array is not sorted", () => {
  it("can hide an occurrence from its counts, and two neighbours show it to anybody", async () => {
    const { index, spans } = await world();
    const shared = spans[1]!;
    // One of the three entries changes places with an entry far away.
    const lying = await lyingIndex(index, (array) => {
      const [hidden, far] = [array[shared.lo]!, array[array.length - 3]!];
      array[shared.lo] = far;
      array[array.length - 3] = hidden;
    });
    const fewer = { ...shared, lo: shared.lo + 1 };
    const evidence = citeSpans(lying, ANSWER, [fewer], { maxSources: 1, isComplete: false });
    // The entry before is greater than the span, so this client sees it at once.
    expect(() => checkCitations(lying.root, ANSWER, evidence)).toThrow(FALSE);
    const disorder = findDisorder(lying)!;
    const received = orderFromJson(JSON.parse(JSON.stringify(orderToJson(disorder))));
    expect(checkDisorder(lying.root, received)).toMatch(/does not come before/);
    expect(() => checkDisorder(index.root, disorder)).toThrow(FALSE);
  });

  it("is shown also where the entry is named twice, or leads out of the text", async () => {
    const { index, spans } = await world();
    const { hi } = spans[1]!;
    const copies: ((array: Int32Array) => void)[] = [
      // The copy hides the third occurrence, and every citation of the first two still holds.
      (array) => array.set([array[hi]!], hi - 1),
      (array) => array.set([array[hi - 2]!], hi - 1),
      (array) => array.set([array.length + 5], 7),
    ];
    for (const change of copies) {
      const lying = await lyingIndex(index, change);
      const disorder = findDisorder(lying)!;
      expect(checkDisorder(lying.root, disorder)).toContain("entry");
    }
    const lying = await lyingIndex(index, copies[0]!);
    const fewer = { ...spans[1]!, hi: hi - 1 };
    const evidence = citeSpans(lying, ANSWER, [fewer], { maxSources: 1, isComplete: false });
    expect(checkCitations(lying.root, ANSWER, evidence).spans[0]!.count).toBe(2);
  });

  it("is found wherever two entries are exchanged", async () => {
    const { index } = await world();
    const last = index.parts.array.length - 1;
    await fc.assert(
      fc.asyncProperty(fc.nat(last), fc.nat(last), async (a, b) => {
        fc.pre(a !== b);
        const lying = await lyingIndex(index, (array) => {
          [array[a], array[b]] = [array[b]!, array[a]!];
        });
        expect(checkDisorder(lying.root, findDisorder(lying)!)).toContain("entry");
      }),
      { numRuns: 30 },
    );
  });

  it("cannot be claimed of an index that is sorted", async () => {
    const { index } = await world();
    const lying = await lyingIndex(index, (array) => array.reverse());
    const disorder = findDisorder(lying)!;
    expect(() => checkDisorder(index.root, { ...disorder, header: index.header })).toThrow(FALSE);
  });
});

describe("an index whose documents overlap", () => {
  it("can give a row's text to another owner, and two neighbours show it to anybody", async () => {
    const { index } = await world();
    const lying = await lyingIndex(index, (_, documents) => {
      // Document 0 reaches to the end of the text.
      new DataView(documents.buffer).setUint32(4, index.header.textBytes - 1, true);
    });
    expect(checkDisorder(lying.root, findDisorder(lying)!)).toMatch(/document 1/);
    for (const [at, value] of [
      [0, 1],
      [3 * DOCUMENT_BYTES + 4, index.header.textBytes - 2],
    ] as const) {
      const other = await lyingIndex(index, (_, documents) =>
        new DataView(documents.buffer).setUint32(at, value, true),
      );
      expect(checkDisorder(other.root, findDisorder(other)!)).toMatch(/document/);
    }
  });
});
