/** Reader of Parquet files for read-rows.ts: bytes stay bytes, whole numbers keep all their digits. */
import type { SchemaTree } from "hyparquet";

/** Number that stands for a name, as the data sets of a hub store labels. */
export class ClassLabel {
  readonly value: number | bigint;
  readonly #name: string;

  constructor(value: number | bigint, name: string) {
    this.value = value;
    this.#name = name;
  }

  toString(): string {
    return this.#name;
  }
}

export interface ParquetFile {
  /** Top-level columns. */
  readonly columns: readonly string[];
  /** Rows with these columns alone. @throws TypeError for a column whose values would be changed */
  read(columns: readonly string[]): Promise<Readonly<Record<string, unknown>>[]>;
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

/** @throws Error of the library for what is no Parquet file */
export async function openParquet(content: Uint8Array): Promise<ParquetFile> {
  const { parquetMetadata, parquetReadObjects, parquetSchema } = await import("hyparquet");
  const file = new Uint8Array(content).buffer;
  const metadata = parquetMetadata(file);
  const { children } = parquetSchema(metadata);
  const columns = children.map(({ element }) => element.name);
  const twice = columns.find((name, i) => columns.indexOf(name) < i);
  if (twice !== undefined) throw new TypeError(`two columns are named "${twice}": rename one`);
  const classes = classNames(metadata.key_value_metadata ?? []);
  return {
    columns,
    async read(names) {
      const used = children.filter(({ element }) => names.includes(element.name));
      for (const column of used) requireExact(column);
      if (used.length === 0) return Array.from({ length: Number(metadata.num_rows) }, () => ({}));
      const { compressors } = await import("hyparquet-compressors");
      const rows = await parquetReadObjects({
        file,
        metadata,
        compressors,
        columns: used.map(({ element }) => element.name),
        // The default replaces bytes that are no text.
        parsers: { stringFromBytes: textOrBytes as (bytes: Uint8Array) => string },
      });
      return rows.map((row) =>
        Object.fromEntries(
          Object.entries(row).map(([name, value]) => [name, named(value, classes.get(name))]),
        ),
      );
    },
  };
}

/** hyparquet reads decimals as numbers of 64 bits, which have not all of them. */
function requireExact({ children, element }: SchemaTree): void {
  if (element.converted_type === "DECIMAL" || element.logical_type?.type === "DECIMAL")
    throw new TypeError(`the column "${element.name}" is of decimals: write it as text, or as float64`);
  for (const child of children) requireExact(child);
}

function named(value: unknown, names: readonly string[] | undefined): unknown {
  if (names === undefined || (typeof value !== "number" && typeof value !== "bigint")) return value;
  const name = names[Number(value)];
  return name === undefined ? value : new ClassLabel(value, name);
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
