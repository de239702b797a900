/** Refusals of parts of a person's file, by file, line and field, with the reason: as entries of a list, or as errors. */
import { isRollupError, type RollupError } from "@openledger/foundation/rollup-error";
import { datanetError } from "../datanet-errors.ts";

export interface FilePosition {
  readonly file: string;
  /** Number from 1 on of the line, or of another unit; 0 is the whole file. */
  readonly line: number;
  /** Unit that `line` counts; lines if absent. */
  readonly unit?: "row" | "page";
  readonly field?: string;
}

export interface Refusal {
  readonly file: string;
  readonly line: number;
  readonly unit: "line" | "row" | "page";
  readonly field: string | null;
  readonly why: string;
}

/** Makes the error of a position in a file. */
export function unreadable(position: FilePosition, why: string, cause?: unknown): RollupError {
  const line = position.line === 0 ? "" : `${position.unit ?? "line"} ${position.line}`;
  const where = [position.file, line].filter((part) => part !== "");
  return datanetError("DNT_FILE_UNREADABLE", [...where, why].join(": "), {
    data: { ...position, why },
    cause,
  });
}

/**
 * Returns the entry of an error that names its position, or of one of a row's form at this position.
 * @throws the error itself if it is none of ours, or about a person's choice, which no part of a file has made
 */
export function refusalOf(error: unknown, position: FilePosition): Refusal {
  if (!isRollupError(error) || error.code.startsWith("DNT_READING_")) throw error;
  const found = (error.data ?? {}) as Partial<FilePosition> & { readonly why?: string };
  const at = found.file === undefined ? position : (found as FilePosition);
  return {
    file: at.file,
    line: at.line,
    unit: at.unit ?? "line",
    field: at.field ?? null,
    why: found.why ?? error.message,
  };
}

/** Text of an entry, as people read it. */
export function refusalText({ file, line, unit, why }: Refusal): string {
  return [file, line === 0 ? "" : `${unit} ${line}`, why].filter((part) => part !== "").join(": ");
}

/** @throws DNT_FILE_UNREADABLE for the first entry, with the number of all */
export function requireNone(refused: readonly Refusal[]): void {
  const [first] = refused;
  if (first === undefined) return;
  const { field, unit, why, ...at } = first;
  const position: FilePosition = {
    ...at,
    ...(unit === "line" ? {} : { unit }),
    ...(field === null ? {} : { field }),
  };
  const others = refused.length === 1 ? "" : ` (and ${refused.length - 1} more)`;
  throw unreadable(position, `${why}${others}`);
}
