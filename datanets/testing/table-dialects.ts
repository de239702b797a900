/** Ways in which programs write a table: separators, quotes, marks of numbers, missing values, encodings and indices. Tests of readers write random tables by them. */
import type { TestRandom } from "@openledger/foundation/testing/test-random";

/** Value of a number: its digits before and behind the point, as a spreadsheet shows them. */
export interface WrittenNumber {
  readonly isNegative: boolean;
  readonly whole: string;
  readonly fraction: string;
}

export type WrittenCell = WrittenNumber | string | null;

export interface WrittenColumn {
  readonly name: string;
  readonly type: "number" | "category" | "text";
  readonly cells: readonly WrittenCell[];
}

export interface Dialect {
  readonly name: string;
  readonly separator: "," | ";" | "\t" | "|";
  readonly decimal: "." | ",";
  readonly grouping: string;
  readonly missing: string;
  /** Quotes around each text, or where a field needs them. */
  readonly quotes: "texts" | "needed";
  readonly index: "none" | "from 0" | "from 1";
  readonly newline: "\n" | "\r\n";
  readonly encoding: "utf8" | "utf8 with a mark" | "windows-1252";
  readonly hasNames: boolean;
  /** Text behind each number: " %", " €". */
  readonly unit: string;
}

const PANDAS: Dialect = {
  name: "pandas to_csv",
  separator: ",",
  decimal: ".",
  grouping: "",
  missing: "",
  quotes: "needed",
  index: "from 0",
  newline: "\n",
  encoding: "utf8",
  hasNames: true,
  unit: "",
};

export const DIALECTS: readonly Dialect[] = [
  PANDAS,
  { ...PANDAS, name: "pandas with NA, without index", missing: "NA", index: "none" },
  { ...PANDAS, name: "R write.csv", missing: "NA", quotes: "texts", index: "from 1" },
  {
    ...PANDAS,
    name: "German Excel with grouping",
    ...{ separator: ";", decimal: ",", grouping: ".", index: "none", newline: "\r\n" },
    encoding: "utf8 with a mark",
  },
  {
    ...PANDAS,
    name: "German Excel, plain, Windows-1252",
    ...{ separator: ";", decimal: ",", index: "none", newline: "\r\n", encoding: "windows-1252" },
  },
  {
    ...PANDAS,
    name: "English Excel with grouping",
    ...{ grouping: ",", index: "none", newline: "\r\n", encoding: "utf8 with a mark" },
  },
  { ...PANDAS, name: "Swiss", separator: ";", grouping: "’", index: "none" },
  {
    ...PANDAS,
    name: "French",
    separator: ";",
    decimal: ",",
    grouping: "\u202f",
    index: "none",
    missing: "-",
  },
  { ...PANDAS, name: "SQL to TSV", separator: "\t", missing: "NULL", index: "none" },
  { ...PANDAS, name: "bars without names", separator: "|", index: "none", hasNames: false },
  { ...PANDAS, name: "euros", separator: ";", decimal: ",", grouping: ".", index: "none", unit: " €" },
  { ...PANDAS, name: "Google Sheets in German", decimal: ",", grouping: ".", index: "none" },
];

/** Number as text, by a dialect. */
export function writeNumber({ fraction, isNegative, whole }: WrittenNumber, dialect: Dialect): string {
  const grouped = dialect.grouping === "" ? whole : whole.replace(/\B(?=(\d{3})+$)/g, dialect.grouping);
  const digits = fraction === "" ? grouped : `${grouped}${dialect.decimal}${fraction}`;
  return `${isNegative ? "-" : ""}${digits}${dialect.unit}`;
}

/** Number that a person means by what is written. */
export const numberOf = ({ fraction, isNegative, whole }: WrittenNumber): number =>
  Number(`${isNegative ? "-" : ""}${whole}.${fraction === "" ? "0" : fraction}`);

/** Bytes of a table. */
export function writeTable(columns: readonly WrittenColumn[], dialect: Dialect): Uint8Array {
  const { encoding, hasNames, index, missing, newline, quotes, separator } = dialect;
  const quoted = (text: string, isText: boolean) => {
    const isNeeded = text.includes(separator) || /["\r\n]/.test(text) || (isText && quotes === "texts");
    return isNeeded ? `"${text.replaceAll('"', '""')}"` : text;
  };
  const written = (cell: WrittenCell) => {
    if (cell === null) return missing;
    return typeof cell === "string" ? quoted(cell, true) : quoted(writeNumber(cell, dialect), false);
  };
  const rowCount = columns[0]!.cells.length;
  const names = columns.map(({ name }) => quoted(name, true));
  const indexName = quotes === "texts" ? '""' : "";
  const lines = Array.from({ length: rowCount }, (_, row) => {
    const cells = columns.map(({ cells: all }) => written(all[row]!));
    return index === "none" ? cells : [quoted(String(index === "from 0" ? row : row + 1), true), ...cells];
  });
  const head = index === "none" ? names : [indexName, ...names];
  const text = (hasNames ? [head, ...lines] : lines).map((line) => line.join(separator) + newline).join("");
  if (encoding === "windows-1252") return Uint8Array.from(Buffer.from(text, "latin1"));
  return new TextEncoder().encode(encoding === "utf8" ? text : `\ufeff${text}`);
}

const CITIES = ["Oslo", "Bergen", "Tromsø", "Århus", "Malmö"] as const;
const WORDS = [
  "rain",
  "sun, again",
  'a "storm"',
  "fog; then more",
  "line\nbreak",
  "wind | sea",
  "ice",
] as const;

/** Forms of numbers in one column: as a spreadsheet shows them, or without zeros at the end. */
const NUMBER_FORMS = ["small", "large", "one", "two", "three", "trimmed"] as const;

function randomNumber(random: TestRandom, form: (typeof NUMBER_FORMS)[number]): WrittenNumber {
  const size = random.pick([10, 1_000, 100_000, 10_000_000]);
  const whole = String(form === "small" ? random.below(100) : random.below(size));
  const places = { small: 0, large: 0, one: 1, two: 2, three: 3, trimmed: random.below(4) }[form];
  const all = Array.from({ length: places }, () => random.below(10)).join("");
  const fraction = form === "trimmed" ? all.replace(/0+$/, "") : all;
  const isZero = !/[1-9]/.test(whole + fraction);
  // A zero has no sign.
  return { isNegative: !isZero && random.below(5) === 0, whole, fraction };
}

/** A table of two to four columns with at least one of numbers, and two to thirty rows. */
export function randomTable(random: TestRandom): readonly WrittenColumn[] {
  const rowCount = 2 + random.below(29);
  const share = random.pick([0, 0, 0.1, 0.3]);
  const column = (name: string, type: WrittenColumn["type"], cell: (row: number) => WrittenCell) => ({
    ...{ name, type },
    cells: Array.from({ length: rowCount }, (_, row) => (random.next() < share ? null : cell(row))),
  });
  const numbers = Array.from({ length: 1 + random.below(2) }, (_, i) => {
    const form = random.pick(NUMBER_FORMS);
    return column(["amount", "weight"][i]!, "number", () => randomNumber(random, form));
  });
  const others = [
    column("city", "category", () => random.pick(CITIES)),
    column("note", "text", (row) => `${random.pick(WORDS)} ${row}`),
  ];
  return [...numbers, ...others.slice(0, 1 + random.below(2))];
}
