import fc from "fast-check";
import { expect, it } from "vitest";
import { scrollTo, visibleRange } from "./visible-range.ts";

const view = { beyond: 4, count: 1_000, rowPx: 40, viewPx: 400, scrollPx: 0 };

it("makes the rows that are seen and a few more, at their places", () => {
  expect(visibleRange(view)).toEqual({ boxPx: 40_000, first: 0, end: 14, topPx: 0 });
  expect(visibleRange({ ...view, scrollPx: 20_000 })).toEqual({
    boxPx: 40_000,
    first: 496,
    end: 514,
    topPx: 19_840,
  });
  expect(visibleRange({ ...view, count: 3 })).toMatchObject({ boxPx: 120, first: 0, end: 3 });
  expect(visibleRange({ ...view, count: 0 })).toMatchObject({ boxPx: 0, first: 0, end: 0 });
});

it("compresses the scroll bar of a longer list than browsers lay out, and leaves out no row", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 20_000_000 }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      (count, part) => {
        const { boxPx } = visibleRange({ ...view, count });
        expect(boxPx).toBeLessThanOrEqual(8_000_000);
        const scrollPx = part * Math.max(0, boxPx - view.viewPx);
        const { end, first, topPx } = visibleRange({ ...view, count, scrollPx });
        // What is seen is covered, from its first pixel to its last one.
        expect(topPx).toBeLessThanOrEqual(scrollPx + 1e-6);
        const bottomPx = topPx + (end - first) * view.rowPx;
        expect(bottomPx + 1e-6).toBeGreaterThanOrEqual(Math.min(scrollPx + view.viewPx, count * view.rowPx));
      },
    ),
  );
  const last = visibleRange({ ...view, count: 5_000_000, scrollPx: 8_000_000 });
  expect(last.end).toBe(5_000_000);
});

it("scrolls no further than a row needs to be seen", () => {
  expect(scrollTo(3, view)).toBe(0);
  expect(scrollTo(10, view)).toBe(40);
  expect(scrollTo(10, { ...view, scrollPx: 2_000 })).toBe(400);
});
