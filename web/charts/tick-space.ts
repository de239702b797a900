/** Spacing of the ticks of a chart's axes. */

/** Gap between the words of two ticks of an axis, in pixels. draw-chart.ts spaces the ticks by it. */
const GAP_PX = 12;

/**
 * Pixels that an axis keeps between its ticks, so that no word runs into the next.
 * @param xs all that may have a tick
 * @param widthOf a word's, in pixels
 */
export function tickSpacePx(
  minPx: number,
  xs: readonly number[],
  showX: (x: number) => string,
  widthOf: (word: string) => number,
): number {
  const ends = xs.length === 0 ? [] : [xs[0]!, xs.at(-1)!];
  return Math.max(minPx, ...ends.map((x) => widthOf(showX(x)) + GAP_PX));
}
