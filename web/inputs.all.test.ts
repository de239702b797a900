/** Tests that inputs have the same counts in Chromium as in Node, under a Content-Security-Policy like the pages'. */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import type { ModelInputs } from "@openledger/attribution/inputs/model-inputs";
import { openInputs } from "@openledger/attribution/inputs/open-inputs";
import { SeededRandom } from "@openledger/attribution/maths/seeded-random";
import { openPictures } from "@openledger/attribution/pictures/pictures";
import { tinyVectors } from "@openledger/attribution/testing/tiny-vectors";
import { memorySource } from "@openledger/models/engine/files/memory-source";
import { encodeTensors } from "@openledger/models/engine/files/safetensors";
import { deriveEncoder } from "@openledger/models/tuning/vectors/static-encoder";
import { expect, test } from "vitest";
import { openSmallPage } from "./testing/small-page.ts";

const FILES = JSON.parse(
  readFileSync(new URL("../attribution/pictures/pictures.fixtures.json", import.meta.url), "utf8"),
) as Record<string, string>;
const COUNTABLE = Object.keys(FILES).filter((name) => !["cmyk", "webpAnimated"].includes(name));
const text: ModelInputs = { kind: "text", bucketCount: 256 };
const grey: ModelInputs = {
  kind: "image",
  side: 14,
  colours: 1,
  levels: 9,
  ground: "white",
  bucketCount: 1_024,
};
const table: ModelInputs = {
  kind: "table",
  fields: [
    { name: "x", type: "number", knots: [-1e-7, 0.1, 0.3, 1e300] },
    { name: "city", type: "category" },
    { name: "note", type: "text" },
  ],
  bucketCount: 64,
};
const random = new SeededRandom("vectors in a page");
const WORDS = ["win", "now", "grüsse", "aus", "łódź", "明", "天", "naïve"];
const vectors = tinyVectors(
  Object.fromEntries(
    WORDS.map((word) => [word, Array.from({ length: 64 }, () => random.nextBelow(255) - 127)]),
  ),
);
const ASKED: readonly (readonly [ModelInputs, string])[] = [
  ...["Win 100 $ now!", "GRÜSSE aus Łódź, ΟΔΟΣ, МОСКВА", "明天下雨。สวัสดี مرحبا", "naïve 🙂"].map(
    (prompt) => [text, prompt] as const,
  ),
  ...["Win now", "GRÜSSE aus Łódź, МОСКВА", "明天下雨", "naïve 🙂 ".repeat(4_000), "…"].flatMap((prompt) =>
    [0, 1, 3].map((wordCount) => [{ ...text, vectors: vectors.file, wordCount } as const, prompt] as const),
  ),
  ...COUNTABLE.map((name) => [grey, FILES[name]!] as const),
  ...COUNTABLE.map((name) => [{ ...grey, colours: 3 as const, side: 10, levels: 3 }, FILES[name]!] as const),
  ...["0.2", "0.30000000000000004", "-5e-8", "1e+200", "null"].map(
    (x) => [table, `{"x":${x},"city":"Köln","note":"Ärger über 3 €"}`] as const,
  ),
];

interface PageFunctions {
  countInputs(all: unknown, vectors: readonly number[]): Promise<number[][]>;
  takePhoto(width: number, height: number): Promise<string>;
  shrink(file: string, maxBytes: number): Promise<{ file: string; change: string | null }>;
}

/** Static encoders of both kinds of tokenizers: letters whose classes runtimes may disagree on are in their files. */
async function expectTokensAlike(countInPage: PageFunctions["countInputs"]): Promise<void> {
  const fixtures = JSON.parse(
    readFileSync(new URL("../models/testing/encoders/static-encoders.json", import.meta.url), "utf8"),
  ) as { tokenizer: object; table: number[][]; cases: { text: string }[] }[];
  for (const { cases, table: rows, tokenizer } of fixtures) {
    const values = Float32Array.from(rows.flat());
    const weights = encodeTensors([{ name: "embeddings", shape: [rows.length, 12], values }]);
    const source = new Map([
      ["tokenizer.json", Buffer.from(JSON.stringify(tokenizer))],
      ["model.safetensors", weights],
    ]);
    const bytes = await deriveEncoder(memorySource("tiny", source), 12);
    const sha256 = createHash("sha256").update(bytes).digest("hex");
    const file = { name: "tiny", sizeBytes: bytes.length, sha256, dimensions: 12, of: "tokens" } as const;
    const inputs = { ...text, vectors: file, wordCount: 0 };
    const prompts = [
      ...cases.map((one) => one.text),
      "ÀÉÎ ﬁne ½ Ǆ İstanbul ΟΔΟΣ е́ 🙂 한국어",
      "\u{feff}the\u{85}see",
    ];
    const counted = await countInPage(
      prompts.map((prompt) => [inputs, prompt]),
      [...bytes],
    );
    const { countsOf } = await openInputs(inputs, { baseBuckets: 0 }, async () => bytes);
    expect(counted).toEqual(prompts.map((prompt) => [...countsOf(prompt)]));
  }
}

test("texts in any script, pictures of any type and tables have the same counts in a page as in Node", {
  timeout: 300_000,
}, async () => {
  const { page, problems } = await openSmallPage(
    new URL("testing/count-inputs.ts", import.meta.url),
    "countInputs",
  );
  const counted = await page.evaluate(
    ([question, file]) => (globalThis as unknown as PageFunctions).countInputs(question, file),
    [ASKED, [...vectors.bytes]] as const,
  );
  expect(problems.filter((line) => !line.includes("favicon"))).toEqual([]);
  expect(counted).toHaveLength(ASKED.length);
  for (const [i, [inputs, prompt]] of ASKED.entries()) {
    const { countsOf } = await openInputs(inputs, { baseBuckets: 0 }, vectors.read);
    expect(counted[i], prompt.slice(0, 60)).toEqual([...countsOf(prompt)]);
  }
  await expectTokensAlike(async (question, file) =>
    page.evaluate(([all, bytes]) => (globalThis as unknown as PageFunctions).countInputs(all, bytes), [
      question,
      file,
    ] as const),
  );
  // A phone's photograph: larger than rows may be, and stored on its side.
  const taken = await page.evaluate(() => (globalThis as unknown as PageFunctions).takePhoto(1_800, 1_200));
  const photo = turnedBy(6, Buffer.from(taken, "base64"));
  const shrunk = (file: Buffer, maxBytes: number) =>
    page.evaluate(([base64, max]) => (globalThis as unknown as PageFunctions).shrink(base64, max), [
      file.toString("base64"),
      maxBytes,
    ] as const);
  const maxBytes = 200_000;
  expect(photo.length).toBeGreaterThan(maxBytes);
  const { file, change } = await shrunk(photo, maxBytes);
  const small = Buffer.from(file, "base64");
  expect(change).toBe("scaled");
  expect(small.length).toBeLessThanOrEqual(maxBytes);
  const openPicture = await openPictures();
  const { height, orientation, pixels, width } = openPicture(small);
  expect([orientation, (height / width).toFixed(2)]).toEqual([1, "1.50"]);
  const levelAt = (part: number) => pixels[4 * (Math.floor(part * height) * width + (width >> 1))]!;
  expect(levelAt(0.1)).toBeLessThan(100);
  expect(levelAt(0.9)).toBeGreaterThan(150);
  // A picture for print, which models do not read, is saved anew: it is not too large.
  const printed = await shrunk(Buffer.from(FILES["cmyk"]!, "base64"), maxBytes);
  expect(printed.change).toBe("converted");
  expect(() => openPicture(Buffer.from(FILES["cmyk"]!, "base64"))).toThrow("4 colour channels");
  expect(openPicture(Buffer.from(printed.file, "base64")).orientation).toBe(1);
  // What fits is not touched.
  expect(await shrunk(small, maxBytes)).toEqual({ file, change: null });
});

/** The JPEG file with EXIF data that says how to turn it. */
function turnedBy(orientation: number, jpeg: Buffer): Buffer {
  const entry = Buffer.from([0x01, 0x12, 0, 3, 0, 0, 0, 1, 0, orientation, 0, 0]);
  const tiff = Buffer.concat([Buffer.from("MM\0*\0\0\0\x08\0\x01", "latin1"), entry, Buffer.alloc(4)]);
  const exif = Buffer.concat([Buffer.from("Exif\0\0", "latin1"), tiff]);
  const length = Buffer.from([0xff, 0xe1, 0, exif.length + 2]);
  return Buffer.concat([jpeg.subarray(0, 2), length, exif, jpeg.subarray(2)]);
}
