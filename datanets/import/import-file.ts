/** File that a person brings, its format by the ending of its name, and the limits of what is read at once. */
import { unreadable } from "./refusal.ts";

/**
 * Formats that are read. `whole` is a text of one row, `lines` has a row a line, `paragraphs` are divided by empty lines.
 */
export const FILE_FORMATS = [
  "csv",
  "tsv",
  "json",
  "jsonl",
  "xlsx",
  "parquet",
  "image",
  "zip",
  "markdown",
  "docx",
  "pdf",
  "whole",
  "lines",
  "paragraphs",
] as const;
export type FileFormat = (typeof FILE_FORMATS)[number];

export interface ImportFile {
  /** Name with its folders, as the person's system gives it: "cats/1.png". */
  readonly name: string;
  readonly content: Uint8Array;
  /** Format; absent: by the name's ending. */
  readonly format?: FileFormat;
}

const FORMATS: Readonly<Record<string, FileFormat>> = {
  csv: "csv",
  tsv: "tsv",
  tab: "tsv",
  json: "json",
  jsonl: "jsonl",
  ndjson: "jsonl",
  xlsx: "xlsx",
  xlsm: "xlsx",
  parquet: "parquet",
  png: "image",
  jpg: "image",
  jpeg: "image",
  gif: "image",
  webp: "image",
  zip: "zip",
  txt: "whole",
  text: "whole",
  md: "markdown",
  markdown: "markdown",
  docx: "docx",
  pdf: "pdf",
  eml: "whole",
};

/** Files that systems add to folders of their own accord. */
const SYSTEM_FILE = /(^|[/\\])(__MACOSX[/\\].*|\.DS_Store|\._[^/\\]*|Thumbs\.db|desktop\.ini)$/i;

/** Returns true for a file that a system has added to a person's folder: it is passed over. */
export const isSystemFile = (name: string): boolean => SYSTEM_FILE.test(name);

/** Returns the format by the name's ending; null if the ending does not say how to read the file. */
export function formatOf(name: string): FileFormat | null {
  const ending = name.toLowerCase().split(/[/\\]/).at(-1)!.split(".").slice(1).at(-1) ?? "";
  return Object.hasOwn(FORMATS, ending) ? FORMATS[ending]! : null;
}

/**
 * Returns the file's format: the one that is named, or the one of its ending.
 * @throws DNT_FILE_UNREADABLE for an ending that does not say: such a file would become one row
 */
export function requireFormat({ format, name }: Pick<ImportFile, "format" | "name">): FileFormat {
  const found = format ?? formatOf(name);
  if (found !== null) return found;
  const why = `which format is it? Its ending is none of ${Object.keys(FORMATS).join(", ")}`;
  throw unreadable(
    { file: name, line: 0 },
    `${why}: convert it, or say the format (${FILE_FORMATS.join(", ")})`,
  );
}

/** Limits of one import, checked before the work that they bound. */
export interface ImportLimits {
  /** Bytes of all files together, unpacked. */
  readonly bytes: number;
  readonly records: number;
  readonly columns: number;
  readonly durationMs: number;
}

/** Guess, revisit: what a browser's tab holds at ease. */
export const IMPORT_LIMITS: ImportLimits = {
  bytes: 512 * 2 ** 20,
  records: 1_000_000,
  columns: 1_000,
  durationMs: 300_000,
};

/** Counts what an import has used of its limits. */
export class ImportBudget {
  readonly limits: ImportLimits;
  readonly #startedMs = Date.now();
  #bytes = 0;
  #records = 0;

  constructor(limits: Partial<ImportLimits> = {}) {
    this.limits = { ...IMPORT_LIMITS, ...limits };
  }

  /** @throws DNT_FILE_UNREADABLE naming the file and the limit */
  takeBytes(file: string, count: number): void {
    this.#bytes += count;
    this.#require(file, this.#bytes, this.limits.bytes, "bytes");
  }

  /** @throws DNT_FILE_UNREADABLE, also once the time is over */
  takeRecords(file: string, count: number): void {
    this.#records += count;
    this.#require(file, this.#records, this.limits.records, "records");
    this.#require(file, Date.now() - this.#startedMs, this.limits.durationMs, "milliseconds of reading");
  }

  /** @throws DNT_FILE_UNREADABLE */
  requireColumns(file: string, count: number): void {
    this.#require(file, count, this.limits.columns, "columns");
  }

  #require(file: string, found: number, max: number, unit: string): void {
    if (found <= max) return;
    throw unreadable(
      { file, line: 0 },
      `it and the files before it have more than ${max} ${unit}: divide them`,
    );
  }
}
