/**
 * Numbers as people and spreadsheets write them: decimal and grouping marks, signs, percent and currency. The marks of a column follow
 * from all its values: a pair of marks fits if each value is a number by it, and where pairs that fit disagree about a value, the column
 * admits several readings. Values are exact decimals; nothing becomes a binary number here.
 */

/** Marks of a column's numbers. */
export interface NumberMarks {
  readonly decimal: "." | ",";
  /** Mark between groups of digits; empty if there is none. */
  readonly grouping: "" | "." | "," | " " | "'";
}

/** Pairs of marks, the usual of programs first. */
const MARKS: readonly NumberMarks[] = [
  { decimal: ".", grouping: "" },
  { decimal: ",", grouping: "" },
  { decimal: ".", grouping: "," },
  { decimal: ",", grouping: "." },
  { decimal: ".", grouping: " " },
  { decimal: ",", grouping: " " },
  { decimal: ".", grouping: "'" },
  { decimal: ",", grouping: "'" },
];

/** A text that may be a number, without what stands around its digits. */
interface Numberlike {
  readonly isNegative: boolean;
  /** Digits with their marks and exponent. */
  readonly core: string;
  /** Currency sign or code, upper case; empty for none. */
  readonly currency: string;
  readonly isPercent: boolean;
}

const CURRENCY = /(?:\p{Sc}|US\$|CHF|EUR|USD|GBP|JPY|SEK|NOK|DKK|PLN|CZK|Kr\.?|zł)/u.source;
const BEFORE = new RegExp(`^([-+−]?)\\s*(${CURRENCY})?\\s*([-+−]?)\\s*`, "iu");
const AFTER = new RegExp(`\\s*(${CURRENCY}|%|‰)?$`, "iu");
const MARKED_DIGITS = /^(?=.*\d)[\d.,'’ \u00a0\u202f]*(?:[eE][+-]?\d+)?$/;

/** Numbers as JSON writes them, which need no marks to be told. */
const PLAIN = /^-?(0|[1-9]\d*)(\.\d+)?([eE][-+]?\d+)?$/;

/** Numbers as everybody writes them: of others it is said how they are read. */
const USUAL = /^-?(0|[1-9]\d*)(\.\d+)?$/;

/** Maximum characters of a number: longer texts are none. */
const MAX_CHARACTERS = 100;
/** Letters of a word: currencies have three at most. */
const WORD = /\p{L}{4}/u;

function numberlike(text: string): Numberlike | null {
  // As books have them: a negative number stands in parentheses.
  const [, inner] = /^\s*\(([^()]*)\)\s*$/.exec(text) ?? [];
  if (inner === undefined) return signedNumber(text);
  const found = signedNumber(inner);
  return found === null || /[-+−]/.test(inner) ? null : { ...found, isNegative: true };
}

function signedNumber(text: string): Numberlike | null {
  if (text.length > MAX_CHARACTERS) return null;
  const whole = text.trim();
  if (PLAIN.test(whole)) {
    const isNegative = whole.startsWith("-");
    return { isNegative, core: isNegative ? whole.slice(1) : whole, currency: "", isPercent: false };
  }
  if (!/\d/.test(whole) || WORD.test(whole)) return null;
  const [before = "", first = "", prefix = "", second = ""] = BEFORE.exec(whole) ?? [];
  if (first !== "" && second !== "") return null;
  const rest = whole.slice(before.length);
  const [after = "", suffix = ""] = AFTER.exec(rest) ?? [];
  const core = rest.slice(0, rest.length - after.length);
  if (!MARKED_DIGITS.test(core) || suffix === "‰" || (prefix !== "" && suffix !== "")) return null;
  const isPercent = suffix === "%";
  const sign = first + second;
  return {
    isNegative: sign === "-" || sign === "−",
    core: core.replace(/[\u00a0\u202f]/g, " ").replaceAll("’", "'"),
    currency: (isPercent ? prefix : prefix + suffix).toUpperCase(),
    isPercent,
  };
}

const escaped = (mark: string) => mark.replace(".", "\\.");
const PATTERNS = new Map(
  MARKS.map((marks) => {
    const { decimal, grouping } = marks;
    const group = escaped(grouping);
    const whole = ["0", "[1-9]\\d*"];
    // India groups by two before the last three.
    if (grouping !== "")
      whole.push(`[1-9]\\d{0,2}(?:${group}\\d{3})+`, `[1-9]\\d?(?:${group}\\d{2})+${group}\\d{3}`);
    const mark = escaped(decimal);
    const body = `(?:(?:${whole.join("|")})(?:${mark}\\d*)?|${mark}\\d+)(?:[eE][+-]?\\d+)?`;
    return [marks, new RegExp(`^${body}$`)] as const;
  }),
);

/** Number as JSON writes it, with all digits: "-1234.50"; null if the text is none by the marks. */
function exactDigits({ core, isNegative }: Numberlike, marks: NumberMarks): string | null {
  if (!PATTERNS.get(marks)!.test(core)) return null;
  const [mantissa = "", exponent = ""] = core.split(/(?=[eE])/);
  const plain = marks.grouping === "" ? mantissa : mantissa.replaceAll(marks.grouping, "");
  const [whole = "", fraction = ""] = plain.split(marks.decimal);
  const digits = `${whole === "" ? "0" : whole}${fraction === "" ? "" : `.${fraction}`}${exponent}`;
  return isNegative ? `-${digits}` : digits;
}

/** Currency and percent sign around the digits of a column's numbers. */
interface Surroundings {
  readonly currency: string;
  readonly isPercent: boolean;
}

/** Result of a look at all texts of a column, of one file. */
export interface NumberColumn {
  /** Marks that the most texts fit, the usual of programs first. Pairs that give each text the same number are one. */
  readonly readings: readonly NumberMarks[];
  /** Texts that are numbers by the first of the readings. */
  readonly numberCount: number;
  /** Texts that are none by it. */
  readonly otherCount: number;
  /** Texts whose number the readings disagree about, and the first of them. */
  readonly unclearCount: number;
  readonly unclear: string | null;
  /** Texts with a sign, a unit or marks that not everybody writes, or with an exponent, and the first of them. */
  readonly unusualCount: number;
  readonly unusual: string | null;
  readonly surroundings: Surroundings;
  /** True if a text shows the decimal mark, and no other pair of marks gives another mark. */
  readonly shownDecimal: "." | "," | null;
}

/** A text of a column with the number of cells that have it. */
interface CountedText {
  readonly text: string;
  readonly like: Numberlike | null;
  count: number;
}

/** Looks at all texts of a column that are no missing values; null if none is a number. */
export function numberColumn(texts: readonly string[]): NumberColumn | null {
  const byText = new Map<string, CountedText>();
  for (const text of texts) {
    const known = byText.get(text);
    if (known === undefined) byText.set(text, { text, like: numberlike(text), count: 1 });
    else known.count++;
  }
  const surroundings = surroundingsOf(byText.values());
  const numbers = [...byText.values()].flatMap(({ count, like, text }) =>
    like !== null && fits(like, surroundings) ? [{ text, like, count }] : [],
  );
  const counts = new Map(
    MARKS.map((marks) => {
      const own = numbers.filter(({ like }) => PATTERNS.get(marks)!.test(like.core));
      return [marks, own.reduce((sum, { count }) => sum + count, 0)];
    }),
  );
  const best = Math.max(...counts.values());
  if (best === 0) return null;
  const fitting = MARKS.filter((marks) => counts.get(marks) === best);
  const readings = distinctReadings(
    fitting,
    numbers.map(({ like }) => like),
  );
  const [first] = readings as [NumberMarks, ...NumberMarks[]];
  const unclear = { count: 0, text: null as string | null };
  const unusual = { count: 0, text: null as string | null };
  for (const { count, like, text } of numbers) {
    const digits = exactDigits(like, first);
    if (digits === null) continue;
    if (!USUAL.test(text)) {
      unusual.count += count;
      unusual.text ??= text;
    }
    if (readings.some((marks) => exactDigits(like, marks) !== digits)) {
      unclear.count += count;
      unclear.text ??= text;
    }
  }
  const decimals = new Set(fitting.map(({ decimal }) => decimal));
  return {
    ...{ readings, surroundings },
    ...{ unclearCount: unclear.count, unclear: unclear.text },
    ...{ unusualCount: unusual.count, unusual: unusual.text },
    numberCount: best,
    otherCount: texts.length - best,
    shownDecimal: decimals.size === 1 ? first.decimal : null,
  };
}

/** Currency and percent sign that most numbers have. */
function surroundingsOf(texts: Iterable<CountedText>): Surroundings {
  const counts = new Map<string, { readonly like: Surroundings; count: number }>();
  for (const { count, like } of texts) {
    if (like === null || isZero(like)) continue;
    const key = `${like.isPercent} ${like.currency}`;
    const known = counts.get(key);
    if (known === undefined) counts.set(key, { like, count });
    else known.count += count;
  }
  const [most] = [...counts.values()].sort((a, b) => b.count - a.count);
  return { currency: most?.like.currency ?? "", isPercent: most?.like.isPercent ?? false };
}

const isZero = ({ core }: Numberlike) => !/[1-9]/.test(core.replace(/[eE].*$/, ""));

/** True for a number of the column's unit; nothing has none, so a zero needs no sign. */
const fits = (like: Numberlike, { currency, isPercent }: Surroundings) =>
  isZero(like)
    ? like.currency === "" || currency === "" || like.currency === currency
    : like.currency === currency && like.isPercent === isPercent;

/** One pair of marks for each way to read all numbers. */
function distinctReadings(fitting: readonly NumberMarks[], numbers: readonly Numberlike[]): NumberMarks[] {
  const marked = numbers.filter(({ core }) => /[.,' ]/.test(core));
  const different: NumberMarks[] = [];
  for (const marks of fitting) {
    const isKnown = different.some((other) =>
      marked.every((like) => exactDigits(like, marks) === exactDigits(like, other)),
    );
    if (!isKnown) different.push(marks);
  }
  return different;
}

/** How one column of a file is read as numbers. */
export interface NumberReading extends NumberMarks {
  readonly surroundings: Surroundings;
  /** True for percent that are read as hundredths: 12 % is 0.12. */
  readonly isHundredths: boolean;
}

/** Reads a text as a number of a column: JSON's digits; null if it is none. */
export function readDigits(text: string, reading: NumberReading): string | null {
  const like = numberlike(text);
  if (like === null || !fits(like, reading.surroundings)) return null;
  const marks = MARKS.find(
    ({ decimal, grouping }) => decimal === reading.decimal && grouping === reading.grouping,
  )!;
  const digits = exactDigits(like, marks);
  return digits === null || !reading.isHundredths || !like.isPercent ? digits : hundredthOf(digits);
}

/** Moves the decimal point of JSON's digits by two places. */
function hundredthOf(digits: string): string {
  const [, sign = "", whole = "", fraction = "", exponent = ""] = /^(-?)(\d+)(?:\.(\d+))?((?:[eE].*)?)$/.exec(
    digits,
  )!;
  const padded = whole.padStart(3, "0");
  const moved = `${padded.slice(0, -2).replace(/^0+(?=\d)/, "")}.${padded.slice(-2)}${fraction}`.replace(
    /\.?0+$/,
    "",
  );
  return `${sign}${moved}${exponent}`;
}
