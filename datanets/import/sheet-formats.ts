/**
 * Number formats of a spreadsheet's cells: which of them show a date, a percentage or leading zeros, and the value as it is shown. Source:
 * ECMA-376 part 1, sections 18.8.30 and 18.17.4.
 */
import { isoDate } from "./date-forms.ts";

export type SheetFormat = "number" | "date" | "moment" | "time" | "percent" | { readonly zeros: number };

/** Formats that have a number and no text in the file. Those from 27 on are of East Asian programs. */
const BUILT_IN: readonly (readonly [from: number, to: number, format: SheetFormat])[] = [
  [9, 10, "percent"],
  [14, 17, "date"],
  [18, 21, "time"],
  [22, 22, "moment"],
  [27, 31, "date"],
  [32, 35, "time"],
  [36, 36, "date"],
  [45, 47, "time"],
  [50, 58, "date"],
];

/** Format by its number and text; the text is absent for those that every program knows. */
export function sheetFormat(id: number, code: string | undefined): SheetFormat {
  if (code === undefined) return BUILT_IN.find(([from, to]) => id >= from && id <= to)?.[2] ?? "number";
  // Of several sections the first is that of positive numbers; text in quotes, escapes, colours and locales show no value.
  const [first = ""] = code.replace(/"[^"]*"|\\.|_.|\*./g, "").split(";");
  const hasElapsed = /\[(h+|m+|s+)\]/i.test(first);
  const shown = first.replace(/\[[^\]]*\]/g, "").replace(/general/gi, "");
  const hasTime = hasElapsed || /[hs]|am\/pm/i.test(shown);
  const hasDate = !hasElapsed && (/[yd]/i.test(shown) || (/m/i.test(shown) && !hasTime));
  if (hasDate) return hasTime ? "moment" : "date";
  if (hasTime) return "time";
  if (shown.includes("%")) return "percent";
  return /^0{2,}$/.test(shown) ? { zeros: shown.length } : "number";
}

const DAY_MS = 86_400_000;
/** Days from the first day of a workbook to 1970-01-01. */
const EPOCH = { 1900: 25_569, 1904: 24_107 } as const;
/** Day of the calendar of 1900 that was none: 1900-02-29. */
const NO_DAY = 60;

/**
 * Text of a date or time as ISO 8601 writes it; null for a value that is none. Milliseconds are the finest unit.
 * @param value days since the workbook's first day
 */
export function isoOfSerial(
  value: number,
  format: "date" | "moment" | "time",
  is1904: boolean,
): string | null {
  const total = Math.round(value * DAY_MS);
  if (!Number.isSafeInteger(total) || value < 0) return null;
  const days = Math.floor(total / DAY_MS);
  const time = timeOf(format === "time" ? total : total - days * DAY_MS);
  if (format === "time") return time;
  if (!is1904 && (days === NO_DAY || days === 0)) return null;
  // Days before the one that was none are counted from another first day.
  const shift = !is1904 && days < NO_DAY ? 1 : 0;
  const date = isoDate(days + shift - EPOCH[is1904 ? 1904 : 1900]);
  return format === "date" ? date : `${date}T${time}`;
}

/** "07:30:00", "37:30:00" of a duration, "07:30:00.5". */
function timeOf(ms: number): string {
  const two = (value: number) => String(value).padStart(2, "0");
  const fraction = String(ms % 1_000)
    .padStart(3, "0")
    .replace(/0+$/, "");
  const seconds = Math.floor(ms / 1_000);
  const text = `${two(Math.floor(seconds / 3_600))}:${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}`;
  return fraction === "" ? text : `${text}.${fraction}`;
}

/** A number times a hundred with a percent sign, with all digits: 0.125 is "12.5%". */
export function percentOf(value: number): string {
  const [, sign = "", whole = "", fraction = "", exponent = "0"] =
    /^(-?)(\d+)(?:\.(\d+))?(?:e([+-]?\d+))?$/.exec(String(value))!;
  const digits = whole + fraction;
  const point = whole.length + Number(exponent) + 2;
  const padded = point <= 0 ? "0".repeat(1 - point) + digits : digits.padEnd(point, "0");
  const at = Math.max(point, 1);
  const head = padded.slice(0, at).replace(/^0+(?=\d)/, "");
  const tail = padded.slice(at).replace(/0+$/, "");
  return `${sign}${head}${tail === "" ? "" : `.${tail}`}%`;
}
