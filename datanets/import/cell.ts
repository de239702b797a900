/**
 * Values of a file's columns as its format has them, and their conversion to the fields of a row: nothing is cast by guess,
 * and a value that would change is refused.
 */
import { exactNumber, isExact, Numeral } from "@openledger/foundation/exact-json";
import { isWellFormed, textOfBytes } from "@openledger/foundation/utf8";

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

/** Value that its format's reader would change. It is refused where a row needs it. */
export class LossyCell {
  readonly why: string;

  constructor(why: string) {
    this.why = why;
  }
}

/** null is a missing value. Lists and objects are as JSON has them. */
export type Cell =
  | null
  | string
  | boolean
  | number
  | bigint
  | Numeral
  | ClassLabel
  | LossyCell
  | Uint8Array
  | readonly unknown[]
  | Readonly<Record<string, unknown>>;

/** Reason for which a cell is refused; its reader adds the position. */
export class CellError extends Error {
  override readonly name = "CellError";
}

const INTEGER = /^-?\d+$/;
/** @throws CellError for what is no text, or one that UTF-8 would change */
export function textOfCell(cell: Cell): string {
  if (typeof cell === "string") {
    if (!isWellFormed(cell)) throw new CellError("has half of a surrogate pair");
    return cell;
  }
  if (cell instanceof Uint8Array) {
    try {
      return textOfBytes(cell);
    } catch (cause) {
      throw new CellError("has bytes that are no UTF-8", { cause });
    }
  }
  if (cell instanceof ClassLabel) return String(cell);
  if (typeof cell === "boolean") return String(cell);
  // A whole number has one spelling.
  const digits = typeof cell === "bigint" || cell instanceof Numeral ? String(cell) : "";
  if (INTEGER.test(digits) && digits !== "-0") return digits;
  throw wrong(cell, "text");
}

/** @throws CellError */
export function booleanOfCell(cell: Cell): boolean {
  if (cell === true || cell === "true") return true;
  if (cell === false || cell === "false") return false;
  throw wrong(cell, "boolean");
}

/**
 * Number of a cell; null for a missing value, as NaN stands for one among numbers.
 * @param digitsOf reads a text: its digits as JSON has them, null if it is no number
 * @throws CellError
 */
export function numberOfCell(cell: Cell, digitsOf: (text: string) => string | null): number | null {
  const raw = cell instanceof ClassLabel ? cell.value : cell;
  if (typeof raw === "number") {
    if (isExact(raw)) return raw;
    if (Number.isNaN(raw)) return null;
    throw Number.isFinite(raw)
      ? inexact(Object.is(raw, -0) ? "-0" : String(raw))
      : new CellError("is infinite, which a row's number cannot hold");
  }
  if (typeof raw === "bigint" || raw instanceof Numeral) return exactOf(String(raw));
  if (typeof raw !== "string") throw wrong(raw, "number");
  const digits = digitsOf(raw);
  if (digits === null && /^-?0\d+$/.test(raw)) throw inexact(raw);
  if (digits === null) throw new CellError(`is no number: "${raw.slice(0, 40)}"`);
  return exactOf(digits);
}

/**
 * Returns the name of a label; null for none, as -1 is in a hub's data sets.
 * @throws CellError for several
 */
export function labelOfCell(cell: Cell): string | null {
  if (Array.isArray(cell)) {
    if (cell.length > 1) throw new CellError(`has ${cell.length} labels, and a row has one`);
    return cell.length === 0 ? null : labelOfCell(cell[0] as Cell);
  }
  if (cell === null || cell === "") return null;
  return textOfCell(cell);
}

/** Bytes of a picture: as they are, or as data sets of a hub wrap them. @throws CellError */
export function bytesOfCell(cell: Cell): Uint8Array {
  if (cell instanceof Uint8Array) return cell;
  const { bytes, path } = (typeof cell === "object" && cell !== null ? cell : {}) as Record<string, unknown>;
  if (bytes instanceof Uint8Array) return bytes;
  if (typeof path === "string")
    throw new CellError(`names the picture "${path.slice(0, 100)}", which is not in the file`);
  throw wrong(cell, "picture");
}

function exactOf(digits: string): number {
  const number = exactNumber(digits);
  if (number === null) throw inexact(digits);
  return number;
}

function wrong(cell: unknown, type: string): CellError {
  if (cell instanceof LossyCell) return new CellError(cell.why);
  const found = cell === null ? "is missing" : `is no ${type}`;
  return new CellError(found);
}

const inexact = (digits: string) =>
  new CellError(`is ${digits.slice(0, 40)}, which a row's number cannot hold: make the field a text`);
