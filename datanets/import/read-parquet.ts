/** Reader of Parquet files: bytes stay bytes, whole numbers and moments keep all their digits, labels have their names. */
import type { SchemaTree } from "hyparquet";
import { type Cell, ClassLabel, LossyCell } from "./cell.ts";
import type { FileRecord, ReadFile } from "./file-table.ts";
import type { ImportBudget } from "./import-file.ts";
import { unreadable } from "./refusal.ts";

/** @throws DNT_FILE_UNREADABLE for what is no Parquet file, or over a limit by its metadata */
export async function readParquet(
  content: Uint8Array,
  file: string,
  budget: ImportBudget,
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
  const columns = children.map(({ element }) => element.name);
  const twice = columns.find((name, i) => columns.indexOf(name) < i);
  if (twice !== undefined)
    throw unreadable({ file, line: 0, field: twice }, `two columns are named "${twice}": rename one`);
  budget.requireColumns(file, columns.length);
  const rowCount = Number(metadata.num_rows);
  budget.takeRecords(file, rowCount);
  budget.takeBytes(file, uncompressedBytes(metadata.row_groups));
  const lossy = new Map(
    children.flatMap((column) => {
      const why = whyLossy(column);
      return why === null ? [] : [[column.element.name, new LossyCell(why)] as const];
    }),
  );
  const read = columns.filter((name) => !lossy.has(name));
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
  const classes = classNames(metadata.key_value_metadata ?? []);
  const records = rows.map((row, i): FileRecord => {
    const values = columns.map((name) => {
      const cell = lossy.get(name) ?? named((row[name] ?? null) as Cell, classes.get(name));
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

/** A moment in ISO 8601 with all its digits. The library's own cuts them, and rounds those before 1970 upwards. */
function moment(units: bigint, unitsASecond: bigint, digits: number): string {
  const part = ((units % unitsASecond) + unitsASecond) % unitsASecond;
  const seconds = new Date(Number((units - part) / unitsASecond) * 1_000).toISOString().slice(0, 19);
  const fraction = String(part).padStart(digits, "0").replace(/0+$/, "");
  return fraction === "" ? `${seconds}Z` : `${seconds}.${fraction}Z`;
}

const PARSERS = {
  stringFromBytes: textOrBytes,
  // Its numbers would be rounded.
  jsonFromBytes: textOrBytes,
  timestampFromMilliseconds: (units: bigint) => moment(BigInt(units), 1_000n, 3),
  timestampFromMicroseconds: (units: bigint) => moment(BigInt(units), 1_000_000n, 6),
  timestampFromNanoseconds: (units: bigint) => moment(BigInt(units), 1_000_000_000n, 9),
  dateFromDays: (days: number) => new Date(days * 86_400_000).toISOString().slice(0, 10),
};

/** Returns why the library's values of a column would differ from the file's; null if they do not. */
function whyLossy({ children, element }: SchemaTree): string | null {
  const type = element.logical_type?.type ?? element.converted_type;
  const { converted_type: converted } = element;
  // Decimals are read as numbers of 64 bits, which have not all of them.
  if (type === "DECIMAL" || converted === "DECIMAL") return "is of decimals: write it as text, or as float64";
  if (type === "TIME" || converted?.startsWith("TIME_")) return "is a time of day: write it as text";
  if (converted === "INTERVAL" || converted === "BSON" || type === "VARIANT")
    return `is of the type ${converted ?? type}: write it as text`;
  for (const child of children) {
    const why = whyLossy(child);
    if (why !== null) return why;
  }
  return null;
}

/** Replaces a number by its label; -1 stands for none. */
function named(cell: Cell, names: readonly string[] | undefined): Cell {
  if (names === undefined || (typeof cell !== "number" && typeof cell !== "bigint")) return cell;
  if (Number(cell) === -1) return null;
  const name = names[Number(cell)];
  return name === undefined ? cell : new ClassLabel(cell, name);
}

/** Names of label columns, as the library "datasets" writes them beside a file's schema. */
function classNames(metadata: readonly { key: string; value?: string }[]): Map<string, readonly string[]> {
  const text = metadata.find(({ key }) => key === "huggingface")?.value;
  const found = new Map<string, readonly string[]>();
  if (text === undefined) return found;
  let features: unknown;
  try {
    features = (JSON.parse(text) as { info?: { features?: unknown } } | null)?.info?.features;
  } catch {
    return found;
  }
  for (const [column, feature] of Object.entries(features ?? {})) {
    const { _type: type, names } = (feature ?? {}) as { _type?: unknown; names?: unknown };
    if (type === "ClassLabel" && Array.isArray(names) && names.every((name) => typeof name === "string"))
      found.set(column, names as string[]);
  }
  return found;
}
