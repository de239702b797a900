/** Dates as people and spreadsheets write them, and the days since 1970-01-01 that a table's number holds for them (proleptic Gregorian). */

/** Order of a date's parts. */
export type DateOrder = "year-first" | "day-first" | "month-first";

/** Part of a date that a number holds. */
export type DatePart = "days" | "month" | "weekday";

interface CalendarDate {
  readonly year: number;
  readonly month: number;
  readonly day: number;
}

/** Midnight, which libraries write behind a date that they hold as a moment. */
const MIDNIGHT = /[T ]00:00(?::00(?:\.0+)?)?$/;
const YEAR_FIRST = /^(\d{4}|[-+]\d{6})([-/.])(\d{1,2})\2(\d{1,2})$/;
const YEAR_LAST = /^(\d{1,2})([-/.])(\d{1,2})\2(\d{4})$/;

const DAYS_OF_MONTH = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
const isLeap = (year: number) => (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0;

function calendarDate(year: number, month: number, day: number): CalendarDate | null {
  const last = month === 2 && isLeap(year) ? 29 : DAYS_OF_MONTH[month - 1];
  return last === undefined || day < 1 || day > last ? null : { year, month, day };
}

function parseDate(text: string, order: DateOrder): CalendarDate | null {
  const whole = text.trim().replace(MIDNIGHT, "");
  if (order === "year-first") {
    const parts = YEAR_FIRST.exec(whole);
    return parts === null ? null : calendarDate(Number(parts[1]), Number(parts[3]), Number(parts[4]));
  }
  const parts = YEAR_LAST.exec(whole);
  if (parts === null) return null;
  const [day, month] = order === "day-first" ? [parts[1], parts[3]] : [parts[3], parts[1]];
  return calendarDate(Number(parts[4]), Number(month), Number(day));
}

const ORDERS: readonly DateOrder[] = ["year-first", "day-first", "month-first"];

/** How a column of dates may be read. */
export interface DateColumn {
  /** Orders by which each text is a date: two where no day is above 12. */
  readonly orders: readonly [DateOrder, ...DateOrder[]];
  readonly count: number;
  readonly first: string;
  /** Texts that the orders disagree about, and the first of them. */
  readonly unclearCount: number;
  readonly unclear: string | null;
}

/** Looks at all texts of a column, without missing ones; null if they are no dates of one order. */
export function dateColumn(texts: readonly string[]): DateColumn | null {
  const different = new Set(texts);
  if (different.size === 0) return null;
  const fitting = ORDERS.filter((order) => {
    for (const text of different) if (parseDate(text, order) === null) return false;
    return true;
  });
  const [first, second] = fitting;
  if (first === undefined) return null;
  const unclear = (text: string) =>
    second !== undefined && readDate(text, first, "days") !== readDate(text, second, "days");
  const unclearCount = texts.filter(unclear).length;
  // The same days by both orders: 05/05/2024.
  const orders = unclearCount === 0 ? ([first] as const) : ([first, ...fitting.slice(1)] as const);
  return {
    orders,
    count: texts.length,
    first: texts[0]!,
    unclearCount,
    unclear: texts.find(unclear) ?? null,
  };
}

/** Number of a date's part; null if the text is no date of this order. Weekdays are those of ISO 8601: Monday is 1. */
export function readDate(text: string, order: DateOrder, part: DatePart): number | null {
  const date = parseDate(text, order);
  if (date === null) return null;
  const days = daysOf(date);
  switch (part) {
    case "days":
      return days;
    case "month":
      return date.month;
    case "weekday":
      return ((((days + 3) % 7) + 7) % 7) + 1;
    default:
      return part satisfies never;
  }
}

/** Days since 1970-01-01. Source: H. Hinnant, chrono-compatible low-level date algorithms, days_from_civil. */
function daysOf({ day, month, year }: CalendarDate): number {
  const shifted = month <= 2 ? year - 1 : year;
  const era = Math.floor(shifted / 400);
  const yearOfEra = shifted - era * 400;
  const dayOfYear = Math.floor((153 * (month + (month > 2 ? -3 : 9)) + 2) / 5) + day - 1;
  const dayOfEra = yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear;
  return era * 146_097 + dayOfEra - 719_468;
}

/** Date of a number of days since 1970-01-01, of any year: "2021-08-02", "+010000-01-01". Source: as `daysOf`, civil_from_days. */
export function isoDate(days: number): string {
  const shifted = days + 719_468;
  const era = Math.floor(shifted / 146_097);
  const dayOfEra = shifted - era * 146_097;
  const yearOfEra = Math.floor(
    (dayOfEra -
      Math.floor(dayOfEra / 1_460) +
      Math.floor(dayOfEra / 36_524) -
      Math.floor(dayOfEra / 146_096)) /
      365,
  );
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const part = Math.floor((5 * dayOfYear + 2) / 153);
  const month = part < 10 ? part + 3 : part - 9;
  const year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0);
  const digits = String(Math.abs(year));
  const written =
    year >= 0 && year <= 9_999
      ? digits.padStart(4, "0")
      : `${year < 0 ? "-" : "+"}${digits.padStart(6, "0")}`;
  const two = (value: number) => String(value).padStart(2, "0");
  return `${written}-${two(month)}-${two(dayOfYear - Math.floor((153 * part + 2) / 5) + 1)}`;
}
