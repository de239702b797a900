/** Spellings by which programs write a missing value: R's NA, NumPy's NaN, SQL's NULL, a spreadsheet's #N/A, SAS's point, people's dashes. */

/** Spellings that are seldom written for anything else, also among names. */
const USUAL_SPELLINGS: ReadonlySet<string> = new Set([
  "na",
  "n/a",
  "#n/a",
  "<na>",
  "nan",
  "-nan",
  "null",
  "\\n",
  "nat",
  "-",
  "--",
  "–",
  "—",
  ".",
  "?",
]);
const SPELLINGS: ReadonlySet<string> = new Set([...USUAL_SPELLINGS, "none", "nil", ""]);

/** True for a text that stands for a missing value among numbers. Among names it may be one: NA is a continent. */
export const isMissingSpelling = (text: string): boolean => SPELLINGS.has(text.trim().toLowerCase());

/** True for a spelling that may well be a missing value among names and texts too, in a file that has no null. "None" is often an answer. */
export const isUsualSpelling = (text: string): boolean => USUAL_SPELLINGS.has(text.trim().toLowerCase());
