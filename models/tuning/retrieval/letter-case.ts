/**
 * Small letters for capital ones of Latin, Greek, Cyrillic and Armenian, by arithmetic on code points: engines have different
 * versions of Unicode's tables, and what rows are found has to be the same everywhere.
 */

/** Ranges of capitals, first and last, whose small letters are a fixed distance behind them. */
const SHIFTED: readonly (readonly [number, number, number])[] = [
  [0x41, 0x5a, 32],
  [0xc0, 0xd6, 32],
  [0xd8, 0xde, 32],
  [0x178, 0x178, -121],
  [0x386, 0x386, 38],
  [0x388, 0x38a, 37],
  [0x38c, 0x38c, 64],
  [0x38e, 0x38f, 63],
  [0x391, 0x3a1, 32],
  [0x3a3, 0x3ab, 32],
  [0x400, 0x40f, 80],
  [0x410, 0x42f, 32],
  [0x531, 0x556, 48],
];
/** Ranges in which each capital stands before its small letter, beginning with a capital. */
const PAIRED: readonly (readonly [number, number])[] = [
  [0x100, 0x12f],
  [0x132, 0x137],
  [0x139, 0x148],
  [0x14a, 0x177],
  [0x179, 0x17e],
  [0x460, 0x481],
  [0x48a, 0x4bf],
  [0x4d0, 0x52f],
  [0x1e00, 0x1e95],
  [0x1ea0, 0x1eff],
];
const DOTTED_I = 0x130;
const SMALL_I = 0x69;
const FINAL_SIGMA = 0x3c2;
const SIGMA = 0x3c3;

/** Code point of the small letter; any other is itself. */
export function smallLetter(point: number): number {
  if (point < 0x41) return point;
  if (point === DOTTED_I) return SMALL_I;
  if (point === FINAL_SIGMA) return SIGMA;
  for (const [first, last, distance] of SHIFTED) if (point >= first && point <= last) return point + distance;
  for (const [first, last] of PAIRED)
    if (point >= first && point <= last) return (point - first) % 2 === 0 ? point + 1 : point;
  return point;
}

export const isCapital = (point: number): boolean => point !== FINAL_SIGMA && smallLetter(point) !== point;
