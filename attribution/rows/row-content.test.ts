import { encode } from "fast-png";
import { describe, expect, it } from "vitest";
import { sampleInputs } from "../testing/sample-rows.ts";
import { PIXEL_COUNT, readPng, writePng } from "./image-pixels.ts";
import { contentOf, inputOf, MAX_ROW_BYTES, pixelsOf } from "./row-content.ts";

const invalid = (why: string) =>
  expect.objectContaining({
    code: "ATT_ROW_INVALID",
    data: expect.objectContaining({ why: expect.stringContaining(why) }),
  });
const base64 = (bytes: Uint8Array) => Buffer.from(bytes).toString("base64");

describe("inputs of rows", () => {
  it("come back as they were written", () => {
    for (const kind of ["text", "image"] as const)
      for (const { input } of sampleInputs(kind, 30, "back"))
        expect(inputOf(kind, contentOf(kind, input))).toBe(input);
  });

  it("are texts with words, or are refused", () => {
    expect(inputOf("text", Buffer.from(' {"label":"spam"}\n'))).toBe(' {"label":"spam"}\n');
    for (const [content, why] of [
      [Buffer.from(" \n"), "empty"],
      [Buffer.from([0xff, 0x41]), "no UTF-8"],
      [Buffer.alloc(MAX_ROW_BYTES + 1, 65), "65537 bytes"],
    ] as const)
      expect(() => inputOf("text", content), why).toThrow(invalid(why));
    expect(() => contentOf("text", "\ud800")).toThrow(invalid("surrogate"));
    expect(() => contentOf("text", "é".repeat(MAX_ROW_BYTES / 2 + 1))).toThrow(invalid("bytes"));
  });
});

describe("pictures", () => {
  const levels = Uint8Array.from({ length: PIXEL_COUNT }, (_, p) => (p * 7) % 256);
  const picture = { width: 28, height: 28, depth: 8 } as const;
  const channelled = (channels: number, of: (p: number) => number[]) =>
    encode({ ...picture, channels, data: Uint8Array.from([...levels.keys()].flatMap(of)) });

  it("are read from grey levels and colours, with and without transparency, as the same levels", () => {
    const level = (p: number) => levels[p]!;
    expect(readPng(writePng(levels))).toEqual(levels);
    for (const file of [
      channelled(2, (p) => [level(p), 255]),
      channelled(3, (p) => [level(p), level(p), level(p)]),
      channelled(4, (p) => [level(p), level(p), level(p), 255]),
      encode({ ...picture, channels: 1, data: levels }, { interlace: "Adam7" }),
      encode({ ...picture, channels: 1, data: levels, text: { Title: "a seven" } }),
    ])
      expect(readPng(file)).toEqual(levels);
    const red = readPng(channelled(3, () => [255, 0, 0]));
    expect(red).toEqual(new Uint8Array(PIXEL_COUNT).fill(76));
    expect(readPng(channelled(2, () => [255, 0]))).toEqual(new Uint8Array(PIXEL_COUNT));
  });

  it("have these bytes on every machine", () => {
    expect(base64(writePng(new Uint8Array(PIXEL_COUNT).fill(9)))).toMatchInlineSnapshot(
      `"iVBORw0KGgoAAAANSUhEUgAAABwAAAAcCAAAAABXZoBIAAAAE0lEQVR42mPgxANGJUclRyXhAAC8ERuR5ZvHEgAAAABJRU5ErkJggg=="`,
    );
  });

  it("are refused by their header, before anything is decompressed", () => {
    const file = writePng(levels);
    const patched = (at: number, ...bytes: number[]) => {
      const changed = file.slice();
      changed.set(bytes, at);
      return changed;
    };
    // A header of 28 × 28 pixels, and 60,000 bytes of pixels: nobody needs as many.
    const bomb = Buffer.concat([
      file.subarray(0, 33),
      Buffer.from([0, 0, 0xea, 0x60, ...Buffer.from("IDAT")]),
      Buffer.alloc(60_004),
      file.subarray(-12),
    ]);
    for (const [content, why] of [
      [Buffer.from("GIF89a"), "no PNG"],
      [encode({ ...picture, width: 14, channels: 1, data: levels.subarray(0, 392) }), "14 × 28"],
      [encode({ ...picture, depth: 16, channels: 1, data: new Uint16Array(PIXEL_COUNT) }), "8 bits"],
      [patched(25, 3), "palette"],
      [patched(50, file[50]! ^ 1), "cannot be read"],
      [file.subarray(0, -1), "cut off"],
      [Buffer.concat([file, Buffer.from("more")]), "goes on"],
      [bomb, "60000 bytes"],
    ] as const)
      expect(() => pixelsOf(base64(content)), why).toThrow(invalid(why));
    expect(() => pixelsOf("AAA")).toThrow(invalid("base64"));
    expect(() => pixelsOf("A".repeat(5_000_000))).toThrow(invalid("bytes"));
  });
});
