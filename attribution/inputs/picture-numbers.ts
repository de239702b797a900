/**
 * Numbers of a picture, version 1: which ways its edges run, its colours, and the shape of what stands out from its ground. Whole
 * numbers alone, so that every machine has the same. image-inputs.ts counts them between knots, as tables count numbers.
 *
 * All are computed on a grid of 32 × 32 cells (pictures/picture-grid.ts), whose red, green and blue are rounded to 0 … 255, halves up:
 * - The *ground* is the median of each colour: of the 1,024 cells in order the 513th.
 * - A cell's *difference* is its colour's distance from the ground, √(Δred² + Δgreen² + Δblue²) rounded down: 0 … 441.
 * - The *foreground* are the cells whose difference is above half of the largest one. A picture of one colour has none.
 * - An *edge* is the difference's change at a cell, between its neighbours on both sides (at the border the cell itself): its length is
 *   √(gx² + gy²) rounded down, its direction the one of twelve over half a turn with the largest |gx cos + gy sin|, of equals the first.
 * - A *share* s of a whole t counts as its root in thousandths, ⌊√⌊10⁶ s ÷ t⌋⌋, 0 … 1,000, so that small shares differ, too; 0 where t is 0.
 *   A *part* counts in thousandths, ⌊1,000 s ÷ t⌋.
 */
import type { DecodedPicture } from "../pictures/decoded-picture.ts";
import { gridOf, stepOf } from "../pictures/picture-grid.ts";

/** Cells of a side of the grid, and of one of the 4 × 4 squares whose edges count apart. */
const SIDE = 32;
const SQUARE_SIDE = 8;
const SQUARES = (SIDE / SQUARE_SIDE) ** 2;
const DIRECTIONS = 12;
/** Directions of a square's edges: two of three of the twelve. */
const SQUARE_DIRECTIONS = 8;
const HARMONICS = 6;
const HUES = 12;
/** Least difference of a cell's largest and least colour for a hue; below, it is grey. */
const MIN_CHROMA = 24;
const LEVELS = 255;

/** Cosines of 0°, 15° … 165° in 1,024ths. */
const COSINES = [1024, 989, 887, 724, 512, 265, 0, -265, -512, -724, -887, -989];
/** Cosine and sine of k · 15°, in 1,024ths. */
const cosine = (k: number): number => {
  const at = ((k % 24) + 24) % 24;
  return at < 12 ? COSINES[at]! : -COSINES[at - 12]!;
};
const sine = (k: number): number => cosine(k - 6);

/** Blocks of numbers in their order. A recipe gives each a scale (bucket-scales.ts). */
export const NUMBER_BLOCKS = [
  /** Share of all edges of each direction. */
  { name: "directions", count: DIRECTIONS },
  /** Of each square of 8 × 8 cells, row after row, and each of eight directions: share of all edges, doubled; 1,000 at most. */
  { name: "squares", count: SQUARES * SQUARE_DIRECTIONS },
  /**
   * Mean red, green and blue of the foreground as parts of 255; share of its chroma in each twelfth of the circle of hues and of grey;
   * red, green and blue of the ground as parts of 255. Chroma is the largest less the least colour; a cell of less than 24 is grey with 24.
   */
  { name: "colours", count: 3 + HUES + 1 + 3 },
  /**
   * Of the foreground: its part of its box, its part of the picture, the box' width as a part of width and height together; its parts in
   * the upper, lower, left and right third of the box. Of the edges' twelve directions: length of each harmonic k = 1 … 6 as a part of all,
   * |Σ s_b e^(2πikb/12)| ÷ Σ s_b, which no rotation by a twelfth changes. Of the coverage (`momentsOf`): roundness and evenness.
   */
  { name: "shape", count: 7 + HARMONICS + 2 },
] as const;
export const NUMBER_COUNT = NUMBER_BLOCKS.reduce((sum, { count }) => sum + count, 0);

/** The numbers of a picture, block after block: each 0 … 1,000. */
export function pictureNumbers(picture: DecodedPicture): number[] {
  const cells = cellsOf(picture);
  const ground = cells.map(medianOf);
  const differences = differencesOf(cells, ground);
  const { directions, squares } = edgesOf(differences);
  const foreground = foregroundOf(differences);
  return [
    ...directions.map((length, _, all) => shareOf(length, sumOf(all))),
    ...squares.map((length, _, all) => Math.min(1_000, 2 * shareOf(length, sumOf(all)))),
    ...coloursOf(cells, foreground),
    ...ground.map((level) => partOf(level, LEVELS)),
    ...boxOf(foreground),
    ...harmonicsOf(directions),
    ...momentsOf(differences),
  ];
}

const sumOf = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0);
const partOf = (part: number, whole: number): number =>
  whole === 0 ? 0 : Math.floor((1_000 * part) / whole);
const shareOf = (part: number, whole: number): number =>
  whole === 0 ? 0 : integerRoot(Math.floor((1_000_000 * part) / whole));

/** ⌊√n⌋ of a whole number below 2^52, however a runtime rounds its roots. */
function integerRoot(n: number): number {
  const root = Math.floor(Math.sqrt(n));
  if (root * root > n) return root - 1;
  return (root + 1) * (root + 1) <= n ? root + 1 : root;
}

/** Levels 0 … 255 of red, green and blue over the grid. */
function cellsOf(picture: DecodedPicture): number[][] {
  const { sums, whole } = gridOf(picture, SIDE, 3);
  const levels = Array.from(sums, (sum) => stepOf(sum, whole, LEVELS));
  return [0, 1, 2].map((channel) => levels.slice(channel * SIDE ** 2, (channel + 1) * SIDE ** 2));
}

const medianOf = (levels: readonly number[]): number => levels.toSorted((a, b) => a - b)[levels.length >> 1]!;

const differencesOf = (cells: readonly number[][], ground: readonly number[]): number[] =>
  Array.from({ length: SIDE ** 2 }, (_, cell) =>
    integerRoot(cells.reduce((sum, levels, channel) => sum + (levels[cell]! - ground[channel]!) ** 2, 0)),
  );

/** Sums of edges' lengths by direction, over all and over each square. */
function edgesOf(differences: readonly number[]): { directions: number[]; squares: number[] } {
  const directions = new Array<number>(DIRECTIONS).fill(0);
  const squares = new Array<number>(SQUARES * SQUARE_DIRECTIONS).fill(0);
  const at = (x: number, y: number) =>
    differences[Math.max(0, Math.min(SIDE - 1, y)) * SIDE + Math.max(0, Math.min(SIDE - 1, x))]!;
  for (let y = 0; y < SIDE; y++)
    for (let x = 0; x < SIDE; x++) {
      const [gx, gy] = [at(x + 1, y) - at(x - 1, y), at(x, y + 1) - at(x, y - 1)];
      const length = integerRoot(gx * gx + gy * gy);
      if (length === 0) continue;
      const direction = directionOf(gx, gy);
      directions[direction]! += length;
      const square = Math.floor(y / SQUARE_SIDE) * (SIDE / SQUARE_SIDE) + Math.floor(x / SQUARE_SIDE);
      squares[square * SQUARE_DIRECTIONS + Math.floor((direction * SQUARE_DIRECTIONS) / DIRECTIONS)]! +=
        length;
    }
  return { directions, squares };
}

function directionOf(gx: number, gy: number): number {
  let direction = 0;
  let largest = -1;
  for (let k = 0; k < DIRECTIONS; k++) {
    const product = Math.abs(gx * cosine(k) + gy * sine(k));
    if (product <= largest) continue;
    largest = product;
    direction = k;
  }
  return direction;
}

function foregroundOf(differences: readonly number[]): boolean[] {
  const largest = Math.max(...differences);
  return differences.map((difference) => 2 * difference > largest);
}

/** Mean colour and hues of the foreground. */
function coloursOf(cells: readonly number[][], foreground: readonly boolean[]): number[] {
  const sums = [0, 0, 0];
  const chromas = new Array<number>(HUES + 1).fill(0);
  let count = 0;
  for (const [cell, isForeground] of foreground.entries()) {
    if (!isForeground) continue;
    const [red, green, blue] = cells.map((levels) => levels[cell]!) as [number, number, number];
    for (const [channel, level] of [red, green, blue].entries()) sums[channel]! += level;
    count++;
    const largest = Math.max(red, green, blue);
    const chroma = largest - Math.min(red, green, blue);
    if (chroma < MIN_CHROMA) chromas[HUES]! += MIN_CHROMA;
    else chromas[hueOf(red, green, blue, largest, chroma)]! += chroma;
  }
  return [
    ...sums.map((sum) => partOf(sum, LEVELS * count)),
    ...chromas.map((chroma) => shareOf(chroma, sumOf(chromas))),
  ];
}

/** Twelfth of the circle of hues, red's first. */
function hueOf(red: number, green: number, blue: number, largest: number, chroma: number): number {
  const sixth =
    largest === red
      ? (6 * chroma + green - blue) % (6 * chroma)
      : largest === green
        ? 2 * chroma + blue - red
        : 4 * chroma + red - green;
  return Math.floor((2 * sixth) / chroma);
}

function boxOf(foreground: readonly boolean[]): number[] {
  const cells = foreground.flatMap((is, cell) =>
    is ? [[cell % SIDE, Math.floor(cell / SIDE)] as const] : [],
  );
  if (cells.length === 0) return new Array<number>(7).fill(0);
  const columns = cells.map(([x]) => x);
  const rows = cells.map(([, y]) => y);
  const [left, right] = [Math.min(...columns), Math.max(...columns)];
  const [upper, lower] = [Math.min(...rows), Math.max(...rows)];
  const [width, height] = [right - left + 1, lower - upper + 1];
  const among = (isIn: (x: number, y: number) => boolean) =>
    partOf(cells.filter(([x, y]) => isIn(x, y)).length, cells.length);
  return [
    partOf(cells.length, width * height),
    partOf(cells.length, SIDE ** 2),
    partOf(width, width + height),
    among((_, y) => 3 * (y - upper) < height),
    among((_, y) => 3 * (lower - y) < height),
    among((x) => 3 * (x - left) < width),
    among((x) => 3 * (right - x) < width),
  ];
}

/** Lengths of the directions' harmonics as parts of their sum. */
function harmonicsOf(directions: readonly number[]): number[] {
  const total = sumOf(directions);
  return Array.from({ length: HARMONICS }, (_, k) => {
    const part = (wave: (k: number) => number) =>
      Math.floor(sumOf(directions.map((length, b) => length * wave(2 * (k + 1) * b))) / 1_024);
    return Math.min(1_000, partOf(integerRoot(part(cosine) ** 2 + part(sine) ** 2), total));
  });
}

/** Steps of a cell's coverage, and units of a cell's side, so that sums of fourth powers are below 2^52. */
const STEPS = 16;
const UNITS = 16;

/**
 * Two numbers of how a shape lies around its centre, which place, size and rotation do not change. A cell's coverage c is its difference
 * in sixteenths, 0 up to a quarter of the largest one and 16 from three quarters; r is its distance from the centre, in sixteenths of a
 * cell; ⟨·⟩ is a mean by coverage, rounded down.
 * - Roundness: area ÷ (2π ⟨r²⟩), less the ⟨r²⟩ of a single cell, 256 ÷ 6. A disc has 1,000, a square 955, an equilateral triangle 827.
 * - Evenness: ⟨r²⟩² ÷ ⟨r⁴⟩. A ring has 1,000, a disc 750, a square 714, an equilateral triangle 625.
 */
function momentsOf(differences: readonly number[]): [roundness: number, evenness: number] {
  const largest = Math.max(...differences);
  if (largest === 0) return [0, 0];
  const coverage = differences.map((difference) =>
    Math.max(
      0,
      Math.min(STEPS, Math.floor((4 * STEPS * difference - STEPS * largest + largest) / (2 * largest))),
    ),
  );
  const total = sumOf(coverage);
  const meanOf = (values: (cell: number) => number) =>
    Math.floor(sumOf(coverage.map((steps, cell) => steps * values(cell))) / total);
  const x = (cell: number) => UNITS * (cell % SIDE);
  const y = (cell: number) => UNITS * Math.floor(cell / SIDE);
  const [centreX, centreY] = [meanOf(x), meanOf(y)];
  const squared = (cell: number) => (x(cell) - centreX) ** 2 + (y(cell) - centreY) ** 2;
  const [second, fourth] = [meanOf(squared), meanOf((cell) => squared(cell) ** 2)];
  const around = Math.max(1, 6 * second - UNITS ** 2);
  return [
    Math.min(1_000, Math.floor((6_000_000 * UNITS ** 2 * total) / (STEPS * 6_283 * around))),
    fourth === 0 ? 1_000 : Math.min(1_000, Math.floor((1_000 * second ** 2) / fourth)),
  ];
}
