/**
 * Schemas of numbers in addresses and queries of HTTP: decimal digits, bounded before they are read. Routes of
 * all servers parse by them.
 */
import { z } from "zod";

/** Schema of a number of at most 13 digits, which a double holds exactly. */
export const countFromText = z
  .string()
  .regex(/^[0-9]{1,13}$/, "is not a number")
  .transform(Number);

/** Schema of the number of requested list items: 1 to `max`. */
export const limit = (max: number, fallback: number) =>
  countFromText
    .refine((value) => value >= 1 && value <= max, `is not between 1 and ${max}`)
    .default(fallback);

/** Schema of 1 to `max` numbers of at most eight digits, with commas between them. */
export const countsFromText = (max: number) =>
  z
    .string()
    .regex(new RegExp(`^[0-9]{1,8}(,[0-9]{1,8}){0,${max - 1}}$`), `is not 1 to ${max} numbers`)
    .transform((text) => text.split(",").map(Number));
