/** Filter of rows by a field of a table, as pages and commands write it and hosts read it. */
import { z } from "zod";

/** Maximum filters of a search. */
export const MAX_FIELD_FILTERS = 8;

/** A category or a boolean that is so, a number from and to, both included, or a missing value. */
export const fieldFilterSchema = z.union([
  z.strictObject({ field: z.string(), is: z.union([z.string(), z.boolean()]) }),
  z.strictObject({ field: z.string(), isMissing: z.literal(true) }),
  z.strictObject({ field: z.string(), from: z.number().optional(), to: z.number().optional() }),
]);
export type FieldFilter = z.output<typeof fieldFilterSchema>;
