/** A posted row's tokens, judged on L1 (docs/explanation/fault-proofs.md). */

import { SeededRandom } from "@openledger/attribution/maths/seeded-random";
import { decodeTextRow, encodeTextRow, type TextRow } from "@openledger/attribution/rows/text-rows";
import { started } from "@openledger/foundation/testing/test-fixtures";
import { memorySource } from "@openledger/models/files/memory-source";
import {
  JOINING,
  readSpelling,
  type SpelledToken,
  spelledLengths,
  type TokenSpelling,
} from "@openledger/models/tokens/token-spelling";
import { openTokenizer } from "@openledger/models/tokens/tokenizer";
import { trainTokenizer } from "@openledger/models/tokens/train-tokenizer";
import { bytesToHex, type Hex, hexToBytes, zeroAddress, zeroHash } from "viem";
import { describe, expect, test } from "vitest";
import { leafTree } from "../../statements/leaf-tree.ts";
import { type TracedTuple, tracingDigest } from "../claims/ledger-claims.ts";
import { type PromptVocabulary, promptVocabulary } from "../claims/prompt-vocabulary.ts";
import { anyStatement, FAULT, openedLeaf, rowTree, startJudge } from "../testing/judge-fixture.ts";
import {
  type RowTokens,
  type RowTokensFault,
  readRowTokens,
  rowTokensCall,
  rowTokensFault,
  rowTokensLeaf,
  type ShownTokens,
  textsOfContent,
} from "./text-row-tokens.ts";

const SIZE = 296;
const PROGRAMS = 64;
const PLACE = 1;
const random = new SeededRandom("tokens of rows");
const bytesOf = (text: string) => new TextEncoder().encode(text);
const f = started(() => startJudge("TextTokens"));
const file = trainTokenizer(
  ["The state of the union is strong; the union's states won't pay. banana bananas anna's aaaa a aa"],
  { vocabularySize: SIZE, specialTokens: ["<end>"] },
);
const source = memorySource(
  "memory",
  new Map([
    ["tokenizer.json", bytesOf(file)],
    ["tokenizer_config.json", bytesOf("{}")],
  ]),
);
const tokenizer = await openTokenizer(source, SIZE);
const vocabulary = promptVocabulary((await readSpelling(source, SIZE))!);

const PIECES = [
  ...["the", "union", "state", "anna's", "a", "aa", "banana", "'ll", "won't", " ", " ", "  ", "<end>"],
  ...'"\\\b\t\n\f\r\u0000\u000b\u001f\u007f/\u2028\ufeff',
  ...["é", "ß", "漢字", "日", "\ue000", "\ud7ff", "😀", "\u{10ffff}", "1", "9", "."],
  ...[',"answer":"', '","answer":"'],
];
const randomText = (most: number): string =>
  `w${Array.from({ length: random.nextBelow(most) }, () => PIECES[random.nextBelow(PIECES.length)]).join("")}`;
const randomRow = (most: number): TextRow =>
  random.nextBelow(2) === 0
    ? { text: `${randomText(most)} a` }
    : { prompt: randomText(most), answer: randomText(most) };
const textsOf = (row: TextRow) => ("text" in row ? [row.text] : [row.prompt, row.answer]);

/** As an honest owner posts it. */
function tokensOf(row: TextRow): RowTokens {
  const encoded = textsOf(row).map((text) => tokenizer.encode(text));
  const lengths = textsOf(row).map((text, i) =>
    spelledLengths(vocabulary.spelling, bytesOf(text), encoded[i]!),
  );
  return {
    promptCount: "text" in row ? 1 : encoded[0]!.length,
    tokens: encoded.flat(),
    lengths: lengths.flatMap((of) => of!),
  };
}

interface Terms {
  readonly known?: PromptVocabulary;
  readonly programCount?: number;
}

const tracedOf = ({ known = vocabulary, programCount = PROGRAMS }: Terms): TracedTuple => ({
  ...{ claimant: zeroAddress, inputs: [zeroHash], programs: zeroHash, programCount: BigInt(programCount) },
  ...{ featureCount: 8, rest: 1, mostTokens: 4, endToken: 2n ** 32n, rules: 1n, isLikeliest: true },
  vocabulary: bytesToHex(known.tree.root),
  vocabularySize: known.spelling.tokens.length,
  joining: known.spelling.joining,
});

/** The second of three rows. */
function shown(content: Uint8Array, leaf: Uint8Array, terms: Terms = {}): ShownTokens {
  const beside = encodeTextRow({ text: "a row beside" });
  const [rows, tokens] = [rowTree([beside, content, beside]), leafTree([leaf.slice(1), leaf, leaf.slice(1)])];
  const traced = tracedOf(terms);
  const roots = { rows: bytesToHex(rows.root), tokens: bytesToHex(tokens.root) };
  return {
    statement: anyStatement({ ...roots, rowCount: 3, weights: tracingDigest(traced) }),
    ...{ traced, row: PLACE },
    content: openedLeaf(rows, PLACE, content),
    leaf: openedLeaf(tokens, PLACE, leaf),
  };
}

const judgeOf = (of: ShownTokens, fault: RowTokensFault, known = vocabulary) =>
  f.judge(rowTokensCall(known, of, readRowTokens(hexToBytes(of.leaf.data))?.tokens ?? [], fault));
const [RIGHT, WRONG] = [true, false].map((isRight) => [isRight, FAULT.tokens, BigInt(PLACE)]);

/** Any tokens that spell the bytes. */
function anyTokens({ tokens: known }: TokenSpelling, text: Uint8Array): number[] {
  const out: number[] = [];
  for (let from = 0; from < text.length; from += known[out.at(-1)!]!.bytes.length) {
    const fitting = known.flatMap(({ bytes }, token) =>
      bytes.length > 0 && bytes.every((byte, i) => text[from + i] === byte) ? [token] : [],
    );
    out.push(fitting[random.nextBelow(fitting.length)]!);
  }
  return out;
}

describe("a row's content", () => {
  const readOnL1 = async (content: Uint8Array) => {
    const row = (await f.read("readRow", [bytesToHex(content)])) as {
      readonly isRow: boolean;
      readonly isText: boolean;
      readonly first: Hex;
      readonly second: Hex;
    };
    if (!row.isRow) return null;
    return (row.isText ? [row.first] : [row.first, row.second]).map((text) => hexToBytes(text));
  };

  test("is unescaped on L1 as everywhere else, whatever characters it has", async () => {
    const controls = Array.from({ length: 0x20 }, (_, code) => String.fromCharCode(code)).join("");
    const rows = Array.from({ length: 60 }, () => randomRow(40));
    const edges = '\u007f\u0080\u07ff\u0800\ud7ff\ue000\uffff\u{10000}\u{10ffff}"\\/';
    for (const row of [
      ...rows,
      { text: `a${controls}` },
      { prompt: `a${edges}`, answer: `b${edges}${controls}` },
    ]) {
      const content = encodeTextRow(row);
      const texts = textsOf(decodeTextRow(content)).map(bytesOf);
      expect([await readOnL1(content), textsOfContent(content)], JSON.stringify(row)).toEqual([texts, texts]);
    }
  });

  test("is none where it is written otherwise: every byte of a row changed, left out or added", async () => {
    const content = encodeTextRow({ prompt: 'é"\u0001\u001f漢\n', answer: "😀\u000b\\" });
    const others = ["0", "u", "A", "f", '"', "\\", "}", "\u0000"].map((one) => bytesOf(one)[0]!);
    const changed = Array.from(content).flatMap((byte, at) => [
      ...[...others, byte ^ 0x40, byte ^ 0x80, byte ^ 1, byte ^ 0x10].map((other) => content.with(at, other)),
      Uint8Array.from([...content.slice(0, at), ...content.slice(at + 1)]),
      Uint8Array.from([...content.slice(0, at), others[at % others.length]!, ...content.slice(at)]),
      content.slice(0, at),
    ]);
    const read = await Promise.all(changed.map(readOnL1));
    expect(read).toEqual(changed.map(textsOfContent));
    expect(read.filter((row) => row !== null).length).toBeGreaterThan(20);
  });

  test.each([
    ["a byte beyond the rest", [...bytesOf('{"text":"a b"}'), 0x20]],
    ["another key", bytesOf('{"body":"a b"}')],
    ["keys in another order", bytesOf('{"answer":"a","prompt":"b"}')],
    ["no answer", bytesOf('{"prompt":"a b"}')],
    ["a text and an answer", bytesOf('{"text":"a","answer":"b"}')],
    ["half of a pair, escaped", bytesOf('{"text":"a \\ud800 b"}')],
    ["half of a pair, in three bytes", [...bytesOf('{"text":"'), 0xed, 0xa0, 0x80, ...bytesOf('"}')]],
    ["a letter in two bytes", [...bytesOf('{"text":"'), 0xc1, 0xa1, ...bytesOf('"}')]],
    ["two bytes' character in three", [...bytesOf('{"text":"'), 0xe0, 0x9f, 0xbf, ...bytesOf('"}')]],
    ["three bytes' character in four", [...bytesOf('{"text":"'), 0xf0, 0x8f, 0xbf, 0xbf, ...bytesOf('"}')]],
    ["a character beyond the last one", [...bytesOf('{"text":"'), 0xf4, 0x90, 0x80, 0x80, ...bytesOf('"}')]],
    ["a character of five bytes", [...bytesOf('{"text":"'), 0xf8, 0x88, 0x80, 0x80, 0x80, ...bytesOf('"}')]],
    ["an upper-case digit", bytesOf('{"text":"a\\u001F"}')],
    ["an escape that has a letter", bytesOf('{"text":"a\\u000a"}')],
    ["an escaped slash", bytesOf('{"text":"a\\/"}')],
    ["nothing", []],
  ])("is none with %s", async (_, bytes) => {
    const content = Uint8Array.from(bytes);
    expect([await readOnL1(content), textsOfContent(content)]).toEqual([null, null]);
  });
});

describe("the tokenizer's own tokens", () => {
  test("of random rows are right, whatever is shown of them", async () => {
    for (let run = 0; run < 12; run++) {
      const row = randomRow(12);
      const content = encodeTextRow(row);
      const given = tokensOf(row);
      const leaf = rowTokensLeaf(given);
      const count = given.tokens.length;
      const of = shown(content, leaf, { programCount: count });
      expect(rowTokensFault(vocabulary.spelling, count, content, leaf), JSON.stringify(row)).toBeNull();
      const places = Array.from({ length: count }, (_, place) => place);
      const rules = vocabulary.spelling.tokens.flatMap(({ rule }, token) => (rule === null ? [] : [token]));
      const faults: RowTokensFault[] = [
        { kind: "shape" },
        ...places.map((place) => ({ kind: "spelling", place }) as const),
        ...places.map((place) => ({
          ...anyJoin(given, place),
          joined: rules[random.nextBelow(rules.length)]!,
        })),
      ];
      const verdicts = await Promise.all(faults.map((fault) => judgeOf(of, fault)));
      expect(verdicts).toEqual(faults.map(() => RIGHT));
    }
  });

  /** A join that descends into both as far as rules go. */
  function anyJoin({ tokens }: RowTokens, place: number) {
    const through = (token: number | undefined, side: "left" | "right") => {
      const out: number[] = [];
      for (let one = token; one !== undefined; ) {
        const { rule } = vocabulary.spelling.tokens[one]!;
        if (rule === null) break;
        out.push(one);
        one = rule[side];
      }
      return out.slice(0, random.nextBelow(out.length + 1));
    };
    const right = through(tokens[place + 1], "left");
    return { kind: "join", place, left: through(tokens[place], "right"), right, joined: 0 } as const;
  }
});

describe("other tokens", () => {
  const byteToken = (character: string) =>
    vocabulary.spelling.tokens.findIndex(
      ({ bytes }) => bytes.length === 1 && bytes[0] === bytesOf(character)[0],
    );

  test("of random rows are wrong on L1 where the rules find a fault", { timeout: 60_000 }, async () => {
    const kinds = new Map<string, number>();
    for (let run = 0; run < 60; run++) {
      const row = randomRow(7);
      const content = encodeTextRow(row);
      const honest = tokensOf(row);
      const encoded = textsOf(row).map((text) => anyTokens(vocabulary.spelling, bytesOf(text)));
      const spelled: RowTokens = {
        promptCount: "text" in row ? 1 : encoded[0]!.length,
        tokens: encoded.flat(),
        lengths: encoded.flat().map((token) => vocabulary.spelling.tokens[token]!.bytes.length),
      };
      const place = random.nextBelow(honest.tokens.length);
      const given =
        run % 3 > 0 ? spelled : { ...honest, tokens: honest.tokens.with(place, random.nextBelow(SIZE)) };
      const leaf = rowTokensLeaf(given);
      const fault = rowTokensFault(vocabulary.spelling, PROGRAMS, content, leaf);
      if (fault === null) continue;
      const part =
        "place" in fault && !("text" in row) ? (fault.place < given.promptCount ? "prompt" : "answer") : "";
      kinds.set(`${fault.kind} ${part}`, (kinds.get(`${fault.kind} ${part}`) ?? 0) + 1);
      expect(await judgeOf(shown(content, leaf), fault), JSON.stringify(row)).toEqual(WRONG);
    }
    for (const kind of ["", "prompt", "answer"].flatMap((part) => [`spelling ${part}`, `join ${part}`]))
      expect(kinds.get(kind), kind).toBeGreaterThan(0);
  });

  test("that a rule makes of two pieces are wrong, in a text, a prompt or an answer", async () => {
    const { joining, tokens } = vocabulary.spelling;
    const [a, blank] = [byteToken("a"), byteToken(" ")];
    const both: SpelledToken = { bytes: bytesOf("a "), rule: { rank: 9_999, left: a, right: blank } };
    const known = promptVocabulary({ tokens: [...tokens, both], joining });
    const cases: [TextRow, RowTokens, number][] = [
      [{ text: "\na a" }, { promptCount: 1, tokens: [byteToken("\n"), SIZE, a], lengths: [1, 2, 1] }, 1],
      [{ prompt: "a a", answer: "a" }, { promptCount: 2, tokens: [SIZE, a, a], lengths: [2, 1, 1] }, 0],
      [{ prompt: "a", answer: "a a" }, { promptCount: 1, tokens: [a, SIZE, a], lengths: [1, 2, 1] }, 1],
    ];
    for (const [row, given, place] of cases) {
      const [content, leaf] = [encodeTextRow(row), rowTokensLeaf(given)];
      const fault = rowTokensFault(known.spelling, PROGRAMS, content, leaf);
      expect(fault).toEqual({ kind: "cut", place });
      expect(await judgeOf(shown(content, leaf, { known }), fault!, known)).toEqual(WRONG);
      // Where no rule makes it, or nothing is known of pieces, it may be right.
      for (const other of [
        { tokens: [...tokens, { ...both, rule: null }], joining },
        { tokens: [...tokens, both], joining: JOINING.all },
      ]) {
        const free = promptVocabulary(other);
        expect(await judgeOf(shown(content, leaf, { known: free }), fault!, free)).toEqual(RIGHT);
      }
    }
  });

  test("are not joined where the tokenizer cuts, whatever the rules say", async () => {
    const { tokens } = vocabulary.spelling;
    const [a, blank] = [byteToken("a"), byteToken(" ")];
    const both: SpelledToken = { bytes: bytesOf("a "), rule: { rank: 0, left: a, right: blank } };
    const leaf = rowTokensLeaf({ promptCount: 1, tokens: [a, a, blank, a], lengths: [1, 1, 1, 1] });
    const join = { kind: "join", place: 1, joined: SIZE, left: [], right: [] } as const;
    for (const [joining, verdict] of [
      [JOINING.gpt2, RIGHT],
      [JOINING.all, WRONG],
      [JOINING.none, RIGHT],
    ] as const) {
      const known = promptVocabulary({ tokens: [...tokens, both], joining });
      expect(await judgeOf(shown(encodeTextRow({ text: "aa a" }), leaf, { known }), join, known)).toEqual(
        verdict,
      );
    }
  });

  test("are not joined across the end of a prompt", async () => {
    const { tokens } = vocabulary.spelling;
    const joined = tokens.findIndex(({ rule }) => rule?.rank === 0);
    const { left, right } = tokens[joined]!.rule!;
    const [first, second] = [left, right].map((token) => new TextDecoder().decode(tokens[token]!.bytes));
    const given = { promptCount: 1, tokens: [left, right], lengths: [1, 1] };
    const join = { kind: "join", place: 0, joined, left: [], right: [] } as const;
    const parts = encodeTextRow({ prompt: first!, answer: second! });
    expect(await judgeOf(shown(parts, rowTokensLeaf(given)), join)).toEqual(RIGHT);
    expect(
      await judgeOf(shown(encodeTextRow({ text: `${first}${second}` }), rowTokensLeaf(given)), join),
    ).toEqual(WRONG);
    // The last token of a row has nobody behind it.
    expect(await judgeOf(shown(parts, rowTokensLeaf(given)), { ...join, place: 1 })).toEqual(RIGHT);
  });
});

describe("a leaf of another shape", () => {
  const ROW: TextRow = { prompt: "the union", answer: "won't pay" };
  const TEXT: TextRow = { text: "the state of it all" };
  const many = { text: "b ".repeat(2_049) };
  const manyTokens = (count: number): RowTokens => ({
    ...{ promptCount: 1, tokens: Array.from({ length: count }, () => 3) },
    lengths: Array.from({ length: count }, (_, i) => (i === 0 ? 4_099 - count : 1)),
  });
  interface Lie {
    /** Default: ROW, as it is. */
    readonly row?: TextRow;
    readonly content?: string;
    readonly given?: (own: RowTokens) => Partial<RowTokens>;
    readonly leaf?: (own: Uint8Array) => Iterable<number>;
    readonly programCount?: number;
  }
  const lengths = (change: (own: readonly number[]) => number[]): Lie => ({
    given: (own) => ({ lengths: change(own.lengths) }),
  });
  const two = (promptCount: number) => () => ({ promptCount, tokens: [5, 5], lengths: [1, 1] });
  const lies: [string, Lie][] = [
    ["no bytes", { leaf: () => [] }],
    ["three bytes", { leaf: (own) => own.slice(0, 3) }],
    ["no tokens", { leaf: (own) => own.slice(0, 4) }],
    ["a byte too many", { leaf: (own) => [...own, 0] }],
    ["a token's first half", { leaf: (own) => own.slice(0, -3) }],
    ["one token", { row: { text: "a" } }],
    ["more tokens than a trace reads", { programCount: 3 }],
    ["4,097 tokens", { row: many, given: () => manyTokens(4_097), programCount: 9_000 }],
    ["no token of a prompt", { given: () => ({ promptCount: 0 }) }],
    ["no token of an answer", { given: ({ tokens }) => ({ promptCount: tokens.length }) }],
    ["another prompt's end", { given: ({ promptCount }) => ({ promptCount: promptCount + 1 }) }],
    ["a prompt's end in a text", { row: TEXT, given: () => ({ promptCount: 2 }) }],
    ["no first wanted token in a text", { row: TEXT, given: () => ({ promptCount: 0 }) }],
    ["a length of 0", lengths(([a, b, ...rest]) => [0, a! + b!, ...rest])],
    ["a length too much in the prompt", lengths(([a, ...rest]) => [a! + 1, ...rest])],
    ["a length too little in the answer", lengths((own) => own.with(-1, own.at(-1)! - 1))],
    [
      "the answer's byte with the prompt's",
      lengths((own) => own.with(0, own[0]! - 1).with(-1, own.at(-1)! + 1)),
    ],
    ["lengths that are not a text's", { row: TEXT, ...lengths((own) => own.with(0, 60_000)) }],
    ["a token beyond the vocabulary", { given: ({ tokens }) => ({ tokens: tokens.with(-1, SIZE) }) }],
    ["the largest token", { given: ({ tokens }) => ({ tokens: tokens.with(0, 2 ** 32 - 1) }) }],
    ["a content that is no row", { row: TEXT, content: '{ "text":"the state of it all"}' }],
    ["an empty prompt, of no tokens", { given: two(0), content: '{"prompt":"","answer":"ab"}' }],
    ["an empty answer, of no tokens", { given: two(2), content: '{"prompt":"ab","answer":""}' }],
    ["a content too long", { row: TEXT, content: `{"text":"${"a".repeat(6_134)}"}` }],
  ];

  test.each(lies)("is wrong with %s, in every function", async (_, lie) => {
    const { row = ROW, programCount = PROGRAMS } = lie;
    const own = tokensOf(row);
    const honest = rowTokensLeaf({ ...own, ...lie.given?.(own) });
    const leaf = Uint8Array.from(lie.leaf?.(honest) ?? honest);
    const content = lie.content === undefined ? encodeTextRow(row) : bytesOf(lie.content);
    expect(rowTokensFault(vocabulary.spelling, programCount, content, leaf)).toEqual({ kind: "shape" });
    const of = shown(content, leaf, { programCount });
    expect(await judgeOf(of, { kind: "shape" })).toEqual(WRONG);
    const tokens = [7];
    for (const fault of [
      { kind: "spelling", place: 0 },
      { kind: "join", place: 0, joined: 7, left: [], right: [] },
    ] as const)
      expect(await f.judge(rowTokensCall(vocabulary, of, tokens, fault))).toEqual(WRONG);
  });

  test("is right with as many tokens as there can be, and with a row as long as can be", async () => {
    const of = shown(encodeTextRow(many), rowTokensLeaf(manyTokens(4_096)), { programCount: 4_096 });
    expect(await judgeOf(of, { kind: "shape" })).toEqual(RIGHT);
    const long = bytesOf(`{"text":"${"a".repeat(6_133)}"}`);
    const lengths = [...Array<number>(23).fill(256), 245];
    const all = { promptCount: 1, tokens: lengths.map(() => 5), lengths };
    expect(await judgeOf(shown(long, rowTokensLeaf(all)), { kind: "shape" })).toEqual(RIGHT);
    const longer = { ...all, lengths: lengths.with(0, 257).with(23, 244) };
    expect(await judgeOf(shown(long, rowTokensLeaf(longer)), { kind: "shape" })).toEqual(WRONG);
    expect(rowTokensFault(vocabulary.spelling, PROGRAMS, long, rowTokensLeaf(longer))).toEqual({
      kind: "shape",
    });
  });
});

describe("what a challenger brings", () => {
  const row: TextRow = { text: "the state of the union" };
  const honest = () => {
    const given = tokensOf(row);
    return { ...given, of: shown(encodeTextRow(row), rowTokensLeaf(given)) };
  };

  test("is refused where it opens no root of the model commitment", async () => {
    const { of, tokens } = honest();
    const other = shown(
      encodeTextRow({ text: "another row" }),
      rowTokensLeaf({ ...tokensOf(row), promptCount: 2 }),
    );
    const faults: RowTokensFault[] = [
      { kind: "shape" },
      { kind: "spelling", place: 0 },
      { kind: "join", place: 0, joined: tokens[0]!, left: [], right: [] },
    ];
    for (const fault of faults) {
      for (const changed of [
        { traced: { ...of.traced, programCount: 9n } },
        { content: other.content },
        { leaf: other.leaf },
        { content: { ...of.content, path: of.content.path.toReversed() } },
        { leaf: { ...of.leaf, path: [] } },
        { row: 0 },
        { row: 3 },
      ])
        expect(await judgeOf({ ...of, ...changed }, fault)).toBe("DisputesOpeningInvalid");
    }
  });

  test("is refused where the row has no such token, or the entry is another token's", async () => {
    const { of, tokens } = honest();
    const call = (fault: RowTokensFault, shownTokens = tokens) =>
      f.judge(rowTokensCall(vocabulary, of, shownTokens, fault));
    const place = tokens.length;
    expect(await call({ kind: "spelling", place }, [...tokens, 7])).toBe("DisputesOpeningInvalid");
    expect(await call({ kind: "join", place, joined: 7, left: [], right: [] })).toBe(
      "DisputesOpeningInvalid",
    );
    expect(await call({ kind: "spelling", place: 1 }, tokens.toReversed())).toBe("PromptEntryInvalid");
    // " state" is of one piece with nothing, so its parts are looked at within "the".
    expect(await call({ kind: "join", place: 0, joined: 7, left: [8], right: [] })).not.toEqual(WRONG);
  });
});
