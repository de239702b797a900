import { readFileSync } from "node:fs";
import { MAX_TERMS, termTotal } from "@openledger/circuits/ledger/direct-query";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { encodeTableRow, type TableField } from "../rows/table-rows.ts";
import { wordsOf } from "../rows/words.ts";
import { madePictures } from "../testing/made-pictures.ts";
import { chooseInputs, imageCandidates } from "./choose-inputs.ts";
import { maxTermsOf } from "./input-counter.ts";
import { inputsProblem, inputsSchema, type ModelInputs, neededBuckets } from "./model-inputs.ts";
import { openInputs } from "./open-inputs.ts";
import { NUMBER_COUNT } from "./picture-numbers.ts";

const FREE = { baseBuckets: 0 };
const ROOM = { bucketCount: 1_024, baseBuckets: 40 };
const encoder = new TextEncoder();
const invalid = expect.objectContaining({ code: "ATT_ROW_INVALID" });

const FILES = JSON.parse(
  readFileSync(new URL("../pictures/pictures.fixtures.json", import.meta.url), "utf8"),
) as Record<string, string>;
const GRID: ModelInputs = { kind: "image", side: 4, colours: 3, levels: 3, ground: "black", bucketCount: 64 };

/** Buckets and counts of an input, those that are not 0. */
async function counted(inputs: ModelInputs, prompt: string): Promise<string> {
  const counts = (await openInputs(inputs, FREE)).countsOf(prompt);
  return [...counts.entries()]
    .flatMap(([bucket, count]) => (count > 0 ? [`${bucket}:${count}`] : []))
    .join(" ");
}

describe("texts", () => {
  const inputs: ModelInputs = { kind: "text", bucketCount: 64 };

  it("in any script have words, and the same ones in capitals", () => {
    const words = (text: string) => wordsOf(encoder.encode(text), true);
    for (const [text, count] of [
      ["Grüße aus KÖLN!", 3],
      ["ΚΑΛΗΜΕΡΑ κόσμε", 2],
      ["Привет, мир", 2],
      ["مرحبا بالعالم", 2],
      ["שלום עולם", 2],
      ["नमस्ते दुनिया।", 2],
      ["안녕 세상", 2],
      ["你好，世界", 4],
      ["こんにちは", 5],
      ["สวัสดี", 6],
      ["“quoted”—word…", 2],
      ["naïve café", 2],
      ["🙂👍", 2],
    ] as const)
      expect(words(text).length, text).toBe(count);
    for (const [text, lower] of [
      ["GRÜSSE ÄÖÜ ÇÉÑ", "grüsse äöü çéñ"],
      ["ŁÓDŹ ŽIŽKA ŸES", "łódź žižka ÿes"],
      ["ΟΔΟΣ ΆΈΉΊΌΎΏ", "οδοσ άέήίόύώ"],
      ["οδος", "οδοσ"],
      ["МОСКВА ЁЖ ЇЖАК", "москва ёж їжак"],
    ] as const)
      expect(words(text), text).toEqual(words(lower));
    expect(words("fluß")).not.toEqual(words("fluss"));
    expect(wordsOf(Uint8Array.of(0x61, 0xff, 0x62, 0xc3), true)).toEqual(words("a b"));
  });

  it("have these counts on every machine", async () => {
    expect(await counted(inputs, "Win 100 $ now! Win")).toMatchInlineSnapshot(
      `"2:1 9:1 23:1 27:1 35:1 36:1 43:1 61:1"`,
    );
    expect(await counted(inputs, "Viele Grüße, Ihr Ärztehaus")).toMatchInlineSnapshot(
      `"0:1 1:1 18:2 29:1 41:1 44:1"`,
    );
    expect(await counted(inputs, "明天下雨")).toMatchInlineSnapshot(`"8:1 14:1 19:1 24:1 26:1 34:1 58:1"`);
  });

  it("that are long count words alone, up to three times each, or those alone that are listed", async () => {
    const [win, now, dollars, odd] = wordsOf(Buffer.from("win now $ 100"), true) as [
      number,
      number,
      number,
      number,
    ];
    // 64 buckets: one of its own, 62 that are shared in turn, and one for texts without a word.
    const others = Array.from({ length: 61 }, (_, k) => k);
    const long: ModelInputs = { ...inputs, words: { own: [win], shared: [now, ...others, dollars] } };
    expect(inputsProblem(long, FREE)).toBeNull();
    expect(await counted(long, "Win win, now")).toBe("0:2 1:1");
    expect(await counted(long, "Win win win win")).toBe("0:3");
    expect(await counted(long, "100 win")).toBe("0:1");
    expect(await counted(long, "now $ now now now")).toBe("1:3");
    expect(
      await counted({ ...long, words: { own: [win], shared: [...others, dollars, now] } }, "$ now"),
    ).toBe("1:1 62:1");
    for (const none of ["…", "100"]) expect(await counted(long, none)).toBe("63:1");
    // Without words that share buckets, all others are hashed to those behind.
    expect(await counted({ ...inputs, words: { own: [] } }, "Win win win win")).toBe("2:3");
    expect(await counted({ ...inputs, words: { own: [win] } }, "Win win")).toBe("0:2");
    expect(await counted({ ...inputs, words: { own: [win] } }, "now win 100 $")).toMatch(/^0:1 /);
    expect(await counted({ ...inputs, words: { own: [win] } }, "…")).not.toMatch(/^0:/);
    expect(await counted({ ...inputs, words: { own: [] } }, "…")).toBe(await counted(inputs, "…"));
    for (const words of [{ own: [win], shared: [win] }, { own: [win, win] }, { shared: [odd] }, [win]])
      expect(inputsSchema.safeParse({ ...inputs, words }).success).toBe(false);
    expect(
      inputsProblem({ ...inputs, words: { own: others.slice(0, 46), shared: [] }, bucketCount: 48 }, FREE),
    ).toBeNull();
    expect(
      inputsProblem({ ...inputs, words: { own: others.slice(0, 47), shared: [] }, bucketCount: 48 }, FREE),
    ).toContain("need 49 buckets");
  });

  it("count rare words of a list two or three times as much, up to three", async () => {
    const [often, rare, rarest] = wordsOf(Buffer.from("often rare rarest"), true) as [number, number, number];
    const own = [often, rare, rarest];
    const idf: ModelInputs = {
      ...inputs,
      words: { own, shared: [], idf: { twiceFrom: 1, thriceFrom: 2 } },
    };
    expect(await counted(idf, "rarest often rare")).toBe("0:1 1:2 2:3");
    expect(await counted(idf, "rare often rare often")).toBe("0:2 1:3");
    expect(await counted({ ...idf, words: { own, shared: [] } }, "rarest often rare")).toBe("0:1 1:1 2:1");
    for (const [twiceFrom, thriceFrom, isRead] of [
      [0, 3, true],
      [3, 3, true],
      [2, 1, false],
      [1, 4, false],
      [-1, 2, false],
    ])
      expect(inputsSchema.safeParse({ ...idf, words: { own, idf: { twiceFrom, thriceFrom } } }).success).toBe(
        isRead,
      );
  });

  it("choose words where pairs would fill the buckets, those that differ most between rows first", async () => {
    const short = ["one two", "two three"].map((text) => Buffer.from(text));
    expect(await chooseInputs({ kind: "text" }, short, ROOM)).toEqual({ kind: "text", bucketCount: 1_024 });
    const hashOf = (word: string) => wordsOf(Buffer.from(word), true)[0]!;
    const rows = Array.from({ length: 8 }, (_, row) => [
      ..."all all all all".split(" "),
      ...(row < 4 ? ["half"] : []),
      ...(row < 4 ? ["often", "often", "often", "often"] : []),
      ...(row === 5 ? ["once"] : []),
      ...Array.from({ length: 600 }, (_, k) => `w${row}x${k}`),
    ]);
    const contents = rows.map((words) => Buffer.from(words.join(" ")));
    const many = { kind: "text", labelCount: 10 } as const;
    const chosen = await chooseInputs(many, contents, ROOM);
    const { own, shared } = (chosen as { words: { own: number[]; shared: number[] } }).words;
    expect(inputsSchema.parse(chosen)).toEqual(chosen);
    expect(inputsProblem(chosen, ROOM)).toBeNull();
    // 984 buckets: half of them for a word each, one for texts without a word, four words in each of the others.
    expect([own.length, shared.length]).toEqual([492, 4 * 491]);
    expect(own.slice(0, 2)).toEqual(["often", "half"].map(hashOf));
    const once = [...own.slice(2), ...shared];
    expect(once).toEqual(once.toSorted((a, b) => a - b));
    expect(once).not.toContain(hashOf("all"));
    // Few words have buckets of their own, all of them.
    const few = await chooseInputs(many, [contents[0]!.subarray(0, 2_400)], ROOM);
    expect(few).toMatchObject({ words: { shared: [] } });
    // Of few labels words of the most rows come first, and no row's alone; all others are hashed.
    expect(await chooseInputs({ kind: "text", labelCount: 9 }, contents, ROOM)).toEqual({
      kind: "text",
      words: { own: ["all", ...["half", "often"].sort((a, b) => hashOf(a) - hashOf(b))].map(hashOf) },
      bucketCount: 1_024,
    });
  });

  it("without a word have one count, and long ones at most as many as are proven", async () => {
    const counter = await openInputs({ kind: "text", bucketCount: 1_024 }, ROOM);
    expect(counter.termBuckets).toBe(984);
    expect(termTotal(counter.countsOf("…"))).toBe(1);
    const long = Array.from({ length: 9_000 }, (_, k) => `w${k}`).join(" ");
    const counts = counter.countsOf(long);
    expect(counts.length).toBe(984);
    expect(termTotal(counts)).toBe(maxTermsOf(ROOM));
    expect(Math.max(...counts)).toBe(3);
    for (const prompt of ["", " \n", "\ud800"]) expect(() => counter.countsOf(prompt)).toThrow(invalid);
  });
});

describe("pictures", () => {
  it("have these counts on every machine, whatever their file", async () => {
    expect(await counted(GRID, FILES["palette"]!)).toMatchInlineSnapshot(
      `"0:1 1:2 2:2 3:1 4:1 5:2 6:2 7:1 8:1 9:2 10:2 11:1 12:1 13:2 14:2 15:1 16:1 17:1 18:1 19:1 20:1 21:1 22:1 23:1 24:1 25:1 26:1 27:1 28:1 29:1 30:1 31:1 32:1 33:1 34:1 35:1 36:1 37:1 38:1 39:1 40:1 41:1 42:1 43:1 44:1 45:1 46:1 47:1"`,
    );
    expect(await counted(GRID, FILES["jpeg"]!)).toMatchInlineSnapshot(
      `"1:1 2:2 3:2 5:1 6:2 7:2 9:1 10:2 11:2 13:1 14:2 15:2 20:1 21:1 22:1 23:1 24:2 25:2 26:2 27:2 28:2 29:2 30:2 31:2 38:1 39:1 41:1 42:1 43:1 45:1 46:1 47:2"`,
    );
    for (const name of ["paletteInterlaced", "gif", "gifAnimated"])
      expect(await counted(GRID, FILES[name]!), name).toEqual(await counted(GRID, FILES["palette"]!));
  });

  it("count light or darkness, and have one count where there is none", async () => {
    const grey = { ...GRID, colours: 1 as const, side: 4, levels: 7, bucketCount: 64 };
    const light = await openInputs(grey, FREE);
    const dark = await openInputs({ ...grey, ground: "white" }, FREE);
    const file = FILES["jpegGrey"]!;
    // Each cell has three buckets, of 3, 3 and 1.
    const levelsOf = (counts: Uint8Array) =>
      Array.from({ length: 16 }, (_, cell) => termTotal(counts.subarray(3 * cell, 3 * cell + 3)));
    expect(
      levelsOf(light.countsOf(file)).map((level, k) => level + levelsOf(dark.countsOf(file))[k]!),
    ).toEqual(Array(16).fill(7));
    const { encode } = await import("fast-png");
    const blank = (level: number) =>
      Buffer.from(encode({ width: 2, height: 2, channels: 1, data: new Uint8Array(4).fill(level) })).toString(
        "base64",
      );
    for (const counter of [light, dark])
      expect(counter.countsOf(file).every((count) => count <= 3)).toBe(true);
    expect([...light.countsOf(blank(0)).entries()].filter(([, count]) => count > 0)).toEqual([[48, 1]]);
    expect([...dark.countsOf(blank(255)).entries()].filter(([, count]) => count > 0)).toEqual([[48, 1]]);
    expect(termTotal(light.countsOf(blank(255)))).toBe(16 * 7);
  });

  it("are refused where no model reads them", async () => {
    const counter = await openInputs(GRID, FREE);
    for (const prompt of [
      "AAA",
      "",
      FILES["cmyk"]!,
      FILES["webpAnimated"]!,
      Buffer.from("GIF89a").toString("base64"),
    ])
      expect(() => counter.countsOf(prompt), prompt.slice(0, 20)).toThrow(invalid);
    const content = Buffer.from(FILES["jpeg"]!, "base64");
    expect(counter.promptOf(content)).toBe(FILES["jpeg"]);
    expect(Buffer.from(counter.contentOf(FILES["jpeg"]!))).toEqual(content);
  });

  it("choose grey levels or colours, and their ground", async () => {
    const { encode } = await import("fast-png");
    const file = (...colour: number[]) =>
      encode({ width: 2, height: 1, channels: 3, data: Uint8Array.from([...colour, ...colour]) });
    const chosen = (...files: Uint8Array[]) => chooseInputs({ kind: "image" }, files, ROOM);
    expect(await chosen(file(9, 9, 9), file(40, 40, 40), Uint8Array.of(1))).toEqual({
      ...{ kind: "image", side: 14, colours: 1, levels: 9, ground: "black", bucketCount: 1_024 },
    });
    expect(await chosen(file(250, 250, 250), file(90, 90, 90))).toMatchObject({
      colours: 1,
      ground: "white",
    });
    expect(await chosen(file(250, 20, 20))).toMatchObject({ colours: 3, side: 14, levels: 3 });
    const small = await chooseInputs({ kind: "image" }, [file(9, 9, 9)], {
      bucketCount: 208,
      baseBuckets: 10,
    });
    expect(small).toMatchObject({ side: 14, levels: 3 });
    expect(inputsProblem(small, { baseBuckets: 10 })).toBeNull();
  });
});

describe("numbers of pictures", () => {
  const none = Array.from({ length: NUMBER_COUNT }, (): number[] => []);
  const at = (knots: Record<number, number[]>) => none.map((own, k) => knots[k] ?? own);
  const first = NUMBER_COUNT - 15;
  const NUMBERS: ModelInputs = {
    kind: "image",
    numbers: "1",
    knots: at({ [first]: [0, 300, 600], [first + 1]: [500], [first - 1]: [200, 900] }),
    scales: [1, 1, 3, 2],
    bucketCount: 16,
  };

  it("count at their knots, in the order of the numbers, three each", async () => {
    const { encode } = await import("fast-png");
    // Ten columns of twenty in black, of six rows of eight: the foreground's box is full, the ground is white.
    const data = Uint8Array.from({ length: 160 }, (_, k) => (k % 20 < 10 && k < 120 ? 0 : 255));
    const half = Buffer.from(encode({ width: 20, height: 8, channels: 1, data })).toString("base64");
    // Ground 1,000 is beyond 900; a full box beyond 600; 375 of the picture below 500.
    expect(await counted(NUMBERS, half)).toBe("1:3 4:3 5:3");
    const counter = await openInputs(NUMBERS, { baseBuckets: 10 });
    expect(counter.termBuckets).toBe(6);
    expect([...counter.scales]).toEqual([3, 3, 2, 2, 2, 2]);
    expect([...(await openInputs(NUMBERS, FREE)).scales]).toEqual([3, 3, 2, 2, 2, 2, ...Array(10).fill(1)]);
    expect(new Set((await openInputs(GRID, FREE)).scales)).toEqual(new Set([1]));
    for (const prompt of ["AAA", FILES["cmyk"]!]) expect(() => counter.countsOf(prompt)).toThrow(invalid);
  });

  it("are a recipe's other form of pictures, which names each number's knots and each block's scale", () => {
    expect(inputsSchema.parse(JSON.parse(JSON.stringify(NUMBERS)))).toEqual(NUMBERS);
    expect(JSON.stringify(inputsSchema.parse(GRID))).toBe(JSON.stringify(GRID));
    expect(neededBuckets(NUMBERS)).toBe(6);
    expect(inputsProblem(NUMBERS, { baseBuckets: 10 })).toBeNull();
    expect(inputsProblem(NUMBERS, { baseBuckets: 11 })).toContain("need 17 buckets");
    for (const wrong of [
      { ...NUMBERS, numbers: "2" },
      { ...NUMBERS, numbers: null },
      { ...NUMBERS, numbers: undefined },
      { ...NUMBERS, side: 14 },
      { ...GRID, numbers: "1" },
      { ...GRID, scales: [1, 1, 1, 1] },
      { ...NUMBERS, knots: none },
      { ...NUMBERS, knots: NUMBERS.knots.slice(1) },
      { ...NUMBERS, knots: at({ 0: [1, 1] }) },
      { ...NUMBERS, knots: at({ 0: [2, 1] }) },
      { ...NUMBERS, knots: at({ 0: Array.from({ length: 33 }, (_, k) => k) }) },
      ...[[1, 1, 1], [1, 1, 1, 0], [1, 1, 1, 9], [1, 1, 1, 1.5], undefined].map((scales) => ({
        ...NUMBERS,
        scales,
      })),
    ])
      expect(inputsSchema.safeParse(wrong).success, JSON.stringify(wrong).slice(0, 80)).toBe(false);
  });

  it("are candidates beside the grid where they fit the buckets and differ between rows", async () => {
    const contents = madePictures(24, "candidates").map(({ input }) => Buffer.from(input, "base64"));
    const candidates = await imageCandidates([...contents, Uint8Array.of(1)], ROOM);
    expect(candidates[0]).toEqual(await chooseInputs({ kind: "image" }, contents, ROOM));
    expect(candidates).toHaveLength(5);
    for (const inputs of candidates) {
      expect(inputsSchema.parse(JSON.parse(JSON.stringify(inputs)))).toEqual(inputs);
      expect(inputsProblem(inputs, ROOM)).toBeNull();
      const { countsOf, promptOf, scales, termBuckets } = await openInputs(inputs, ROOM);
      expect(scales).toHaveLength(termBuckets);
      for (const content of contents.slice(0, 3)) {
        const counts = countsOf(promptOf(content));
        expect(Math.max(...counts)).toBeLessThanOrEqual(3);
        expect(termTotal(counts)).toBeGreaterThan(0);
        if (inputs.kind === "image" && inputs.numbers !== undefined)
          expect(termTotal(counts)).toBe(3 * inputs.knots.filter((own) => own.length > 0).length);
      }
    }
    // Fewer buckets have fewer knots, or no room for all numbers of squares.
    const small = await imageCandidates(contents, { bucketCount: 112, baseBuckets: 10 });
    expect(small.slice(1).map((inputs) => "scales" in inputs && inputs.scales)).toEqual([
      [1, 1, 3, 3],
      [3, 1, 3, 3],
    ]);
    for (const inputs of small.slice(1)) expect(inputsProblem(inputs, { baseBuckets: 10 })).toBeNull();
    for (const alike of [[], contents.slice(0, 1), [contents[0]!, contents[0]!]])
      expect(await imageCandidates(alike, ROOM)).toHaveLength(1);
  });
});

const FIELDS = [
  { name: "age", type: "number" },
  { name: "city", type: "category" },
  { name: "member", type: "boolean" },
  { name: "note", type: "text" },
  { name: "churn", type: "category" },
] as const satisfies readonly TableField[];
const row = (...values: (string | number | boolean | null)[]) => encodeTableRow(FIELDS, values);
const prompt = (...values: (string | number | boolean | null)[]) => new TextDecoder().decode(row(...values));
const TABLE: ModelInputs = {
  kind: "table",
  fields: [
    { name: "age", type: "number", knots: [0, 30, 60] },
    { name: "city", type: "category" },
    { name: "member", type: "boolean" },
    { name: "note", type: "text" },
    { name: "churn", type: "category", ignored: true },
  ],
  bucketCount: 64,
};

describe("tables", () => {
  it("have these counts on every machine", async () => {
    expect(await counted(TABLE, prompt(40, "Oslo", true, "late again", "no"))).toMatchInlineSnapshot(
      `"1:2 2:1 6:1 12:3 18:1 30:3 55:1"`,
    );
    expect(await counted(TABLE, prompt(null, null, null, null, null))).toMatchInlineSnapshot(
      `"3:3 20:3 25:3 58:3"`,
    );
  });

  it("share three counts of a number between the knots beside it", async () => {
    const { countsOf } = await openInputs(TABLE, FREE);
    const ofAge = (age: number | null) => [
      ...countsOf(prompt(age, "Oslo", true, "late", null)).subarray(0, 4),
    ];
    expect([-9, 0, 4, 6, 15, 29, 30, 44, 60, 1e308, null].map(ofAge)).toEqual([
      [3, 0, 0, 0],
      [3, 0, 0, 0],
      [3, 0, 0, 0],
      [2, 1, 0, 0],
      [1, 2, 0, 0],
      [0, 3, 0, 0],
      [0, 3, 0, 0],
      [0, 2, 1, 0],
      [0, 0, 3, 0],
      [0, 0, 3, 0],
      [0, 0, 0, 3],
    ]);
  });

  it("do not see the column of the labels, and tell fields with the same value apart", async () => {
    const { countsOf } = await openInputs(TABLE, FREE);
    expect(countsOf(prompt(1, "Oslo", true, "x", "yes"))).toEqual(
      countsOf(prompt(1, "Oslo", true, "x", null)),
    );
    const twins: ModelInputs = {
      kind: "table",
      fields: [
        { name: "from", type: "category" },
        { name: "to", type: "category" },
      ],
      bucketCount: 1_024,
    };
    const away = await counted(twins, '{"from":"Oslo","to":"Rome"}');
    expect(away).not.toEqual(await counted(twins, '{"from":"Rome","to":"Oslo"}'));
    expect(await counted(twins, '{"from":"","to":null}')).not.toEqual(
      await counted(twins, '{"from":null,"to":""}'),
    );
  });

  it("leave each text its part of the counts", async () => {
    const fields = ["a", "b"].map((name) => ({ name, type: "text" as const }));
    const long = Array.from({ length: 5_000 }, (_, k) => `w${k}`).join(" ");
    const counts = (await openInputs({ kind: "table", fields, bucketCount: 4_096 }, FREE)).countsOf(
      JSON.stringify({ a: long, b: long }),
    );
    expect(termTotal(counts)).toBe(MAX_TERMS);
    const alone = await openInputs({ kind: "table", fields, bucketCount: 4_096 }, FREE);
    expect(termTotal(alone.countsOf(JSON.stringify({ a: long, b: null })))).toBe(MAX_TERMS);
  });

  it("of any values have 1 to 2,000 counts of 0 to 3, the same each time", async () => {
    const value = {
      number: fc.double({ noNaN: true, noDefaultInfinity: true }).map((x) => (Object.is(x, -0) ? 0 : x)),
      text: fc.string({ unit: "grapheme", maxLength: 200 }),
    };
    const nullable = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: null });
    const values = fc.tuple(
      nullable(value.number),
      nullable(value.text),
      nullable(fc.boolean()),
      nullable(value.text),
      nullable(value.text),
    );
    await fc.assert(
      fc.asyncProperty(
        fc.array(values, { minLength: 1, maxLength: 12 }),
        fc.constantFrom(64, 1_024),
        async (rows, bucketCount) => {
          const contents = rows.map((one) => row(...one));
          const room = { bucketCount, baseBuckets: 10 };
          const shape = { kind: "table", fields: FIELDS, leftOut: ["churn"] } as const;
          const inputs = await chooseInputs(shape, contents, room);
          expect(inputsSchema.parse(JSON.parse(JSON.stringify(inputs)))).toEqual(inputs);
          expect(await chooseInputs(shape, contents, room)).toEqual(inputs);
          expect(neededBuckets(inputs)).toBeLessThanOrEqual(bucketCount - 10);
          const { contentOf, countsOf, promptOf } = await openInputs(inputs, room);
          for (const content of contents) {
            const counts = countsOf(promptOf(content));
            expect(contentOf(promptOf(content))).toEqual(content);
            expect(counts).toEqual(countsOf(promptOf(content)));
            expect(Math.max(...counts)).toBeLessThanOrEqual(3);
            expect(termTotal(counts)).toBeGreaterThan(0);
            expect(termTotal(counts)).toBeLessThanOrEqual(maxTermsOf(room));
          }
        },
      ),
      { numRuns: 60 },
    );
  });

  it("choose knots at the quantiles of their numbers, and leave out what no row has", async () => {
    const fields = [
      { name: "x", type: "number" },
      { name: "empty", type: "number" },
      { name: "same", type: "number" },
    ] as const;
    const rows = Array.from({ length: 15 }, (_, k) => encodeTableRow(fields, [k * k, null, 7]));
    expect(await chooseInputs({ kind: "table", fields }, rows, ROOM)).toEqual({
      kind: "table",
      fields: [
        { name: "x", type: "number", knots: [0, 4, 16, 36, 64, 100, 144, 196] },
        { name: "empty", type: "number", ignored: true },
        { name: "same", type: "number", knots: [7] },
      ],
      bucketCount: 1_024,
    });
  });
});

describe("inputsSchema", () => {
  it("refuses what no counts follow from", () => {
    const bad: unknown[] = [
      { kind: "text", bucketCount: 15 },
      { ...GRID, side: 3 },
      { ...GRID, levels: 13 },
      { ...TABLE, fields: [{ name: "a", type: "number", knots: [2, 1] }] },
      { ...TABLE, fields: [{ name: "a", type: "number", knots: [] }] },
      { ...TABLE, fields: [{ name: "a", type: "text", ignored: true }] },
      {
        ...TABLE,
        fields: [
          { name: "a", type: "text" },
          { name: "a", type: "text" },
        ],
      },
    ];
    for (const inputs of bad)
      expect(inputsSchema.safeParse(inputs).success, JSON.stringify(inputs)).toBe(false);
    expect(inputsSchema.safeParse(GRID).success).toBe(true);
    expect(inputsProblem(GRID, FREE)).toBeNull();
    expect(inputsProblem({ ...GRID, bucketCount: 48 }, FREE)).toContain("49 buckets");
    expect(inputsProblem({ ...GRID, side: 28, levels: 1, bucketCount: 4_096 }, FREE)).toContain("2352");
  });
});
