import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { DecodedPicture } from "../pictures/decoded-picture.ts";
import { NUMBER_BLOCKS, NUMBER_COUNT, pictureNumbers } from "./picture-numbers.ts";

type Rgba = readonly [number, number, number, number];
const WHITE: Rgba = [255, 255, 255, 255];
const RED: Rgba = [220, 20, 30, 255];

function painted(
  width: number,
  height: number,
  colourAt: (x: number, y: number) => Rgba,
  orientation: DecodedPicture["orientation"] = 1,
): DecodedPicture {
  const pixels = new Uint8Array(4 * width * height);
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) pixels.set(colourAt(x, y), 4 * (y * width + x));
  return { width, height, orientation, pixels };
}

/** Numbers of a block; those of the shape by name. */
function blocksOf(picture: DecodedPicture) {
  const numbers = pictureNumbers(picture);
  expect(numbers).toHaveLength(NUMBER_COUNT);
  let from = 0;
  const blocks = Object.fromEntries(
    NUMBER_BLOCKS.map(({ count, name }) => {
      from += count;
      return [name, numbers.slice(from - count, from)];
    }),
  ) as Record<(typeof NUMBER_BLOCKS)[number]["name"], number[]>;
  const { colours, directions, shape, squares } = blocks;
  return {
    directions,
    squares,
    mean: colours.slice(0, 3),
    hues: colours.slice(3, 16),
    ground: colours.slice(16),
    fill: shape[0]!,
    size: shape[1]!,
    width: shape[2]!,
    thirds: shape.slice(3, 7),
    harmonics: shape.slice(7, 13),
    roundness: shape[13]!,
    evenness: shape[14]!,
  };
}

/** Pixels of a cell's side: shapes are drawn in cells, so that nothing is rounded between them. */
const CELL = 4;
const SIDE = 32 * CELL;
const inCells = (isInside: (x: number, y: number) => boolean, ink: Rgba = RED, ground: Rgba = WHITE) =>
  painted(SIDE, SIDE, (x, y) => (isInside(x / CELL, y / CELL) ? ink : ground));
const box = (left: number, upper: number, width: number, height: number) => (x: number, y: number) =>
  x >= left && x < left + width && y >= upper && y < upper + height;
const disc = (x0: number, y0: number, radius: number) => (x: number, y: number) =>
  (x + 0.125 - x0) ** 2 + (y + 0.125 - y0) ** 2 <= radius ** 2;
/** An equilateral triangle around a point. @param radius of the circle around it */
const triangle = (x0: number, y0: number, radius: number, degrees: number) => (x: number, y: number) =>
  [0, 120, 240].every((offset) => {
    const angle = ((degrees + offset) * Math.PI) / 180;
    return (x + 0.125 - x0) * Math.cos(angle) + (y + 0.125 - y0) * Math.sin(angle) <= radius / 2;
  });

describe("numbers of a picture", () => {
  it("are those of the formulas, for a box on white", () => {
    const one = blocksOf(inCells(box(4, 6, 8, 12)));
    expect(one).toMatchObject({
      mean: [Math.floor(220_000 / 255), Math.floor(20_000 / 255), Math.floor(30_000 / 255)],
      // Chroma 200, hue 6 · 200 − 10 of 1,200: the last twelfth.
      hues: [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1_000, 0],
      ground: [1_000, 1_000, 1_000],
      fill: 1_000,
      size: Math.floor((1_000 * 96) / 1_024),
      width: 400,
      // 8 and 12 columns and rows: three of eight are in a third, four of twelve.
      thirds: [333, 333, 375, 375],
    });
    // √(35² + 235² + 225²) = 327. A cell has an edge on both sides of the line: of the upright lines 12 outer cells and 10 inner ones each,
    // of the others 8 and 6, and the four inner corners one of √2 · 327 = 462 at 45° or 135°.
    const lengths = [44 * 327, 0, 0, 2 * 462, 0, 0, 28 * 327, 0, 0, 2 * 462, 0, 0];
    const total = 72 * 327 + 4 * 462;
    expect(one.directions).toEqual(
      lengths.map((length) => Math.floor(Math.sqrt(Math.floor((1_000_000 * length) / total)))),
    );
    // The box is in the squares of the first three rows and columns that 8 × 8 cells have: the last ones see nothing of it.
    expect(one.squares.filter((_, k) => k >= 3 * 4 * 8 || Math.floor(k / 8) % 4 >= 2)).toEqual(
      new Array(4 * 8 + 3 * 2 * 8).fill(0),
    );
    expect(Math.max(...one.squares)).toBeGreaterThan(500);
  });

  it("tell a disc, a square and a triangle apart wherever they are, of any size and rotation", () => {
    const all = [6, 9, 12].flatMap((radius) =>
      [0, 20, 45, 77].flatMap((degrees) => [
        { name: "disc", ...blocksOf(inCells(disc(14 + (degrees % 4), 15, radius))) },
        { name: "triangle", ...blocksOf(inCells(triangle(16, 14 + (degrees % 3), radius, degrees))) },
      ]),
    );
    const squares = [10, 15, 20].map((side) => blocksOf(inCells(box(5.5, 7.5, side, side))));
    for (const { evenness, name, roundness } of all) {
      const [round, even] = name === "disc" ? [1_000, 750] : [827, 625];
      expect(Math.abs(roundness - round), name).toBeLessThanOrEqual(name === "disc" ? 15 : 40);
      expect(Math.abs(evenness - even), name).toBeLessThanOrEqual(40);
    }
    for (const { evenness, harmonics, roundness } of squares) {
      expect(Math.abs(roundness - 955)).toBeLessThanOrEqual(15);
      expect(Math.abs(evenness - 714)).toBeLessThanOrEqual(20);
      // Two directions: half a turn has two of them, so the second harmonic is the largest odd one out.
      expect(harmonics[1]).toBeGreaterThan(500);
      expect(harmonics[0]).toBeLessThan(150);
    }
  });

  it("stay as they are where a shape is moved by whole cells, but for the squares", () => {
    fc.assert(
      fc.property(
        fc.record({ dx: fc.integer({ min: -8, max: 8 }), dy: fc.integer({ min: -8, max: 8 }) }),
        ({ dx, dy }) => {
          const { squares: _, ...here } = blocksOf(inCells(disc(16, 16, 6)));
          const { squares: __, ...there } = blocksOf(inCells(disc(16 + dx, 16 + dy, 6)));
          expect(there).toEqual(here);
        },
      ),
      { numRuns: 12 },
    );
  });

  it("stay as they are in a picture of twice the size, of fewer bits, and turned by its orientation", () => {
    const colourAt = (x: number, y: number): Rgba => (triangle(15, 17, 8, 10)(x, y) ? RED : WHITE);
    const small = pictureNumbers(painted(32, 32, colourAt));
    const large = painted(64, 64, (x, y) => colourAt(Math.floor(x / 2), Math.floor(y / 2)));
    expect(pictureNumbers(large)).toEqual(small);
    const lying = painted(32, 32, (x, y) => colourAt(y, x), 5);
    expect(pictureNumbers(lying)).toEqual(small);
  });

  it("are 0 but for the ground's where all cells are alike: one colour, one pixel, nothing but transparency", () => {
    const clear: Rgba = [0, 0, 0, 0];
    for (const [picture, level] of [
      [painted(1, 1, () => [10, 10, 10, 255]), Math.floor(10_000 / 255)],
      [painted(50, 7, () => [10, 10, 10, 255]), Math.floor(10_000 / 255)],
      [painted(9, 9, () => clear), 1_000],
    ] as const) {
      const numbers = pictureNumbers(picture);
      const { ground } = blocksOf(picture);
      expect(ground).toEqual([level, level, level]);
      expect(numbers.filter((number) => number !== 0)).toEqual(ground);
    }
  });

  it("have grey for pictures without colour, and white behind transparent pixels", () => {
    const grey = blocksOf(inCells(box(8, 8, 10, 10), [40, 40, 40, 255], [200, 200, 200, 255]));
    expect(grey.hues).toEqual([...new Array(12).fill(0), 1_000]);
    const clear = inCells(box(8, 8, 10, 10), RED, [9, 99, 9, 0]);
    expect(pictureNumbers(clear)).toEqual(pictureNumbers(inCells(box(8, 8, 10, 10))));
  });

  it("are whole, 0 … 1,000, and the same again, of any picture", () => {
    const side = fc.integer({ min: 1, max: 40 });
    fc.assert(
      fc.property(
        fc.tuple(side, side).chain(([width, height]) =>
          fc.record({
            width: fc.constant(width),
            height: fc.constant(height),
            orientation: fc.constantFrom(1, 3, 6, 8) as fc.Arbitrary<DecodedPicture["orientation"]>,
            pixels: fc.uint8Array({ minLength: 4 * width * height, maxLength: 4 * width * height }),
          }),
        ),
        (picture) => {
          const numbers = pictureNumbers(picture);
          expect(numbers).toHaveLength(NUMBER_COUNT);
          for (const number of numbers)
            expect(Number.isInteger(number) && number >= 0 && number <= 1_000).toBe(true);
          expect(pictureNumbers({ ...picture, pixels: picture.pixels.slice() })).toEqual(numbers);
        },
      ),
      { numRuns: 60 },
    );
  });
});
