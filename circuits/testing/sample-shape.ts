import type { BatchShape } from "../protocol.ts";
import { postedShape } from "../table/table-shape.ts";

/**
 * Sample shape with as many slots as a domain of 2^18 takes: the circuit whose size the tests count. No
 * rollup has to have it.
 */
export const SAMPLE_SHAPE: BatchShape = postedShape({
  transfers: 10,
  members: 6,
  wide: 5,
  rows: 20,
  units: 6,
  low: 1,
  top: 2,
});

/** Shape for an operator's own prover. Ids below 262,144 have a position in the table. */
export const PRODUCTION_SHAPE: BatchShape = postedShape({
  transfers: 48,
  members: 16,
  wide: 8,
  rows: 96,
  units: 8,
  low: 4,
  top: 2,
});

/**
 * Shape with this many slots, for tests that do not depend on the table's other sizes. Ids below 512 have a
 * place in the table. @param narrow even, 2 at least
 */
export const shapeOf = (narrow: number, wide: number): BatchShape => ({
  narrow,
  wide,
  table: { members: narrow > 2 ? 2 : 1, rows: 8, units: 2, low: 2, top: 1 },
});
