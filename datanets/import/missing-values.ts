/** Spellings by which programs write a missing value: R's NA, NumPy's NaN, SQL's NULL, a spreadsheet's #N/A, SAS's point, people's dashes. */

const SPELLINGS: ReadonlySet<string> = new Set([
  "na",
  "n/a",
  "#n/a",
  "<na>",
  "nan",
  "-nan",
  "null",
  "none",
  "nil",
  "nat",
  "-",
  "--",
  "–",
  "—",
  ".",
  "?",
  "",
]);

/** True for a text that stands for a missing value among numbers. Among names it may be one: NA is a continent. */
export const isMissingSpelling = (text: string): boolean => SPELLINGS.has(text.trim().toLowerCase());
