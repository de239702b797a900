/// <reference path="./saxen.d.ts" />
/**
 * Parts of a spreadsheet (.xlsx, ECMA-376): its sheets, shared texts and formats, and the cells of one sheet. Cells are counted as they are
 * read, and a workbook's parts are unpacked within the import's limits before.
 */
import { Numeral } from "@openledger/foundation/exact-json";
import { Parser } from "saxen";
import { type Cell, LossyCell } from "./cell.ts";
import { isoOfSerial, type SheetFormat, sheetFormat } from "./sheet-formats.ts";

export interface SheetPart {
  readonly name: string;
  /** Path of its part in the package. */
  readonly path: string;
  readonly isHidden: boolean;
}

export interface Workbook {
  readonly sheets: readonly SheetPart[];
  readonly texts: readonly string[];
  readonly formats: readonly SheetFormat[];
  /** True if days are counted from 1904 on, as older Macintosh programs do. */
  readonly is1904: boolean;
}

/** A number that is shown as a percentage: 0.125 is 12.5 %. */
export class Percentage {
  readonly value: number;

  constructor(value: number) {
    this.value = value;
  }
}

export type SheetCell = NonNullable<Cell> | Percentage;

export interface SheetRow {
  /** Number as the program shows it, from 1 on. */
  readonly line: number;
  /** Cells with a value, by their columns from 0 on. */
  readonly cells: ReadonlyMap<number, SheetCell>;
}

export interface Sheet {
  readonly rows: readonly SheetRow[];
  readonly hiddenRowCount: number;
  readonly hiddenColumnCount: number;
  readonly mergedCount: number;
}

type Parts = ReadonlyMap<string, Uint8Array>;
type Attributes = () => Readonly<Record<string, string>>;

interface Handlers {
  readonly open: (name: string, attributes: Attributes, path: readonly string[]) => void;
  readonly text?: (text: string, path: readonly string[]) => void;
  readonly close?: (name: string, path: readonly string[]) => void;
}

/** Maximum depth of elements: a spreadsheet's parts have a dozen. */
const MAX_DEPTH = 256;

/** Reads XML by events, with the names without prefixes. @throws Error for what is no XML */
function readXml(content: Uint8Array, { close, open, text }: Handlers): void {
  const path: string[] = [];
  const local = (name: string) => name.slice(name.indexOf(":") + 1);
  let failed: Error | null = null;
  const parser = new Parser()
    .on("error", (error) => {
      failed ??= error;
    })
    .on("warn", () => undefined)
    .on("openTag", (qualified, attributes, decode) => {
      const name = local(qualified);
      path.push(name);
      if (path.length > MAX_DEPTH) throw new Error("it is nested too deeply");
      const decoded = () =>
        Object.fromEntries(Object.entries(attributes()).map(([key, value]) => [local(key), decode(value)]));
      open(name, decoded, path);
    })
    .on("closeTag", (qualified) => {
      close?.(local(qualified), path);
      path.pop();
    })
    .on("text", (raw, decode) => text?.(decode(raw), path))
    .on("cdata", (raw) => text?.(raw, path));
  parser.parse(new TextDecoder("utf-8", { fatal: true }).decode(content));
  if (failed !== null) throw failed as Error;
}

const isTrue = (value: string | undefined) => value === "1" || value === "true" || value === "on";

/** Characters that XML cannot hold are written by their numbers: `_x000D_`. */
const unescaped = (text: string) =>
  text.replace(/_x([0-9A-Fa-f]{4})_/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));

/** Path of a part that another one names: from the package's root, or beside it. */
function resolve(target: string, folder: string): string {
  if (target.startsWith("/")) return target.slice(1);
  const steps: string[] = [];
  for (const step of `${folder}/${target}`.split("/"))
    if (step === "..") steps.pop();
    else if (step !== "." && step !== "") steps.push(step);
  return steps.join("/");
}

interface Relationship {
  readonly type: string;
  readonly path: string;
}

function relationshipsOf(parts: Parts, path: string): Map<string, Relationship> {
  const at = path.lastIndexOf("/");
  const folder = at < 0 ? "" : path.slice(0, at);
  const content = parts.get(`${folder === "" ? "" : `${folder}/`}_rels/${path.slice(at + 1)}.rels`);
  const found = new Map<string, Relationship>();
  if (content === undefined) return found;
  readXml(content, {
    open: (name, attributes) => {
      if (name !== "Relationship") return;
      const { Id: id = "", Target: target = "", Type: type = "" } = attributes();
      found.set(id, { type: type.slice(type.lastIndexOf("/") + 1), path: resolve(target, folder) });
    },
  });
  return found;
}

/** @throws Error for a package without a workbook, or with a part that is no XML */
export function readWorkbook(parts: Parts): Workbook {
  const found = [...relationshipsOf(parts, "").values()].find(({ type }) => type === "officeDocument");
  const path = found?.path ?? "xl/workbook.xml";
  const content = parts.get(path);
  if (content === undefined) throw new Error("it has no workbook");
  const relationships = relationshipsOf(parts, path);
  const partOf = (type: string) => {
    const one = [...relationships.values()].find((other) => other.type === type);
    return one === undefined ? undefined : parts.get(one.path);
  };
  const sheets: SheetPart[] = [];
  let is1904 = false;
  readXml(content, {
    open: (name, attributes) => {
      if (name === "workbookPr") is1904 = isTrue(attributes().date1904);
      if (name !== "sheet") return;
      const { id = "", name: title = "", state = "visible" } = attributes();
      const part = relationships.get(id);
      // Sheets of charts have no cells.
      if (part?.type === "worksheet" && parts.has(part.path))
        sheets.push({ name: title, path: part.path, isHidden: state !== "visible" });
    },
  });
  return { sheets, is1904, texts: textsOf(partOf("sharedStrings")), formats: formatsOf(partOf("styles")) };
}

/** Texts that cells share: without the readings above characters. */
function textsOf(content: Uint8Array | undefined): string[] {
  const texts: string[] = [];
  if (content === undefined) return texts;
  let own = "";
  readXml(content, {
    open: (name) => {
      if (name === "si") own = "";
    },
    text: (text, path) => {
      if (path.at(-1) === "t" && !path.includes("rPh")) own += text;
    },
    close: (name) => {
      if (name === "si") texts.push(unescaped(own));
    },
  });
  return texts;
}

function formatsOf(content: Uint8Array | undefined): SheetFormat[] {
  const formats: SheetFormat[] = [];
  if (content === undefined) return formats;
  const codes = new Map<number, string>();
  readXml(content, {
    open: (name, attributes, path) => {
      if (name === "numFmt" && path.at(-2) === "numFmts") {
        const { formatCode = "", numFmtId } = attributes();
        codes.set(Number(numFmtId), formatCode);
      }
      if (name !== "xf" || path.at(-2) !== "cellXfs") return;
      const id = Number(attributes().numFmtId ?? 0);
      formats.push(sheetFormat(id, codes.get(id)));
    },
  });
  return formats;
}

/** Columns of a sheet. */
const MAX_COLUMN = 16_384;
const MAX_ROW = 1_048_576;
/** Cells between two looks at the clock. */
const CELLS_A_LOOK = 10_000;

interface OpenCell {
  readonly column: number;
  readonly type: string;
  readonly format: SheetFormat;
  hasFormula: boolean;
  value: string | null;
  inline: string | null;
}

/**
 * Reads the cells of a sheet.
 * @param takeCells counts cells against the limits of the import, and throws beyond them
 * @throws Error for what is no XML, and for places outside a sheet
 */
export function readSheet(
  content: Uint8Array,
  workbook: Workbook,
  takeCells: (count: number) => void,
): Sheet {
  const rows: SheetRow[] = [];
  let [hiddenRowCount, hiddenColumnCount, mergedCount, cellCount] = [0, 0, 0, 0];
  let line = 0;
  let column = -1;
  let cells = new Map<number, SheetCell>();
  let isHidden = false;
  let cell: OpenCell | null = null;
  readXml(content, {
    open: (name, attributes, path) => {
      if (name === "row" && path.at(-2) === "sheetData") {
        const { hidden, r } = attributes();
        line = r === undefined ? line + 1 : Number(r);
        if (!Number.isSafeInteger(line) || line < 1 || line > MAX_ROW) throw new Error(`it has no row ${r}`);
        [column, cells, isHidden] = [-1, new Map(), isTrue(hidden)];
      } else if (name === "c" && path.at(-2) === "row") {
        const { r, s, t = "n" } = attributes();
        column = r === undefined ? column + 1 : columnOf(r);
        if (column < 0 || column >= MAX_COLUMN) throw new Error(`it has no cell ${r?.slice(0, 20)}`);
        cellCount++;
        if (cellCount % CELLS_A_LOOK === 0) takeCells(CELLS_A_LOOK);
        const format = workbook.formats[Number(s ?? 0)] ?? "number";
        cell = { column, type: t, format, hasFormula: false, value: null, inline: null };
      } else if (name === "f" && cell !== null) cell.hasFormula = true;
      else if (name === "col" && isTrue(attributes().hidden)) {
        const { max, min } = attributes();
        hiddenColumnCount += Math.max(0, Math.min(Number(max), MAX_COLUMN) - Number(min) + 1);
      } else if (name === "mergeCell") mergedCount++;
    },
    text: (text, path) => {
      if (cell === null) return;
      const name = path.at(-1);
      if (name === "v") cell.value = (cell.value ?? "") + text;
      else if (name === "t" && path.includes("is") && !path.includes("rPh"))
        cell.inline = (cell.inline ?? "") + text;
    },
    close: (name, path) => {
      if (name === "c" && cell !== null && path.at(-2) === "row") {
        const value = cellValue(cell, workbook);
        if (value !== null && value !== "") cells.set(cell.column, value);
        cell = null;
      } else if (name === "row" && cells.size > 0) {
        rows.push({ line, cells });
        if (isHidden) hiddenRowCount++;
        cells = new Map();
      }
    },
  });
  takeCells(cellCount % CELLS_A_LOOK);
  return { rows, hiddenRowCount, hiddenColumnCount, mergedCount };
}

/** Column of a cell's name from 0 on: "C7" is 2; -1 for what is no name. */
function columnOf(name: string): number {
  const letters = /^([A-Z]{1,3})\d+$/.exec(name)?.[1];
  if (letters === undefined) return -1;
  let number = 0;
  for (const letter of letters) number = 26 * number + letter.charCodeAt(0) - 64;
  return number - 1;
}

function cellValue(cell: OpenCell, { is1904, texts }: Workbook): SheetCell | null {
  const { format, hasFormula, inline, type, value } = cell;
  if (type === "inlineStr") return inline === null ? null : unescaped(inline);
  if (value === null)
    return hasFormula && type !== "str"
      ? faulty("is a formula without a value: open the file in a spreadsheet program and save it")
      : null;
  switch (type) {
    case "s":
      return (
        texts[Number(value)] ?? faulty(`names the text ${value.slice(0, 20)}, which the file does not have`)
      );
    case "b":
      return value === "1" || value === "true";
    case "e":
      return faulty(`is the error ${value.slice(0, 20)}`);
    case "n":
      return numberCell(value, format, is1904);
    // Texts of formulas, and dates as ISO 8601 has them.
    default:
      return unescaped(value);
  }
}

/** Cell whose value cannot be read. */
const faulty = (why: string) => new LossyCell(why);

/** Digits that a program writes of a number of 64 bits, at most. */
const MAX_DIGITS = 17;

function numberCell(written: string, format: SheetFormat, is1904: boolean): SheetCell {
  const text = written.trim();
  const value = Number(text);
  if (text === "" || !Number.isFinite(value)) return faulty(`is no number: "${text.slice(0, 40)}"`);
  if (format === "date" || format === "moment" || format === "time")
    return (
      isoOfSerial(value, format, is1904) ?? faulty(`is shown as a date and is none: ${text.slice(0, 40)}`)
    );
  if (format === "percent") return new Percentage(value);
  if (typeof format === "object" && Number.isSafeInteger(value) && value >= 0)
    return String(value).padStart(format.zeros, "0");
  // Programs write 2.3 as 2.2999999999999998, and show 2.3: the same number of 64 bits.
  const digits = text.replace(/[eE].*$|[-+.]/g, "").replace(/^0+/, "");
  const isOfProgram =
    digits.length <= MAX_DIGITS && (Number.isSafeInteger(value) || !Number.isInteger(value));
  return new Numeral(isOfProgram ? String(value) : text);
}
