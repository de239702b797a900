import { readFileSync } from "node:fs";
import { constants, deflateRawSync, deflateSync } from "node:zlib";
import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex } from "@noble/hashes/utils.js";
import { encode } from "fast-png";
import { beforeAll, describe, expect, it } from "vitest";
import type { DecodedPicture } from "./decoded-picture.ts";
import { gridOf, stepOf } from "./picture-grid.ts";
import { MAX_PICTURE_BYTES } from "./picture-limits.ts";
import { PictureProblem } from "./picture-problem.ts";
import { openPictures, type ReadPicture, readingOnce } from "./pictures.ts";

/** Files of one scene, and of one pattern of four colours, made by sharp 0.35.5 (libpng, libjpeg, libwebp, giflib). */
const FILES = JSON.parse(readFileSync(new URL("pictures.fixtures.json", import.meta.url), "utf8")) as Record<
  string,
  string
>;
const fileOf = (name: string) => Uint8Array.from(Buffer.from(FILES[name]!, "base64"));

const WIDTH = 19;
const HEIGHT = 13;
const positions = Array.from(
  { length: WIDTH * HEIGHT },
  (_, k) => [k % WIDTH, Math.floor(k / WIDTH)] as const,
);
const scene = (alpha: (x: number) => number) =>
  Uint8Array.from(positions.flatMap(([x, y]) => [x * 13, y * 19, (x * y) % 256, alpha(x)]));
const opaque = scene(() => 255);
const PATTERN = [
  [0, 0, 0, 255],
  [255, 0, 0, 255],
  [0, 160, 0, 255],
  [250, 250, 250, 255],
] as const;
const pattern = Uint8Array.from(positions.flatMap(([x, y]) => PATTERN[(x + 2 * y) % 4]!));

let read: ReadPicture;
beforeAll(async () => {
  read = await openPictures();
});

describe("pictures", () => {
  it("without a loss come back as they were written, of any type, depth and order", () => {
    const clear = scene((x) => (x < 3 ? 128 : 255));
    for (const [name, pixels] of [
      ["png", clear],
      ["pngInterlaced", clear],
      ["palette", pattern],
      ["paletteInterlaced", pattern],
      ["gif", pattern],
      ["gifAnimated", pattern],
      ["webpLossless", opaque],
    ] as const)
      expect(read(fileOf(name)), name).toEqual({ width: WIDTH, height: HEIGHT, orientation: 1, pixels });
  });

  it("with losses have these bytes on every machine", () => {
    const hashes = ["jpeg", "jpegProgressive", "jpegGrey", "webp", "png16"].map((name) => [
      name,
      bytesToHex(sha256(read(fileOf(name)).pixels)).slice(0, 16),
    ]);
    expect(Object.fromEntries(hashes)).toMatchInlineSnapshot(`
      {
        "jpeg": "f108bbac7f3a4509",
        "jpegGrey": "bc366aa401b97cff",
        "jpegProgressive": "f108bbac7f3a4509",
        "png16": "617b0213c59b9a67",
        "webp": "7dfcf59ee0364f37",
      }
    `);
    expect(read(fileOf("jpegProgressive")).pixels).toEqual(read(fileOf("jpeg")).pixels);
    for (const name of ["jpeg", "webp", "png16"])
      expect(meanDistance(read(fileOf(name)).pixels, opaque), name).toBeLessThan(8);
  });

  it("of grey levels, sixteen bits and one transparent colour are the same colours", () => {
    const levels = Uint16Array.from({ length: 12 }, (_, k) => k * 5_000);
    const deep = read(encode({ width: 4, height: 3, channels: 1, depth: 16, data: levels }));
    expect(Array.from({ length: 12 }, (_, k) => deep.pixels[4 * k])).toEqual(
      Array.from(levels, (level) => Math.round((level * 255) / 65_535)),
    );
    for (const depth of [1, 2, 4, 8]) {
      const samples = Array.from({ length: 11 * 3 }, (_, k) => k % 2 ** Math.min(depth, 8));
      const file = pngOf(
        { width: 11, height: 3, depth, colourType: 0 },
        deflateSync(rowsOf(samples, 11, depth)),
        {
          tRNS: Uint8Array.of(0, 1),
        },
      );
      const { pixels } = read(file);
      expect(Array.from(samples.keys(), (k) => [pixels[4 * k], pixels[4 * k + 3]])).toEqual(
        samples.map((sample) => [Math.round((255 * sample) / (2 ** depth - 1)), sample === 1 ? 0 : 255]),
      );
    }
  });

  it("are turned as a camera's mark says: orientation 6 has the counts of the picture turned by hand", () => {
    const stored = read(fileOf("jpeg"));
    const turned: DecodedPicture = {
      width: HEIGHT,
      height: WIDTH,
      orientation: 1,
      pixels: Uint8Array.from({ length: 4 * WIDTH * HEIGHT }, (_, k) => {
        const [x, y] = [Math.floor(k / 4) % HEIGHT, Math.floor(k / 4 / HEIGHT)];
        // A quarter to the right: the left column becomes the top row.
        return stored.pixels[4 * ((HEIGHT - 1 - x) * WIDTH + y) + (k % 4)]!;
      }),
    };
    const marked = read(withExif(fileOf("jpeg"), 6));
    expect(marked).toEqual({ ...stored, orientation: 6 });
    for (const side of [4, 14, 28])
      for (const colours of [1, 3] as const)
        expect(gridOf(marked, side, colours)).toEqual(gridOf(turned, side, colours));
    const asPng = read(encode({ width: HEIGHT, height: WIDTH, channels: 4, depth: 8, data: turned.pixels }));
    expect(gridOf(asPng, 14, 1)).toEqual(gridOf(marked, 14, 1));
  });

  it("have eight orientations, each of them undone by its inverse", () => {
    const stored = read(fileOf("jpeg"));
    const inverse = { 1: 1, 2: 2, 3: 3, 4: 4, 5: 5, 6: 8, 7: 7, 8: 6 } as const;
    const grids = new Set<string>();
    for (const orientation of [1, 2, 3, 4, 5, 6, 7, 8] as const) {
      const { side, sums } = gridOf({ ...stored, orientation }, 6, 1);
      grids.add(sums.join());
      const again = Uint8Array.from([...sums].flatMap((sum) => [sum % 251, sum % 241, sum % 239, 255]));
      const picture = { width: side, height: side, pixels: again };
      const back = gridOf({ ...picture, orientation: inverse[orientation] }, side, 1);
      const straight = gridOf(stored, 6, 1).sums;
      const expected = Uint8Array.from(
        [...straight].flatMap((sum) => [sum % 251, sum % 241, sum % 239, 255]),
      );
      expect(back.sums, `${orientation}`).toEqual(
        gridOf({ ...picture, pixels: expected, orientation: 1 }, side, 1).sums,
      );
    }
    expect(grids.size).toBe(8);
  });
});

describe("files that are refused", () => {
  const problem = (content: Uint8Array) => {
    try {
      read(content);
    } catch (error) {
      expect(error).toBeInstanceOf(PictureProblem);
      return (error as Error).message;
    }
    return "read";
  };

  it("are named by their header before anything is decoded", () => {
    const wide = (width: number, height: number) =>
      pngOf({ width, height, depth: 8, colourType: 6 }, deflateSync(new Uint8Array(10)));
    for (const [content, why] of [
      [wide(8_193, 1), "8193 × 1 pixels"],
      [wide(4_097, 4_096), "too many"],
      [wide(0, 4), "no pixels"],
      [patched(fileOf("jpeg"), markerAt(fileOf("jpeg"), 0xc0) + 5, 0xff, 0xff), "too many"],
      [patched(fileOf("gif"), 6, 0xff, 0xff), "too many"],
      [fileOf("cmyk"), "4 colour channels"],
      [fileOf("webpAnimated"), "animation"],
      [new Uint8Array(MAX_PICTURE_BYTES + 1), "bytes are more than"],
      [Buffer.from("<svg/>"), "no PNG, JPEG, WebP or GIF"],
    ] as const)
      expect(problem(content), why).toContain(why);
  });

  it("are bombs: pixels beyond the header's are not inflated, and scans are counted", () => {
    // 200 MiB of zeros, a MiB after the other, behind a header of zlib.
    const part = deflateRawSync(new Uint8Array(2 ** 20), { finishFlush: constants.Z_FULL_FLUSH });
    const zeros = Buffer.concat([Uint8Array.of(0x78, 0x9c), ...Array<Buffer>(200).fill(part)]);
    const bomb = pngOf({ width: 4, height: 4, depth: 8, colourType: 0 }, zeros);
    expect(bomb.length).toBeLessThan(250_000);
    // By the processor's time: a busy machine has others take theirs meanwhile.
    const before = process.cpuUsage();
    expect(problem(bomb)).toContain("not as many as its header says");
    expect(process.cpuUsage(before).user).toBeLessThan(200_000);
    const jpeg = fileOf("jpegProgressive");
    const scan = jpeg.subarray(markerAt(jpeg, 0xda), -2);
    const many = Buffer.concat([
      jpeg.subarray(0, -2),
      ...Array<Uint8Array>(100).fill(scan),
      jpeg.subarray(-2),
    ]);
    expect(problem(many)).toContain("scans");
  });

  it("are cut off or damaged, at any place, and leave the decoders as they were", () => {
    for (const name of ["png", "palette", "jpeg", "jpegProgressive", "webp", "webpLossless", "gif"]) {
      const file = fileOf(name);
      for (let length = 0; length < file.length - 1; length += 7)
        if (name !== "gif" || length < 40)
          expect(problem(file.subarray(0, length)), `${name} ${length}`).not.toBe("read");
      for (let at = 0; at < file.length; at += 5) problem(patched(file, at, file[at]! ^ 0x55));
      expect(read(file).width, name).toBe(WIDTH);
    }
  });
});

describe("gridOf", () => {
  it("weighs pixels by their area in each cell, exactly", () => {
    // Three columns in two cells: the middle one counts by half in each.
    const picture = pictureOf(3, 1, [0, 90, 255]);
    const { sums, whole } = gridOf(picture, 2, 3);
    expect(whole).toBe(255 * 3);
    expect([...sums.subarray(0, 4)]).toEqual([90, 2 * 255 + 90, 90, 2 * 255 + 90]);
    expect(stepOf(90, whole, 255)).toBe(30);
  });

  it("keeps the sum of a picture, whatever the sides", () => {
    for (const [width, height, side] of [
      [1, 1, 28],
      [5, 3, 4],
      [29, 31, 14],
      [200, 7, 28],
    ] as const) {
      const levels = Array.from({ length: width * height }, (_, k) => (k * 37) % 256);
      const { sums } = gridOf(pictureOf(width, height, levels), side, 3);
      const total = levels.reduce((sum, level) => sum + level, 0);
      expect(sums.subarray(0, side * side).reduce((sum, x) => sum + x, 0)).toBe(total * side * side);
    }
  });

  it("shows transparent pixels on white", () => {
    const { sums, whole } = gridOf(
      { width: 1, height: 1, orientation: 1, pixels: Uint8Array.of(0, 0, 0, 0) },
      4,
      1,
    );
    expect([...sums]).toEqual(Array(16).fill(whole));
  });
});

const pictureOf = (width: number, height: number, levels: readonly number[]): DecodedPicture => ({
  width,
  height,
  orientation: 1,
  pixels: Uint8Array.from(levels.flatMap((level) => [level, level, level, 255])),
});

function meanDistance(a: Uint8Array, b: Uint8Array): number {
  return a.reduce((sum, x, k) => sum + Math.abs(x - b[k]!), 0) / a.length;
}

function patched(file: Uint8Array, at: number, ...bytes: number[]): Uint8Array {
  const changed = file.slice();
  changed.set(bytes, at);
  return changed;
}

/** Position of a JPEG marker's 0xff. */
const markerAt = (file: Uint8Array, code: number) =>
  file.findIndex((byte, at) => byte === 0xff && file[at + 1] === code);

/** The file with EXIF data that has an orientation and nothing else, big-endian. */
function withExif(file: Uint8Array, orientation: number): Uint8Array {
  const tiff = [
    0x4d,
    0x4d,
    0,
    42,
    0,
    0,
    0,
    8,
    0,
    1,
    0x01,
    0x12,
    0,
    3,
    0,
    0,
    0,
    1,
    0,
    orientation,
    0,
    0,
    0,
    0,
    0,
    0,
  ];
  const body = [...Buffer.from("Exif\0\0"), ...tiff];
  return Buffer.concat([
    file.subarray(0, 2),
    Uint8Array.of(0xff, 0xe1, 0, body.length + 2, ...body),
    file.subarray(2),
  ]);
}

/** Samples of less than a byte as a PNG's raw rows. */
function rowsOf(samples: readonly number[], width: number, depth: number): Uint8Array {
  const rowBytes = Math.ceil((width * depth) / 8);
  const raw = new Uint8Array((1 + rowBytes) * (samples.length / width));
  for (const [k, sample] of samples.entries()) {
    const bit = (k % width) * depth;
    const at = Math.floor(k / width) * (1 + rowBytes) + 1 + (bit >> 3);
    raw[at] = raw[at]! | (sample << (8 - depth - (bit & 7)));
  }
  return raw;
}

interface Header {
  readonly width: number;
  readonly height: number;
  readonly depth: number;
  readonly colourType: number;
}

/** A PNG file of these deflated rows. */
function pngOf(
  { colourType, depth, height, width }: Header,
  rows: Uint8Array,
  others: Record<string, Uint8Array> = {},
): Uint8Array {
  const header = new Uint8Array(13);
  new DataView(header.buffer).setUint32(0, width);
  new DataView(header.buffer).setUint32(4, height);
  header.set([depth, colourType], 8);
  const chunks = Object.entries({ IHDR: header, ...others, IDAT: rows, IEND: new Uint8Array() });
  return Buffer.concat([
    Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a),
    ...chunks.map(([type, body]) => {
      const typed = Buffer.concat([Buffer.from(type), body]);
      const frame = Buffer.alloc(typed.length + 8);
      frame.writeUInt32BE(body.length);
      frame.set(typed, 4);
      frame.writeUInt32BE(crcOf(typed), typed.length + 4);
      return frame;
    }),
  ]);
}

function crcOf(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
  }
  return (crc ^ 0xffffffff) >>> 0;
}

it("a file is decoded once where it is read several times in a row", () => {
  const decoded: number[] = [];
  const once = readingOnce((content) => {
    if (content[0] === 9) throw new PictureProblem("no");
    decoded.push(content[0]!);
    return { width: 1, height: 1, orientation: 1, pixels: Uint8Array.of(content[0]!) };
  });
  const files = [
    Uint8Array.of(1, 2),
    Uint8Array.of(1, 2),
    Uint8Array.of(1, 3),
    Uint8Array.of(1),
    Uint8Array.of(1, 2),
  ];
  expect(files.map((file) => once(file).pixels[0])).toEqual([1, 1, 1, 1, 1]);
  expect(decoded).toHaveLength(4);
  expect(() => once(Uint8Array.of(9))).toThrow(PictureProblem);
  expect(once(Uint8Array.of(1, 2)).width).toBe(1);
  expect(decoded).toHaveLength(4);
});
