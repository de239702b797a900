/** Kind of jobs for tests of the job queue: doubles a number. */
import { z } from "zod";

/** Jobs of tests: a number, and twice as much. */
export const DOUBLING = {
  name: "double",
  task: z.strictObject({ n: z.number() }),
  answer: z.strictObject({ twice: z.number() }),
  progress: z.strictObject({ percent: z.number() }),
};
