/** Reader of Parquet files: bytes stay bytes, whole numbers and moments keep all their digits, labels have their names. */
import { Numeral } from "@openledger/foundation/exact-json";
import type { SchemaTree } from "hyparquet";
import { type Cell, ClassLabel, LossyCell } from "./cell.ts";
import { isoDate } from "./date-forms.ts";
import type { Decisions } from "./decision.ts";
import type { FileRecord, ReadFile } from "./file-table.ts";
import type { ImportBudget } from "./import-file.ts";
import { unreadable } from "./refusal.ts";

/** @throws DNT_FILE_UNREADABLE for what is no Parquet file, or over a limit by its metadata */
export async function readParquet(
  content: Uint8Array,
  file: string,
  { budget, decisions }: { readonly budget: ImportBudget; readonly decisions: Decisions },
): Promise<ReadFile> {
  const { parquetMetadata, parquetReadObjects, parquetSchema } = await import("hyparquet");
  const work = async <Result>(run: () => Result | Promise<Result>): Promise<Result> => {
    try {
      return await run();
    } catch (cause) {
      throw unreadable({ file, line: 0 }, `it cannot be read as Parquet: ${(cause as Error).message}`, cause);
    }
  };
  const buffer = new Uint8Array(content).buffer;
  const metadata = await work(() => parquetMetadata(buffer));
  const { children } = await work(() => parquetSchema(metadata));
  const all = children.map(({ element }) => element.name);
  const twice = all.find((name, i) => all.indexOf(name) < i);
  if (twice !== undefined)
    throw unreadable({ file, line: 0, field: twice }, `two columns are named "${twice}": rename one`);
  budget.requireColumns(file, all.length);
  const keyValues = metadata.key_value_metadata ?? [];
  const rowCount = Number(metadata.num_rows);
  budget.takeRecords(file, rowCount);
  budget.takeBytes(file, uncompressedBytes(metadata.row_groups));
  const lossy = new Map(
    children.flatMap((column) => {
      const why = whyLossy(column);
      return why === null ? [] : [[column.element.name, new LossyCell(why)] as const];
    }),
  );
  const index = indexColumns(keyValues, all, { file, rowCount }, decisions);
  const columns = all.filter((name) => !index.has(name));
  const read = columns.filter((name) => !lossy.has(name));
  const exact = new Map(children.flatMap((column) => exactReader(column)));
  const { compressors } = await import("hyparquet-compressors");
  const rows =
    read.length === 0
      ? Array.from({ length: rowCount }, () => ({}) as Record<string, unknown>)
      : await work(() =>
          parquetReadObjects({
            file: buffer,
            metadata,
            compressors,
            columns: read,
            // The default makes text of bytes without a type, pictures too.
            utf8: false,
            geoparquet: false,
            parsers: PARSERS,
          }),
        );
  const classes = classNames(keyValues);
  const records = rows.map((row, i): FileRecord => {
    const values = columns.map((name) => {
      const raw = (row[name] ?? null) as Cell;
      const cell =
        lossy.get(name) ?? named(raw === null ? raw : (exact.get(name)?.(raw) ?? raw), classes.get(name));
      return [name, cell] as const;
    });
    return { file, line: i + 1, unit: "row", values: new Map(values) };
  });
  return { columns, records, refused: [], notices: [] };
}

function uncompressedBytes(
  groups: readonly { readonly columns: readonly { meta_data?: { total_uncompressed_size: bigint } }[] }[],
): number {
  let sum = 0;
  for (const { columns } of groups)
    for (const { meta_data: data } of columns) sum += Number(data?.total_uncompressed_size ?? 0n);
  return sum;
}

const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Decodes bytes as text. Other bytes are returned as they are, so that an error can name the row. */
function textOrBytes(bytes: Uint8Array): string | Uint8Array {
  try {
    return strict.decode(bytes);
  } catch {
    return bytes.slice();
  }
}

const SECONDS_A_DAY = 86_400n;
/** Numbers by which PostgreSQL and DuckDB write dates and moments that never come or always were. */
const INFINITE_DAYS = 2_147_483_647;
const INFINITE_UNITS = 9_223_372_036_854_775_807n;

/**
 * A moment in ISO 8601 with all its digits, of any year. The library's own cuts them, and rounds those before 1970 upwards.
 * @param zone "Z", or nothing for a time of an unknown zone
 */
function moment(units: bigint, { digits, zone }: { readonly digits: number; readonly zone: "Z" | "" }): Cell {
  if (units >= INFINITE_UNITS || units <= -INFINITE_UNITS) return new LossyCell("is an infinite moment");
  const unitsASecond = 10n ** BigInt(digits);
  const floor = (value: bigint, by: bigint) => (value - (((value % by) + by) % by)) / by;
  const allSeconds = floor(units, unitsASecond);
  const days = floor(allSeconds, SECONDS_A_DAY);
  const seconds = Number(allSeconds - days * SECONDS_A_DAY);
  const two = (value: number) => String(Math.floor(value)).padStart(2, "0");
  const time = `${two(seconds / 3_600)}:${two((seconds / 60) % 60)}:${two(seconds % 60)}`;
  const fraction = String(units - allSeconds * unitsASecond)
    .padStart(digits, "0")
    .replace(/0+$/, "");
  return `${isoDate(Number(days))}T${time}${fraction === "" ? "" : `.${fraction}`}${zone}`;
}

const PARSERS = {
  stringFromBytes: textOrBytes,
  // Its numbers would be rounded.
  jsonFromBytes: textOrBytes,
  timestampFromMilliseconds: (units: bigint) => moment(BigInt(units), { digits: 3, zone: "Z" }),
  timestampFromMicroseconds: (units: bigint) => moment(BigInt(units), { digits: 6, zone: "Z" }),
  timestampFromNanoseconds: (units: bigint) => moment(BigInt(units), { digits: 9, zone: "Z" }),
  dateFromDays: (days: number) =>
    Math.abs(days) >= INFINITE_DAYS ? new LossyCell("is an infinite date") : isoDate(days),
};

const UNIT_DIGITS = { MILLIS: 3, MICROS: 6, NANOS: 9 } as const;

/**
 * Takes the type from a column whose values the library would change, and returns how its stored values are read: decimals, and
 * moments of an unknown zone, which the library's parsers cannot tell from those of UTC.
 */
function exactReader({ children, element }: SchemaTree): [] | [readonly [string, (raw: Cell) => Cell]] {
  const { converted_type: converted, logical_type: logical } = element;
  if (children.length > 0) return [];
  const untyped = <Read>(read: Read): [readonly [string, Read]] => {
    delete element.logical_type;
    delete element.converted_type;
    return [[element.name, read]];
  };
  if (converted === "DECIMAL" || logical?.type === "DECIMAL") {
    const scale = (logical?.type === "DECIMAL" ? logical.scale : undefined) ?? element.scale ?? 0;
    return untyped((raw: Cell) => decimal(raw, scale));
  }
  if (logical?.type !== "TIMESTAMP" || logical.isAdjustedToUTC) return [];
  const digits = UNIT_DIGITS[logical.unit];
  return untyped((raw: Cell) => (typeof raw === "bigint" ? moment(raw, { digits, zone: "" }) : raw));
}

/** A decimal with all its digits. Source: Parquet's logical types, DECIMAL: an unscaled two's complement integer, big-endian in bytes. */
function decimal(raw: Cell, scale: number): Cell {
  let unscaled: bigint;
  if (typeof raw === "bigint" || typeof raw === "number") unscaled = BigInt(raw);
  else if (raw instanceof Uint8Array) {
    unscaled = 0n;
    for (const byte of raw) unscaled = unscaled * 256n + BigInt(byte);
    unscaled = BigInt.asIntN(8 * raw.length, unscaled);
  } else return raw;
  if (scale <= 0) return new Numeral(String(unscaled));
  const sign = unscaled < 0n ? "-" : "";
  const digits = String(unscaled < 0n ? -unscaled : unscaled).padStart(scale + 1, "0");
  return new Numeral(`${sign}${digits.slice(0, -scale)}.${digits.slice(-scale)}`);
}

/** Index of a data frame that has no name, by the file's own metadata of pandas: it numbers the rows. */
function indexColumns(
  metadata: KeyValues,
  columns: readonly string[],
  { file, rowCount }: { readonly file: string; readonly rowCount: number },
  decisions: Decisions,
): ReadonlySet<string> {
  const { index_columns: listed } = (parsedValue(metadata, "pandas") ?? {}) as { index_columns?: unknown };
  const names = (Array.isArray(listed) ? (listed as unknown[]) : []).filter(
    (name): name is string => typeof name === "string" && /^__index_level_\d+__$/.test(name),
  );
  const leftOut = names.filter(
    (column) =>
      columns.includes(column) &&
      decisions.decide({
        ...{ kind: "columns-left-out", file, column, cells: rowCount, seen: column, isUnclear: false },
        readings: [
          { name: "left-out", text: "left out: the file says that it is a data frame's index" },
          { name: "field", text: "a column like the others" },
        ],
      }) === "left-out",
  );
  return new Set(leftOut);
}

type KeyValues = readonly { readonly key: string; readonly value?: string }[];

/** JSON of an entry of a file's metadata; null if there is none. */
function parsedValue(metadata: KeyValues, key: string): unknown {
  const text = metadata.find((entry) => entry.key === key)?.value;
  if (text === undefined) return null;
  try {
    return JSON.parse(text) as unknown;
  } catch {
    // Others' metadata: what is no JSON says nothing.
    return null;
  }
}

/** Returns why the library's values of a column would differ from the file's; null if they do not. */
function whyLossy({ children, element }: SchemaTree, isNested = false): string | null {
  const type = element.logical_type?.type ?? element.converted_type;
  const { converted_type: converted } = element;
  // Within lists and objects the library reads decimals as numbers of 64 bits, which have not all of them.
  if (isNested && (type === "DECIMAL" || converted === "DECIMAL"))
    return "has decimals in lists or objects: write them as text, or as float64";
  if (type === "TIME" || converted?.startsWith("TIME_")) return "is a time of day: write it as text";
  if (converted === "INTERVAL" || converted === "BSON" || type === "VARIANT")
    return `is of the type ${converted ?? type}: write it as text`;
  for (const child of children) {
    const why = whyLossy(child, true);
    if (why !== null) return why;
  }
  return null;
}

/** Replaces a number, or each of a list, by its label; -1 stands for none. */
function named(cell: Cell, names: readonly string[] | undefined): Cell {
  if (names === undefined) return cell;
  if (Array.isArray(cell))
    return (cell as readonly Cell[]).flatMap((one) => {
      const label = named(one, names);
      return label === null ? [] : [label];
    });
  if (typeof cell !== "number" && typeof cell !== "bigint") return cell;
  if (Number(cell) === -1) return null;
  const name = names[Number(cell)];
  return name === undefined ? cell : new ClassLabel(cell, name);
}

/** Names of label columns, and of lists of labels, as the library "datasets" writes them beside a file's schema. */
function classNames(metadata: KeyValues): Map<string, readonly string[]> {
  const { info } = (parsedValue(metadata, "huggingface") ?? {}) as { info?: { features?: unknown } };
  const found = new Map<string, readonly string[]>();
  for (const [column, feature] of Object.entries(info?.features ?? {})) {
    const names = namesOf(feature) ?? namesOf(Array.isArray(feature) ? feature[0] : feature?.feature);
    if (names !== null) found.set(column, names);
  }
  return found;
}

function namesOf(feature: unknown): readonly string[] | null {
  const { _type: type, names } = (feature ?? {}) as { _type?: unknown; names?: unknown };
  const isLabel = type === "ClassLabel" && Array.isArray(names);
  return isLabel && names.every((name) => typeof name === "string") ? (names as string[]) : null;
}
