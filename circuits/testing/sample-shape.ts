import type { BatchShape } from "../protocol.ts";

/** As many slots as a domain of 2^18 takes: the circuit whose size the tests count. No rollup has to have it. */
export const SAMPLE_SHAPE: BatchShape = { narrow: 8, wide: 4 };
